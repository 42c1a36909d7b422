"""Reads of the regulations base."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from saas.regulations.models import Article, Regulation


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
