"""拟稿: the form with its live preview, autosave, attachments, submission."""

from __future__ import annotations

import base64
import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from saas.approvals.selectors.for_subjects import flows_offered
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import BadRequest, Conflict, Invalid, NotFound, TooLarge, Unavailable
from saas.core.tenancy import current_tenant
from saas.core.uploads import takes_upload
from saas.documents import rules, services
from saas.documents.access import acting, can_edit, documents_visible_to, reader_of, visible_document
from saas.documents.elements import Elements, Issue, content_of
from saas.documents.flows import issues
from saas.documents.forms import DraftForm, field_values
from saas.documents.kinds import UPWARD, Kind, Sensitivity, State
from saas.documents.layout import render as lay_out
from saas.documents.layout.reading import page_png
from saas.documents.models import Document
from saas.documents.services.drafting import DraftConflict
from saas.documents.services.fonts import font_set
from saas.documents.views.common import list_page, matching, other_bureaus
from saas.documents.views.turns import turn

PREVIEW_PAGES = 3
PREVIEW_WIDTH = 794


@access(Permission.STAFF)
@require_safe
def drafts(request: HttpRequest) -> HttpResponse:
    """草稿箱: what the reader is still writing."""
    reader = reader_of(request)
    mine = documents_visible_to(reader).filter(state=State.DRAFTING, drafter_person_id=reader.actor.person_id)
    words = request.GET.get("q", "")
    return render(request, "documents/drafts.html", {"page": list_page(request, matching(mine, words)), "q": words})


@access(Permission.STAFF)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a document."""
    bureaus = other_bureaus()
    own = current_tenant()
    if request.method == "POST":
        form = DraftForm(request.POST, bureaus=bureaus)
        if form.is_valid():
            try:
                document = services.document_draft(draft=form.draft(), by=acting(request))
            except Invalid as error:
                _put_errors(form, error)
            else:
                if request.POST.get("then") == "submit":
                    return _submitted(request, document, form)
                toasts.show_next(request, _("草稿已保存。"))
                return redirect("documents:edit", document.id)
        return _form_page(request, form, None, status=422)
    office = own.name if own.name.endswith(("办公室", "办公厅")) else f"{own.name}办公室"
    blank = Elements(mark=f"{own.name}文件", signatures=(own.name,), printer=office, title=f"{own.name}关于")
    initial = {**field_values(blank), "kind": Kind.NOTICE, "sensitivity": Sensitivity.INTERNAL}
    return _form_page(request, DraftForm(initial=initial, bureaus=bureaus), None)


@access(Permission.STAFF)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Go on writing; POST saves, and submits when asked to."""
    document = visible_document(document_id, reader_of(request))
    if request.method == "POST":
        form = DraftForm(request.POST, bureaus=other_bureaus(), annexes=document.written.annexes)
        return _save(request, document, form)
    if not can_edit(document, acting(request)):
        return redirect("documents:detail", document.id)
    return _form_page(request, _form_of(document), document)


def _form_of(document: Document) -> DraftForm:
    written = document.written
    initial = {
        **field_values(written),
        "kind": document.kind,
        "urgency": document.urgency,
        "sensitivity": document.sensitivity,
    }
    return DraftForm(initial=initial, bureaus=other_bureaus(), annexes=written.annexes)


def _save(request: HttpRequest, document: Document, form: DraftForm) -> HttpResponse:
    if not form.is_valid():
        return _form_page(request, form, document, status=422)
    try:
        document = services.document_autosave(
            document_id=document.id, draft=form.draft(), version=_version(request), by=acting(request)
        )
    except DraftConflict as conflict:
        form.add_error(None, str(conflict))
        context = {"theirs": conflict.theirs, "saved_by": conflict.saved_by, "now": conflict.version}
        return _form_page(request, form, document, status=409, **context)
    except Invalid as error:
        _put_errors(form, error)
        return _form_page(request, form, document, status=422)
    if request.POST.get("then") == "submit":
        return _submitted(request, document, form)
    toasts.show_next(request, _("草稿已保存。"))
    return redirect("documents:edit", document.id)


@access(Permission.STAFF)
@require_POST
def autosave(request: HttpRequest, document_id: UUID) -> JsonResponse:
    """Save what is on the page. JSON: 200 {version, at}; 409 {version, by, theirs}; 422 {message, fields}."""
    document = visible_document(document_id, reader_of(request))
    form = DraftForm(request.POST, bureaus=other_bureaus(), annexes=document.written.annexes)
    if not form.is_valid():
        wrong = {name: [str(e) for e in errors] for name, errors in form.errors.items()}
        return JsonResponse({"message": next(iter(wrong.values()))[0], "fields": wrong}, status=422)
    try:
        saved = services.document_autosave(
            document_id=document_id, draft=form.draft(), version=_version(request), by=acting(request)
        )
    except DraftConflict as conflict:
        theirs = {name: value for name, value in field_values(conflict.theirs).items() if isinstance(value, str)}
        answer = {"message": str(conflict), "version": conflict.version, "by": conflict.saved_by, "theirs": theirs}
        return JsonResponse(answer, status=409)
    at = timezone.localtime().strftime("%H:%M:%S")
    return JsonResponse({"version": saved.content_version, "at": at})


