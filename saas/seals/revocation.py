"""Revokes a seal's certificate, and judges a sealed document by when it was sealed: before the revocation or after.

The time inside a signature is the signer's own word. What counts is when the audit record of the sealing came under a
head signed by Vault: nobody who holds the database, or the seal, could have made that earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.models import AuditRecord
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.jobs import enqueue
from saas.seals import jobs, pades
from saas.seals.models import Seal, SealState

REVOCABLE = frozenset({SealState.ACTIVE, SealState.STOPPED})


@dataclass(frozen=True, slots=True)
class SignedTime:
    """When a signed head first covered an audit record."""

    at: datetime
    seq: int


@transaction.atomic
def seal_revoke(*, seal_id: UUID, reason: str, by: Actor) -> None:
    """Revoke a seal's certificate from now on: the seal stops at once and its certificate goes onto the list.

    Impressions made before stay valid; what carries this seal from now on does not.

    Args:
        seal_id: an active or a stopped seal.
        reason: why, e.g. that its key may be in other hands.
        by: a security administrator.

    Raises:
        NotFound: no such seal.
        Invalid: no reason was given.
        Conflict: it has no certificate yet, or it is revoked already.
    """
    reason = reason.strip()[:200]
    if not reason:
        raise Invalid(_("吊销印章证书须写明原因。"), code="seal.reason", fields={"reason": _("必填")})
    seal = Seal.objects.select_for_update().filter(id=seal_id).first()
    if seal is None:
        raise NotFound(_("没有这枚印章。"))
    if seal.state not in REVOCABLE:
        raise Conflict(_("这枚印章的证书已经吊销，或尚未签发。"), code="seal.state")
    seal.state = SealState.REVOKED
    seal.revoked_at = timezone.now()
    seal.revoked_reason = reason
    seal.save(update_fields=["state", "revoked_at", "revoked_reason"])
    record(Event.SEAL_REVOKED, by=by, target=Target("seal", seal.id, seal.name), detail={"reason": reason})
    enqueue(jobs.list_revocation, key=f"revoke:{seal.id}", seal_id=str(seal.id))


def signed_time(audit_record: UUID) -> SignedTime | None:
    """When the record of a sealing came under a signed head; None when it is under none (or was lost)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.signed_at, h.seq FROM audit_link l JOIN audit_head h ON h.seq >= l.seq "
            "WHERE l.record_id = %s ORDER BY h.seq LIMIT 1",
            [audit_record],
        )
        row = cursor.fetchone()
    return SignedTime(row[0], row[1]) if row else None


def seal_of_serial(serial: int) -> Seal | None:
    """Our own seal whose certificate has this serial number."""
    # A seal made before serial numbers were kept is recognised by its certificate.
    for seal in Seal.objects.filter(certificate_serial__in=[f"{serial:x}", ""]).exclude(certificate=""):
        if pades.certificates(seal.certificate)[0].serial_number == serial:
            return seal
    return None


def delivered_time(sha256: str) -> SignedTime | None:
    """When the arrival of a file from another bureau came under a signed head of our own trail.

    Args:
        sha256: digest of the file as it arrived, hex.
    """
    arrivals = AuditRecord.objects.filter(event=Event.DOCUMENT_DELIVERED.value, detail__sha256=sha256)
    first = arrivals.order_by("id").values_list("id", flat=True).first()
    return signed_time(first) if first else None
