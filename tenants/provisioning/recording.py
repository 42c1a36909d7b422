"""Runs Django migrations once in a schema and keeps the SQL, so other schemas get it without Django."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration, RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from tenants.database.base import OWNER_ALIAS, DatabaseWrapper

Node = tuple[str, str]


class CannotReplay(RuntimeError):
    """A migration does what SQL alone cannot repeat in another schema; the message names it."""


@dataclass(frozen=True, slots=True)
class Script:
    """SQL with unqualified names that brings a schema from one set of migrations to another.

    Args:
        statements: run with the schema first in `search_path`.
        migrations: the nodes it applies, in order.
    """

    statements: str
    migrations: tuple[Node, ...]


class _OwnersView:
    """What stands on the owner's connection while it works in a schema: routers take it for inside."""

    ref = None

    def __init__(self, schema: str) -> None:
        self.schema_name = schema


def _editor_into(statements: list[str]) -> type[DatabaseSchemaEditor]:
    class RecordingEditor(DatabaseSchemaEditor):
        def execute(self, sql: Any, params: Any = ()) -> None:
            super().execute(sql, params)
            text = str(sql)
            if params:
                text = psycopg.ClientCursor(self.connection.connection).mogrify(text, params)
            statements.append(text.strip().rstrip(";"))

    return RecordingEditor


def graph() -> MigrationLoader:
    """The migrations on disk; the database is not asked."""
    return MigrationLoader(None)


def target(loader: MigrationLoader) -> list[Node]:
    """Every migration a bureau's schema must have, in an order that respects dependencies."""
    labels = {config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS}
    leaves = sorted(node for node in loader.graph.leaf_nodes() if node[0] in labels)
    ordered: dict[Node, None] = {}
    for leaf in leaves:
        ordered.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    return list(ordered)


def digest(loader: MigrationLoader, nodes: Iterable[Node]) -> str:
    """A name for the content of these migrations' files (SHA-256, hex)."""
    result = hashlib.sha256()
    for node in nodes:
        file = sys.modules[loader.disk_migrations[node].__module__].__file__ or ""
        result.update(f"{node[0]}.{node[1]}\0".encode() + Path(file).read_bytes())
    return result.hexdigest()


@contextmanager
def inside(schema: str) -> Iterator[DatabaseWrapper]:
    """The owner's Django connection with `schema` first in its path and its own role; for migrations only."""
    connection: Any = connections[OWNER_ALIAS]
    before = connection.tenant
    connection.set_owner_schema(_OwnersView(schema))
    try:
        yield connection
    finally:
        connection.set_tenant(before)


def record(loader: MigrationLoader, *, applied: Iterable[Node], missing: Iterable[Node], schema: str) -> Script:
    """Apply `missing` to `schema` in the owner's current transaction and return the SQL that did it.

    Args:
        loader: from `graph`.
        applied: what the schema has.
        missing: what it lacks, in order.
        schema: an existing schema.

    Raises:
        CannotReplay: a migration is not atomic, or changes rows in Python in a schema that has some.
    """
    had = list(applied)
    todo = list(missing)
    fresh = not had
    for node in todo:
        _check(loader.disk_migrations[node], fresh=fresh)
    statements: list[str] = []
    with inside(schema) as connection:
        editor = connection.SchemaEditorClass
        connection.SchemaEditorClass = _editor_into(statements)
        try:
            state = loader.project_state(had) if had else ProjectState(real_apps=loader.unmigrated_apps)
            for node in todo:
                with connection.schema_editor(atomic=True) as schema_editor:
                    state = loader.disk_migrations[node].apply(state, schema_editor)
        finally:
            connection.SchemaEditorClass = editor
    return Script("\n".join(f"{text};" for text in statements), tuple(todo))


def _check(migration: Migration, *, fresh: bool) -> None:
    if not migration.atomic:
        message = f"{migration} is not atomic: a bureau's schema changes wholly or not at all"
        raise CannotReplay(message)
    # In an empty schema code that changes rows has nothing to change.
    if not fresh and any(isinstance(operation, RunPython) for operation in migration.operations):
        message = f"{migration} changes rows in Python: write it as SQL, so every schema gets the same"
        raise CannotReplay(message)
