"""The lists people work from: to do, to read, done, started, stuck."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import F, Max, Q
from django.utils import timezone
from psycopg import sql

from saas.approvals.engine.state import Status, TaskState
from saas.approvals.models import ASKED, Alert, Instance, ReadItem, Task
from saas.approvals.selectors.open_tasks import open_tasks, values
from saas.approvals.selectors.seats import Seats
from saas.core.actors import Actor
from saas.organisation.models import Appointment

PAGE_SIZE = 30
MOST_EXPORTED = 5000
Row = TypeVar("Row")


class TodoSort(enum.StrEnum):
    """In which order to-dos stand."""

    DUE = "due"
    RECEIVED = "received"
    URGENCY = "urgency"


@dataclass(frozen=True, slots=True, kw_only=True)
class TodoQuery:
    """Which to-dos are wanted.

    Args:
        kind: only this kind of subject; empty for all.
        overdue: only those past their limit.
        words: part of title or number.
        sort: order.
        offset: how many to leave out at the beginning.
        limit: how many at most.
    """

    kind: str = ""
    overdue: bool = False
    words: str = ""
    sort: TodoSort = TodoSort.DUE
    offset: int = 0
    limit: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class TodoRow:
    """One to-do as lists show it."""

    id: UUID
    instance_id: UUID
    title: str
    number: str
    urgency: int
    subject_kind: str
    node_name: str
    from_label: str
    opened_at: datetime
    due_at: datetime | None
    seen: bool
    bulk: bool
    alert: int = Alert.NONE
    urged: int = 0


@dataclass(frozen=True, slots=True)
class SupervisedRow:
    """Something that was escalated to a leader: who has it, since when it is late, how often they were urged."""

    task_id: UUID
    instance_id: UUID
    title: str
    number: str
    urgency: int
    subject_kind: str
    node_name: str
    assignee_id: UUID
    due_at: datetime | None
    urged: int


@dataclass(frozen=True, slots=True)
class TodoCounts:
    """How many to-dos there are, from the same question as the list."""

    total: int = 0
    overdue: int = 0
    today: int = 0
    by_kind: tuple[tuple[str, int], ...] = ()
    to_read: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list; `more` when another follows."""

    rows: Sequence[Row]
    more: bool
    offset: int = 0


@dataclass(frozen=True, slots=True)
class DoneRow:
    """Something a person has handled."""

    instance_id: UUID
    title: str
    number: str
    urgency: int
    subject_kind: str
    done_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class StartedRow:
    """Something a person has started, and where it is now."""

    id: UUID
    title: str
    number: str
    urgency: int
    subject_kind: str
    flow_name: str
    status: str
    held: bool
    started_at: datetime
    changed_at: datetime
    at: str = ""


_ORDER = {
    TodoSort.DUE: "due_at, id",
    TodoSort.RECEIVED: "opened_at DESC, id",
    TodoSort.URGENCY: "urgency DESC, due_at, id",
}
_ROW_COLUMNS = sql.SQL(", ").join(sql.Identifier("task", name) for name in TodoRow.__dataclass_fields__)
# Of each place the first ones by the index alone; rows are read of those that are shown.
_OPEN_ROWS = sql.SQL("""
SELECT {columns} FROM (SELECT * FROM {open} ORDER BY {order} OFFSET %(offset)s LIMIT %(limit)s) AS page
JOIN approvals_task AS task USING (id) ORDER BY {page_order}
""")
_WORDS = "AND (t.title ILIKE %(words)s OR t.number ILIKE %(words)s OR t.from_label ILIKE %(words)s)"


