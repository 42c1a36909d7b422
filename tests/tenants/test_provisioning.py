"""A bureau is made wholly or not at all, again and again, and its schema is what Django's migrations make."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password

from saas.accounts.models import User
from saas.core.access import Role
from saas.core.errors import Conflict, Unavailable
from tenants.context import use_tenant
from tenants.database.owner import owner_connection
from tenants.models import Bureau, HostName, State
from tenants.provisioning import create, recording, scripts
from tenants.provisioning.create import BureauOrder, bureau_provision, bureau_remove, new_schema_name

ROLES = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)


@pytest.fixture
def order(outside: None) -> Iterator[BureauOrder]:
    made = BureauOrder(
        id=uuid.uuid4(),
        code="newone",
        name="新设的单位",
        schema=new_schema_name(),
        division_code="110101",
        level="county",
        administrator_hashes=dict.fromkeys(ROLES, make_password("x" * 12, hasher="default")),
    )
    yield made
    bureau_remove(made.ref)


def _traces(order: BureauOrder) -> list[str]:
    """Everything in the database that knows the bureau."""
    with owner_connection() as owner:
        found = []
        for what, query in (
            ("schema", "SELECT 1 FROM pg_namespace WHERE nspname = %s"),
            ("role", "SELECT 1 FROM pg_roles WHERE rolname = %s"),
            ("registry", "SELECT 1 FROM tenants_bureau WHERE schema_name = %s"),
            ("audit", "SELECT 1 FROM cell.audit_pending WHERE schema_name = %s"),
        ):
            if owner.execute(query, [order.schema]).fetchone():
                found.append(what)
        if owner.execute("SELECT 1 FROM tenants_hostname WHERE host LIKE 'newone.%'").fetchone():
            found.append("host")
    return found


def test_a_new_bureau_is_ready_to_sign_in(order: BureauOrder) -> None:
    steps: list[int] = []
    bureau = bureau_provision(order, progress=lambda percent, _step: steps.append(percent))
    assert bureau.state == State.ACTIVE
    assert steps == sorted(steps)
    assert [row.host for row in HostName.objects.filter(bureau=bureau)] == ["newone.localhost"]
    with use_tenant(bureau):
        assert sorted(User.objects.values_list("username", flat=True)) == sorted(
            r.value.replace("_", "-") for r in ROLES
        )


def test_making_it_again_changes_nothing(order: BureauOrder) -> None:
    first = bureau_provision(order)
    again = bureau_provision(replace(order, name="另一个名字"))
    assert (again.id, again.name) == (first.id, first.name)


@pytest.mark.parametrize("step", ["create_tenant_keys", "_make_schema", "first_accounts.create", "record", "_finish"])
def test_a_failure_at_any_step_leaves_nothing_and_can_be_repeated(
    step: str, order: BureauOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_named: Any) -> None:
        raise Unavailable("the part is away")

    with monkeypatch.context() as broken:
        broken.setattr(f"tenants.provisioning.create.{step}", fail)
        with pytest.raises(Unavailable):
            bureau_provision(order)
    assert [trace for trace in _traces(order) if trace != "audit"] == []
    assert bureau_provision(order).state == State.ACTIVE


def test_a_script_that_breaks_half_way_leaves_nothing(order: BureauOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, script = scripts.whole_schema()
    broken = recording.Script(script.statements + "\nSELECT no_such_function();\n", script.migrations)
    with monkeypatch.context() as patch:
        patch.setattr(scripts, "whole_schema", lambda: (digest, broken))
        with pytest.raises(Exception, match="no_such_function"):
            bureau_provision(order)
    assert _traces(order) == []


def test_a_killed_try_is_cleaned_up_by_the_next(order: BureauOrder) -> None:
    create._begin(order)
    create._make_schema(order.schema, scripts.whole_schema()[1])
    assert _traces(order) == ["schema", "role", "registry"]
    assert bureau_provision(order).state == State.ACTIVE


def test_a_bureau_that_is_being_made_is_served_by_no_host(order: BureauOrder) -> None:
    from tenants.registry import _read

    create._begin(order)
    HostName.objects.using("owner").create(host="newone.localhost", bureau_id=order.id)
    assert _read("newone.localhost") is None


@pytest.mark.parametrize("same", ["code", "schema"])
def test_a_taken_code_or_schema_is_a_conflict_and_harms_nobody(same: str, order: BureauOrder) -> None:
    first = bureau_provision(order)
    values = {"code": "otherone", "schema": new_schema_name()} | {same: getattr(order, same)}
    with pytest.raises(Conflict):
        bureau_provision(replace(order, id=uuid.uuid4(), **values))
    assert Bureau.objects.get(id=first.id).state == State.ACTIVE
    assert set(_traces(order)) >= {"schema", "role", "registry"}


def test_the_script_is_kept_and_made_anew_when_a_migration_changes(
    outside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, script = scripts.whole_schema()
    monkeypatch.setattr(scripts, "_try_out", lambda *_args: pytest.fail("rendered twice"))
    assert scripts.whole_schema() == (digest, script)
    scripts._on_disk.cache_clear()
    scripts._scripts.clear()
    assert scripts.whole_schema() == (digest, script)
    with monkeypatch.context() as changed:
        changed.setattr(recording, "digest", lambda *_args: "0" * 64)
        scripts._on_disk.cache_clear()
        with pytest.raises(BaseException, match="rendered twice"):
            scripts.whole_schema()
    scripts._on_disk.cache_clear()


def test_the_script_makes_what_the_migrations_make(order: BureauOrder) -> None:
    """Compare the replayed schema with one in which Django ran every migration itself."""
    bureau_provision(order)
    loader = recording.graph()
    by_django = new_schema_name()
    with owner_connection() as owner:
        owner.execute(f"CREATE SCHEMA {by_django}")
        try:
            recording.record(loader, applied=(), missing=recording.target(loader), schema=by_django)
            assert _shape(owner, order.schema) == _shape(owner, by_django)
        finally:
            owner.execute(f"DROP SCHEMA {by_django} CASCADE")


def _shape(owner: Any, schema: str) -> dict[str, Any]:
    columns = owner.execute(
        "SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, '') "
        "FROM information_schema.columns WHERE table_schema = %s AND table_name <> 'django_migrations' ORDER BY 1, 2",
        [schema],
    ).fetchall()
    indexes = owner.execute(
        "SELECT indexname, replace(indexdef, %s, '') FROM pg_indexes WHERE schemaname = %s "
        "AND tablename <> 'django_migrations' ORDER BY 1",
        [f"{schema}.", schema],
    ).fetchall()
    constraints = owner.execute(
        "SELECT conname, replace(pg_get_constraintdef(c.oid), %s, '') FROM pg_constraint c "
        "JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = %s "
        "AND conrelid::regclass::text NOT LIKE '%%django_migrations' ORDER BY 1",
        [f"{schema}.", schema],
    ).fetchall()
    return {
        "columns": [tuple(str(part).replace(schema, "") for part in row) for row in columns],
        "indexes": indexes,
        "constraints": constraints,
    }


def test_a_schema_stays_within_the_budget_of_tables_and_indexes(order: BureauOrder) -> None:
    bureau_provision(order)
    with owner_connection() as owner:
        rows = owner.execute(
            "SELECT c.relkind::text, count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE nspname = %s GROUP BY 1",
            [order.schema],
        ).fetchall()
    counts = dict(rows)
    assert counts["r"] < 60
    assert counts["i"] < 250


def test_no_foreign_key_leaves_a_schema(order: BureauOrder) -> None:
    bureau_provision(order)
    with owner_connection() as owner:
        leaving = owner.execute(
            "SELECT conname FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid "
            "JOIN pg_class b ON b.oid = c.confrelid WHERE c.contype = 'f' AND a.relnamespace <> b.relnamespace"
        ).fetchall()
    assert leaving == []


def test_a_suspended_bureaus_jobs_wait(order: BureauOrder) -> None:
    from tenants import services

    bureau_provision(order)
    services.suspend("newone")
    with owner_connection() as owner:
        assert owner.execute("SELECT 1 FROM cell.suspended WHERE tenant = %s", [order.schema]).fetchone()
        services.suspend("newone")
        services.resume("newone")
        assert not owner.execute("SELECT 1 FROM cell.suspended WHERE tenant = %s", [order.schema]).fetchone()
