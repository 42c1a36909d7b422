"""Lets upper apps follow a change of who holds what, inside the transaction that makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from saas.core.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Whose holders may have changed: `posts` by id, `people` by id; a whole import speaks once."""

    by: Actor
    posts: frozenset[UUID] = frozenset()
    people: frozenset[UUID] = frozenset()


Listener = Callable[[Change], None]
_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Have `listener` called within the transaction of every change; what it raises undoes the change."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(*, by: Actor, posts: Iterable[UUID] = (), people: Iterable[UUID] = ()) -> None:
    """Tell every listener; called by services after the rows are written."""
    change = Change(by=by, posts=frozenset(posts), people=frozenset(people))
    if change.posts or change.people:
        for listener in _listeners:
            listener(change)
