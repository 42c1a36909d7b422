"""The search page: one box, filters, highlighted results of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from saas.core.actors import Actor
from saas.core.errors import Invalid
from saas.organisation.selectors import person_groups
from saas.search import kinds, selectors
from saas.search.entries import EMPTY, EVERYONE, Hit
from saas.search.query import LONGEST_QUERY

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Result:
    """A hit with where it is opened and what its kind is called."""

    hit: Hit
    url: str
    kind: str


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """What the reader may find; a query that cannot be run is shown again with the reason."""
    typed = request.GET.get("q", "")
    problems: dict[str, str] = {}
    start = _day(request.GET.get("start", ""), "start", problems)
    end = _day(request.GET.get("end", ""), "end", problems)
    kind = request.GET.get("kind", "")
    page = EMPTY
    if not problems and typed.strip():
        try:
            page = selectors.search(
                typed,
                readable_groups(request),
                kind=kind if kinds.get(kind) else "",
                start=start,
                end=end,
                after=request.GET.get("after", ""),
                limit=PAGE_SIZE,
            )
        except Invalid as refusal:
            problems = {name: str(text) for name, text in refusal.fields.items()}
    results = [
        Result(hit, found.url(hit.object_id), str(found.label)) for hit in page.hits if (found := kinds.get(hit.kind))
    ]
    context = {
        "q": typed[:LONGEST_QUERY],
        "kind": kind,
        "start": request.GET.get("start", "")[:10],
        "end": request.GET.get("end", "")[:10],
        "kinds": kinds.known(),
        "page": page,
        "results": results,
        "problems": problems,
        "asked": bool(typed.strip()),
    }
    return render(request, "search/search.html", context, status=422 if problems else 200)


@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """Titles for what is being typed, among those the reader may find."""
    titles = selectors.suggest(request.GET.get("q", ""), readable_groups(request))
    return JsonResponse({"titles": titles}, json_dumps_params={"ensure_ascii": False})


def readable_groups(request: HttpRequest) -> list[UUID]:
    """Every group the reader may read as; `EVERYONE` for whoever works here."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    groups = person_groups(actor)
    return [*groups, EVERYONE] if groups else []


def _day(text: str, name: str, problems: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems[name] = _("不是有效的日期，应写作 2026-01-05")
        return None
