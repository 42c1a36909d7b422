"""Makes the key and certificate of a new seal: job processes alone may make seal keys."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from saas.core import keys
from saas.core.jobs import job
from saas.core.keys import SealKeyKind
from saas.core.tenancy import current_tenant
from saas.seals.models import Seal, SealState


@job(queue="seals", attempts=8)
def make_key(*, seal_id: str) -> None:
    """Create the key in Vault, have its certificate issued, activate the seal. Safe to run twice."""
    with transaction.atomic():
        seal = Seal.objects.select_for_update().get(id=UUID(seal_id))
        if seal.state != SealState.REQUESTED:
            return
        tenant = current_tenant()
        kind = SealKeyKind(seal.key_kind)
        key = keys.create_seal_key(tenant, seal.id, kind)
        issued = keys.issue_seal_certificate(tenant, key, kind, common_name=seal.name)
        seal.certificate = issued.pem
        seal.chain = "\n".join(issued.chain)
        seal.certificate_serial = f"{int(issued.serial.replace(':', ''), 16):x}"
        seal.state = SealState.ACTIVE
        seal.save(update_fields=["certificate", "chain", "certificate_serial", "state"])


@job(queue="seals", attempts=20)
def list_revocation(*, seal_id: str) -> None:
    """Put a revoked seal's certificate onto the authority's list. Safe to run twice."""
    seal = Seal.objects.get(id=UUID(seal_id))
    if seal.state != SealState.REVOKED or seal.listed_at is not None:
        return
    keys.revoke_certificate(seal.certificate)
    Seal.objects.filter(id=seal.id).update(listed_at=timezone.now())
