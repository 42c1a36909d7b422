"""High-water marks of number books: a bureau restored from an older copy must not give a number twice.

Web processes only compare with the mark; jobs raise it. It is raised before the PDF of the number's document is made,
so no number is ever seen on paper that the mark does not know, and by a job of its own that commits with the number.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core import keys
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.tenancy import current_tenant
from saas.documents.models import EntryState, NumberBook, NumberEntry

MOST_LOST = 10_000


class BelowMark(Conflict):
    """The book's next number was given before: the database is an older copy of itself."""

    code = "number.below_mark"


def require_above_mark(book: NumberBook) -> None:
    """Hold a locked book that would give a number again.

    Raises:
        BelowMark: the mark stands at or above the book's next serial.
        Unavailable: Vault is sealed or away, so nobody can tell.
    """
    mark = keys.number_mark(current_tenant(), str(book))
    if book.next_serial <= mark:
        message = _(
            "文号簿“%(book)s”已暂停取号：下一号是%(next)s号，而系统外留存的记录表明%(mark)s号已经发出，"
            "数据库可能是从较早的备份恢复的。请在文号簿页面核对后续号。"
        )
        raise BelowMark(message % {"book": book, "next": book.next_serial, "mark": mark})


def number_mark_raise(*, book_id: UUID) -> None:
    """Bring the mark of a book up to the last number it gave; from jobs only, safe to run again.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    book = NumberBook.objects.filter(id=book_id).first()
    if book is not None and book.next_serial > 1:
        keys.raise_number_mark(current_tenant(), str(book), book.next_serial - 1)


def lost_numbers(book: NumberBook) -> range:
    """Serials the mark knows of and the book does not; empty for a book in order.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    return range(book.next_serial, keys.number_mark(current_tenant(), str(book)) + 1)


@transaction.atomic
def book_continue(*, book_id: UUID, reason: str, by: Actor) -> NumberBook:
    """续号: let a held book go on after its mark; every number that was lost stands in it as void, with the reason.

    Raises:
        NotFound: no such book.
        Invalid: no reason was given.
        Conflict: the book is not held, or too much is missing for a mistake to be ruled out.
        Unavailable: Vault is sealed or away.
    """
    reason = reason.strip()[:150]
    if not reason:
        raise Invalid(_("续号须写明核对情况。"), fields={"reason": _("必填")})
    book = NumberBook.objects.select_for_update().filter(id=book_id).first()
    if book is None:
        raise NotFound(_("没有这个文号簿。"))
    lost = lost_numbers(book)
    if not lost or len(lost) > MOST_LOST:
        raise Conflict(_("这个文号簿没有暂停取号，或缺失的文号过多，请联系运维人员。"), code="book.not_held")
    now = timezone.now()
    NumberEntry.objects.bulk_create(
        NumberEntry(
            book=book,
            serial=serial,
            state=EntryState.VOID,
            reason=_("恢复备份后缺失：%(reason)s") % {"reason": reason},
            at=now,
            by_name=by.user_name,
            by_post=by.post_name,
        )
        for serial in lost
    )
    book.next_serial = lost.stop
    book.save(update_fields=["next_serial"])
    detail: dict[str, str | int | bool | list[str] | None] = {
        "continued_after": lost.stop - 1,
        "lost": len(lost),
        "reason": reason,
    }
    record(Event.NUMBER_BOOK_CHANGED, by=by, target=Target("book", book.id, str(book)), detail=detail)
    return book
