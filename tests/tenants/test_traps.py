"""The traps of tenancy that were measured, each with the guard that closes it."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, connections, transaction

from saas.accounts.models import User
from saas.core.tenancy import NoTenant, TenantRef
from tenants.context import outside_tenants, use_tenant
from tenants.database.current import application_connection
from tenants.database.session import WrongTenant, tenant_state


def _who() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('search_path')")
        row: tuple[str, str] = cursor.fetchone()
    return row


def _expected(ref: TenantRef) -> tuple[str, str]:
    return ref.schema, f"{ref.schema}, cell, extensions"


def test_outside_any_bureau_the_role_is_the_login(outside: None) -> None:
    assert _who() == ("yunshu_intranet_c1_app", "public, cell")


def test_switching_costs_one_round_trip_and_nothing_when_unchanged(
    outside: None, alpha: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants.database import session

    sent: list[bytes] = []
    with use_tenant(alpha):
        _who()
        pgconn = connection.connection.pgconn
        original = session.apply

        def counting(conn: Any, state: Any, *, known: Any) -> Any:
            reports = conn.info.server_version >= session.REPORTS_SEARCH_PATH
            before = pgconn.parameter_status(b"search_path") if reports else known
            if before != state.path:
                sent.append(state.command)
            return original(conn, state, known=known)

        monkeypatch.setattr("tenants.database.cursors.apply", counting)
        for _turn in range(5):
            assert _who() == _expected(alpha)
    assert sent == []
    _who()
    assert len(sent) == 1


def test_a_swallowed_error_that_turns_commit_into_rollback_does_not_bring_the_old_bureau_back(
    outside: None, alpha: TenantRef, beta: TenantRef
) -> None:
    with use_tenant(alpha):
        _who()
        with pytest.raises(DatabaseError), transaction.atomic():  # noqa: PT012
            with use_tenant(beta):
                _who()
                try:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT 1/0")
                except DatabaseError:
                    pass
            connection.cursor().execute("SELECT 1")
        assert _who() == _expected(alpha)
    with use_tenant(beta):
        with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
            with use_tenant(alpha):
                assert _who() == _expected(alpha)
            raise ZeroDivisionError
        assert _who() == _expected(beta)


def test_before_postgresql_18_a_switch_inside_a_transaction_is_not_believed(
    outside: None, alpha: TenantRef, beta: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants.database import session

    monkeypatch.setattr(session, "REPORTS_SEARCH_PATH", 10**9)
    with use_tenant(alpha):
        assert _who() == _expected(alpha)
        assert application_connection().known_path == tenant_state(alpha.schema).path
    with use_tenant(beta):
        with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
            assert _who() == _expected(beta)
            with use_tenant(alpha):
                assert _who() == _expected(alpha)
                assert application_connection().known_path is None
            raise ZeroDivisionError
        assert _who() == _expected(beta)
        sid = None
        with transaction.atomic():
            sid = transaction.savepoint()
            with use_tenant(alpha):
                assert _who() == _expected(alpha)
            transaction.savepoint_rollback(sid)
            assert _who() == _expected(beta)


def test_a_raw_cursor_of_the_driver_works_for_the_active_bureau(
    outside: None, alpha: TenantRef, beta: TenantRef
) -> None:
    with use_tenant(alpha):
        _who()
    with use_tenant(beta):
        row = connection.connection.cursor().execute("SELECT current_user").fetchone()
        assert row == (beta.schema,)
        row = connection.connection.execute("SELECT current_user").fetchone()
        assert row == (beta.schema,)


def test_a_cursor_opened_before_the_switch_works_for_the_bureau_active_at_each_statement(
    in_alpha: TenantRef, beta: TenantRef
) -> None:
    with connection.cursor() as cursor, use_tenant(beta):
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (beta.schema,)


def test_a_server_side_cursor_is_not_read_on_under_another_bureau(in_alpha: TenantRef, beta: TenantRef) -> None:
    for number in range(3):
        User.objects.create(username=f"u{number}", name="x", password="x")
    rows = User.objects.iterator(chunk_size=1)
    next(rows)
    with use_tenant(beta), pytest.raises(WrongTenant):
        list(rows)


def test_a_new_thread_starts_outside_and_reads_no_bureau(in_alpha: TenantRef) -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            list(User.objects.all())
        except BaseException as error:
            caught.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [NoTenant]


def test_a_lazy_query_is_not_evaluated_under_another_bureau(in_alpha: TenantRef, beta: TenantRef) -> None:
    lazy = User.objects.filter(is_active=True)
    with use_tenant(beta):
        for evaluate in (
            lambda: list(lazy),
            lazy.count,
            lazy.exists,
            lambda: lazy.update(name="x"),
            lazy.delete,
            lambda: list(lazy.filter(name="y")),
            lambda: list(lazy.values("name")),
            lazy.first,
        ):
            with pytest.raises(WrongTenant):
                evaluate()
    list(lazy)


def test_a_query_made_outside_binds_where_it_is_used(in_alpha: TenantRef, beta: TenantRef) -> None:
    with outside_tenants():
        declared = User.objects.filter(is_active=True)
    assert list(declared.all()) == list(User.objects.filter(is_active=True))
    copy = declared.all()
    with use_tenant(beta), pytest.raises(WrongTenant):
        list(copy)


def test_an_object_is_not_saved_deleted_or_refreshed_under_another_bureau(in_alpha: TenantRef, beta: TenantRef) -> None:
    user = User.objects.create(username="wanderer", name="x", password="x")
    loaded = User.objects.get(username="wanderer")
    with use_tenant(beta):
        before = User.objects.count()
        for item in (user, loaded, pickle.loads(pickle.dumps(loaded))):
            for act in (item.save, item.delete, item.refresh_from_db):
                with pytest.raises(WrongTenant):
                    act()
        assert User.objects.count() == before
    loaded.refresh_from_db()
    loaded.delete()


def test_objects_of_two_bureaus_do_not_refer_to_each_other(in_alpha: TenantRef, beta: TenantRef) -> None:
    from saas.accounts.models import RoleGrant

    mine = User.objects.create(username="mine", name="x", password="x")
    with use_tenant(beta):
        theirs = User.objects.create(username="theirs", name="x", password="x")
    grant = RoleGrant(user=mine)
    with pytest.raises(WrongTenant):
        grant.user = theirs


def test_related_objects_are_not_loaded_under_another_bureau(in_alpha: TenantRef, beta: TenantRef) -> None:
    user = User.objects.create(username="related", name="x", password="x")
    related = [
        name
        for name in (field.get_accessor_name() for field in User._meta.related_objects if field.one_to_many)
        if name
    ]
    assert related
    with use_tenant(beta), pytest.raises(WrongTenant):
        list(getattr(user, related[0]).all())


@pytest.mark.parametrize("model", [ContentType, Permission])
def test_content_types_cannot_be_asked_for(model: Any, in_alpha: TenantRef) -> None:
    with pytest.raises(WrongTenant):
        list(model.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = %s", [model._meta.db_table])
        assert cursor.fetchone() == (0,)


def test_the_active_bureau_outlives_a_closed_connection(outside: None, alpha: TenantRef) -> None:
    with use_tenant(alpha):
        connection.close()
        assert _who() == _expected(alpha)


def test_a_connection_goes_back_to_the_pool_without_its_bureau(outside: None, alpha: TenantRef) -> None:
    with use_tenant(alpha):
        connection.cursor().execute("SET statement_timeout = 12345")
        raw = connection.connection
        pid = raw.info.backend_pid
    connection.close()
    for _attempt in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_backend_pid(), current_user, current_setting('statement_timeout'), "
                "current_setting('TimeZone')"
            )
            row = cursor.fetchone()
        connection.close()
        if row[0] == pid:
            assert row[1:] == ("yunshu_intranet_c1_app", "0", "UTC")
            return
    pytest.fail("the connection was not seen again")


@pytest.mark.parametrize(
    "name", ["public; DROP SCHEMA x", "pg_catalog", "b_0123456789AB", "b_0123456789abc", "", "cell"]
)
def test_only_a_bureaus_schema_can_be_switched_to(name: str) -> None:
    with pytest.raises(WrongTenant):
        tenant_state(name)


def test_nested_blocks_return_to_the_outer_bureau(in_alpha: TenantRef, beta: TenantRef) -> None:
    with use_tenant(beta):
        assert _who() == _expected(beta)
        with use_tenant(in_alpha):
            assert _who() == _expected(in_alpha)
        assert _who() == _expected(beta)
    assert _who() == _expected(in_alpha)
