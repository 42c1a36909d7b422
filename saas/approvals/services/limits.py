"""Limits: the handler is reminded before the end; once past, the node's definition says who is told or acts instead."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from saas.approvals import store
from saas.approvals.definition import Approve, Overdue
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.state import Assignee, AssigneeKind, Status, TaskState
from saas.approvals.engine.state import Task as EngineTask
from saas.approvals.models import Alert, FlowEvent, Task
from saas.approvals.services.running import run
from saas.approvals.world import DatabaseFacts
from saas.core import calendar
from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import YunshuError
from saas.organisation import selectors as organisation

log = logging.getLogger(__name__)
DUE_SOON, OVERDUE, ESCALATED = "due_soon", "overdue", "escalated"
# No reminder comes earlier than 80 working hours before its limit.
FARTHEST = timedelta(days=30)
MOST_AT_ONCE = 2000


def check_limits(now: datetime) -> int:
    """Tell of every limit that is near or has passed, each once, each task in its own transaction.

    Returns:
        how many tasks were told of.
    """
    rows = Task.objects.filter(
        state=TaskState.OPEN, due_at__isnull=False, alert__lt=Alert.OVERDUE, due_at__lte=now + FARTHEST
    )
    # Who was reminded already has nothing to be told before the limit has passed.
    rows = rows.filter(Q(alert=Alert.NONE) | Q(due_at__lte=now))
    told = 0
    for task_id in list(rows.order_by("due_at").values_list("id", flat=True)[:MOST_AT_ONCE]):
        try:
            with transaction.atomic():
                told += _check(task_id, now)
        except YunshuError as error:
            # One matter whose overdue act is refused must not keep the others from being told of.
            log.warning("limit of task %s: %s", task_id, error.message)
    return told


def _check(task_id: UUID, now: datetime) -> bool:
    loaded = store.lock_by_task(task_id)
    if loaded is None or loaded.state.status is not Status.RUNNING:
        return False
    task = loaded.state.task(task_id)
    known = Task.objects.values_list("alert", flat=True).get(id=task_id)
    level = _level(loaded, task, now)
    if task.state is not TaskState.OPEN or level <= known:
        return False
    Task.objects.filter(id=task_id).update(alert=level)
    _event(loaded, task, OVERDUE if level == Alert.OVERDUE else DUE_SOON, now)
    if level == Alert.OVERDUE:
        record(
            Event.TASK_OVERDUE,
            by=SYSTEM,
            target=Target("flow", loaded.header.id, loaded.header.subject.title),
            detail={"task": str(task.id), "node": task.node, "due": task.due_at.isoformat() if task.due_at else ""},
        )
        _act(loaded, task, now)
    return True


def _level(loaded: store.Loaded, task: EngineTask, now: datetime) -> Alert:
    if task.due_at is None or task.node not in loaded.flow.places:
        return Alert.NONE
    if task.due_at <= now:
        return Alert.OVERDUE
    node = loaded.flow.node(task.node)
    hours = node.limit.remind if isinstance(node, Approve) else 0
    return Alert.SOON if calendar.working_minutes_between(now, task.due_at) <= hours * 60 else Alert.NONE


def _event(
    loaded: store.Loaded, task: EngineTask, act: str, now: datetime, detail: dict[str, str] | None = None
) -> None:
    FlowEvent.objects.create(
        instance_id=loaded.header.id,
        act_number=0,
        act=act,
        task_id=task.id,
        node=task.node,
        actor_label=SYSTEM.label,
        detail=detail or {},
        at=now,
    )


def _act(loaded: store.Loaded, task: EngineTask, now: datetime) -> None:
    """What the node's definition says beyond telling."""
    node = loaded.flow.node(task.node)
    match node.overdue if isinstance(node, Approve) else Overdue.TELL:
        case Overdue.ESCALATE:
            escalate(loaded, task, now)
        case Overdue.TRANSFER:
            leader = leader_over(task.assignee)
            asked = {one.assignee.id for one in loaded.state.at(task.node) if one.live}
            if leader is None or leader.id in asked:
                escalate(loaded, task, now)
            else:
                _run(loaded, task, now, Act.REASSIGN, to=(leader,))
        case Overdue.PASS:
            _run(loaded, task, now, Act.PASS)
        case Overdue.TELL:
            pass


def _run(loaded: store.Loaded, task: EngineTask, now: datetime, act: Act, *, to: tuple[Assignee, ...] = ()) -> None:
    reason = _("超期，按流程规定自动处理")
    command = Command(
        act=act,
        now=now,
        task=task.id if act is Act.REASSIGN else None,
        node="" if act is Act.REASSIGN else task.node,
        to=to,
        detail=reason,
    )
    entry = store.Record(act=act, by=SYSTEM, now=now, node=task.node, task_id=task.id, opinion=reason)
    changes = run(loaded, command, entry)
    # Whoever has it instead sees that it is overdue; it does not move on with the next look at the clock.
    Task.objects.filter(id__in=[one.id for one in changes.new_tasks if one.node == task.node]).update(
        alert=Alert.OVERDUE
    )


def leader_over(assignee: Assignee) -> Assignee | None:
    """The leader above a post, or the leader of a unit; None when nobody is."""
    if assignee.kind is AssigneeKind.POST:
        return DatabaseFacts().leader_above(assignee.id)
    post = organisation.leader_post(assignee.id)
    return Assignee(AssigneeKind.POST, post.id) if post else None


def escalate(loaded: store.Loaded, task: EngineTask, now: datetime) -> None:
    """上报: the leader over whoever is asked has the task among what they supervise."""
    leader = leader_over(task.assignee)
    if leader is None:
        return
    changed = Task.objects.filter(id=task.id).exclude(supervisor_id=leader.id).update(supervisor_id=leader.id)
    if changed:
        _event(loaded, task, ESCALATED, now, {"to": str(leader.id)})


URGED_BEFORE_ESCALATION = 3


def urged(loaded: store.Loaded, now: datetime) -> None:
    """Mark whoever is asked as urged; the third time their leaders are told."""
    Task.objects.filter(instance_id=loaded.header.id, state=TaskState.OPEN).update(urged=F("urged") + 1)
    often = Task.objects.filter(instance_id=loaded.header.id, state=TaskState.OPEN, urged__gte=URGED_BEFORE_ESCALATION)
    for task_id in often.values_list("id", flat=True):
        escalate(loaded, loaded.state.task(task_id), now)


def rearm(instance_id: UUID) -> None:
    """Limits have moved (resumed): tell of them anew."""
    Task.objects.filter(instance_id=instance_id, state=TaskState.OPEN).update(alert=Alert.NONE)
