"""The owner's connections: plain psycopg, many statements in one round trip, no tenant's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from tenants.database.base import OWNER_ALIAS

LOCK_TIMEOUT = "3s"
RUNNER_LOCK = (0x59554E, 2)


@contextmanager
def owner_connection() -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own in autocommit; closed at the end of the block.

    Raises:
        ImproperlyConfigured: this process was not given the owner's login.
    """
    if OWNER_ALIAS not in connections.settings:
        message = "OWNER_DATABASE_URL is not set: only the agent and migrations change schemas"
        raise ImproperlyConfigured(message)
    params = connections[OWNER_ALIAS].get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    plain = {name: params[name] for name in names if params.get(name)}
    with psycopg.connect(
        **plain,
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,
        options=f"-c TimeZone=UTC -c lock_timeout={LOCK_TIMEOUT} -c client_min_messages=warning",
    ) as connection:
        yield connection
