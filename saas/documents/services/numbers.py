"""The ledgers: a number is taken once, under the book's lock, bound to its document, and never disappears.

Chosen: serials from the book's own row, taken with the row locked in the transaction that binds the number to its
document. A crash or rollback gives back both. Turned down: sequences (they leave gaps) and max()+1 (it doubles).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals.services import subject_describe
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.jobs import enqueue
from saas.core.metrics import DOCUMENTS_ISSUED
from saas.documents.kinds import Direction, Kind, State, Urgency
from saas.documents.models import Document, EntryState, NumberBook, NumberEntry
from saas.documents.numbering import DocumentNumber
from saas.documents.services.marks import require_above_mark
from saas.documents.services.moves import URGENCY_WEIGHT, locked, move, open_to_unit, reindex, target

INCOMING_MARK = "收文"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of serials that no document has, with its reason where one was given."""

    first: int
    last: int
    reason: str


@transaction.atomic
def book_create(*, mark: str, year: int, kinds: list[Kind], first: int, by: Actor) -> NumberBook:
    """Open a ledger of a 代字 for a year.

    Args:
        mark: 机关代字, two to twenty Chinese characters.
        year: four digits.
        kinds: document types it numbers; empty for all.
        first: the first serial it will give (a bureau may begin in mid-year).
        by: the clerk.

    Raises:
        Invalid: mark, year or first serial cannot be.
        Conflict: it exists.
    """
    mark = mark.strip()
    if not mark or len(mark) > 20 or any(not "\u4e00" <= ch <= "\u9fff" for ch in mark):
        raise Invalid(_("机关代字应为20字以内的汉字。"), fields={"mark": _("应为汉字")})
    if not 1949 <= year <= 2100 or not 1 <= first <= 999_999:
        raise Invalid(_("年份或起始序号不正确。"), fields={"year": _("应为四位年份")})
    book, made = NumberBook.objects.get_or_create(
        mark=mark, year=year, defaults={"next_serial": first, "kinds": [k.value for k in kinds]}
    )
    if not made:
        raise Conflict(_("“%(book)s”文号簿已经存在。") % {"book": book}, code="book.exists")
    record(Event.NUMBER_BOOK_CHANGED, by=by, target=Target("book", book.id, str(book)), detail={"first": first})
    return book


def number_issue(*, document: Document, book_id: UUID, by: Actor) -> NumberEntry:
    """Take the next number of a book for a locked document; a document that has one keeps it.

    Call inside a transaction that holds the document's row: the order document, then book, is the same everywhere.

    Raises:
        NotFound: no such book.
        Conflict: the book is closed, of another direction, does not number this type, or is held (`BelowMark`).
        Unavailable: Vault is sealed or away: nobody can tell whether the number was given before.
    """
    taken = NumberEntry.objects.filter(document=document).select_related("book").first()
    if taken is not None:
        return taken
    book = NumberBook.objects.select_for_update().filter(id=book_id).first()
    if book is None:
        raise NotFound(_("没有这个文号簿。"))
    if not book.active or book.direction != document.direction or (book.kinds and document.kind not in book.kinds):
        raise Conflict(_("这个文号簿不能为此件编号（已停用，或不适用于该文种）。"), code="book.unfit")
    require_above_mark(book)
    entry = NumberEntry.objects.create(
        book=book,
        serial=book.next_serial,
        document=document,
        state=EntryState.ISSUED,
        title=document.title,
        at=timezone.now(),
        by_name=by.user_name,
        by_post=by.post_name,
    )
    _advance(book)
    return entry


@transaction.atomic
def document_register_number(*, document_id: UUID, book_id: UUID, by: Actor) -> Document:
    """登记: number a signed-off document and ask for its PDF. A second call, tab or click takes no second number.

    Raises:
        NotFound: no such document or book.
        Conflict: it is not signed off, or the book does not fit.
    """
    from saas.documents import jobs

    document = locked(document_id)
    if NumberEntry.objects.filter(document=document).exists():
        return document
    move(document, State.NUMBERED)
    entry = number_issue(document=document, book_id=book_id, by=by)
    document.number = str(DocumentNumber(entry.book.mark, entry.book.year, entry.serial))
    document.printed_on = timezone.localdate()
    open_to_unit(document)
    document.save()
    reindex(document)
    subject_describe(
        subject_id=document.id,
        title=document.title,
        number=document.number,
        urgency=URGENCY_WEIGHT[Urgency(document.urgency)],
    )
    record(Event.DOCUMENT_NUMBERED, by=by, target=target(document), detail={"number": document.number})
    enqueue(jobs.render_document, key=f"render:{document.id}", document_id=str(document.id))
    transaction.on_commit(DOCUMENTS_ISSUED.labels(kind=document.kind).inc)
    return document


