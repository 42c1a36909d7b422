"""Reads of the regulations base, and citations resolved to articles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from saas.regulations.models import Article, Regulation
from saas.regulations.numerals import NUMERAL, to_int
from saas.regulations.parsing import title_key

_CITATION = re.compile(rf"《([^《》\n]{{2,120}})》(?:第({NUMERAL}{{1,9}})条(?:之({NUMERAL}{{1,3}}))?)?")


@dataclass(frozen=True, slots=True)
class CitationSegment:
    """A piece of a text; a citation of something the bureau keeps has the address of its article."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Citation:
    start: int
    end: int
    key: str
    number: int
    suffix: int


def regulations(*, kind: str = "", subject: str = "", ids: Iterable[UUID] | None = None) -> QuerySet[Regulation]:
    """Current versions in their order, with `article_count` and `all_kinds`; `ids` keeps to those."""
    rows = Regulation.objects.filter(current=True) if ids is None else Regulation.objects.filter(id__in=list(ids))
    if kind:
        rows = rows.filter(kind=kind)
    if subject:
        rows = rows.filter(subject=subject)
    counted = rows.annotate(
        article_count=Count("articles", filter=Q(articles__number__gt=0)), all_kinds=ArraySubquery(_by_kind())
    )
    return counted.order_by("-version_on", "position")


def kinds(rows: Sequence[Regulation]) -> list[str]:
    """The kinds the base has, the largest first: as `regulations` found them, or asked when it found nothing."""
    if rows:
        found: list[str] = rows[0].all_kinds  # type: ignore[attr-defined]
        return found
    return list(_by_kind())


def _by_kind() -> QuerySet[Regulation, str]:
    counted = Regulation.objects.filter(current=True).values("kind").annotate(n=Count("id"))
    return counted.order_by("-n", "kind").values_list("kind", flat=True)


def versions(regulation: Regulation) -> list[Regulation]:
    """All versions of the same title, the newest first."""
    return list(Regulation.objects.filter(title_key=regulation.title_key).order_by("-version_on", "-position"))


def articles(regulation: Regulation) -> list[Article]:
    """The articles in order."""
    return list(regulation.articles.order_by("position"))


def articles_with(regulation_ids: Iterable[UUID], words: Iterable[str], *, each: int = 3) -> dict[UUID, list[Article]]:
    """For each regulation the first articles that contain every word. One query."""
    found: dict[UUID, list[Article]] = {}
    rows = Article.objects.filter(regulation_id__in=list(regulation_ids))
    for word in words:
        rows = rows.filter(text__icontains=word)
    for article in rows.order_by("regulation_id", "position")[:500]:
        kept = found.setdefault(article.regulation_id, [])
        if len(kept) < each:
            kept.append(article)
    return found


def article_url(article: Article) -> str:
    """The address of an article on its regulation's page."""
    return f"{reverse('regulations:read', args=[article.regulation_id])}#{article.anchor}"


def resolve_citation(text: str) -> Article | None:
    """The article that ``《总会计师条例》第十二条`` names, in the newest version kept; None when unknown.

    A citation without an article, or of an article that does not exist, names none.
    """
    for citation in _citations(text):
        if citation.number:
            return _lookup([citation])[1].get((citation.key, citation.number, citation.suffix))
    return None


def link_citations(text: str) -> list[CitationSegment]:
    """`text` in pieces, where those that cite a kept regulation carry its address. At most two queries.

    The pieces are plain text: a template escapes them like any other.
    """
    citations = _citations(text)
    if not citations:
        return [CitationSegment(text)] if text else []
    by_key, by_article = _lookup(citations)
    segments: list[CitationSegment] = []
    at = 0
    for citation in citations:
        article = by_article.get((citation.key, citation.number, citation.suffix))
        regulation_id = by_key.get(citation.key)
        if article is not None:
            url = article_url(article)
        elif regulation_id is not None:
            url = reverse("regulations:read", args=[regulation_id])
        else:
            continue
        if citation.start > at:
            segments.append(CitationSegment(text[at : citation.start]))
        segments.append(CitationSegment(text[citation.start : citation.end], url))
        at = citation.end
    if at < len(text):
        segments.append(CitationSegment(text[at:]))
    return segments


def _citations(text: str) -> list[_Citation]:
    found = []
    for match in _CITATION.finditer(text):
        try:
            number = to_int(match.group(2)) if match.group(2) else 0
            suffix = to_int(match.group(3)) if match.group(3) else 0
        except ValueError:
            number = suffix = 0
        found.append(_Citation(match.start(), match.end(), title_key(match.group(1)), number, suffix))
    return found


def _lookup(citations: list[_Citation]) -> tuple[dict[str, UUID], dict[tuple[str, int, int], Article]]:
    keys = {citation.key for citation in citations}
    rows = Regulation.objects.filter(title_key__in=keys, current=True).values_list("title_key", "id")
    by_key = dict(rows)
    numbers = {citation.number for citation in citations if citation.number}
    if not by_key or not numbers:
        return by_key, {}
    key_of = {regulation_id: key for key, regulation_id in by_key.items()}
    found = Article.objects.filter(regulation_id__in=by_key.values(), number__in=numbers).select_related("regulation")
    return by_key, {(key_of[a.regulation_id], a.number, a.suffix): a for a in found}
