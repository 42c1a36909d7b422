"""Names every key in one way, so no caller builds a key's path by hand and no tenant's name reaches another's key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from saas.core.tenancy import MANAGEMENT_SCHEMA, TenantRef
from saas.env import Zone

_SCHEMA = re.compile(r"b_[0-9a-f]{12}")
_CELL = re.compile(r"[A-Za-z0-9-]{1,20}")


def schema_of(ref: TenantRef) -> str:
    """The schema, when it is one a tenant can have; nothing else becomes part of a path in Vault."""
    if ref.schema != MANAGEMENT_SCHEMA and not _SCHEMA.fullmatch(ref.schema):
        raise ValueError("not a tenant's schema name")
    return ref.schema


def checked_cell(cell: str) -> str:
    """The name, when a cell can have it."""
    if not _CELL.fullmatch(cell):
        raise ValueError("not a cell's name")
    return cell


@dataclass(frozen=True, slots=True)
class KeyName:
    """One transit key. Make it with a constructor below.

    The kind comes first (``wrap-b_…``): Vault policies match by prefix only, and each kind has its own rule.
    """

    zone: Zone
    text: str

    @property
    def mount(self) -> str:
        """The transit engine that holds the key."""
        return f"transit-{self.zone}"

    @classmethod
    def wrap(cls, ref: TenantRef) -> KeyName:
        """The key that wraps the data keys of a tenant in this process's zone."""
        return cls(Zone(settings.ZONE), f"wrap-{schema_of(ref)}")

    @classmethod
    def packages(cls, ref: TenantRef) -> KeyName:
        """The key that signs a tenant's packages to other bureaus."""
        return cls(Zone(settings.ZONE), f"sign-{schema_of(ref)}")

    @classmethod
    def seal(cls, ref: TenantRef, seal_id: UUID) -> KeyName:
        """The key of a tenant's seal; by its id, because a number comes again when an older copy is restored."""
        return cls(Zone(settings.ZONE), f"seal-{schema_of(ref)}-{seal_id.hex}")

    @classmethod
    def audit_head(cls, zone: Zone, cell: str) -> KeyName:
        """The key that signs the audit heads of a cell."""
        return cls(zone, f"audit-head-{checked_cell(cell)}")

    @classmethod
    def cell(cls, zone: Zone, cell: str) -> KeyName:
        """The key a cell signs its requests to management with."""
        return cls(zone, f"cell-{zone}-{checked_cell(cell)}")

    @classmethod
    def commands(cls) -> KeyName:
        """The key management signs its commands to cells with."""
        return cls(Zone.MANAGEMENT, "commands")
