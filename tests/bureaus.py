"""Makes bureaus for tests the way the agent does, with known passwords."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saas.core.tenancy import TenantRef

PASSWORD = "Yunshu-initial-2026"


def create_bureau(*, code: str, name: str) -> TenantRef:
    """Provision a bureau with its three administrators, whose password is `PASSWORD`."""
    from django.contrib.auth.hashers import make_password

    from saas.core.access import Role
    from tenants.provisioning.create import BureauOrder, bureau_provision, new_schema_name

    hashed = make_password(PASSWORD)
    order = BureauOrder(
        id=uuid.uuid4(),
        code=code,
        name=name,
        schema=new_schema_name(),
        division_code="110101",
        level="county",
        administrator_hashes=dict.fromkeys((Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN), hashed),
    )
    return bureau_provision(order).ref


def remove_bureau(ref: TenantRef) -> None:
    """Take out a committed bureau and the jobs it left, so that no later test counts or runs them."""
    from tenants.database.owner import owner_connection
    from tenants.provisioning.create import bureau_remove

    bureau_remove(ref)
    with owner_connection() as owner:
        owner.execute("DELETE FROM cell.procrastinate_jobs WHERE tenant = %s", [ref.schema])
