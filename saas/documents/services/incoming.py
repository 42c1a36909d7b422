"""收文登记: a document from elsewhere gets its 收文号 and goes into handling."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals.services import start_flow
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.errors import Invalid
from saas.core.storage import SNIFF_BYTES, ContentType, StoredObject, require_content_type, store
from saas.documents.elements import Elements
from saas.documents.kinds import (
    INCOMING_FLOW,
    INCOMING_SUBJECT,
    Direction,
    Kind,
    Sensitivity,
    State,
    Urgency,
)
from saas.documents.layout.body import clean_line
from saas.documents.layout.reading import check_pages, page_count
from saas.documents.layout.scans import check_picture
from saas.documents.models import Attachment, Document
from saas.documents.numbering import DocumentNumber
from saas.documents.rules import LONGEST_TITLE
from saas.documents.secrecy import bears_secret_mark
from saas.documents.services.issuing import subject_of, values_of
from saas.documents.services.moves import add_readers, locked, move, reindex, target
from saas.documents.services.numbers import INCOMING_MARK, book_of_year, number_issue

SCAN_TYPES = frozenset({ContentType.PDF, ContentType.PNG, ContentType.JPEG})
SCAN_LIMIT = 200_000_000
MOST_PAGES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingInput:
    """What is registered of a document from elsewhere.

    Attributes:
        from_name: 来文单位.
        from_code: its code on the cloud, empty when it is not there.
        number: 来文字号 as written.
        title: 标题.
        kind: 文种.
        urgency: 紧急程度.
        sensitivity: our own level.
        received_on: the day it came.
        issued_on: its 成文日期, when known.
        elements: what is known of its text, for search; empty for a scan.
        source_id: the exchange's id of the delivery: registered once, however often delivered.
    """

    from_name: str
    number: str
    title: str
    received_on: date
    from_code: str = ""
    kind: Kind = Kind.NOTICE
    urgency: Urgency = Urgency.NONE
    sensitivity: Sensitivity = Sensitivity.INTERNAL
    issued_on: date | None = None
    elements: Elements = field(default_factory=Elements)
    source_id: UUID | None = None


def incoming_register(
    *,
    incoming: IncomingInput,
    pdf: bytes,
    by: Actor,
    files: tuple[tuple[str, StoredObject], ...] = (),
    flow_key: str = INCOMING_FLOW,
) -> Document:
    """Register an incoming document and start its handling.

    Args:
        incoming: the registration.
        pdf: the document itself: PDF, or a scan as PNG or JPEG.
        by: the clerk (or whoever signed for it).
        files: names of its attachments, and the files as this bureau has stored them already.
        flow_key: the flow that handles it; empty to register only.

    Returns:
        the document; the one registered before when `source_id` is known.

    Raises:
        Invalid: a field is wrong, the file is no PDF or picture, or it bears a state secret's mark.
        TooLarge: more than 200 MB.
    """
    _check(incoming)
    if incoming.source_id and (known := Document.objects.filter(source_id=incoming.source_id).first()):
        return known
    found = require_content_type(pdf[:SNIFF_BYTES], allowed=SCAN_TYPES)
    pages = _pages(pdf, found)
    stored = store(name_prefix="documents/incoming", stream=io.BytesIO(pdf), content_type=found.value, limit=SCAN_LIMIT)
    with transaction.atomic():
        document = Document(
            direction=Direction.INCOMING,
            kind=incoming.kind,
            state=State.REGISTERED,
            urgency=incoming.urgency,
            sensitivity=incoming.sensitivity,
            title=clean_line(incoming.title)[:200],
            elements=incoming.elements.as_json(),
            drafter_person_id=by.person_id,
            drafter_name=by.user_name,
            drafter_post_id=by.post_id,
            drafter_unit_id=by.unit_id,
            drafter_unit_name=by.unit_name,
            number=clean_line(incoming.number)[:60],
            issued_on=incoming.issued_on,
            from_name=clean_line(incoming.from_name)[:120],
            from_code=incoming.from_code,
            received_on=incoming.received_on,
            source_id=incoming.source_id,
            pdf_name=stored.name,
            pdf_sha256=stored.sha256,
            pdf_pages=pages,
        )
        add_readers(document, by.person_id, by.post_id)
        document.save(force_insert=True)
        book = book_of_year(mark=INCOMING_MARK, direction=Direction.INCOMING, year=incoming.received_on.year)
        entry = number_issue(document=document, book_id=book.id, by=by)
        document.register_number = str(DocumentNumber(book.mark, book.year, entry.serial))
        Attachment.objects.bulk_create(
            Attachment(
                document=document,
                position=position,
                name=clean_line(name)[:200],
                stored_name=file.name,
                sha256=file.sha256,
                size=file.size,
                content_type=file.content_type,
                added_by=by.user_name,
            )
            for position, (name, file) in enumerate(files, 1)
        )
        document.state = State.IN_HANDLING if flow_key else State.REGISTERED
        document.save()
        reindex(document)
        if flow_key:
            # Handlers of the flow write to the row too: only the one column is set after them.
            instance_id = start_flow(
                flow_key=flow_key,
                subject=subject_of(document, INCOMING_SUBJECT),
                by=by,
                values=values_of(document),
            )
            Document.objects.filter(id=document.id).update(flow_instance_id=instance_id)
            document.refresh_from_db()
        detail = {"from": document.from_name, "number": document.number, "sha256": stored.sha256}
        record(Event.DOCUMENT_REGISTERED, by=by, target=target(document), detail=detail)
    return document


def _check(incoming: IncomingInput) -> None:
    problems: dict[str, str] = {}
    if not clean_line(incoming.title):
        problems["title"] = _("标题不能为空，也不能只有空格。")
    elif len(incoming.title) > LONGEST_TITLE:
        problems["title"] = _("标题%(n)d字，不能超过%(most)d字。") % {"n": len(incoming.title), "most": LONGEST_TITLE}
    for element, text in (("title", incoming.title), ("body", incoming.elements.full_text())):
        if bears_secret_mark(text):
            problems[element] = _("国家秘密（绝密、机密、秘密）不得在本系统起草、登记或传递，请改用保密渠道。")
            break
    if not clean_line(incoming.from_name):
        problems["from_name"] = _("来文单位不能为空。")
    if incoming.received_on > timezone.localdate():
        problems["received_on"] = _("收到日期不能晚于今天。")
    if incoming.issued_on and incoming.issued_on > incoming.received_on:
        problems["issued_on"] = _("成文日期不能晚于收到日期。")
    if problems:
        raise Invalid(" ".join(problems.values()), code="incoming.invalid", fields=problems)


def _pages(content: bytes, found: ContentType) -> int:
    if found is not ContentType.PDF:
        check_picture(content)
        return 1
    pages = page_count(content)
    if pages > MOST_PAGES:
        raise Invalid(_("扫描件有%(n)d页，超过%(most)d页，请拆分登记。") % {"n": pages, "most": MOST_PAGES})
    check_pages(content)
    return pages


@transaction.atomic
def incoming_handled(*, document_id: UUID) -> None:
    """Its handling has come to its end; called by the flow, safe to call twice."""
    document = locked(document_id)
    if document.state in {State.HANDLED, State.FILED}:
        return
    move(document, State.HANDLED)
    document.save(update_fields=["state", "changed_at"])


@transaction.atomic
def incoming_given_up(*, document_id: UUID) -> None:
    """Its handling was ended before its end: it stands registered, to be filed or its number voided."""
    document = locked(document_id)
    if document.state != State.IN_HANDLING:
        return
    move(document, State.REGISTERED)
    document.save(update_fields=["state", "changed_at"])
