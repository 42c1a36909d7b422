"""A process of stock django-tenants: makes and migrates the same schemas with its own commands, prints seconds."""

from __future__ import annotations

import json
import secrets
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command
from django.db import connection as default_connection
from django.db import migrations, models

from tests.benchmarks.tenancy_ground import PEER_TENANTS

EXTRA = ("accounts", "9001_proof")
# Of django-tenants' backend, which carries no types.
connection: Any = default_connection


def _enter() -> str:
    """A bureau in the registry and an empty schema of its own."""
    from tenants.models import Bureau

    schema = f"b_{secrets.token_hex(6)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
    Bureau.objects.create(
        id=uuid.uuid4(), code=schema[2:], name=schema, division_code="110101", level="county", schema_name=schema
    )
    return schema


def _migrate(schema: str = "") -> None:
    """Django-tenants' own command, for one schema or for all."""
    which: dict[str, Any] = {"schema_name": schema} if schema else {"tenant": True}
    call_command("migrate_schemas", interactive=False, verbosity=0, **which)
    connection.set_schema_to_public()


def create() -> float:
    """Seconds for one new schema, the second of two: the first also pays for imports."""
    _migrate(_enter())
    schema = _enter()
    started = time.perf_counter()
    _migrate(schema)
    return time.perf_counter() - started


def _fill() -> None:
    """Bring the number of migrated schemas to PEER_TENANTS."""
    from tenants.models import Bureau

    while Bureau.objects.count() < PEER_TENANTS:
        _migrate(_enter())


def noop() -> float:
    """Seconds for all schemas when there is nothing to do."""
    _fill()
    started = time.perf_counter()
    _migrate()
    return time.perf_counter() - started


def column() -> float:
    """Seconds for all schemas when one column is to be added."""
    from django.db.migrations.loader import MigrationLoader

    _fill()
    on_disk = MigrationLoader.load_disk

    def with_extra(self: MigrationLoader) -> None:
        on_disk(self)
        parent = max(name for app, name in self.disk_migrations if app == EXTRA[0])
        kind = type("Migration", (migrations.Migration,), {})
        made = kind(EXTRA[1], EXTRA[0])
        made.dependencies = [(EXTRA[0], parent)]
        made.operations = [migrations.AddField("User", "proof", models.CharField(max_length=10, null=True))]
        self.disk_migrations[EXTRA] = made

    MigrationLoader.load_disk = with_extra  # type: ignore[method-assign]
    started = time.perf_counter()
    _migrate()
    return time.perf_counter() - started


def weigh() -> list[str]:
    """A few schemas made by the command; their names."""
    names = [_enter() for _number in range(4)]
    _migrate()
    return names


ACTIONS: dict[str, Callable[[], float | list[str]]] = {
    "weigh": weigh,
    "create": create,
    "noop": noop,
    "column": column,
}


def main() -> None:
    """Prepare the shared tables, then run what was named."""
    django.setup()
    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    connection.set_schema_to_public()
    print(json.dumps({name: ACTIONS[name]() for name in sys.argv[1:]}))


if __name__ == "__main__":
    main()
