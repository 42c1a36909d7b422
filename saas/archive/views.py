"""Pages of the archive: the list with its search, a record with its checks, and filing."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from saas.accounts.requests import actor_of, user_of
from saas.archive import selectors, services
from saas.archive.models import Record, RecordState, Retention
from saas.core.access import Permission, access
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.paging import numbered_page
from saas.core.storage import open_object
from saas.documents.access import reader_of, visible_document
from saas.search.selectors import search

MOST_FOUND = 200


def _readable(request: HttpRequest, record_id: UUID) -> Record:
    keeps = user_of(request).has_permission(Permission.KEEP_ARCHIVE)
    return selectors.record_readable(record_id, groups=reader_of(request).groups, keeps_archive=keeps)


@access(Permission.STAFF)
@require_safe
def record_list(request: HttpRequest) -> HttpResponse:
    """Records, newest first; by year, retention and words."""
    groups = reader_of(request).groups
    keeps = user_of(request).has_permission(Permission.KEEP_ARCHIVE)
    records = selectors.records_readable(groups=groups, keeps_archive=keeps)
    words = request.GET.get("q", "").strip()
    year = request.GET.get("year", "")
    retention = request.GET.get("retention", "")
    error = None
    if year.isdecimal() and len(year) == 4:
        records = records.filter(year=int(year))
    if retention in Retention.values:
        records = records.filter(retention=retention)
    if words:
        try:
            found = search(words, groups, kind="record", limit=MOST_FOUND)
            records = records.filter(id__in=[hit.object_id for hit in found.hits])
        except Invalid as refused:
            error, records = refused, records.none()
    context = {
        "page": numbered_page(request, records),
        "q": words,
        "year": year,
        "retention": retention,
        "retentions": Retention.choices,
        "error": error,
    }
    return render(request, "archive/list.html", context, status=error.status if error else 200)


@access(Permission.STAFF)
@require_safe
def record_page(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """A record: what it is, what is in its package, and what the checks found."""
    filed = _readable(request, record_id)
    again = filed.state == RecordState.REFUSED and user_of(request).has_permission(Permission.KEEP_ARCHIVE)
    return render(request, "archive/record.html", {"record": filed, "again": again})


@access(Permission.STAFF)
@require_safe
def record_package(request: HttpRequest, record_id: UUID) -> HttpResponseBase:
    """The package; who took it is in the audit trail."""
    filed = _readable(request, record_id)
    if not filed.package_name:
        raise NotFound(_("这份档案还没有打包完成。"))
    label = f"{filed.archive_number} {filed.title}"
    record(Event.RECORD_READ, by=actor_of(request), target=Target("record", filed.id, label))
    return FileResponse(
        open_object(filed.package_name),
        content_type="application/zip",
        as_attachment=True,
        filename=f"{filed.archive_number}.zip",
    )


@access(Permission.KEEP_ARCHIVE)
@require_http_methods(["GET", "POST"])
def document_file(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Choose how long a finished document is kept, and file it."""
    document = visible_document(document_id, reader_of(request))
    error: Invalid | Conflict | None = None
    refused = Record.objects.filter(document_id=document.id, state=RecordState.REFUSED).first()
    retention = request.POST.get("retention", refused.retention if refused else Retention.THIRTY)
    if request.method == "POST":
        try:
            filed = services.record_file(document_id=document.id, retention=retention, by=actor_of(request))
        except (Invalid, Conflict) as why:
            error = why
        else:
            return redirect("archive:record", filed.id)
    context = {"document": document, "retentions": Retention.choices, "retention": retention, "error": error}
    return render(request, "archive/file.html", context, status=error.status if error else 200)
