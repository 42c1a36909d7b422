"""Documents' own buttons and the figure beside 草稿箱."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from saas.core.access import Permission
from saas.documents import actions
from saas.documents.access import can_edit
from saas.documents.kinds import State
from saas.documents.models import Document


def draft_count(request: HttpRequest) -> int | None:
    """How many drafts wait at the reader's desk; one query, none for who has no person."""
    person = request.actor.person_id  # type: ignore[attr-defined]
    if person is None:
        return None
    return Document.objects.filter(drafter_person_id=person, state=State.DRAFTING).count() or None


def register_actions() -> None:
    """The buttons this app itself offers."""
    actions.register(
        actions.Action(
            "edit",
            _("修改"),
            lambda document: reverse("documents:edit", args=[document.id]),
            lambda document, reader: can_edit(document, reader.actor),
            order=10,
        )
    )
    actions.register(
        actions.Action(
            "number",
            _("编号"),
            lambda document: reverse("documents:number", args=[document.id]),
            lambda document, reader: document.state == State.SIGNED_OFF and reader.may(Permission.KEEP_NUMBERS),
            order=20,
        )
    )
