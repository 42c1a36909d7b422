"""The Django back end: django-tenants' with roles, checked against what the server reports."""

from __future__ import annotations

from typing import Any

import psycopg
from django_tenants.postgresql_backend import base

from tenants.database.cursors import OWNER, OwnerCursor, TenantCursor, TenantServerCursor
from tenants.database.session import PUBLIC, SessionState, WrongTenant, outside_state, owner_state, tenant_state

OWNER_ALIAS = "owner"


class Outside:
    """What stands in `connection.tenant` when no bureau is active."""

    schema_name = PUBLIC
    ref = None


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """A connection of one thread. Its tenant outlives close() and starts as none in every new thread."""

    session_state: SessionState
    schema_name: str
    tenant: Any
    known_path: bytes | None = None

    def set_tenant(self, tenant: Any, include_public: bool = False) -> None:
        """Choose the bureau for the statements to come; the server hears of it with the next one.

        Args:
            tenant: has `schema_name`, and `ref` when it is a bureau.
            include_public: django-tenants' argument; a bureau's path never holds ``public``.

        Raises:
            WrongTenant: the schema name is neither ``public`` nor a bureau's.
        """
        schema = tenant.schema_name
        self.session_state = outside_state() if schema == PUBLIC else tenant_state(schema)
        self.tenant = tenant
        self.schema_name = schema
        self.set_settings_schema(schema)

    def set_owner_schema(self, view: Any) -> None:
        """Let the owner work in a bureau's schema with its own role; refused on any other connection.

        Args:
            view: has the `schema_name`.

        Raises:
            WrongTenant: this is an application's connection, or the schema is no bureau's.
        """
        if self.alias != OWNER_ALIAS:
            message = "only the owner works in a schema without its role"
            raise WrongTenant(message)
        self.session_state = owner_state(view.schema_name)
        self.tenant = view
        self.schema_name = view.schema_name
        self.set_settings_schema(view.schema_name)

    def set_schema_to_public(self) -> None:
        """Leave every bureau."""
        self.set_tenant(Outside())

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters with our cursors."""
        params: dict[str, Any] = super().get_connection_params()
        params["cursor_factory"] = OwnerCursor if self.alias == OWNER_ALIAS else TenantCursor
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        """Take a connection and make it look at this wrapper's tenant at every statement."""
        connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
        self.known_path = None
        connection.server_cursor_factory = TenantServerCursor
        setattr(connection, OWNER, self)
        return connection

    def _close(self) -> None:
        self.known_path = None
        if self.connection is not None:
            setattr(self.connection, OWNER, None)
        super()._close()

    def _handle_search_path(self, cursor: object = None) -> None:
        """Nothing at the making of a cursor: the cursor itself looks at every statement."""
