"""Which bureau the running code works for: the one question every layer asks, answered in one place."""

from __future__ import annotations

from dataclasses import dataclass
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
