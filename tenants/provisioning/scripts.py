"""The SQL of a bureau's whole schema, made once per content of the migrations and kept in the database."""

from __future__ import annotations

import secrets

from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader

from tenants.database.base import OWNER_ALIAS
from tenants.models import SchemaScript
from tenants.provisioning import recording
from tenants.provisioning.recording import Script


class _Undo(Exception):
    """Leaves the transaction in which the script was tried."""


def whole_schema() -> tuple[str, Script]:
    """The digest and the script of a bureau's schema as the migrations on disk say.

    Rendering takes seconds of Django's migration states, so it is done once; the schema it is tried in is
    rolled back.
    """
    loader = recording.graph()
    nodes = recording.target(loader)
    digest = recording.digest(loader, nodes)
    kept = SchemaScript.objects.using(OWNER_ALIAS).filter(digest=digest).first()
    if kept is not None:
        return digest, Script(kept.statements, tuple((app, name) for app, name in kept.migrations))
    script = _try_out(loader, nodes)
    SchemaScript.objects.using(OWNER_ALIAS).get_or_create(
        digest=digest, defaults={"statements": script.statements, "migrations": [list(n) for n in script.migrations]}
    )
    return digest, script


def _try_out(loader: MigrationLoader, nodes: list[recording.Node]) -> Script:
    schema = f"b_{secrets.token_hex(6)}"
    script: Script | None = None
    try:
        with transaction.atomic(using=OWNER_ALIAS):
            with connections[OWNER_ALIAS].cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {schema}")
            script = recording.record(loader, applied=(), missing=nodes, schema=schema)
            raise _Undo
    except _Undo:
        pass
    if script is None:
        message = "the schema script was not made"
        raise RuntimeError(message)
    return script
