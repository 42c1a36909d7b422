"""The document's page, its sheets as pictures, its files, and the lists of what is sent out."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from saas.approvals.selectors import timeline
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.audit import Event, record
from saas.core.errors import Conflict, NotFound, Unavailable
from saas.core.figures import figure
from saas.core.storage import ContentType, open_object
from saas.documents import actions, panels
from saas.documents.access import Reader, acting, documents_visible_to, reader_of, visible_document
from saas.documents.elements import Issue, content_of
from saas.documents.kinds import Direction, State
from saas.documents.layout import render as lay_out
from saas.documents.layout.reading import page_png
from saas.documents.layout.scans import picture_png
from saas.documents.models import Document
from saas.documents.sealing import document_seal
from saas.documents.services.fonts import font_set
from saas.documents.services.moves import target
from saas.documents.sheets import sheets_of
from saas.documents.views.common import list_page, matching, printed_urgency
from saas.documents.waiting import NUMBER_FIGURE, SEAL_FIGURE, TO_NUMBER, TO_SEAL
from saas.seals.selectors import seals_usable_by

SHEET_WIDTH = 1000
MOST_TRIES = 90  # three minutes
Tab = tuple[str, str | Promise, tuple[State, ...]]
_WAITING_TABS: tuple[Tab, ...] = (("number", _lazy("待编号"), TO_NUMBER), ("seal", _lazy("待用印"), TO_SEAL))
_TABS: tuple[Tab, ...] = (
    ("", _lazy("全部"), ()),
    ("approval", _lazy("审批中"), (State.IN_APPROVAL,)),
    *_WAITING_TABS,
    ("sent", _lazy("已发出"), (State.SEALED, State.SENT, State.FILED)),
)


@access(Permission.STAFF)
@require_safe
def outgoing(request: HttpRequest) -> HttpResponse:
    """发文: what the bureau sends out and the reader may see."""
    tab = request.GET.get("tab", "")
    states = next((states for key, _label, states in _TABS if key == tab), ())
    rows = documents_visible_to(reader_of(request)).filter(direction=Direction.OUTGOING)
    rows = rows.filter(state__in=states) if states else rows.exclude(state__in=[State.DRAFTING, State.VOIDED])
    return _listed(request, rows, tabs=_TABS, chosen=tab, template="documents/outgoing.html")


@access(Permission.KEEP_NUMBERS)
@require_safe
def issuing(request: HttpRequest) -> HttpResponse:
    """编号用印: what waits for the clerk."""
    tab = request.GET.get("tab") or ("number" if figure(request, NUMBER_FIGURE) else "seal")
    states = TO_NUMBER if tab == "number" else TO_SEAL
    rows = documents_visible_to(reader_of(request)).filter(direction=Direction.OUTGOING, state__in=states)
    return _listed(request, rows, tabs=_WAITING_TABS, chosen=tab, template="documents/issuing.html")


def _listed(
    request: HttpRequest,
    rows: QuerySet[Document],
    *,
    tabs: tuple[Tab, ...],
    chosen: str,
    template: str,
) -> HttpResponse:
    words = request.GET.get("q", "")
    counts = {"number": figure(request, NUMBER_FIGURE), "seal": figure(request, SEAL_FIGURE)}
    context = {
        "page": list_page(request, matching(rows, words)),
        "tabs": [(key, label, key == chosen, counts.get(key, 0)) for key, label, _states in tabs],
        "tab": chosen,
        "q": words,
    }
    return render(request, template, context)


@access(Permission.STAFF)
@require_safe
def detail(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One document: elements, sheets, files, and what can be done with it."""
    reader = reader_of(request)
    document = visible_document(document_id, reader)
    sealing = document.state == State.RENDERED and "sealing" in request.GET
    context = {
        "document": document,
        "elements": document.written,
        "urgency": printed_urgency(document),
        "files": list(document.files.all()),
        "buttons": [] if sealing else actions.possible(document, reader),
        "panels": panels.of(document),
        "sheets": sheets_of(document),
        "making": document.state == State.NUMBERED or sealing,
        "tries": 0,
        "most": MOST_TRIES,
    }
    return render(request, "documents/detail.html", context)


