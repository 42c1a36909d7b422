"""What one request asks of the engine more than once: seats and counts, each looked up once."""

from __future__ import annotations

from django.http import HttpRequest

from saas.accounts.requests import actor_of
from saas.approvals import selectors
from saas.approvals.selectors import Seats, TodoCounts

_SEATS, _COUNTS = "_approvals_seats", "_approvals_counts"


def seats(request: HttpRequest) -> Seats:
    """The reader's seats."""
    found: Seats | None = getattr(request, _SEATS, None)
    if found is None:
        found = selectors.seats_of(actor_of(request).person_id)
        setattr(request, _SEATS, found)
    return found


def counts(request: HttpRequest) -> TodoCounts:
    """How much waits for the reader."""
    found: TodoCounts | None = getattr(request, _COUNTS, None)
    if found is None:
        found = selectors.todo_counts(seats(request))
        setattr(request, _COUNTS, found)
    return found


def todo(request: HttpRequest) -> int:
    """For the menu."""
    return counts(request).total


def to_read(request: HttpRequest) -> int:
    """For the menu."""
    return counts(request).to_read
