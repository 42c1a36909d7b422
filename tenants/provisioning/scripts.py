"""The SQL of a bureau's whole schema, made once per content of the migrations and kept in the database."""

from __future__ import annotations

import functools
import secrets

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from tenants.database.base import OWNER_ALIAS
from tenants.models import SchemaScript
from tenants.provisioning import recording
from tenants.provisioning.recording import Script


class _Undo(Exception):
    """Leaves the transaction in which the script was tried."""


@functools.cache
def _on_disk() -> tuple[str, MigrationLoader, list[recording.Node]]:
    """The migrations this process has loaded; files that change later concern the next process."""
    loader = recording.graph()
    nodes = recording.target(loader)
    return recording.digest(loader, nodes), loader, nodes


_scripts: dict[str, Script] = {}


def whole_schema() -> tuple[str, Script]:
    """The digest and the script of a bureau's schema as the migrations on disk say.

    Rendering takes seconds of Django's migration states, so it is done once; the schema it is tried in is
    rolled back.
    """
    digest, loader, nodes = _on_disk()
    if digest not in _scripts:
        _scripts[digest] = _kept(digest) or _made(digest, loader, nodes)
    return digest, _scripts[digest]


def _kept(digest: str) -> Script | None:
    row = SchemaScript.objects.using(OWNER_ALIAS).filter(digest=digest).first()
    return Script(row.statements, tuple((app, name) for app, name in row.migrations)) if row else None


def _made(digest: str, loader: MigrationLoader, nodes: list[recording.Node]) -> Script:
    script = _try_out(loader, nodes)
    SchemaScript.objects.using(OWNER_ALIAS).get_or_create(
        digest=digest, defaults={"statements": script.statements, "migrations": [list(n) for n in script.migrations]}
    )
    return script


def _try_out(loader: MigrationLoader, nodes: list[recording.Node]) -> Script:
    schema = f"b_{secrets.token_hex(6)}"
    script: Script | None = None
    try:
        with transaction.atomic(using=OWNER_ALIAS):
            with connections[OWNER_ALIAS].cursor() as cursor:
                cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            script = recording.record(loader, applied=(), missing=nodes, schema=schema)
            raise _Undo
    except _Undo:
        pass
    if script is None:
        message = "the schema script was not made"
        raise RuntimeError(message)
    return script
