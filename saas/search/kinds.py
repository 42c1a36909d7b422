"""Which kinds of object can be found and where each is opened; upper apps register theirs at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind with the name readers know it by and the address of one object."""

    key: str
    label: str | Promise
    url: Callable[[UUID], str]


_KINDS: dict[str, Kind] = {}


def register(key: str, label: str | Promise, url_fn: Callable[[UUID], str]) -> None:
    """Add a kind.

    Args:
        key: at most 20 characters, stored in the rows.
        label: `gettext_lazy` text.
        url_fn: the address of the object with a given id.
    """
    _KINDS[key] = Kind(key, label, url_fn)


def known() -> list[Kind]:
    """All kinds in the order of registration."""
    return list(_KINDS.values())


def get(key: str) -> Kind | None:
    """The kind named `key`, or None."""
    return _KINDS.get(key)
