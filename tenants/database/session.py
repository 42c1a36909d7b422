"""Which role and search path a server session runs with, and the one round trip that changes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

PUBLIC = "public"
# Opaque: every role can list schema names in the catalog.
TENANT_SCHEMA = re.compile(r"b_[0-9a-f]{12}\Z")
REPORTS_SEARCH_PATH = 180000


class WrongTenant(RuntimeError):
    """Code tried to mix two bureaus: a programming error, stopped before it reaches data."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """What the server must be set to before it runs a statement.

    `path` is the canonical form PostgreSQL reports; equal paths mean equal roles, for the two are only ever
    set together.
    """

    path: bytes
    command: bytes


def tenant_state(schema: str) -> SessionState:
    """The state for a bureau's work: its own role, its schema, the shared ones, never ``public``.

    Raises:
        WrongTenant: `schema` is not the name of a bureau's schema.
    """
    if not TENANT_SCHEMA.match(schema):
        message = f"{schema!r} is not the schema of a bureau"
        raise WrongTenant(message)
    path = f"{schema}, cell, extensions"
    return SessionState(path.encode(), f"SET ROLE {schema}; SET search_path = {path}".encode())


def owner_state(schema: str) -> SessionState:
    """The state in which the owner makes or changes the tables of a bureau's schema.

    Raises:
        WrongTenant: `schema` is not the name of a bureau's schema.
    """
    path = tenant_state(schema).path
    return SessionState(path, b"SET ROLE NONE; SET search_path = " + path)


def outside_state() -> SessionState:
    """The state outside any bureau: the login itself, the registry and what the cell shares."""
    path = f"{PUBLIC}, cell"
    return SessionState(path.encode(), f"SET ROLE NONE; SET search_path = {path}".encode())


def apply(connection: psycopg.Connection[Any], state: SessionState, *, known: bytes | None) -> bytes | None:
    """Bring the session to `state` with at most one round trip.

    Args:
        connection: an open connection, not inside a pipeline.
        state: what is wanted.
        known: what the caller believes is set and cannot be undone by a rollback; None when unsure. Only used
            before PostgreSQL 18, which reports the truth itself.

    Returns:
        what may be believed from now on: the path, or None when a rollback could still undo it.

    Raises:
        psycopg.Error: the server refused; nothing was changed.
    """
    pgconn = connection.pgconn
    reports = connection.info.server_version >= REPORTS_SEARCH_PATH
    current = pgconn.parameter_status(b"search_path") if reports else known
    if current == state.path:
        return known
    status = pgconn.transaction_status
    if status == TransactionStatus.INERROR:
        # Only a rollback can run now, and it restores what was set before; the next statement looks again.
        return known
    if pgconn.status != ConnStatus.OK:
        return None
    result = pgconn.exec_(state.command)
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, encoding=connection.info.encoding)
    return state.path if status == TransactionStatus.IDLE else None