def todo_list(seats: Seats, query: TodoQuery) -> Page[TodoRow]:
    """The to-dos of whoever has these seats. One query."""
    words = re.sub(r"([\\%_])", r"\\\1", query.words.strip())
    asked = [
        *(["AND t.subject_kind = %(kind)s"] if query.kind else []),
        *(["AND t.due_at < %(now)s"] if query.overdue else []),
        *([_WORDS] if words else []),
    ]
    order = _ORDER[query.sort]
    keys = [key.partition(" ")[0] for key in order.split(", ")]
    statement = _OPEN_ROWS.format(
        columns=_ROW_COLUMNS,
        open=open_tasks(
            columns=sql.SQL(", ").join(sql.Identifier("t", key) for key in keys),
            narrower=sql.SQL(" ").join(map(sql.SQL, asked)),
            tail=sql.SQL(f"ORDER BY {order} LIMIT %(most)s"),
        ),
        order=sql.SQL(order),
        page_order=sql.SQL(", ".join(f"page.{key}" for key in order.split(", "))),
    )
    found = _fetch(
        statement,
        {
            **values(seats),
            "kind": query.kind,
            "now": timezone.now(),
            "words": f"%{words}%",
            "most": query.offset + query.limit + 1,
            "offset": query.offset,
            "limit": query.limit + 1,
        },
    )
    rows = [TodoRow(*row) for row in found]
    return Page(rows[: query.limit], len(rows) > query.limit, query.offset)


def _fetch(statement: sql.Composed, bound: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, bound)
        return list(cursor.fetchall())


_COUNTS = sql.SQL("""
SELECT subject_kind, count(*), count(*) FILTER (WHERE due_at < %(now)s),
       count(*) FILTER (WHERE due_at >= %(now)s AND due_at <= %(tonight)s)
FROM {open} GROUP BY subject_kind
UNION ALL
SELECT '', count(*), 0, 0 FROM approvals_readitem
WHERE read_at IS NULL AND (person_id = %(me)s OR person_id IS NULL AND post_id = ANY(%(own)s))
""").format(open=open_tasks(columns=sql.SQL("t.subject_kind, t.due_at")))


def todo_counts(seats: Seats) -> TodoCounts:
    """How many to-dos and things to read. One query."""
    if seats.person_id is None:
        return TodoCounts()
    now = timezone.localtime()
    tonight = now.replace(hour=23, minute=59, second=59)
    rows = _fetch(_COUNTS, {**values(seats), "now": now, "tonight": tonight, "me": seats.person_id, "own": seats.own})
    kinds = tuple(sorted((row[0], row[1]) for row in rows if row[0]))
    return TodoCounts(
        total=sum(count for _, count in kinds),
        overdue=sum(row[2] for row in rows),
        today=sum(row[3] for row in rows),
        by_kind=kinds,
        to_read=sum(row[1] for row in rows if not row[0]),
    )


def supervised_list(seats: Seats, *, offset: int = 0) -> Page[SupervisedRow]:
    """What was escalated to the posts somebody holds and is still with others, the latest first. One query."""
    rows = Task.objects.filter(supervisor_id__in=seats.own, state=TaskState.OPEN)
    names = list(SupervisedRow.__dataclass_fields__)
    names[0] = "id"
    found = [
        SupervisedRow(*values)
        for values in rows.order_by(F("due_at").asc(nulls_last=True), "id").values_list(*names)[
            offset : offset + PAGE_SIZE + 1
        ]
    ]
    return Page(found[:PAGE_SIZE], len(found) > PAGE_SIZE, offset)


def overdue_list(*, limit: int = 100) -> list[SupervisedRow]:
    """Every open task of the bureau that is past its limit, longest first, for the flow administrator. One query."""
    rows = Task.objects.filter(state=TaskState.OPEN, alert=Alert.OVERDUE)
    names = list(SupervisedRow.__dataclass_fields__)
    names[0] = "id"
    return [SupervisedRow(*values) for values in rows.order_by("due_at", "id").values_list(*names)[:limit]]


def read_list(seats: Seats, *, unread: bool = True, offset: int = 0) -> Page[ReadItem]:
    """What somebody has been given to read, newest first. One query."""
    mine = Q(person_id=seats.person_id) | Q(person_id__isnull=True, post_id__in=seats.own)
    rows = ReadItem.objects.filter(mine, read_at__isnull=unread)
    found = list(rows.order_by("-sent_at" if unread else "-read_at", "id")[offset : offset + PAGE_SIZE + 1])
    return Page(found[:PAGE_SIZE], len(found) > PAGE_SIZE, offset)


