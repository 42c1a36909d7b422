"""What a person's desk asks of the engine: news of own matters, own phrases, which matter deals with which subject."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from saas.approvals.engine.state import Status
from saas.approvals.models import DelegationState, Instance, Phrase
from saas.organisation.models import today

NEWS_DAYS = 30
_NEWS = """
    SELECT 'asked', id, giver_name, starts::timestamptz AS at FROM approvals_delegation
    WHERE stand_in_id = %(person)s AND state = %(proposed)s AND ends >= %(today)s
    UNION ALL
    SELECT status, id, title, changed_at FROM approvals_instance
    WHERE drafter_person_id = %(person)s AND parent_id IS NULL AND status = ANY(%(ended)s) AND changed_at > %(since)s
    ORDER BY at DESC LIMIT %(limit)s
"""


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


def news_for(person_id: UUID | None, *, limit: int) -> list[News]:
    """What a person should be told, the newest first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWS,
            {
                "person": person_id,
                "ended": [Status.FINISHED.value, Status.TERMINATED.value],
                "since": timezone.now() - timedelta(days=NEWS_DAYS),
                "proposed": DelegationState.PROPOSED.value,
                "today": today(),
                "limit": limit,
            },
        )
        return [News(*row) for row in cursor.fetchall()]


def phrases_of(person_id: UUID | None) -> list[str]:
    """A person's own 常用意见 in their order. One query."""
    if person_id is None:
        return []
    rows = Phrase.objects.filter(person_id=person_id).order_by("position", "id")
    return list(rows.values_list("text", flat=True))


def matters_of(subject_ids: Iterable[UUID]) -> list[UUID]:
    """The matters these subjects are or were dealt with in. One query."""
    return list(Instance.objects.filter(subject_id__in=list(subject_ids)).values_list("id", flat=True))


def subject_of(instance_id: UUID) -> UUID | None:
    """The subject a matter deals with; None when there is no such matter. One query."""
    return Instance.objects.filter(id=instance_id).values_list("subject_id", flat=True).first()
