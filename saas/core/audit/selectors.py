"""Reads the trail page by page for the audit administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from saas.core.audit.events import Event
from saas.core.audit.identifiers import first_of
from saas.core.audit.models import AuditHead, AuditRecord

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to show; None or empty means all. Dates are days in local time, both included."""

    event: Event | None = None
    person: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Records, newest first, and the ids to go on from (empty at either end)."""

    records: list[AuditRecord]
    before: str
    after: str


def _midnight(day: date) -> UUID:
    return first_of(timezone.make_aware(datetime.combine(day, time.min)))


def audit_page(wanted: AuditFilter, *, after: UUID | None = None, before: UUID | None = None) -> AuditPage:
    """One page of the current tenant's trail, found by id, so the last page costs what the first does.

    Args:
        wanted: the filter.
        after: go on behind (older than) this record.
        before: go back to what stands before (newer than) it.
    """
    records = AuditRecord.objects.all()
    if wanted.event is not None:
        records = records.filter(event=wanted.event.value)
    if wanted.person:
        records = records.filter(user_name__contains=wanted.person)
    if wanted.since is not None:
        records = records.filter(id__gte=_midnight(wanted.since))
    if wanted.until is not None:
        records = records.filter(id__lt=_midnight(wanted.until + timedelta(days=1)))
    if before is not None:
        found = list(records.filter(id__gt=before).order_by("id")[: PAGE_SIZE + 1])
        newer = len(found) > PAGE_SIZE
        page = found[:PAGE_SIZE][::-1]
        return AuditPage(page, str(page[0].id) if page and newer else "", str(page[-1].id) if page else "")
    if after is not None:
        records = records.filter(id__lt=after)
    found = list(records.order_by("-id")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    older = str(page[-1].id) if len(found) > PAGE_SIZE else ""
    return AuditPage(page, str(page[0].id) if page and after is not None else "", older)


def last_head() -> AuditHead | None:
    """The newest signed head of the current tenant's trail."""
    return AuditHead.objects.order_by("-seq").first()
