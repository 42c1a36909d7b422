"""Upload, dry run, confirmation and progress of the workbook, and its export."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.core.errors import Conflict, Invalid, NotFound, TooLarge
from saas.organisation.forms import WorkbookForm
from saas.organisation.models import WorkbookImport, today
from saas.organisation.services import imports
from saas.organisation.views.submit import actor_of
from saas.organisation.workbook.writing import CONTENT_TYPE, empty_workbook, export_workbook

PROBLEMS_SHOWN = 200
RECENT = 20


@require_http_methods(["GET", "POST"])
def workbooks(request: HttpRequest) -> HttpResponse:
    """Upload a workbook; the last ones with how far they came."""
    status = 200
    form = WorkbookForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                workbook = imports.workbook_upload(
                    file=upload.file, file_name=upload.name, size=upload.size, by=actor_of(request)
                )
            except (Invalid, TooLarge, Conflict) as refusal:
                status = refusal.status
                form.add_error("file" if refusal.fields else None, str(refusal.message))
            else:
                return redirect("organisation:workbook", workbook.id)
    recent = WorkbookImport.objects.defer("problems", "summary").order_by("-created_at")[:RECENT]
    return render(request, "organisation/workbooks.html", {"form": form, "recent": recent}, status=status)


@require_GET
def workbook(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """One workbook: what would change, every wrong row, and the progress; asked again by itself while at work."""
    found = _workbook(import_id)
    context = {"workbook": found, "problems": found.problems[:PROBLEMS_SHOWN], "shown": PROBLEMS_SHOWN}
    template = "organisation/parts/workbook.html" if request.htmx else "organisation/workbook.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_POST
def workbook_confirm(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Import a checked workbook."""
    imports.workbook_confirm(import_id=import_id, by=actor_of(request))
    return redirect("organisation:workbook", import_id)


@require_GET
def workbook_export(request: HttpRequest) -> HttpResponse:
    """The organisation as a workbook."""
    return _download(export_workbook(by=actor_of(request)), f"organisation-{today():%Y%m%d}.xlsx")


@require_GET
def workbook_template(request: HttpRequest) -> HttpResponse:
    """The empty workbook to fill in."""
    return _download(empty_workbook(), "organisation.xlsx")


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _workbook(import_id: UUID) -> WorkbookImport:
    found = WorkbookImport.objects.filter(id=import_id).first()
    if found is None:
        raise NotFound(_("没有这次导入。"))
    return found
