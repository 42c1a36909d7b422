"""The only ways to work for a bureau: a block, and what a request or job has set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from saas.core.tenancy import MANAGEMENT, MANAGEMENT_SCHEMA, TenantRef
from saas.env import Zone
from tenants.database.current import application_connection

if TYPE_CHECKING:
    from tenants.models import Bureau


@dataclass(frozen=True, slots=True)
class ActiveTenant:
    """What stands in `connection.tenant` while a bureau is active."""

    ref: TenantRef

    @property
    def schema_name(self) -> str:
        """django-tenants' name for the schema."""
        return self.ref.schema


@contextmanager
def use_tenant(tenant: TenantRef | Bureau) -> Iterator[TenantRef]:
    """Work for `tenant` on this thread inside the block, and for what was active before after it.

    In the management zone the one tenant is management itself.

    Raises:
        WrongTenant: the schema is no bureau's.
    """
    ref = tenant if isinstance(tenant, TenantRef) else tenant.ref
    if settings.ZONE is Zone.MANAGEMENT and ref.schema == MANAGEMENT_SCHEMA:
        yield MANAGEMENT
        return
    connection = application_connection()
    before = connection.tenant
    connection.set_tenant(ActiveTenant(ref))
    try:
        yield ref
    finally:
        connection.set_tenant(before)


@contextmanager
def outside_tenants() -> Iterator[None]:
    """Read the cell's registry from inside a request or job of a bureau."""
    connection = application_connection()
    before = connection.tenant
    connection.set_schema_to_public()
    try:
        yield
    finally:
        connection.set_tenant(before)
