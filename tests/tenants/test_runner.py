"""The migration runner: canary first, one bureau's failure harms no other, and a repeat goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from saas.core.errors import Conflict
from saas.core.tenancy import TenantRef
from tenants.database.owner import RUNNER_LOCK, owner_connection
from tenants.models import Bureau
from tenants.provisioning import recording, runner
from tenants.provisioning.create import bureau_remove
from tests.bureaus import create_bureau

NEW = "9001_proof"
TABLE = "core_proof"


def _create_table() -> list[Any]:
    return [
        migrations.CreateModel(name="Proof", fields=[("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("Proof", "mark", models.CharField(max_length=10, db_default="x")),
        migrations.RunSQL(f"INSERT INTO {TABLE} (mark) VALUES ('100%'), ('it''s')", migrations.RunSQL.noop),
    ]


def _loader(operations: list[Any], *, atomic: bool = True) -> MigrationLoader:
    """The migrations on disk and one more, on top of core's."""
    loader = recording.graph()
    parent = loader.graph.leaf_nodes("core")[0]
    kind = type("Migration", (migrations.Migration,), {"atomic": atomic, "operations": operations})
    made = kind(NEW, "core")
    made.dependencies = [parent]
    loader.disk_migrations["core", NEW] = made
    loader.graph.add_node(("core", NEW), made)
    loader.graph.add_dependency(made, ("core", NEW), parent)
    return loader


@pytest.fixture
def bureaus(outside: None, alpha: TenantRef, beta: TenantRef) -> Iterator[list[TenantRef]]:
    gamma = create_bureau(code="gamma", name="丙县人民政府")
    refs = [alpha, beta, gamma]
    yield refs
    with owner_connection() as owner:
        for ref in refs:
            owner.execute(f"DROP TABLE IF EXISTS {ref.schema}.{TABLE}")
            owner.execute(f"DELETE FROM {ref.schema}.django_migrations WHERE name = %s", [NEW])
        owner.execute("UPDATE tenants_bureau SET migration_error = ''")
    bureau_remove(gamma)


def _has(ref: TenantRef) -> tuple[bool, bool]:
    """Whether the schema has the table, and whether it says so."""
    with owner_connection() as owner:
        row = owner.execute(
            "SELECT to_regclass(%s) IS NOT NULL, "
            f"EXISTS (SELECT 1 FROM {ref.schema}.django_migrations WHERE name = %s)",
            [f"{ref.schema}.{TABLE}", NEW],
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def _errors() -> dict[str, str]:
    return dict(Bureau.objects.using("owner").values_list("code", "migration_error"))


def test_nothing_to_do_is_nothing_done(bureaus: list[TenantRef]) -> None:
    assert runner.bureaus_migrate() == []


def test_every_bureau_gets_the_same_and_its_role_may_use_it(bureaus: list[TenantRef]) -> None:
    outcomes = runner.bureaus_migrate(loader=_loader(_create_table()))
    assert [(o.code, o.applied, o.error) for o in sorted(outcomes, key=lambda o: o.code)] == [
        ("alpha", 1, ""),
        ("beta", 1, ""),
        ("gamma", 1, ""),
    ]
    from django.db import connection

    from tenants.context import use_tenant

    for ref in bureaus:
        assert _has(ref) == (True, True)
        with use_tenant(ref), connection.cursor() as cursor:
            cursor.execute(f"SELECT mark FROM {TABLE} ORDER BY id")
            assert cursor.fetchall() == [("100%",), ("it's",)]
            cursor.execute(f"INSERT INTO {TABLE} (mark) VALUES ('mine')")
    assert runner.bureaus_migrate(loader=_loader(_create_table())) == []


def test_one_bureau_alone(bureaus: list[TenantRef]) -> None:
    runner.bureaus_migrate(only="beta", loader=_loader(_create_table()))
    assert [_has(ref) for ref in bureaus] == [(False, False), (True, True), (False, False)]


def test_a_failing_canary_stops_its_group_and_nothing_is_half_done(bureaus: list[TenantRef]) -> None:
    broken = [*_create_table(), migrations.RunSQL("SELECT no_such_function()")]
    outcomes = runner.bureaus_migrate(loader=_loader(broken))
    assert len(outcomes) == 3
    assert all(outcome.error for outcome in outcomes)
    assert "no_such_function" in outcomes[0].error
    assert "alpha" in outcomes[1].error
    assert [_has(ref) for ref in bureaus] == [(False, False)] * 3
    assert all(_errors().values())
    runner.bureaus_migrate(loader=_loader(_create_table()))
    assert [_has(ref) for ref in bureaus] == [(True, True)] * 3
    assert not any(_errors().values())


def test_one_failing_bureau_neither_stops_nor_half_does_another_and_a_repeat_finishes(
    bureaus: list[TenantRef],
) -> None:
    _alpha, beta, _gamma = bureaus
    with owner_connection() as owner:
        owner.execute(f"CREATE TABLE {beta.schema}.{TABLE} (in_the_way int)")
    outcomes = {o.code: o for o in runner.bureaus_migrate(loader=_loader(_create_table()))}
    assert "already exists" in outcomes["beta"].error
    assert (outcomes["alpha"].error, outcomes["gamma"].error) == ("", "")
    assert _has(beta) == (True, False)
    assert "already exists" in _errors()["beta"]
    with owner_connection() as owner:
        owner.execute(f"DROP TABLE {beta.schema}.{TABLE}")
    again = runner.bureaus_migrate(loader=_loader(_create_table()))
    assert [(o.code, o.error) for o in again] == [("beta", "")]
    assert _errors()["beta"] == ""


def test_a_lock_somebody_holds_is_not_waited_for_long(
    bureaus: list[TenantRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.database.owner.LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(runner, "LOCK_PAUSE_SECONDS", 0)
    beta = bureaus[1]
    alter = [migrations.RunSQL("ALTER TABLE accounts_user ALTER COLUMN name SET DEFAULT ''")]
    with owner_connection() as holder:
        holder.execute(f"BEGIN; SELECT 1 FROM {beta.schema}.accounts_user")
        outcomes = {o.code: o.error for o in runner.bureaus_migrate(loader=_loader(alter))}
        holder.execute("ROLLBACK")
    assert "lock timeout" in outcomes["beta"]
    assert (outcomes["alpha"], outcomes["gamma"]) == ("", "")
    assert [o.code for o in runner.bureaus_migrate(loader=_loader(alter))] == ["beta"]


def test_two_runs_at_once_are_refused(bureaus: list[TenantRef]) -> None:
    with owner_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER_LOCK)
        with pytest.raises(Conflict):
            runner.bureaus_migrate()


@pytest.mark.parametrize(
    ("operations", "atomic"),
    [([migrations.RunPython(lambda _apps, _editor: None)], True), (_create_table(), False)],
    ids=["python", "not atomic"],
)
def test_what_cannot_be_replayed_is_refused_by_name(
    operations: list[Any], atomic: bool, bureaus: list[TenantRef]
) -> None:
    outcomes = runner.bureaus_migrate(loader=_loader(operations, atomic=atomic))
    assert all(NEW in outcome.error for outcome in outcomes)
    assert [_has(ref) for ref in bureaus] == [(False, False)] * 3


def test_groups_of_different_age_each_have_their_own_canary(bureaus: list[TenantRef]) -> None:
    runner.bureaus_migrate(only="gamma", loader=_loader(_create_table()))
    outcomes = runner.bureaus_migrate(loader=_loader(_create_table()))
    assert sorted(o.code for o in outcomes) == ["alpha", "beta"]
