"""The audit administrator's page; opening it is itself an act in the trail."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from saas.core.access import EVERYWHERE, Permission, access
from saas.core.audit.events import Event
from saas.core.audit.forms import AuditFilterForm
from saas.core.audit.models import AuditRecord
from saas.core.audit.selectors import AuditPage, audit_page, last_head
from saas.core.audit.services import record
from saas.core.audit.wording import EVENT_LABELS, in_words


@dataclass(frozen=True, slots=True)
class _Line:
    record: AuditRecord
    label: str | Promise
    details: list[tuple[str, str]]


_LABELS = {event.value: label for event, label in EVENT_LABELS.items()}


@access(Permission.READ_AUDIT, zones=EVERYWHERE)
@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Records of this bureau, newest first, filtered by event, person and days."""
    form = AuditFilterForm(request.GET)
    if form.is_valid():
        after, before = form.cleaned_data["after"], form.cleaned_data["before"]
        page, status = audit_page(form.wanted, after=after, before=before), 200
        if after is None and before is None:
            # Turning pages belongs to the same opening.
            asked = {name: value for name in ("event", "person", "since", "until") if (value := request.GET.get(name))}
            record(Event.AUDIT_READ, by=request.actor, detail=asked)  # type: ignore[attr-defined]
    else:
        page, status = AuditPage([], "", ""), 422
    lines = [_Line(item, _LABELS.get(item.event, item.event), in_words(item.detail)) for item in page.records]
    values = {"form": form, "page": page, "lines": lines, "head": last_head()}
    return render(request, "core/audit_list.html", values, status=status)
