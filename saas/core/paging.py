"""Pages of a list by number: one place for what the paging part of a template needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """One page, the numbers of its neighbours (None at either end) and which rows of how many it shows."""

    rows: Page[Any]
    after: int | None
    before: int | None
    shown: str

    @property
    def count(self) -> int:
        """Rows on all pages together."""
        return self.rows.paginator.count


def numbered_page(request: HttpRequest, found: QuerySet[Any], *, size: int = 30) -> NumberedPage:
    """The page the address asks for (``after`` or ``before`` hold its number); a number that is none is the first."""
    rows = Paginator(found, size).get_page(request.GET.get("after") or request.GET.get("before"))
    return NumberedPage(
        rows=rows,
        after=rows.next_page_number() if rows.has_next() else None,
        before=rows.previous_page_number() if rows.has_previous() else None,
        shown=f"{rows.start_index()}–{rows.end_index()} / {rows.paginator.count}",
    )
