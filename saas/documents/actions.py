"""Buttons of the document page; upper apps (exchange, archive) add theirs from `AppConfig.ready()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from saas.documents.access import Reader
from saas.documents.models import Document


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done with a document.

    Attributes:
        key: stable name.
        label: `gettext_lazy` text on the button.
        url_fn: where the button leads (a page with a form; acts are POSTed there).
        possible_fn: whether it is offered to this reader now; costs no query.
        order: place among the buttons.
        onward: whether it takes the document further; the first button is the page's main one only then.
    """

    key: str
    label: str | Promise
    url_fn: Callable[[Document], str]
    possible_fn: Callable[[Document, Reader], bool]
    order: int = 100
    onward: bool = True


_ACTIONS: dict[str, Action] = {}


def register(action: Action) -> None:
    """Add a button; the same key replaces it."""
    _ACTIONS[action.key] = action


def possible(document: Document, reader: Reader) -> list[tuple[Action, str]]:
    """The buttons for this reader now, with their addresses, in order."""
    found = [a for a in _ACTIONS.values() if a.possible_fn(document, reader)]
    return [(a, a.url_fn(document)) for a in sorted(found, key=lambda a: (a.order, a.key))]
