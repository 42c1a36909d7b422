"""用印: a clerk asks, a job seals exactly the rendered bytes and keeps the sealed PDF with its document."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.errors import Conflict, NotFound
from saas.core.jobs import enqueue, job
from saas.core.keys import require_ready
from saas.core.storage import ContentType, store
from saas.documents.kinds import State
from saas.documents.models import Document
from saas.documents.services.moves import locked
from saas.documents.services.production import attach_sealed_pdf, sealable_bytes
from saas.organisation.acting import actor_of
from saas.seals import pades
from saas.seals.services import Subject, require_usable, stamp

FIELD = "seal-1"
SUBJECT = "document"


@transaction.atomic
def document_seal(*, document_id: UUID, seal_id: UUID, by: Actor) -> None:
    """Ask for the seal to be put on a rendered document.

    Args:
        document_id: a rendered document.
        seal_id: an active seal that the post acted in keeps.
        by: a document clerk in a post.

    Raises:
        NotFound: no such document or seal.
        Conflict: the document is not rendered, or the seal is not active.
        Forbidden: the post does not keep the seal.
        Unavailable: Vault is sealed or away, so nothing can be signed now.
    """
    document = locked(document_id)
    if document.state != State.RENDERED:
        raise Conflict(_("公文尚未排版完成，或者已经用印。"), code="document.state")
    seal = require_usable(seal_id=seal_id, by=by)
    if by.appointment_id is None:
        raise NotFound(_("用印须以岗位身份办理。"))
    # The job would wait for Vault; whoever asks should know now, not from a document that stays unsealed.
    require_ready()
    enqueue(
        seal_document,
        key=f"seal:{document.id}",
        document_id=str(document.id),
        seal_id=str(seal.id),
        appointment_id=str(by.appointment_id),
    )


@job(queue="seals", attempts=6)
def seal_document(*, document_id: str, seal_id: str, appointment_id: str) -> None:
    """Seal the rendered bytes; run again after a death it finds its work done, or does it once."""
    document = Document.objects.filter(id=UUID(document_id)).first()
    if document is None or document.state != State.RENDERED:
        return
    by = actor_of(UUID(appointment_id))
    sealable = sealable_bytes(document.id)
    if not sealable.anchors:
        raise Conflict(_("版面上没有用印的位置。"), code="document.anchor")
    anchor = sealable.anchors[0]

    def keep(pdf: bytes) -> None:
        """Store the sealed bytes with the document, in the transaction that records the impression."""
        stored = store(name_prefix="documents/sealed", stream=pdf, content_type=ContentType.PDF.value)
        attach_sealed_pdf(document.id, stored, by)

    stamp(
        seal_id=UUID(seal_id),
        pdf=sealable.pdf,
        pinned_sha256=sealable.sha256,
        place=pades.Place(page=anchor.page - 1, x_mm=anchor.x_mm, y_mm=anchor.y_mm),
        field_name=FIELD,
        subject=Subject(kind=SUBJECT, id=document.id, label=document.label),
        by=by,
        keep=keep,
    )
