"""This thread's application connection, with its type: Django's own does not know of tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.db import DEFAULT_DB_ALIAS, connections

if TYPE_CHECKING:
    from tenants.database.base import DatabaseWrapper


def application_connection() -> DatabaseWrapper:
    """The default connection of the calling thread; opened when first used."""
    return cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
