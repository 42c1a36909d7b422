"""What other apps hand to the index and get back from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

# The group of everybody who works in the bureau; `selectors.search` counts it in for no one by itself.
EVERYONE = UUID("00000000-0000-4000-8000-000000000001")
# A date for objects without one: sorts last, shown as none.
NO_DATE = date(1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """An object as it can be found.

    Attributes:
        kind: a kind registered with `saas.search.kinds`.
        object_id: the object's own id; one entry for each.
        title: what a result shows.
        groups: ids of the units, posts, people (or `EVERYONE`) who may find it; nobody else ever does.
        org: the organisations it is from and to, as one text.
        names: the people on it.
        number: its 文号 as written.
        date: the day results are ordered by.
        body: the full text.
    """

    kind: str
    object_id: UUID
    title: str
    groups: frozenset[UUID]
    org: str = ""
    names: tuple[str, ...] = ()
    number: str = ""
    date: date | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text; `hit` when it is what was searched for."""

    text: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """One result."""

    kind: str
    object_id: UUID
    title: tuple[Segment, ...]
    org: str
    number: str
    date: date | None
    excerpt: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of results.

    `count` stops at `selectors.COUNT_CAP`, or `EXACT_COUNT_CAP` for phrases and numbers (then `capped`); `next`
    continues after the last result, "" at the end.
    """

    hits: tuple[Hit, ...]
    count: int
    capped: bool
    next: str


EMPTY = Page((), 0, False, "")
