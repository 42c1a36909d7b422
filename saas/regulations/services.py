"""Keeps the regulations base: one line of a file becomes one version with its articles and its search row."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection, transaction

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.regulations.models import Article, Regulation
from saas.regulations.parsing import LineRefused, ParsedRegulation, Problem, parse_line, title_key
from saas.search import services as search
from saas.search.entries import EVERYONE, SearchEntry

SEARCH_KIND = "regulation"


@dataclass(slots=True)
class LoadReport:
    """What became of a file: counts, and the refused lines by number."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    articles: int = 0
    refused: dict[int, list[Problem]] = field(default_factory=dict)

    @property
    def loaded(self) -> int:
        """Lines that are in the base now."""
        return self.added + self.updated + self.unchanged


def regulations_load(*, lines: Iterable[str], by: Actor) -> LoadReport:
    """Load a file's lines; a refused line does not stop the others and none is half-loaded. Idempotent.

    One transaction; the file is recorded once in the audit trail. Newest versions become current at the end.
    """
    report = LoadReport()
    digest = hashlib.sha256()
    with transaction.atomic():
        # One load at a time: two would both add the same version.
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE regulations_regulation IN SHARE ROW EXCLUSIVE MODE")
        known = {(r.title_key, r.version_on): r for r in Regulation.objects.all()}
        position = max((r.position for r in known.values()), default=0)
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            digest.update(line.encode("utf-8", "surrogatepass"))
            try:
                parsed = parse_line(line)
            except LineRefused as refusal:
                report.refused[number] = refusal.problems
                continue
            report.articles += len(parsed.articles)
            key = (title_key(parsed.title), parsed.version_on)
            existing = known.get(key)
            if existing is not None and existing.digest == parsed.digest:
                report.unchanged += 1
                continue
            position += 1
            known[key] = _store(parsed, existing, position)
            if existing is None:
                report.added += 1
            else:
                report.updated += 1
        if report.added or report.updated:
            _mark_current()
            record(
                Event.REGULATIONS_LOADED,
                by=by,
                target=Target("regulations", digest.hexdigest(), ""),
                detail={
                    "added": report.added,
                    "updated": report.updated,
                    "refused": len(report.refused),
                    "sha256": digest.hexdigest(),
                },
            )
    return report


def _store(parsed: ParsedRegulation, existing: Regulation | None, position: int) -> Regulation:
    regulation = existing or Regulation(id=uuid.uuid4(), position=position)
    regulation.title = parsed.title
    regulation.title_key = title_key(parsed.title)
    regulation.kind = parsed.kind
    regulation.subject = parsed.subject
    regulation.history = parsed.history
    regulation.issued_on = parsed.issued_on
    regulation.version_on = parsed.version_on
    regulation.preamble = parsed.preamble
    regulation.digest = parsed.digest
    regulation.save(force_insert=existing is None)
    ids: dict[tuple[int, int, str], uuid.UUID] = {}
    if existing is not None:
        for article in existing.articles.all():
            ids.setdefault((article.number, article.suffix, article.label), article.id)
        existing.articles.all().delete()
    Article.objects.bulk_create(
        [
            Article(
                # A citation holds an article's id: a corrected text keeps it.
                id=ids.pop((one.number, one.suffix, one.label), None) or uuid.uuid4(),
                regulation=regulation,
                position=place,
                label=one.label,
                number=one.number,
                suffix=one.suffix,
                chapter=one.chapter,
                section=one.section,
                text=one.text,
            )
            for place, one in enumerate(parsed.articles)
        ]
    )
    search.index(
        SearchEntry(
            kind=SEARCH_KIND,
            object_id=regulation.id,
            title=regulation.title,
            groups=frozenset({EVERYONE}),
            org=regulation.subject,
            date=regulation.version_on,
            body="\n".join([parsed.preamble, *(f"{one.label} {one.text}" for one in parsed.articles)]),
        )
    )
    return regulation


def _mark_current() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE regulations_regulation r SET current = n.newest
            FROM (
                SELECT id, row_number() OVER (
                    PARTITION BY title_key ORDER BY version_on DESC NULLS LAST, position DESC
                ) = 1 AS newest FROM regulations_regulation
            ) n WHERE n.id = r.id AND r.current <> n.newest
            """
        )
