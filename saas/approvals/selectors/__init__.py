"""Reads of the engine, each filtered by who asks."""

from saas.approvals.selectors.lists import (
    DoneRow,
    Page,
    StartedRow,
    TodoCounts,
    TodoQuery,
    TodoRow,
    TodoSort,
    done_list,
    read_list,
    started_list,
    stuck_list,
    todo_counts,
    todo_list,
)
from saas.approvals.selectors.matter import Matter, TimelineEntry, matter_of, possible_acts, timeline
from saas.approvals.selectors.seats import Seats, administers, may_read, seats_of

__all__ = [
    "DoneRow",
    "Matter",
    "Page",
    "Seats",
    "StartedRow",
    "TimelineEntry",
    "TodoCounts",
    "TodoQuery",
    "TodoRow",
    "TodoSort",
    "administers",
    "done_list",
    "matter_of",
    "may_read",
    "possible_acts",
    "read_list",
    "seats_of",
    "started_list",
    "stuck_list",
    "timeline",
    "todo_counts",
    "todo_list",
]
