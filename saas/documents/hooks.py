"""Lets upper apps take part when past documents are loaded (the archive files them)."""

from __future__ import annotations

from collections.abc import Callable

from saas.core.actors import Actor
from saas.documents.models import Document

type_of_hook = Callable[[Document, Actor], None]
_LOADED: list[type_of_hook] = []


def register_loaded(hook: type_of_hook) -> None:
    """Call `hook(document, by)` in the transaction of every loaded document; what it raises refuses that line."""
    if hook not in _LOADED:
        _LOADED.append(hook)


def loaded(document: Document, by: Actor) -> None:
    """Tell everyone who registered."""
    for hook in _LOADED:
        hook(document, by)
