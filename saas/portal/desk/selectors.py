"""Reads of the desk: what waits, what is under way, what was put by; each a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from saas.approvals.engine.state import Status
from saas.approvals.models import DelegationState, Phrase
from saas.core.actors import Actor
from saas.documents.access import Reader, documents_visible_to
from saas.documents.kinds import State
from saas.documents.models import Document
from saas.organisation.models import today
from saas.portal.desk.models import Star

SHOWN = 6
NEWS_DAYS = 30
_PUT_BY = """
    SELECT 'star', document_id, '', '' FROM desk_star WHERE user_id = %s
    UNION ALL
    SELECT 'star', i.id, '', '' FROM desk_star s JOIN approvals_instance i ON i.subject_id = s.document_id
    WHERE s.user_id = %s
    UNION ALL
    SELECT 'filter', id, name, query FROM desk_savedfilter WHERE user_id = %s AND page = %s
    ORDER BY 1, 3
"""
_NEWS = """
    SELECT 'asked', id, giver_name, starts::timestamptz AS at FROM approvals_delegation
    WHERE stand_in_id = %(person)s AND state = %(proposed)s AND ends >= %(today)s
    UNION ALL
    SELECT status, id, title, changed_at FROM approvals_instance
    WHERE drafter_person_id = %(person)s AND parent_id IS NULL AND status = ANY(%(ended)s) AND changed_at > %(since)s
    ORDER BY at DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """A saved filter as its list shows it."""

    id: UUID
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class PutBy:
    """An account's stars (ids of documents and of the matters they are dealt with in), and its filters of one list."""

    starred: frozenset[UUID] = frozenset()
    filters: tuple[KeptFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """Something to be told: a matter of one's own has ended, or somebody asks one to stand in.

    Attributes:
        kind: ``finished``, ``terminated`` or ``asked``.
        key: the matter, or the delegation.
        text: the matter's title, or who asks.
        at: when it ended, or when the standing in begins.
    """

    kind: str
    key: UUID
    text: str
    at: datetime


def put_by(user_id: UUID, page: str) -> PutBy:
    """What an account has put by that the list at `page` shows. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BY, [user_id, user_id, user_id, page])
        rows = cursor.fetchall()
    return PutBy(
        frozenset(row[1] for row in rows if row[0] == "star"),
        tuple(KeptFilter(*row[1:]) for row in rows if row[0] == "filter"),
    )


def own_drafts(by: Actor) -> list[Document]:
    """What the person is still writing, the latest first. One query."""
    rows = Document.objects.filter(state=State.DRAFTING, drafter_person_id=by.person_id)
    return list(rows.only("id", "title", "state", "changed_at").order_by("-changed_at")[:SHOWN])


def news_for(by: Actor) -> list[News]:
    """What the person should be told, the newest first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWS,
            {
                "person": by.person_id,
                "ended": [Status.FINISHED.value, Status.TERMINATED.value],
                "since": timezone.now() - timedelta(days=NEWS_DAYS),
                "proposed": DelegationState.PROPOSED.value,
                "today": today(),
                "limit": SHOWN,
            },
        )
        return [News(*row) for row in cursor.fetchall()]


def starred_documents(user_id: UUID, reader: Reader, *, words: str = "") -> list[Document]:
    """Starred documents that may (still) be read, the latest star first. Two queries."""
    order = list(Star.objects.filter(user_id=user_id).order_by("-starred_at").values_list("document_id", flat=True))
    found = documents_visible_to(reader).filter(id__in=order)
    if words.strip():
        found = found.filter(Q(title__icontains=words.strip()) | Q(number__icontains=words.strip()))
    place = {key: index for index, key in enumerate(order)}
    return sorted(found.defer("elements", "pinned", "seal_anchors", "readers"), key=lambda row: place[row.id])


def own_phrases(person_id: UUID | None) -> list[str]:
    """A person's own 常用意见 in their order. One query."""
    if person_id is None:
        return []
    rows = Phrase.objects.filter(person_id=person_id).order_by("position", "id")
    return list(rows.values_list("text", flat=True))