@access(Permission.STAFF)
@require_safe
def progress(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """What a job is making of the document: asked every two seconds, it shows the page anew when the job is done."""
    document = visible_document(document_id, reader_of(request))
    if document.state != request.GET.get("was"):
        answer = HttpResponse()
        answer.headers["HX-Redirect"] = reverse("documents:detail", args=[document.id])
        return answer
    asked = request.GET.get("tries", "")
    tries = int(asked) + 1 if asked.isdecimal() and len(asked) < 4 else MOST_TRIES
    context = {"document": document, "tries": tries, "most": MOST_TRIES}
    return render(request, "documents/_progress.html", context)


@access(Permission.STAFF)
@require_safe
def way(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The sign-off and the saved versions; a fragment the page asks for after itself."""
    reader = reader_of(request)
    document = visible_document(document_id, reader)
    entries = timeline(document.flow_instance_id, reader.actor) if document.flow_instance_id else ()
    versions = document.versions.order_by("-number").defer("elements")[:50]
    return render(request, "documents/_way.html", {"document": document, "entries": entries, "versions": versions})


@access(Permission.STAFF)
@require_safe
def sheet(request: HttpRequest, document_id: UUID, page: int) -> HttpResponse:
    """One page of the document as a picture: of its final PDF, or of the text as it is now."""
    document = visible_document(document_id, reader_of(request))
    if document.final_pdf:
        return HttpResponse(_sheet_of_file(document.final_pdf, page), content_type="image/png")
    issue = Issue(number=document.number, issued_on=document.issued_on)
    drawn = lay_out(content_of(document.written, urgency=document.urgency, issue=issue), font_set()).pdf
    return HttpResponse(page_png(drawn, page=page, width_px=SHEET_WIDTH), content_type="image/png")


def _sheet_of_file(name: str, page: int) -> bytes:
    with open_object(name) as file:
        content = file.read()
    if content.startswith(b"%PDF-"):
        return page_png(content, page=page, width_px=SHEET_WIDTH)
    if page != 1:
        raise NotFound(_("没有这一页。"))
    return picture_png(content, width_px=SHEET_WIDTH)


@access(Permission.STAFF)
@require_safe
def pdf(request: HttpRequest, document_id: UUID) -> FileResponse:
    """Download the final file."""
    document = visible_document(document_id, reader_of(request))
    if not document.final_pdf:
        raise NotFound(_("公文还没有排版完成的文件。"))
    opened = open_object(document.final_pdf)
    record(Event.DOCUMENT_DOWNLOADED, by=acting(request), target=target(document))
    head = opened.read(5)
    opened.seek(0)
    suffix = "pdf" if head.startswith(b"%PDF") else "png" if head.startswith(b"\x89PNG") else "jpg"
    kind = {"pdf": ContentType.PDF, "png": ContentType.PNG, "jpg": ContentType.JPEG}[suffix]
    return _download(opened, f"{document.title or document.id}.{suffix}", kind.value)


@access(Permission.STAFF)
@require_safe
def file(request: HttpRequest, document_id: UUID, file_id: UUID) -> FileResponse:
    """Download a file that goes with the document."""
    document = visible_document(document_id, reader_of(request))
    attachment = document.files.filter(id=file_id).first()
    if attachment is None:
        raise NotFound(_("没有这个附件。"))
    opened = open_object(attachment.stored_name)
    record(Event.DOCUMENT_DOWNLOADED, by=acting(request), target=target(document), detail={"file": attachment.name})
    return _download(opened, attachment.name, attachment.content_type)


def _download(opened: object, name: str, content_type: str) -> FileResponse:
    response = FileResponse(opened, content_type=content_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


@access(Permission.USE_SEALS)
@require_http_methods(["GET", "POST"])
def seal(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """用印: choose a seal one keeps, and have it put on exactly these bytes."""
    reader: Reader = reader_of(request)
    document = visible_document(document_id, reader)
    seals = list(seals_usable_by(reader.actor))
    wrong, status, chosen = "", 200, None
    if request.method == "POST":
        chosen = next((s for s in seals if str(s.id) == request.POST.get("seal")), None)
        if chosen is None:
            wrong, status = _("请选择一枚由您保管的印章。"), 422
        else:
            try:
                document_seal(document_id=document.id, seal_id=chosen.id, by=acting(request))
            except (Conflict, Unavailable) as error:
                wrong, status = str(error), error.status
            else:
                toasts.show_next(request, _("已申请用印，稍后即可看到盖章文件。"))
                return redirect(reverse("documents:detail", args=[document.id]) + "?sealing=1")
    context = {"document": document, "seals": seals, "wrong": wrong, "chosen": chosen}
    return render(request, "documents/seal.html", context, status=status)
