"""Cursors that look at the active tenant at every statement, so no path to the server goes round it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from django.db.backends.postgresql.base import CursorMixin
from psycopg import sql

from tenants.database.session import SessionState, WrongTenant, apply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg._queries import PostgresQuery


class Owner(Protocol):
    """The Django connection a server session is lent to."""

    session_state: SessionState
    known_path: bytes | None


OWNER = "yunshu_owner"


def make_ready(connection: psycopg.Connection[Any]) -> SessionState | None:
    """Bring a server session to the state its Django connection wants; nothing for one that is not lent."""
    owner: Owner | None = getattr(connection, OWNER, None)
    if owner is None:
        return None
    state = owner.session_state
    owner.known_path = apply(connection, state, known=owner.known_path)
    return state


class _Ready:
    """Statement methods that first set role and path. Also holds for ``connection.connection.cursor()``."""

    _conn: psycopg.Connection[Any]

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        make_ready(self._conn)
        return super().execute(*args, **kwargs)  # type: ignore[misc]

    def executemany(self, *args: Any, **kwargs: Any) -> Any:
        make_ready(self._conn)
        return super().executemany(*args, **kwargs)  # type: ignore[misc]

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        make_ready(self._conn)
        return super().stream(*args, **kwargs)  # type: ignore[misc]

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        make_ready(self._conn)
        return super().copy(*args, **kwargs)  # type: ignore[misc]


class TenantCursor(_Ready, CursorMixin, psycopg.Cursor[Any]):
    """The cursor of application logins: parameters bound by the server, one statement at a time.

    Without parameters psycopg would use the simple protocol, which runs stacked statements
    (``select 1; set role other``); the extended protocol refuses them.
    """

    def _execute_send(self, query: PostgresQuery, *, force_extended: bool = True, binary: bool | None = None) -> None:
        del force_extended
        super()._execute_send(query, force_extended=True, binary=binary)


class OwnerCursor(_Ready, CursorMixin, psycopg.ClientCursor[Any]):
    """The cursor of the schemas' owner, whose scripts hold many statements; never in a web process."""


class TenantServerCursor(CursorMixin, psycopg.ServerCursor[Any]):
    """A named cursor, bound to the tenant it was opened for: reading on under another is refused."""

    _opened_for: SessionState | None = None

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Open the portal for the active tenant."""
        self._opened_for = make_ready(self._conn)
        return super().execute(*args, **kwargs)

    def _check(self) -> None:
        owner: Owner | None = getattr(self._conn, OWNER, None)
        if owner is not None and owner.session_state != self._opened_for:
            message = "a server-side cursor opened for one tenant is read under another"
            raise WrongTenant(message)

    def fetchone(self) -> Any:
        """One row of the tenant it was opened for."""
        self._check()
        return super().fetchone()

    def fetchmany(self, size: int = 0) -> list[Any]:
        """Rows of the tenant it was opened for."""
        self._check()
        return super().fetchmany(size)

    def fetchall(self) -> list[Any]:
        """The rest of the rows of the tenant it was opened for."""
        self._check()
        return super().fetchall()

    def __next__(self) -> Any:
        self._check()
        return super().__next__()


def identifiers(names: Iterable[str]) -> sql.Composed:
    """Quoted identifiers, comma-separated."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