@transaction.atomic
def number_reserve(*, book_id: UUID, reason: str, by: Actor) -> NumberEntry:
    """Hold the next number back for a stated reason.

    Raises:
        NotFound: no such book.
        Invalid: no reason.
        Conflict: the book is held.
        Unavailable: Vault is sealed or away.
    """
    if not reason.strip():
        raise Invalid(_("预留文号须写明原因。"), fields={"reason": _("必填")})
    book = NumberBook.objects.select_for_update().filter(id=book_id).first()
    if book is None:
        raise NotFound(_("没有这个文号簿。"))
    require_above_mark(book)
    entry = NumberEntry.objects.create(
        book=book,
        serial=book.next_serial,
        state=EntryState.RESERVED,
        reason=reason.strip()[:200],
        at=timezone.now(),
        by_name=by.user_name,
        by_post=by.post_name,
    )
    _advance(book)
    detail: dict[str, str | int | bool | None | list[str]] = {"reserved": entry.serial, "reason": entry.reason}
    record(Event.NUMBER_BOOK_CHANGED, by=by, target=Target("book", book.id, str(book)), detail=detail)
    return entry


@transaction.atomic
def number_void(*, entry_id: int, reason: str, by: Actor) -> NumberEntry:
    """Put a number out of use for good; it stays in the book with its reason, and its document is void too.

    Raises:
        NotFound: no such number.
        Invalid: no reason.
        Conflict: it is void already, or its document is being handled, has been sent or filed.
    """
    reason = reason.strip()[:200]
    if not reason:
        raise Invalid(_("作废文号须写明原因。"), fields={"reason": _("必填")})
    found = NumberEntry.objects.filter(id=entry_id).values_list("document_id", flat=True).first()
    if found is None and not NumberEntry.objects.filter(id=entry_id).exists():
        raise NotFound(_("没有这个文号。"))
    document = locked(found) if found else None
    entry = NumberEntry.objects.select_for_update().select_related("book").get(id=entry_id)
    if entry.state == EntryState.VOID:
        raise Conflict(_("这个文号已经作废。"), code="number.void")
    if document is not None:
        if document.state in {State.SENT, State.FILED}:
            raise Conflict(_("公文已经发出或归档，文号不能作废；请另行发文撤销或废止。"), code="number.sent")
        if document.state == State.IN_HANDLING:
            # Its flow could never come to an end: a void document cannot be handled.
            message = _("收文正在办理，收文号不能作废；请先由流程管理员终止办理流程。")
            raise Conflict(message, code="number.in_handling")
        move(document, State.VOIDED)
        document.save(update_fields=["state", "changed_at"])
        reindex(document)
    entry.state, entry.reason = EntryState.VOID, reason
    entry.save(update_fields=["state", "reason"])
    label = str(DocumentNumber(entry.book.mark, entry.book.year, entry.serial))
    record(Event.NUMBER_VOIDED, by=by, target=Target("number", str(entry.id), label), detail={"reason": reason})
    return entry


def _advance(book: NumberBook) -> None:
    """The number is given: the next one waits, and the mark outside the database follows by a job."""
    from saas.documents import jobs

    book.next_serial += 1
    book.save(update_fields=["next_serial"])
    enqueue(jobs.raise_number_mark, key=f"mark:{book.id}", book_id=str(book.id))


def missing_numbers(book: NumberBook) -> list[Gap]:
    """The missing-number statement (缺号说明): every serial below the next that no document in force has."""
    rows = NumberEntry.objects.filter(book=book).order_by("serial").values_list("serial", "state", "reason")
    gaps: list[Gap] = []
    expected = rows[0][0] if rows else book.next_serial
    for serial, state, reason in rows:
        if serial > expected:
            gaps.append(Gap(expected, serial - 1, ""))
        if state != EntryState.ISSUED:
            gaps.append(Gap(serial, serial, reason))
        expected = serial + 1
    if expected < book.next_serial:
        gaps.append(Gap(expected, book.next_serial - 1, ""))
    return gaps


def book_of_year(*, mark: str, direction: Direction, year: int) -> NumberBook:
    """The book of a 代字 for a year, opened when the year is new; safe when two do so at once."""
    book, _made = NumberBook.objects.get_or_create(mark=mark, year=year, defaults={"direction": direction})
    return book
