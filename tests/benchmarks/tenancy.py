"""Figures of tenancy: making, migrating and carrying bureaus, and what a request pays for having one."""

from __future__ import annotations

import functools
import os
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.benchmarks.figure import Benchmark, Figure
from tests.benchmarks.tenancy_ground import PEER_TENANTS, many_bureaus, median_seconds, peer, superuser

BUREAUS = 200
COLUMN = "9001_proof"
REQUESTS = 1500


@functools.cache
def _peer() -> dict[str, float]:
    """All of the peer's times, from one process over one database."""
    return peer(["create", "noop", "column"])


def tenant_create() -> Figure:
    """A new bureau ready to sign in, beside its bare DDL replayed in one script on one connection."""
    from django.contrib.auth.hashers import make_password

    from saas.core.access import Role
    from tenants.database.owner import owner_connection
    from tenants.provisioning import create, scripts

    _digest, script = scripts.whole_schema()
    hashes = dict.fromkeys((Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN), make_password("x" * 12))
    made: list[create.BureauOrder] = []
    bare: list[str] = []
    steps: dict[str, list[float]] = {}

    def ours() -> None:
        order = create.BureauOrder(
            id=uuid.uuid4(),
            code=f"bench-{len(made)}",
            name="新单位",
            schema=create.new_schema_name(),
            division_code="110101",
            level="county",
            administrator_hashes=hashes,
        )
        made.append(order)
        marks = [("entered", time.perf_counter())]
        create.bureau_provision(order, progress=lambda _percent, step: marks.append((step, time.perf_counter())))
        ends = [at for _step, at in marks[1:]] + [time.perf_counter()]
        for (step, at), end in zip(marks, ends, strict=True):
            steps.setdefault(step, []).append((end - at) * 1000)

    try:
        with owner_connection() as owner:

            def floor() -> None:
                schema = create.new_schema_name()
                bare.append(schema)
                owner.execute(
                    f"BEGIN; CREATE SCHEMA {schema}; SET LOCAL search_path = {schema}, cell, extensions;\n"
                    f"{script.statements}\nCOMMIT"
                )

            ours()
            floor()
            times = [(median_seconds(ours, rounds=1), median_seconds(floor, rounds=1)) for _round in range(15)]
    finally:
        for order in made:
            create.bureau_remove(order.ref)
        with owner_connection() as owner:
            for schema in bare:
                owner.execute(f"DROP SCHEMA {schema} CASCADE")
    value, least = (sorted(column)[len(times) // 2] for column in zip(*times, strict=True))
    return Figure(
        name="tenant_create",
        value=value * 1000,
        unit="ms",
        floor=least * 1000,
        peer=_peer()["create"] * 1000,
        note="with keys in Vault, role, grants, three administrators, audit record, host; password hashes given; "
        "ms split, keys beside the schema: "
        + ", ".join(f"{step} {statistics.median(taken):.0f}" for step, taken in steps.items())
        + "; peer: migrate_schemas of one empty schema, without keys, role and people",
    )


def tenant_migrate_noop() -> Figure:
    """200 bureaus with nothing to do, beside reading each one's applied migrations on one connection."""
    from tenants.database.owner import owner_connection
    from tenants.provisioning import runner

    with many_bureaus(BUREAUS) as schemas:

        def floor() -> None:
            with owner_connection() as owner:
                for schema in schemas:
                    owner.execute(f"SELECT app, name FROM {schema}.django_migrations").fetchall()

        runner.bureaus_migrate()
        floor()
        value = median_seconds(runner.bureaus_migrate, rounds=7)
        least = median_seconds(floor, rounds=7)
    return Figure(
        name="tenant_migrate_noop",
        value=value,
        unit="s",
        floor=least,
        peer=_peer()["noop"] * BUREAUS / PEER_TENANTS,
        note=f"{BUREAUS} bureaus; peer measured on {PEER_TENANTS} and multiplied, though it grows faster than linearly",
    )


def tenant_migrate_column() -> Figure:
    """200 bureaus get one column each, beside the bare ALTER and its record in a transaction per bureau."""
    from django.db import migrations, models

    from tenants.database.owner import owner_connection
    from tenants.provisioning import recording, runner

    def loader() -> Any:
        made = recording.graph()
        parent = made.graph.leaf_nodes("accounts")[0]
        migration = type("Migration", (migrations.Migration,), {})(COLUMN, "accounts")
        migration.dependencies = [parent]
        migration.operations = [migrations.AddField("User", "proof", models.CharField(max_length=10, null=True))]
        made.disk_migrations["accounts", COLUMN] = migration
        made.graph.add_node(("accounts", COLUMN), migration)
        made.graph.add_dependency(migration, ("accounts", COLUMN), parent)
        return made

    with many_bureaus(BUREAUS) as schemas, owner_connection() as owner:
        every = [row[0] for row in owner.execute("SELECT schema_name FROM tenants_bureau").fetchall()]

        def undo() -> None:
            for schema in every:
                owner.execute(
                    f"ALTER TABLE {schema}.accounts_user DROP COLUMN IF EXISTS proof; "
                    f"DELETE FROM {schema}.django_migrations WHERE name = '{COLUMN}'"
                )

        def floor() -> None:
            with owner_connection() as bare:
                for schema in schemas:
                    bare.execute(
                        f"BEGIN; ALTER TABLE {schema}.accounts_user ADD COLUMN proof varchar(10) NULL; "
                        f"INSERT INTO {schema}.django_migrations (app, name, applied) "
                        f"VALUES ('accounts', '{COLUMN}', now()); COMMIT"
                    )

        def ours() -> None:
            failed = [outcome for outcome in runner.bureaus_migrate(loader=loader()) if outcome.error]
            if failed:
                raise RuntimeError(failed[0].error)

        times = []
        for _round in range(5):
            value = median_seconds(ours, rounds=1)
            undo()
            times.append((value, median_seconds(floor, rounds=1)))
            undo()
    value, least = (sorted(column)[len(times) // 2] for column in zip(*times, strict=True))
    return Figure(
        name="tenant_migrate_column",
        value=value,
        unit="s",
        floor=least,
        peer=_peer()["column"] * BUREAUS / PEER_TENANTS,
        note=f"{BUREAUS} bureaus, canary, plan rendering and state records included; "
        f"peer measured on {PEER_TENANTS} and multiplied",
    )


_CATALOG_ROWS = """
WITH own AS (SELECT oid FROM pg_class WHERE relnamespace = %s::regnamespace)
SELECT (SELECT count(*) FROM own)
     + (SELECT count(*) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM own))
     + (SELECT count(*) FROM pg_index WHERE indrelid IN (SELECT oid FROM own))
     + (SELECT count(*) FROM pg_constraint WHERE conrelid IN (SELECT oid FROM own))
     + (SELECT count(*) FROM pg_type WHERE typrelid IN (SELECT oid FROM own))
     + (SELECT count(*) FROM pg_depend WHERE objid IN (SELECT oid FROM own))
"""


def _weight(connection: psycopg.Connection[Any], schemas: list[str]) -> dict[str, float]:
    """What each of these schemas weighs: counts of the first, and what a backend keeps that has read all tables."""

    def one(query: str, *values: object) -> float:
        row = connection.execute(query, values).fetchone()
        return float(row[0]) if row else 0.0

    relations = "SELECT count(*) FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = %s"
    memory = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts"
    names = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
    tables = [row[0] for row in connection.execute(names, [schemas[0]]).fetchall()]

    def touch(place: str) -> None:
        connection.execute(f"SET search_path = {place}")
        for name in tables:
            connection.execute(f'SELECT * FROM "{name}" LIMIT 0')

    for place in schemas[:2]:
        touch(place)
    before = one(memory)
    for place in schemas[2:]:
        touch(place)
    return {
        "": one(relations, schemas[0], "r"),
        "_indexes": one(relations, schemas[0], "i"),
        "_catalog": one(_CATALOG_ROWS, schemas[0]),
        "_memory": (one(memory) - before) / len(schemas[2:]) / 1024,
    }


def tenant_weight() -> list[Figure]:
    """What one bureau weighs, beside its tables without indexes, and what stock django-tenants leaves."""
    from django.conf import settings

    from tenants.database.owner import owner_connection
    from tests.benchmarks.tenancy_ground import stock_schemas

    database = str(settings.DATABASES["default"]["NAME"])
    count = 12
    bare = [f"bare_{number}" for number in range(count)]
    with many_bureaus(count) as schemas, superuser(database) as connection:
        ours = _weight(connection, schemas)
        names = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
        tables = [row[0] for row in connection.execute(names, [schemas[0]]).fetchall()]
        with owner_connection() as owner:
            for place in bare:
                like = "; ".join(f'CREATE TABLE {place}."{name}" (LIKE {schemas[0]}."{name}")' for name in tables)
                owner.execute(f"BEGIN; CREATE SCHEMA {place}; {like}; COMMIT")
        try:
            with superuser(database) as fresh:
                floor = _weight(fresh, bare)
        finally:
            with owner_connection() as owner:
                for place in bare:
                    owner.execute(f"DROP SCHEMA {place} CASCADE")
    with stock_schemas() as (peer_database, stock), superuser(peer_database) as connection:
        peers = _weight(connection, stock)
    told = {
        "": (
            "tables",
            "aim: below 60; floor: the same tables bare; peer: with django's auth, contenttypes",
        ),
        "_indexes": ("indexes", "aim: below 250; the bare tables have none"),
        "_catalog": ("rows", "in six catalogs"),
        "_memory": ("kB", "of a backend that has read every table, per bureau; bounded by the pool's max_lifetime"),
    }
    return [
        Figure(
            name=f"tenant_weight{suffix}",
            value=ours[suffix],
            unit=unit,
            floor=floor[suffix],
            peer=peers[suffix],
            note=note,
        )
        for suffix, (unit, note) in told.items()
    ]


def _alias(name: str, *, engine: str, path: str) -> None:
    """Another way into the same schema, as the owner, with the same pool: `path` when there is no tenancy."""
    from django.db import connections

    from tenants.database.options import pool_options

    own = urlsplit(os.environ["OWNER_DATABASE_URL"])
    settings = dict(connections.settings["default"])
    settings.update(ENGINE=engine, USER=own.username, PASSWORD=own.password)
    options = f"-c TimeZone=UTC -c search_path={path}"
    settings["OPTIONS"] = {"server_side_binding": True, "options": options, **pool_options()}
    connections.settings[name] = settings


def _view(alias: str) -> Any:
    """Five reads, as a light page makes them."""
    from django.db import connections
    from django.http import HttpResponse

    with connections[alias].cursor() as cursor:
        for number in range(5):
            cursor.execute("SELECT id, username FROM accounts_user WHERE username = %s", [f"nobody-{number}"])
            cursor.fetchall()
    return HttpResponse("ok")


def tenancy_request() -> Figure:
    """The same view with our tenancy, without any, and with stock django-tenants; turns interleaved."""
    from django.db import connections
    from django.test import RequestFactory, override_settings

    from tenants.middleware import HostMiddleware
    from tenants.models import HostName
    from tenants.registry import hosts
    from tenants.selectors import bureau_by_code

    bureau = bureau_by_code("alpha")
    host = HostName.objects.get(bureau_id=bureau.id).host
    _alias("plain", engine="django.db.backends.postgresql", path=f"{bureau.schema},cell,extensions")
    _alias("stock", engine="django_tenants.postgresql_backend", path="public")
    request = RequestFactory().get("/", headers={"host": host})
    middleware = HostMiddleware(lambda _request: _view("default"))

    def ours() -> None:
        middleware(request)
        connections["default"].close()

    def plain() -> None:
        _view("plain")
        connections["plain"].close()

    def stock() -> None:
        # What TenantMainMiddleware does, on an alias of its own.
        connection: Any = connections["stock"]
        connection.set_schema_to_public()
        found = HostName.objects.using("stock").select_related("bureau").get(host=host)
        connection.set_tenant(found.bureau)
        _view("stock")
        connection.close()

    ways: dict[str, Callable[[], None]] = {"ours": ours, "plain": plain, "stock": stock}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with override_settings(TENANT_LIMIT_SET_CALLS=False):
        for way in ways.values():
            for _warm in range(50):
                way()
        until = time.monotonic() + 5
        while not hosts.listening and time.monotonic() < until:
            time.sleep(0.01)
        for _turn in range(REQUESTS):
            for name, way in ways.items():
                taken[name].append(median_seconds(way, rounds=1))
    for name in ("plain", "stock"):
        pooled: Any = connections[name]
        pooled.close_pool()
    value, floor, other = (sorted(taken[name])[REQUESTS // 2] * 1000 for name in ("ours", "plain", "stock"))
    return Figure(
        name="tenancy_request",
        value=value,
        unit="ms",
        floor=floor,
        peer=other,
        note=f"p50 of a view with five reads; over the same view without tenancy: {value - floor:.3f} ms, "
        "one extra round trip",
    )


FIGURES: dict[str, Benchmark] = {
    "tenant_create": tenant_create,
    "tenant_migrate_noop": tenant_migrate_noop,
    "tenant_migrate_column": tenant_migrate_column,
    "tenant_weight": tenant_weight,
    "tenancy_request": tenancy_request,
}