def done_list(by: Actor, *, words: str = "", offset: int = 0) -> Page[DoneRow]:
    """What somebody has handled, each matter once, newest first. One query."""
    rows = Task.objects.filter(done_by=by.person_id, vote__gt="").exclude(kind="start")
    if words.strip():
        rows = rows.filter(Q(title__icontains=words.strip()) | Q(number__icontains=words.strip()))
    grouped = (
        rows.values("instance_id", "title", "number", "urgency", "subject_kind", status=F("instance__status"))
        .annotate(last=Max("done_at"))
        .order_by("-last")[offset : offset + PAGE_SIZE + 1]
    )
    found = [
        DoneRow(
            row["instance_id"],
            row["title"],
            row["number"],
            row["urgency"],
            row["subject_kind"],
            row["last"],
            row["status"],
        )
        for row in grouped
    ]
    return Page(found[:PAGE_SIZE], len(found) > PAGE_SIZE, offset)


def started_list(by: Actor, *, words: str = "", running: bool = False, offset: int = 0) -> Page[StartedRow]:
    """What somebody has started, with where it is now. Two queries."""
    rows = Instance.objects.filter(drafter_person_id=by.person_id, parent_id__isnull=True)
    if running:
        rows = rows.filter(status__in=[Status.RUNNING, Status.SUSPENDED])
    if words.strip():
        rows = rows.filter(Q(title__icontains=words.strip()) | Q(number__icontains=words.strip()))
    found = list(rows.order_by("-started_at", "id")[offset : offset + PAGE_SIZE + 1])
    where = _where([row.id for row in found])
    page = [
        StartedRow(
            row.id,
            row.title,
            row.number,
            row.urgency,
            row.subject_kind,
            row.flow_name,
            row.status,
            row.held,
            row.started_at,
            row.changed_at,
            where.get(row.id, ""),
        )
        for row in found[:PAGE_SIZE]
    ]
    return Page(page, len(found) > PAGE_SIZE, offset)


def _where(instance_ids: list[UUID]) -> dict[UUID, str]:
    """The names of the nodes each instance is at."""
    names: dict[UUID, list[str]] = {}
    rows = Task.objects.filter(instance_id__in=instance_ids, state__in=ASKED).values_list("instance_id", "node_name")
    for instance_id, name in rows:
        known = names.setdefault(instance_id, [])
        if name not in known:
            known.append(name)
    return {key: "、".join(found) for key, found in names.items()}


@dataclass(frozen=True, slots=True)
class StuckRow:
    """An instance that needs the flow administrator: held nodes with reasons, or tasks whose posts nobody holds."""

    id: UUID
    title: str
    flow_name: str
    drafter_label: str
    changed_at: datetime
    status: str
    holds: tuple[tuple[str, str, str], ...] = ()
    vacant: tuple[tuple[UUID, str], ...] = field(default=())


def stuck_list(*, limit: int = 200) -> list[StuckRow]:
    """What is stuck now, longest first. Two queries."""
    holders = Appointment.objects.current().filter(post__active=True).values_list("post_id", "post__unit_id")
    held: set[UUID] = set()
    for post_id, unit_id in holders:
        held |= {post_id, unit_id}
    vacant: dict[UUID, list[tuple[UUID, str]]] = {}
    asked = Task.objects.filter(state=TaskState.OPEN).exclude(assignee_id__in=held)
    for task_id, instance_id, node_name in asked.values_list("id", "instance_id", "node_name")[:1000]:
        vacant.setdefault(instance_id, []).append((task_id, node_name))
    rows = Instance.objects.filter(
        Q(held=True) | Q(id__in=vacant) | Q(status=Status.SUSPENDED), status__in=[Status.RUNNING, Status.SUSPENDED]
    ).order_by("changed_at")[:limit]
    return [
        StuckRow(
            row.id,
            row.title,
            row.flow_name,
            row.drafter_label,
            row.changed_at,
            row.status,
            tuple(
                (node, reason, detail)
                for node, (_round, _opened, reason, detail) in row.live.get("active", {}).items()
                if reason not in {"", "automatic", "sub_flow", "vacant"}
            ),
            tuple(vacant.get(row.id, ())),
        )
        for row in rows
    ]
