"""The document's page, its sheets as pictures, its files, and the lists of what is sent out."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from saas.approvals.selectors import timeline
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.audit import Event, record
from saas.core.errors import Conflict, NotFound, Unavailable
from saas.core.storage import ContentType, open_object
from saas.documents import actions
from saas.documents.access import Reader, acting, documents_visible_to, reader_of, visible_document
from saas.documents.elements import Issue, content_of
from saas.documents.kinds import Direction, State
from saas.documents.layout import render as lay_out
from saas.documents.layout.reading import page_png
from saas.documents.layout.scans import picture_png
from saas.documents.sealing import document_seal
from saas.documents.services.fonts import font_set
from saas.documents.services.moves import target
from saas.documents.sheets import sheets_of
from saas.documents.views.common import list_page, matching, printed_urgency
from saas.seals.selectors import seals_usable_by

SHEET_WIDTH = 1000
_TABS = (
    ("", _lazy("全部"), ()),
    ("approval", _lazy("审批中"), (State.IN_APPROVAL,)),
    ("number", _lazy("待编号"), (State.SIGNED_OFF,)),
    ("seal", _lazy("待用印"), (State.NUMBERED, State.RENDERED)),
    ("sent", _lazy("已发出"), (State.SEALED, State.SENT, State.FILED)),
)


@access(Permission.STAFF)
@require_safe
def outgoing(request: HttpRequest) -> HttpResponse:
    """发文: what the bureau sends out and the reader may see."""
    tab, words = request.GET.get("tab", ""), request.GET.get("q", "")
    states = next((states for key, _label, states in _TABS if key == tab), ())
    rows = documents_visible_to(reader_of(request)).filter(direction=Direction.OUTGOING)
    rows = rows.filter(state__in=states) if states else rows.exclude(state__in=[State.DRAFTING, State.VOIDED])
    context = {
        "page": list_page(request, matching(rows, words)),
        "tabs": [(key, label, key == tab) for key, label, _states in _TABS],
        "q": words,
    }
    return render(request, "documents/outgoing.html", context)


@access(Permission.STAFF)
@require_safe
def detail(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One document: elements, sheets, files, and what can be done with it."""
    reader = reader_of(request)
    document = visible_document(document_id, reader)
    context = {
        "document": document,
        "elements": document.written,
        "urgency": printed_urgency(document),
        "files": list(document.files.all()),
        "buttons": actions.possible(document, reader),
        "sheets": sheets_of(document),
        "making": document.state == State.NUMBERED,
    }
    return render(request, "documents/detail.html", context)


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
                return redirect("documents:detail", document.id)
    context = {"document": document, "seals": seals, "wrong": wrong, "chosen": chosen}
    return render(request, "documents/seal.html", context, status=status)
