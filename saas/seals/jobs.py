"""Makes the key and certificate of a new seal: job processes alone may make seal keys."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

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
        seal.state = SealState.ACTIVE
        seal.save(update_fields=["certificate", "chain", "state"])
