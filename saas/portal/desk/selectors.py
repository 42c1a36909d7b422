"""Reads of the desk: what waits, what is under way, what was put by; each a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Q

from saas.approvals.selectors.for_desks import matters_of
from saas.core.actors import Actor
from saas.documents.access import Reader, documents_visible_to
from saas.documents.kinds import State
from saas.documents.models import Document
from saas.portal.desk.models import Star

SHOWN = 6
_PUT_BY = """
    SELECT 'star', document_id, '', '' FROM desk_star WHERE user_id = %s
    UNION ALL
    SELECT 'filter', id, name, query FROM desk_savedfilter WHERE user_id = %s AND page = %s
    ORDER BY 1, 3
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


def put_by(user_id: UUID, page: str) -> PutBy:
    """What an account has put by that the list at `page` shows. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BY, [user_id, user_id, page])
        rows = cursor.fetchall()
    documents = [row[1] for row in rows if row[0] == "star"]
    return PutBy(
        frozenset([*documents, *(matters_of(documents) if documents else [])]),
        tuple(KeptFilter(*row[1:]) for row in rows if row[0] == "filter"),
    )


def own_drafts(by: Actor) -> list[Document]:
    """What the person is still writing, the latest first. One query."""
    rows = Document.objects.filter(state=State.DRAFTING, drafter_person_id=by.person_id)
    return list(rows.only("id", "title", "state", "changed_at").order_by("-changed_at")[:SHOWN])


def starred_documents(user_id: UUID, reader: Reader, *, words: str = "") -> list[Document]:
    """Starred documents that may (still) be read, the latest star first. Two queries."""
    order = list(Star.objects.filter(user_id=user_id).order_by("-starred_at").values_list("document_id", flat=True))
    found = documents_visible_to(reader).filter(id__in=order)
    if words.strip():
        found = found.filter(Q(title__icontains=words.strip()) | Q(number__icontains=words.strip()))
    place = {key: index for index, key in enumerate(order)}
    return sorted(found.defer("elements", "pinned", "seal_anchors", "readers"), key=lambda row: place[row.id])
