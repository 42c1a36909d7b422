"""Cards of the document page that upper apps add (where the exchange sent it); the page asks for each after itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from saas.documents.models import Document


@dataclass(frozen=True, slots=True)
class Panel:
    """One card.

    Attributes:
        key: stable name.
        label: `gettext_lazy` text shown until the card is there.
        url_fn: where its fragment is; the route checks who may read it.
        possible_fn: whether the document has one now; costs no query.
    """

    key: str
    label: str | Promise
    url_fn: Callable[[Document], str]
    possible_fn: Callable[[Document], bool]


_PANELS: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Add a card; the same key replaces it."""
    _PANELS[panel.key] = panel


def of(document: Document) -> list[tuple[Panel, str]]:
    """The document's cards with their addresses."""
    return [(panel, panel.url_fn(document)) for panel in _PANELS.values() if panel.possible_fn(document)]
