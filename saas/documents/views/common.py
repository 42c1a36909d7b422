"""What the pages share: keyset pages of lists, and reading a page's place from its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from saas.core.tenancy import TenantRef, current_tenant
from saas.documents.kinds import PRINTED_URGENCY, Urgency
from saas.documents.models import Document
from tenants.selectors import active_bureaus

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows, and where the next page begins ("" at the end)."""

    rows: list[Document]
    after: str
    shown: str


def list_page(request: HttpRequest, documents: QuerySet[Document], *, size: int = PAGE_SIZE) -> ListPage:
    """One page, the newest first; one query. A place nobody gave out is taken as the beginning."""
    moment, _sep, last = request.GET.get("after", "").partition("_")
    try:
        at, last_id = datetime.fromisoformat(moment), UUID(last)
    except ValueError:
        pass
    else:
        documents = documents.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last_id))
    narrow = documents.defer("elements", "pinned", "seal_anchors", "readers")
    rows = list(narrow.order_by("-created_at", "-id")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    after = f"{rows[-1].created_at.isoformat()}_{rows[-1].id}" if more else ""
    return ListPage(rows, after, _("本页 %(n)d 件") % {"n": len(rows)})


def matching(documents: QuerySet[Document], words: str) -> QuerySet[Document]:
    """Documents whose title, number or sender holds `words`."""
    words = words.strip()[:100]
    if not words:
        return documents
    near = Q(title__icontains=words) | Q(number__icontains=words) | Q(from_name__icontains=words)
    return documents.filter(near | Q(register_number__icontains=words))


def printed_urgency(document: Document) -> str:
    """The urgency as tags and pages name it; empty for an ordinary document."""
    return PRINTED_URGENCY[Urgency(document.urgency)]


def other_bureaus() -> list[TenantRef]:
    """The bureaus a document can be sent to: all at work but one's own."""
    own = current_tenant().id
    return [ref for ref in active_bureaus() if ref.id != own]
