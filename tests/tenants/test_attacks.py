"""The SQL attack matrix: what an injected statement could try under a bureau's role, and that each is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from saas.core.tenancy import TenantRef
from tenants.context import use_tenant

CANARY = "canary-of-beta"
# {other} is the other bureau's schema and role, {app} the login, {owner} the owner, {group} the bureaus' group.
ATTACKS = {
    "union into another schema": "SELECT username FROM accounts_user UNION SELECT username FROM {other}.accounts_user",
    "read another schema": "SELECT * FROM {other}.accounts_user",
    "write another schema": "UPDATE {other}.accounts_user SET is_active = false",
    "set_config of the role": "SELECT set_config('role', '{other}', false)",
    "set_config of the path": "SELECT set_config('search_path', '{other}', false)",
    "set_config by qualified name": "SELECT pg_catalog.set_config('role', 'none', true)",
    "set_config hidden in a subquery": "SELECT 1 WHERE (SELECT set_config('role', '{other}', true)) IS NOT NULL",
    "stacked statements": "SELECT 1; SET ROLE {other}",
    "stacked after a comment": "SELECT 1 /* ; */ ; RESET ROLE; SELECT 2",
    "a DO block": "DO $$ BEGIN EXECUTE 'SET ROLE {other}'; END $$",
    "a DO block in sql": "DO LANGUAGE sql $$ SELECT 1 $$",
    "copy from a program": "COPY accounts_user TO PROGRAM 'id'",
    "copy to a file": "COPY accounts_user TO '/tmp/stolen'",
    "copy from a file": "COPY accounts_user FROM '/etc/passwd'",
    "read a server file": "SELECT pg_read_file('/etc/passwd')",
    "list a server folder": "SELECT pg_ls_dir('/')",
    "import a large object": "SELECT lo_import('/etc/passwd')",
    "make a large object": "SELECT lo_from_bytea(0, 'x')",
    "make an extension": "CREATE EXTENSION dblink",
    "call dblink": "SELECT * FROM dblink('dbname=yunshu', 'SELECT 1') AS t(a int)",
    "make a function": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make a function in a shared schema": "CREATE FUNCTION cell.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make a table": "CREATE TABLE stolen (a int)",
    "make a table in public": "CREATE TABLE public.stolen (a int)",
    "make a temporary table": "CREATE TEMPORARY TABLE accounts_user (a int)",
    "make a schema": "CREATE SCHEMA stolen",
    "make a role": "CREATE ROLE stolen SUPERUSER",
    "grant itself another role": "GRANT {other} TO {own}",
    "grant itself the owner": "GRANT {owner} TO {own}",
    "change the login": "ALTER ROLE {app} SUPERUSER",
    "set a default for the login": "ALTER ROLE {app} SET search_path = {other}",
    "write the catalog": "UPDATE pg_class SET relowner = 10",
    "read passwords": "SELECT rolpassword FROM pg_authid",
    "become the owner": "SET ROLE {owner}",
    "become the superuser": "SET SESSION AUTHORIZATION postgres",
    "drop its own table": "DROP TABLE accounts_user",
    "alter its own table": "ALTER TABLE accounts_user DISABLE TRIGGER ALL",
    "truncate a table": "TRUNCATE accounts_user",
    "make a trigger": "CREATE TRIGGER t BEFORE INSERT ON accounts_user EXECUTE FUNCTION cell.note_audit()",
    "read the registry": "SELECT * FROM public.tenants_bureau",
    "read applied commands": "SELECT * FROM public.tenants_appliedcommand",
    "read all jobs": "SELECT * FROM cell.procrastinate_jobs",
    "forge another's job": "SELECT cell.insert_job('{other}', 'q', 't', '', '{{}}'::jsonb, NULL)",
    "lift its own suspension": "DELETE FROM cell.suspended",
    "rewrite its migrations": "DELETE FROM django_migrations",
    "end a session of the login": "SELECT pg_terminate_backend(pg_backend_pid())",
    "cancel a session of the login": "SELECT pg_cancel_backend(pg_backend_pid())",
    "read others' statements": "SELECT 1/(count(*) FILTER (WHERE query = '<insufficient privilege>' OR query = '')"
    " - count(*)) FROM pg_stat_activity WHERE usename <> '{app}'",
    "change a server setting": "ALTER SYSTEM SET log_statement = 'all'",
    "load a library": "LOAD '/tmp/evil.so'",
    "a listener on the settings file": "SELECT pg_reload_conf()",
    "a security-definer copy of a view": "CREATE VIEW stolen AS SELECT * FROM {other}.accounts_user",
    "change an audit record": "UPDATE audit_record SET event = 'x'",
    "delete an audit record": "DELETE FROM audit_record",
    "take the audit sealer's lock": "SELECT pg_try_advisory_lock(hashtext('yunshu'), hashtext('audit sealer'))",
    "take the audit sealer's lock until commit": "SELECT pg_try_advisory_xact_lock(1, 2)",
    "take a lock by one number": "SELECT pg_advisory_lock_shared(4711)",
    "give up every lock": "SELECT pg_advisory_unlock_all()",
    "forge a link of the chain": "INSERT INTO audit_link (seq, record_id, algorithm, digest) "
    "VALUES (1, gen_random_uuid(), 'sha-256', '')",
}


@pytest.fixture
def names(alpha: TenantRef, beta: TenantRef) -> dict[str, str]:
    return {
        "own": alpha.schema,
        "other": beta.schema,
        "app": "yunshu_intranet_c1_app",
        "owner": "yunshu_intranet_c1_owner",
        "group": "yunshu_intranet_c1_tenants",
    }


@pytest.fixture
def victim(db: None, beta: TenantRef) -> Iterator[None]:
    from saas.accounts.models import User

    with use_tenant(beta):
        User.objects.create(username=CANARY, name=CANARY, password="x")
    yield
    with use_tenant(beta):
        assert User.objects.get(username=CANARY).is_active


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda name: name.replace(" ", "_"))
def test_each_attack_is_refused(attack: str, names: dict[str, str], victim: None, in_alpha: TenantRef) -> None:
    rows: object = None
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:  # noqa: PT012
        cursor.execute(ATTACKS[attack].format(**names))
        rows = cursor.fetchall() if cursor.description else None
    assert rows is None
    assert CANARY not in str(refused.value)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('search_path')")
        assert cursor.fetchone() == (in_alpha.schema, f"{in_alpha.schema}, cell, extensions")


@pytest.mark.parametrize("statement", ["SET ROLE {other}", "SET search_path = {other}", "RESET ROLE", "SET ROLE NONE"])
def test_a_whole_injected_statement_does_not_reach_the_other_bureaus_rows(
    statement: str, names: dict[str, str], victim: None, in_alpha: TenantRef
) -> None:
    """The role is a second wall: a whole statement may change the session, the next one still sees no canary."""
    from saas.accounts.models import User

    with connection.cursor() as cursor:
        cursor.execute(statement.format(**names))
    try:
        with transaction.atomic():
            seen = list(User.objects.values_list("username", flat=True))
    except DatabaseError:
        seen = []
    assert CANARY not in seen
    connection.cursor().execute("SET ROLE NONE")


def test_the_login_itself_reads_no_bureau(names: dict[str, str], db: None) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {names['other']}.accounts_user")


@pytest.mark.parametrize(
    "table", ["exchange_spool", "audit_pending", "audit_unsigned", "calendar_day", "calendar_year"]
)
def test_the_login_itself_reads_nothing_of_all_bureaus_at_once(table: str, db: None) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM cell.{table}")
    assert getattr(refused.value.__cause__, "sqlstate", "") == "42501"


def test_the_login_reads_of_the_common_schema_only_what_jobs_need(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'cell'::regnamespace AND c.relkind = 'r' "
            "AND has_any_column_privilege(c.oid, 'select')"
        )
        read = {row[0] for row in cursor.fetchall()}
    assert {name for name in read if not name.startswith("procrastinate_")} == {"suspended"}


def test_no_function_that_locks_by_number_is_left_to_everybody(in_alpha: TenantRef) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE '%%advisory%%' AND has_function_privilege(oid, 'execute')"
        )
        assert cursor.fetchall() == []


def test_a_bureau_role_holds_nothing_in_common_schemas_but_what_is_listed(in_alpha: TenantRef) -> None:
    from tenants.grants import COMMON

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname IN ('public', 'cell') AND has_function_privilege(p.oid, 'execute')"
        )
        functions = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('public', 'cell') AND c.relkind IN ('r', 'v', 'S', 'm', 'p') "
            "AND (has_any_column_privilege(c.oid, 'select') OR has_any_column_privilege(c.oid, 'insert') "
            "OR has_any_column_privilege(c.oid, 'update') OR has_table_privilege(c.oid, 'delete'))"
        )
        tables = {row[0] for row in cursor.fetchall()}
    listed = {grant.on.split(" ", 1)[1].split("(")[0] for grant in COMMON if not grant.on.startswith("SCHEMA")}
    assert functions | tables <= listed


def test_a_bureau_role_cannot_sign_in_so_its_own_defaults_never_apply(in_alpha: TenantRef) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = %s",
            [in_alpha.schema],
        )
        assert cursor.fetchone() == (False, False, False, False, False)
