"""Brings what a zone's bureaus share up to date: shared migrations, then the one list of grants."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from saas.env import Zone
from tenants import grants
from tenants.database.base import OWNER_ALIAS
from tenants.database.owner import owner_connection


def prepare() -> None:
    """Apply shared migrations as the owner and set what the group of bureaus' roles may touch; may be repeated."""
    call_command("migrate", verbosity=0, interactive=False)


def apply_grants() -> None:
    """Set the grants in the zones that have bureaus."""
    connections[OWNER_ALIAS].close()
    if settings.ZONE is not Zone.MANAGEMENT:
        with owner_connection() as connection:
            set_grants(connection)


def set_grants(connection: psycopg.Connection[Any]) -> None:
    """Make the group's privileges in common schemas exactly `grants.COMMON`."""
    group = sql.Identifier(grants.group_role(zone=settings.ZONE, cell=settings.CELL))
    with connection.transaction():
        for schema in ("public", "cell"):
            for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
                connection.execute(
                    sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA {} FROM {}").format(
                        sql.SQL(kind), sql.Identifier(schema), group
                    )
                )
        for grant in grants.COMMON:
            if _exists(connection, grant):
                connection.execute(
                    sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(grant.privilege), sql.SQL(grant.on), group)
                )


def _exists(connection: psycopg.Connection[Any], grant: grants.Grant) -> bool:
    kind, _, name = grant.on.partition(" ")
    lookup = {"SCHEMA": "to_regnamespace", "FUNCTION": "to_regprocedure"}.get(kind, "to_regclass")
    row = connection.execute(sql.SQL("SELECT {}(%s) IS NOT NULL").format(sql.SQL(lookup)), [name]).fetchone()
    return bool(row and row[0])
