"""Documents' own buttons."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from saas.core.access import Permission
from saas.documents import actions
from saas.documents.access import can_edit
from saas.documents.kinds import State


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
    actions.register(
        actions.Action(
            "seal",
            _("用印"),
            lambda document: reverse("documents:seal", args=[document.id]),
            lambda document, reader: document.state == State.RENDERED and reader.may(Permission.USE_SEALS),
            order=30,
        )
    )
