"""编号 and the ledgers: books, entries, missing-number statement, void."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import Conflict, Invalid, NotFound, Unavailable
from saas.documents import services
from saas.documents.access import acting, reader_of, visible_document
from saas.documents.forms import BookForm, NumberForm, ReasonForm
from saas.documents.kinds import Direction, Kind, State
from saas.documents.models import EntryState, NumberBook, NumberEntry

ENTRIES_SHOWN = 100


@access(Permission.KEEP_NUMBERS)
@require_http_methods(["GET", "POST"])
def number(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """登记: give a signed-off document its number."""
    document = visible_document(document_id, reader_of(request))
    year = timezone.localdate().year
    fitting = NumberBook.objects.filter(direction=Direction.OUTGOING, active=True, year=year)
    books = [book for book in fitting if not book.kinds or document.kind in book.kinds]
    labels = [(str(b.id), _("%(book)s 下一号：%(serial)d号") % {"book": b, "serial": b.next_serial}) for b in books]
    form = NumberForm(request.POST or None, books=labels, initial={"book": labels[0][0]} if labels else {})
    status = 422
    if request.method == "POST" and form.is_valid():
        try:
            done = services.document_register_number(
                document_id=document.id, book_id=UUID(form.cleaned_data["book"]), by=acting(request)
            )
        except (services.BelowMark, Unavailable) as error:
            form.add_error(None, str(error))
            status = error.status
        else:
            toasts.show_next(request, _("已编号：%(number)s") % {"number": done.number})
            return redirect("documents:detail", document.id)
    context = {"form": form, "document": document, "ready": document.state == State.SIGNED_OFF, "books": books}
    return render(request, "documents/number.html", context, status=status if form.errors else 200)


@access(Permission.KEEP_NUMBERS)
@require_safe
def books(request: HttpRequest) -> HttpResponse:
    """All ledgers."""
    counts = {
        "issued": Count("entries", filter=Q(entries__state=EntryState.ISSUED)),
        "void": Count("entries", filter=Q(entries__state=EntryState.VOID)),
    }
    rows = NumberBook.objects.annotate(**counts).order_by("-year", "direction", "mark")[:200]
    return render(request, "documents/books.html", {"rows": list(rows)})


@access(Permission.KEEP_NUMBERS)
@require_http_methods(["GET", "POST"])
def book_new(request: HttpRequest) -> HttpResponse:
    """Open a ledger."""
    form = BookForm(request.POST or None, initial={"year": timezone.localdate().year})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        kinds = [Kind(kind) for kind in data["kinds"]]
        try:
            made = services.book_create(
                mark=data["mark"], year=data["year"], kinds=kinds, first=data["first"], by=acting(request)
            )
        except (Invalid, Conflict) as error:
            for name, message in (error.fields or {"mark": error.message}).items():
                form.add_error(name, str(message))
        else:
            return redirect("documents:book", made.id)
    return render(request, "documents/book_new.html", {"form": form}, status=422 if form.errors else 200)


@access(Permission.KEEP_NUMBERS)
@require_safe
def book(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """A ledger: its numbers, the newest first, and the missing-number statement."""
    found = NumberBook.objects.filter(id=book_id).first()
    if found is None:
        raise NotFound(_("没有这个文号簿。"))
    entries = found.entries.select_related("document").order_by("-serial")
    before = request.GET.get("after", "")
    if before.isascii() and before.isdigit() and len(before) <= 9:
        entries = entries.filter(serial__lt=int(before))
    rows = list(entries[: ENTRIES_SHOWN + 1])
    after = str(rows[ENTRIES_SHOWN - 1].serial) if len(rows) > ENTRIES_SHOWN else ""
    context = {
        "book": found,
        "rows": rows[:ENTRIES_SHOWN],
        "after": after,
        "gaps": services.missing_numbers(found),
        "lost": _lost(found),
    }
    return render(request, "documents/book.html", context)


def _lost(found: NumberBook) -> range:
    try:
        return services.lost_numbers(found)
    except Unavailable:
        # The ledger can be read without Vault; only taking a number cannot.
        return range(0)


@access(Permission.KEEP_NUMBERS)
@require_POST
def book_continue(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """续号: let a held ledger go on after what was lost."""
    services.book_continue(book_id=book_id, reason=request.POST.get("reason", ""), by=acting(request))
    toasts.show_next(request, _("已续号，缺失的文号已作废并注明原因。"))
    return redirect("documents:book", book_id)


@access(Permission.KEEP_NUMBERS)
@require_http_methods(["GET", "POST"])
def entry_void(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Void a number, with its reason."""
    entry = NumberEntry.objects.select_related("book", "document").filter(id=entry_id).first()
    if entry is None:
        raise NotFound(_("没有这个文号。"))
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.number_void(entry_id=entry.id, reason=form.cleaned_data["reason"], by=acting(request))
        toasts.show_next(request, _("文号已作废。"))
        return redirect("documents:book", entry.book_id)
    return render(request, "documents/void.html", {"form": form, "entry": entry}, status=422 if form.errors else 200)


@access(Permission.KEEP_NUMBERS)
@require_POST
def reserve(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """Hold the next number back."""
    services.number_reserve(book_id=book_id, reason=request.POST.get("reason", ""), by=acting(request))
    toasts.show_next(request, _("已预留一个文号。"))
    return redirect("documents:book", book_id)
