"""印制: the PDF is made from what was pinned, read back and compared; those bytes alone may be sealed and sent."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from saas.core.actors import SYSTEM, Actor
from saas.core.audit import Event, record
from saas.core.errors import Conflict, NotFound
from saas.core.storage import ContentType, StoredObject, open_object, store
from saas.documents.elements import Issue, Pinned, content_of
from saas.documents.kinds import UPWARD, Kind, State
from saas.documents.layout import DocumentContent, RenderedPdf, render
from saas.documents.layout.reading import expected_text, first_difference, text_of
from saas.documents.models import Document, NumberEntry, SealablePdf
from saas.documents.services.fonts import font_set
from saas.documents.services.marks import number_mark_raise
from saas.documents.services.moves import locked, move, reindex, target


def pinned_content(document: Document) -> tuple[Pinned, DocumentContent]:
    """What is to be printed: what was pinned, with the number and the print date.

    Raises:
        Conflict: nothing is pinned, or what is stored is no longer what was pinned.
    """
    pinned = document.pin
    if pinned is None:
        raise Conflict(_("公文还没有签发。"), code="document.state")
    if pinned.digest() != document.pinned_hash:
        raise Conflict(_("公文内容与签发时不一致，已停止印制。请联系安全管理员。"), code="document.changed")
    issue = Issue(
        number=document.number,
        signed_by=pinned.signed_by,
        upward=(pinned.signed_by,) if Kind(pinned.kind) in UPWARD else (),
        issued_on=pinned.issued_on,
        printed_on=document.printed_on,
    )
    return pinned, content_of(pinned.elements, urgency=pinned.urgency, issue=issue)


def render_and_compare(content: DocumentContent) -> tuple[RenderedPdf, str]:
    """The PDF of `content`, and the digest of the text read back from it.

    Raises:
        Invalid: characters no font shows.
        Conflict: what the PDF says is not the content.
    """
    rendered = render(content, font_set())
    found = text_of(rendered.pdf)
    difference = first_difference(expected_text(content, recipients_moved=rendered.recipients_moved), found)
    if difference:
        message = _("排版结果与签发内容不一致：%(difference)s。") % {"difference": difference}
        raise Conflict(message, code="document.print_differs")
    return rendered, hashlib.sha256(found.encode()).hexdigest()


def document_render(*, document_id: UUID) -> None:
    """Make the final PDF of a numbered document; a job, safe to run twice."""
    document = Document.objects.filter(id=document_id).first()
    if document is None or document.state != State.NUMBERED:
        return
    _pinned, content = pinned_content(document)
    # Before the number is seen on paper it is known outside the database.
    number_mark_raise(book_id=NumberEntry.objects.get(document=document).book_id)
    rendered, text_digest = render_and_compare(content)
    stored = store(name_prefix="documents/pdf", stream=rendered.pdf, content_type=ContentType.PDF.value)
    with transaction.atomic():
        document = locked(document_id)
        if document.state != State.NUMBERED:
            return
        move(document, State.RENDERED)
        document.pdf_name = stored.name
        document.pdf_sha256 = stored.sha256
        document.pdf_pages = rendered.pages
        document.pdf_text_sha256 = text_digest
        document.seal_anchors = [asdict(anchor) for anchor in rendered.seal_anchors]
        document.save()
        record(
            Event.DOCUMENT_RENDERED,
            by=SYSTEM,
            target=target(document),
            detail={
                "sha256": stored.sha256,
                "pinned": document.pinned_hash,
                "pages": rendered.pages,
                "fallback_glyphs": "".join(rendered.missing_glyphs),
            },
        )


def sealable_bytes(document_id: UUID) -> SealablePdf:
    """The bytes a seal may be put on, their digest as recorded, and where the seal goes.

    Raises:
        NotFound: no such document.
        Conflict: it is not rendered, or is sealed already.
    """
    document = Document.objects.filter(id=document_id).first()
    if document is None:
        raise NotFound(_("没有这份公文。"))
    if document.state != State.RENDERED:
        raise Conflict(_("公文尚未排版完成，或者已经用印。"), code="document.state")
    with open_object(document.pdf_name) as file:
        pdf = file.read()
    return SealablePdf(pdf=pdf, sha256=document.pdf_sha256, anchors=document.anchors)


@transaction.atomic
def attach_sealed_pdf(document_id: UUID, stored: StoredObject, by: Actor) -> None:
    """Keep the sealed PDF with its document. Safe to call twice with the same object.

    Raises:
        NotFound: no such document.
        Conflict: it is not waiting for a seal.
    """
    document = locked(document_id)
    if document.sealed_sha256 == stored.sha256:
        return
    move(document, State.SEALED)
    document.sealed_name = stored.name
    document.sealed_sha256 = stored.sha256
    document.save()
    record(Event.DOCUMENT_CHANGED, by=by, target=target(document), detail={"sealed_sha256": stored.sha256})


@transaction.atomic
def mark_sent(document_id: UUID, *, by: Actor) -> None:
    """The document has left for its recipients; a second sending changes nothing. The sender records the sending.

    Raises:
        NotFound: no such document.
        Conflict: it is not ready to be sent.
    """
    del by  # the exchange records who sent what to whom
    document = locked(document_id)
    if document.state == State.SENT:
        return
    move(document, State.SENT)
    document.save(update_fields=["state", "changed_at"])


@transaction.atomic
def mark_filed(document_id: UUID, *, by: Actor) -> None:
    """The document stands in the archive; a second filing changes nothing. The archive records the filing.

    Raises:
        NotFound: no such document.
        Conflict: its way has not ended.
    """
    del by  # the archive records who filed it
    document = locked(document_id)
    if document.state == State.FILED:
        return
    move(document, State.FILED)
    document.save(update_fields=["state", "changed_at"])
    reindex(document)