@access(Permission.STAFF)
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The pages as they would be printed, with what the rules say; a fragment, at most 40 a minute and person."""
    with turn(f"{current_tenant().schema}:{acting(request).person_id}"):
        return _preview(request)


def _preview(request: HttpRequest) -> HttpResponse:
    bureaus = other_bureaus()
    form = DraftForm(request.POST, bureaus=bureaus)
    if not form.is_valid():
        return render(request, "documents/_preview.html", {"problem": next(iter(form.errors.values()))[0]}, status=422)
    draft = form.draft()
    codes = frozenset(ref.code for ref in bureaus)
    findings = rules.findings(rules.Draft(kind=draft.kind, elements=draft.elements, known_codes=codes))
    issue = Issue(
        number=_("（编号后填写）"),
        issued_on=timezone.localdate(),
        upward=(_("签发人"),) if draft.kind in UPWARD else (),
        printed_on=timezone.localdate(),
    )
    began = time.perf_counter()
    try:
        rendered = lay_out(content_of(draft.elements, urgency=draft.urgency, issue=issue), font_set())
    except Invalid as error:
        return render(request, "documents/_preview.html", {"problem": error.message, "findings": findings}, status=422)
    shown = range(1, min(rendered.pages, PREVIEW_PAGES) + 1)
    sheets = [base64.b64encode(page_png(rendered.pdf, page=n, width_px=PREVIEW_WIDTH)).decode() for n in shown]
    context = {
        "sheets": sheets,
        "pages": rendered.pages,
        "findings": findings,
        "fallback": "、".join(rendered.missing_glyphs),
        "seconds": f"{time.perf_counter() - began:.2f}",
    }
    return render(request, "documents/_preview.html", context)


@access(Permission.STAFF)
@require_POST
def discard(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Give a draft up."""
    services.document_discard(document_id=document_id, by=acting(request))
    toasts.show_next(request, _("草稿已放弃。"))
    return redirect("documents:drafts")


@access(Permission.STAFF)
@takes_upload(services.ATTACHMENT_LIMIT)
@require_POST
def file_add(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Put a file with a draft: JSON for the file drop, a redirect for a plain form."""
    chosen = request.FILES.getlist("file")
    if not chosen:
        raise BadRequest(_("没有收到文件。"))
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        kept = [
            services.attachment_add(
                document_id=document_id,
                name=upload.name or "",
                stream=upload,  # type: ignore[arg-type]
                by=acting(request),
            )
            for upload in chosen
        ]
    except (Invalid, TooLarge, Unavailable) as error:
        if wants_json:
            raise
        document = visible_document(document_id, reader_of(request))
        return _form_page(request, _form_of(document), document, status=error.status, file_problem=error.message)
    if wants_json:
        return JsonResponse({"id": str(kept[-1].id), "name": kept[-1].name})
    return redirect("documents:edit", document_id)


@access(Permission.STAFF)
@require_POST
def file_remove(request: HttpRequest, document_id: UUID, file_id: UUID) -> HttpResponse:
    """Take a file off a draft."""
    services.attachment_remove(attachment_id=file_id, by=acting(request))
    return redirect("documents:edit", document_id)


def _version(request: HttpRequest) -> int:
    try:
        return int(request.POST.get("version", ""))
    except ValueError:
        raise BadRequest(_("缺少稿件版本，请刷新页面。")) from None


def _put_errors(form: DraftForm, error: Invalid) -> None:
    for name, message in error.fields.items():
        form.add_error(name if name in form.fields else None, str(message))
    if not error.fields:
        form.add_error(None, str(error))


def _submitted(request: HttpRequest, document: Document, form: DraftForm) -> HttpResponse:
    try:
        services.document_submit(document_id=document.id, flow_key=request.POST.get("flow", ""), by=acting(request))
    except Invalid as error:
        _put_errors(form, error)
        return _form_page(request, form, document, status=422)
    except (NotFound, Conflict, Unavailable) as error:
        form.add_error(None, str(error))
        return _form_page(request, form, document, status=error.status)
    toasts.show_next(request, _("已提交审批。"))
    return redirect("documents:detail", document.id)


def _form_page(
    request: HttpRequest, form: DraftForm, document: Document | None, *, status: int = 200, **more: object
) -> HttpResponse:
    kind = Kind(form["kind"].value()).label if form["kind"].value() in Kind.values else ""
    version = request.POST.get("version") if status == 409 else (document.content_version if document else 1)
    context = {
        "form": form,
        "document": document,
        "version": version,
        "kind": kind,
        "flows": flows_offered(issues),
        "files": list(document.files.all()) if document else [],
        "preview_url": reverse("documents:preview"),
        **more,
    }
    return render(request, "documents/draft.html", context, status=status)
