"""Which bureau the running code works for: the one question every layer asks, answered in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection

from saas.env import Zone

MANAGEMENT_SCHEMA = "public"


@dataclass(frozen=True, slots=True)
class TenantRef:
    """A bureau as the lower layers know it.

    `schema` is opaque (``b_`` and hex) and is also the name of its database role; keys, files and cache keys
    are named by it. `code` is the human one. In the management zone the one "tenant" is management itself.
    """

    id: UUID
    schema: str
    code: str
    name: str


MANAGEMENT = TenantRef(id=UUID(int=0), schema=MANAGEMENT_SCHEMA, code="management", name="云署管理域")


class NoTenant(RuntimeError):
    """Tenant data was asked for outside any tenant: a programming error, never shown to a user."""


def current_tenant() -> TenantRef:
    """The tenant of this thread's database connection.

    Raises:
        NoTenant: outside a request or job of a tenant.
    """
    if settings.ZONE is Zone.MANAGEMENT:
        return MANAGEMENT
    tenant = getattr(connection, "tenant", None)
    ref = getattr(tenant, "ref", None)
    if not isinstance(ref, TenantRef):
        raise NoTenant("no tenant is set on this connection")
    return ref


class Directory(Protocol):
    """What the layers below `tenants` may ask about bureaus; `tenants` registers the real one."""

    def active(self) -> list[TenantRef]:
        """The bureaus of this cell that are at work."""

    def activate(self, schema: str) -> AbstractContextManager[TenantRef]:
        """Work for the bureau of that schema inside the block."""


class _ManagementDirectory:
    """The management zone has one tenant: itself."""

    def active(self) -> list[TenantRef]:
        return [MANAGEMENT]

    @contextmanager
    def activate(self, schema: str) -> Iterator[TenantRef]:
        if schema != MANAGEMENT_SCHEMA:
            raise NoTenant(f"no tenant {schema!r} in the management zone")
        yield MANAGEMENT


_directory: Directory = _ManagementDirectory()


def register_directory(directory: Directory) -> None:
    """Called once by `tenants` when a cell's process starts."""
    global _directory  # noqa: PLW0603
    _directory = directory


def directory() -> Directory:
    """The bureaus of this process's cell."""
    return _directory
