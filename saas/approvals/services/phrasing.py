"""A person's own 常用意见: kept and dropped."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals.models import Phrase
from saas.core.errors import Invalid

LONGEST_PHRASE = 200
MOST_PHRASES = 30


def phrase_add(*, person_id: UUID | None, text: str) -> None:
    """Keep a phrase; one that is kept already stays one.

    Raises:
        Invalid: it is empty or too long, or there are too many.
    """
    phrase = " ".join(text.split())
    if not phrase or len(phrase) > LONGEST_PHRASE or person_id is None:
        raise Invalid(_("常用意见为 1 到 200 字。"))
    if Phrase.objects.filter(person_id=person_id).count() >= MOST_PHRASES:
        raise Invalid(_("常用意见最多 %(most)d 条。") % {"most": MOST_PHRASES})
    Phrase.objects.get_or_create(person_id=person_id, text=phrase)


def phrase_remove(*, person_id: UUID | None, text: str) -> None:
    """Forget a phrase, if it is kept."""
    if person_id is not None:
        Phrase.objects.filter(person_id=person_id, text=text).delete()
