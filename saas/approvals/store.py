"""Reads one instance's state under its lock and writes an act's changes, each in one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from saas.approvals.definition import Approve, Flow, parse
from saas.approvals.engine.commands import Act
from saas.approvals.engine.state import (
    WORKING,
    Active,
    Assignee,
    AssigneeKind,
    Drafter,
    Hold,
    HoldReason,
    State,
    Status,
    Task,
    TaskKind,
    TaskState,
    Vote,
)
from saas.approvals.engine.step import Changes
from saas.approvals.models import PAUSED, FlowVersion
from saas.approvals.registry import InstanceRef, Subject
from saas.core.actors import Actor
from saas.core.audit.services import INSERT, AuditValues
from saas.core.tenancy import current_tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is known of an instance beside the engine's state."""

    id: UUID
    version_id: UUID
    flow_key: str
    flow_name: str
    subject: Subject
    drafter_label: str
    parent_id: UUID | None
    parent_node: str

    def ref(self, state: State) -> InstanceRef:
        """The instance as its subject's app sees it."""
        return InstanceRef(
            id=self.id,
            flow_key=self.flow_key,
            subject=self.subject,
            drafter_person_id=state.drafter.person,
            drafter_post_id=state.drafter.post,
            drafter_label=self.drafter_label,
            values=state.values,
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """An instance as read: its header, its definition, the engine's state, and whether an act was done before."""

    header: Header
    flow: Flow
    state: State
    repeated: bool


_definitions: dict[tuple[str, UUID], Flow] = {}
_MOST_DEFINITIONS = 500


def definition(version_id: UUID) -> Flow:
    """A published definition; parsed once per process, for it never changes."""
    found = _definitions.get((current_tenant().schema, version_id))
    return found or _kept(version_id, FlowVersion.objects.values_list("tree", flat=True).get(id=version_id))


def definitions(version_ids: Sequence[UUID]) -> dict[UUID, Flow]:
    """Several of them; one query for those this process has not parsed yet, none when it has all."""
    schema = current_tenant().schema
    found = {one: _definitions[schema, one] for one in version_ids if (schema, one) in _definitions}
    missing = [one for one in version_ids if one not in found]
    if missing:
        trees = FlowVersion.objects.filter(id__in=missing).values_list("id", "tree")
        found |= {one: _kept(one, tree) for one, tree in trees}
    return found


def _kept(version_id: UUID, tree: Any) -> Flow:
    if len(_definitions) >= _MOST_DEFINITIONS:
        _definitions.clear()
    flow = _definitions[current_tenant().schema, version_id] = parse(tree)
    return flow


_OF_TASK = "(SELECT instance_id FROM approvals_task WHERE id = %(wanted)s)"
_TASK_COLUMNS = """
    id, node, round, assignee_kind, assignee_id, person_id, kind, state, vote, was, parent_id, "order", opened_by,
    closed_by, seen, opened_at, due_at, done_by, done_post
"""
_EARLIER = "(SELECT e.instance_id FROM approvals_flowevent e WHERE e.idempotency_key = %(key)s)"
# The instance stands in the first row. Tasks are those of the moment the statement began: when it had to wait for
# the lock, the instance it locked is newer than the one it began with, and tasks and key are asked for again.
_LOAD = """
WITH i AS MATERIALIZED (
    SELECT 1 AS first, xmin AS version, id, version_id, flow_key, flow_name, subject_kind, subject_id, title, urgency,
        number, status, live, "values", drafter_person_id, drafter_post_id, drafter_unit_id, drafter_label, parent_id,
        parent_node
    FROM approvals_instance WHERE id = {of} {lock}
), t AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY "order", opened_at, id) AS place, {tasks}
    FROM approvals_task WHERE instance_id = {of}
)
SELECT i.*, (SELECT began.xmin = i.version FROM approvals_instance began WHERE began.id = i.id), {earlier}, t.*
FROM i FULL JOIN t ON t.place = i.first ORDER BY t.place
"""
_PIECES = {"tasks": _TASK_COLUMNS, "earlier": _EARLIER}
_LOCK_BY_TASK = _LOAD.format(of=_OF_TASK, lock="AND parent_id IS NULL FOR UPDATE", **_PIECES)
_LOCK = _LOAD.format(of="%(wanted)s", lock="AND parent_id IS NULL FOR UPDATE", **_PIECES)
# A sub-flow's end changes its parent, and a parent's return ends its sub-flows: both lock from the top down.
_ABOVE = """
WITH RECURSIVE up (id, parent_id, height) AS (
    SELECT id, parent_id, 0 FROM approvals_instance WHERE id = {of}
    UNION ALL
    SELECT p.id, p.parent_id, up.height + 1 FROM approvals_instance p JOIN up ON p.id = up.parent_id
    WHERE up.height < 20
)
SELECT id FROM up WHERE height > 0 ORDER BY height DESC
"""
_ABOVE_TASK = _ABOVE.format(of=_OF_TASK)
_ABOVE_INSTANCE = _ABOVE.format(of="%(wanted)s")
_LOCK_ONLY = "SELECT 1 FROM approvals_instance WHERE id = %s FOR UPDATE"
_LOCK_CHILD_BY_TASK = _LOAD.format(of=_OF_TASK, lock="FOR UPDATE", **_PIECES)
_LOCK_CHILD = _LOAD.format(of="%(wanted)s", lock="FOR UPDATE", **_PIECES)
_READ = _LOAD.format(of="%(wanted)s", lock="", **_PIECES)
_READ_BY_TASK = _LOAD.format(of=_OF_TASK, lock="", **_PIECES)
_TASKS_AGAIN = f"""
SELECT {_EARLIER}, NULL, {_TASK_COLUMNS} FROM approvals_task WHERE instance_id = %(instance)s
ORDER BY "order", opened_at, id
"""  # noqa: S608


def lock_by_task(task_id: UUID, *, idempotency_key: str | None = None) -> Loaded | None:
    """The instance of a task, locked until the transaction ends; None when there is no such task."""
    found = _load(_LOCK_BY_TASK, task_id, idempotency_key)
    if found is None and _lock_above(_ABOVE_TASK, task_id):
        return _load(_LOCK_CHILD_BY_TASK, task_id, idempotency_key)
    return found


def lock(instance_id: UUID, *, idempotency_key: str | None = None) -> Loaded | None:
    """An instance, locked until the transaction ends; None when there is none."""
    found = _load(_LOCK, instance_id, idempotency_key)
    if found is None and _lock_above(_ABOVE_INSTANCE, instance_id):
        return _load(_LOCK_CHILD, instance_id, idempotency_key)
    return found


def _lock_above(statement: str, wanted: UUID) -> bool:
    """Lock the instances a sub-flow belongs to, from the top down; whether there are any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"wanted": wanted})
        above = [row[0] for row in cursor.fetchall()]
        for instance_id in above:
            cursor.execute(_LOCK_ONLY, [instance_id])
    return bool(above)


def read(instance_id: UUID) -> Loaded | None:
    """An instance as it is, without a lock."""
    return _load(_READ, instance_id, None)


def read_by_task(task_id: UUID) -> Loaded | None:
    """The instance of a task as it is, without a lock."""
    return _load(_READ_BY_TASK, task_id, None)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _load(statement: str, wanted: UUID, key: str | None) -> Loaded | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"wanted": wanted, "key": key})
        rows = cursor.fetchall()
        if not rows or rows[0][2] is None:
            return None
        row, task_rows = rows[0][2:20], [one[21:] for one in rows]
        if not rows[0][20]:
            cursor.execute(_TASKS_AGAIN, {"instance": row[0], "key": key})
            task_rows = cursor.fetchall()
    header = Header(
        id=row[0],
        version_id=row[1],
        flow_key=row[2],
        flow_name=row[3],
        subject=Subject(kind=row[4], id=row[5], title=row[6], urgency=row[7], number=row[8]),
        drafter_label=row[15],
        parent_id=row[16],
        parent_node=row[17],
    )
    drafter = Drafter(person=row[12], post=row[13], unit=row[14])
    tasks = tuple(_task(values[2:]) for values in task_rows if values[2] is not None)
    state = _state(row[0], drafter, Status(row[9]), (_json(row[10]), _json(row[11])), tasks)
    return Loaded(header, definition(row[1]), state, bool(task_rows and task_rows[0][0] == row[0]))


def _task(row: tuple[Any, ...]) -> Task:
    return Task(
        id=row[0],
        node=row[1],
        round=row[2],
        assignee=Assignee(AssigneeKind(row[3]), row[4], row[5]),
        kind=TaskKind(row[6]),
        state=TaskState.OPEN if row[7] == PAUSED else TaskState(row[7]),
        vote=Vote(row[8]) if row[8] else None,
        was=TaskState(row[9]) if row[9] else None,
        parent=row[10],
        order=row[11],
        opened_by=row[12],
        closed_by=row[13],
        seen=row[14],
        opened_at=row[15],
        due_at=row[16],
        done_by=row[17],
        done_post=row[18],
    )


def _assignee(source: list[str]) -> Assignee:
    return Assignee(AssigneeKind(source[0]), UUID(source[1]))


def _state(
    instance_id: UUID,
    drafter: Drafter,
    status: Status,
    documents: tuple[Mapping[str, Any], Mapping[str, Any]],
    tasks: tuple[Task, ...],
) -> State:
    live, values = documents
    suspended = live.get("suspended_at")
    return State(
        id=instance_id,
        drafter=drafter,
        status=status,
        active={
            key: Active(number, opened, Hold(HoldReason(reason), detail) if reason else None)
            for key, (number, opened, reason, detail) in live["active"].items()
        },
        tasks=tasks,
        rounds=live["rounds"],
        straight={key: tuple(nodes) for key, nodes in live["straight"].items()},
        passed=live.get("passed", {}),
        values=values,
        chosen={key: tuple(_assignee(one) for one in chosen) for key, chosen in live["chosen"].items()},
        acts=live["acts"],
        barrier=live["barrier"],
        made=live["made"],
        suspended_at=datetime.fromisoformat(suspended) if suspended else None,
    )


def live_json(state: State) -> str:
    """The engine's own part of the state as stored in `Instance.live`."""
    return json.dumps(
        {
            "active": {
                key: [a.round, a.opened_by, a.hold.reason if a.hold else "", a.hold.detail if a.hold else ""]
                for key, a in state.active.items()
            },
            "rounds": dict(state.rounds),
            "straight": {key: list(nodes) for key, nodes in state.straight.items()},
            "passed": dict(state.passed),
            "chosen": {key: [[one.kind, str(one.id)] for one in chosen] for key, chosen in state.chosen.items()},
            "acts": state.acts,
            "barrier": state.barrier,
            "made": state.made,
            "suspended_at": state.suspended_at.isoformat() if state.suspended_at else None,
        },
        ensure_ascii=False,
    )


def is_held(state: State) -> bool:
    """Whether the flow administrator has to look at it."""
    return any(at.hold is not None and at.hold.reason not in WORKING for at in state.active.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an act leaves beside the state: who, what they said, under which key."""

    act: Act
    by: Actor
    now: datetime
    node: str
    task_id: UUID | None = None
    opinion: str | None = None
    idempotency_key: str | None = None
    detail: Mapping[str, Any] | None = None


_WRITE = f"""
WITH changed AS (
    UPDATE approvals_task t SET state = c.state, vote = c.vote, was = c.was, parent_id = c.parent_id,
        opened_by = c.opened_by, closed_by = c.closed_by, seen = c.seen, opened_at = c.opened_at, due_at = c.due_at,
        done_by = c.done_by, done_post = c.done_post, done_at = CASE WHEN c.done_by IS NULL THEN NULL ELSE %(now)s END
    FROM jsonb_to_recordset(%(changed)s::jsonb) AS c(id uuid, state text, vote text, was text, parent_id uuid,
        opened_by int, closed_by int, seen boolean, opened_at timestamptz, due_at timestamptz, done_by uuid,
        done_post uuid)
    WHERE t.id = c.id
), made AS (
    INSERT INTO approvals_task (id, instance_id, node, node_name, round, kind, state, was, vote, assignee_kind,
        assignee_id, person_id, parent_id, "order", opened_by, closed_by, seen, opened_at, due_at, done_at, done_by,
        done_post, subject_kind, flow_key, title, number, urgency, from_label, bulk)
    SELECT n.id, %(instance)s, n.node, n.node_name, n.round, n.kind, n.state, n.was, n.vote, n.assignee_kind,
        n.assignee_id, n.person_id, n.parent_id, n."order", n.opened_by, n.closed_by, n.seen, n.opened_at, n.due_at,
        CASE WHEN n.done_by IS NULL THEN NULL ELSE %(now)s END, n.done_by, n.done_post, %(subject_kind)s,
        %(flow_key)s, %(title)s, %(number)s, %(urgency)s, %(from_label)s, n.bulk
    FROM jsonb_to_recordset(%(made)s::jsonb) AS n(id uuid, node text, node_name text, round int, kind text, state text,
        was text, vote text, assignee_kind text, assignee_id uuid, person_id uuid, parent_id uuid, "order" int,
        opened_by int, closed_by int, seen boolean, opened_at timestamptz, due_at timestamptz, done_by uuid,
        done_post uuid, bulk boolean)
), said AS (
    INSERT INTO approvals_opinion (instance_id, task_id, node, node_name, act, text, person_id, post_id, person_name,
        post_name, unit_name, on_behalf_of, at)
    SELECT %(instance)s, %(task)s, %(node)s, %(node_name)s, %(act)s, %(opinion)s, %(person)s, %(post)s,
        %(person_name)s, %(post_name)s, %(unit_name)s, %(on_behalf_of)s, %(now)s
    WHERE %(has_opinion)s
), audited AS (
    {INSERT}
), logged AS (
    INSERT INTO approvals_flowevent (instance_id, act_number, act, idempotency_key, task_id, node, person_id,
        actor_label, detail, at)
    VALUES (%(instance)s, %(act_number)s, %(act)s, %(key)s, %(task)s, %(node)s, %(person)s, %(actor_label)s,
        %(detail)s::jsonb, %(now)s)
)
UPDATE approvals_instance SET status = %(status)s, held = %(held)s, live = %(live)s::jsonb, changed_at = %(now)s,
    finished_at = CASE WHEN %(over)s THEN %(now)s ELSE NULL END
WHERE id = %(instance)s
"""  # noqa: S608


def write(header: Header, flow: Flow, changes: Changes, record: Record, *, audit: AuditValues) -> None:
    """Write an act: tasks changed and made, opinion, event, audit record and the instance's state, in one statement."""
    after = changes.after
    by = record.by
    over = after.status in {Status.FINISHED, Status.TERMINATED}
    changed = changes.changed_tasks
    if Status.SUSPENDED in {changes.before.status, after.status}:
        changed = after.live_tasks() + [task for task in changed if not task.live]
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                **audit,
                "changed": json.dumps([_changed(task, after.status) for task in changed]),
                "made": json.dumps([_made(task, flow, after.status) for task in changes.new_tasks], ensure_ascii=False),
                "instance": header.id,
                "subject_kind": header.subject.kind,
                "flow_key": header.flow_key,
                "title": header.subject.title,
                "number": header.subject.number,
                "urgency": header.subject.urgency,
                "from_label": header.drafter_label,
                "task": record.task_id,
                "node": record.node,
                "node_name": flow.node(record.node).name if record.node else "",
                "act": record.act.value,
                "has_opinion": record.opinion is not None,
                "opinion": record.opinion or "",
                "person": by.person_id,
                "post": by.post_id,
                "person_name": by.user_name[:60],
                "post_name": by.post_name[:60],
                "unit_name": by.unit_name[:100],
                "on_behalf_of": by.on_behalf_of[:60],
                "actor_label": by.label[:160],
                "act_number": after.acts,
                "key": record.idempotency_key,
                "detail": json.dumps(dict(record.detail or {}), ensure_ascii=False),
                "status": after.status.value,
                "held": not over and is_held(after),
                "live": live_json(after),
                "over": over,
                "now": record.now,
            },
        )


def _changed(task: Task, status: Status) -> dict[str, Any]:
    paused = task.state is TaskState.OPEN and status is Status.SUSPENDED
    return {
        "id": str(task.id),
        "state": PAUSED if paused else task.state.value,
        "vote": task.vote.value if task.vote else "",
        "was": task.was.value if task.was else "",
        "parent_id": str(task.parent) if task.parent else None,
        "opened_by": task.opened_by,
        "closed_by": task.closed_by,
        "seen": task.seen,
        "opened_at": task.opened_at.isoformat(),
        "due_at": task.due_at.isoformat() if task.due_at else None,
        "done_by": str(task.done_by) if task.done_by else None,
        "done_post": str(task.done_post) if task.done_post else None,
    }


def _made(task: Task, flow: Flow, status: Status) -> dict[str, Any]:
    node = flow.node(task.node)
    return {
        **_changed(task, status),
        "node": task.node,
        "node_name": node.name,
        "round": task.round,
        "kind": task.kind.value,
        "assignee_kind": task.assignee.kind.value,
        "assignee_id": str(task.assignee.id),
        "person_id": str(task.assignee.person) if task.assignee.person else None,
        "order": task.order,
        "bulk": isinstance(node, Approve) and node.bulk,
    }
