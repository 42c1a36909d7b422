"""The menu's registry: apps add their entries from `AppConfig.ready()`; the portal alone draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saas.core.access import Permission
from saas.env import Zone

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One line of the menu.

    Attributes:
        key: stable name; a page says which entry it belongs to by `{% block nav %}key{% endblock %}`.
        label: what the reader sees (`gettext_lazy`).
        url_name: namespaced route name without arguments.
        permission: who sees it; the route itself checks again.
        zone: the zone whose menu shows it.
        order: place; every hundred is a group (0 own work, 100 documents, 200 knowledge, 300 administration).
        icon: name in the sprite (`saas/portal/static/portal/icons.svg`).
        count: what is waiting, asked once per page; None shows no figure. One query at most.
        bar: place 1 to 4 in the phone's bottom bar, 0 for not there.
        short: label for the bottom bar when `label` is too long.
    """

    key: str
    label: str | Promise
    url_name: str
    permission: Permission = Permission.STAFF
    zone: Zone = Zone.INTRANET
    order: int = 0
    icon: str = "file-text"
    count: Callable[[HttpRequest], int | None] | None = None
    bar: int = 0
    short: str | Promise = ""


@dataclass(frozen=True, slots=True)
class PostChoice:
    """A post the reader may act in: the appointment's id, what it is called, whether it is the chosen one."""

    id: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class PostChooser:
    """Where the top bar's choice of a post comes from and goes to (a POST with `appointment`)."""

    url_name: str
    choices: Callable[[HttpRequest], list[PostChoice]]


_POSTS: list[PostChooser] = []
_ENTRIES: dict[tuple[Zone, str], NavEntry] = {}


def register(entry: NavEntry) -> None:
    """Add `entry` to its zone's menu.

    Raises:
        ValueError: another entry of that zone already has the key.
    """
    place = (entry.zone, entry.key)
    if _ENTRIES.get(place, entry) != entry:
        message = f"navigation entry {entry.key!r} is registered twice"
        raise ValueError(message)
    _ENTRIES[place] = entry


def entries(zone: Zone) -> list[NavEntry]:
    """All entries of `zone`, in the menu's order."""
    return sorted((e for e in _ENTRIES.values() if e.zone is zone), key=lambda e: (e.order, e.key))


def register_post_chooser(chooser: PostChooser) -> None:
    """Let the top bar offer the reader's posts; organisation calls it once."""
    _POSTS[:] = [chooser]


def post_chooser() -> PostChooser | None:
    """The registered chooser, if this zone has one."""
    return _POSTS[0] if _POSTS else None
