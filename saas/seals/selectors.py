"""Reads seals and impressions."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from saas.core.actors import Actor
from saas.seals.models import Impression, Seal, SealState


def seals_usable_by(actor: Actor) -> QuerySet[Seal]:
    """Active seals kept by the post acted in."""
    if actor.post_id is None:
        return Seal.objects.none()
    return Seal.objects.filter(state=SealState.ACTIVE, holders__post_id=actor.post_id)


def seals_all() -> QuerySet[Seal]:
    """Every seal with its holders, for the security administrator."""
    return Seal.objects.prefetch_related("holders")


def impressions_on(*, kind: str, subject_id: UUID) -> QuerySet[Impression]:
    """The impressions on one subject, first first."""
    return Impression.objects.filter(subject_kind=kind, subject_id=subject_id).select_related("seal").order_by("at")


def impressions_latest(*, limit: int = 100) -> QuerySet[Impression]:
    """The latest uses of all seals, for the monitor."""
    return Impression.objects.select_related("seal").order_by("-at")[:limit]
