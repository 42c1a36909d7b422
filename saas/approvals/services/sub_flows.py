"""Ties a sub-flow to the node of its parent that waits for it."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import store
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.state import HoldReason, State, Status
from saas.approvals.models import Instance
from saas.approvals.services import running
from saas.core.actors import Actor
from saas.core.errors import Conflict, YunshuError

MAX_DEPTH = 5


def start_child(*, header: store.Header, state: State, node: str, flow_key: str, by: Actor) -> None:
    """Start the sub-flow of a node; when it cannot start, the node is held with the reason."""
    from saas.approvals.services import starting

    try:
        if _depth(header) >= MAX_DEPTH:
            raise Conflict(_("子流程嵌套超过 %(limit)d 层。") % {"limit": MAX_DEPTH})
        with transaction.atomic():
            starting.start(
                flow_key=flow_key,
                subject=header.subject,
                by=by,
                values=state.values,
                chosen={},
                opinion="",
                idempotency_key="",
                form={},
                parent=(header.id, node, state.drafter),
            )
    except YunshuError as error:
        child_ended(parent_id=header.id, node=node, by=by, failed=str(error.message))


def _depth(header: store.Header) -> int:
    depth, parent = 0, header.parent_id
    while parent is not None and depth <= MAX_DEPTH:
        depth += 1
        parent = Instance.objects.values_list("parent_id", flat=True).get(id=parent)
    return depth


def drop_child(*, parent_id: UUID, node: str, by: Actor) -> None:
    """The parent's node was left or taken back: a sub-flow that still runs is ended."""
    running_states = [Status.RUNNING.value, Status.SUSPENDED.value]
    ids = Instance.objects.filter(parent_id=parent_id, parent_node=node, status__in=running_states)
    for child_id in ids.values_list("id", flat=True):
        loaded = store.lock(child_id)
        if loaded is not None:
            now = timezone.now()
            at = next(iter(loaded.state.active), loaded.flow.start.key)
            entry = store.Record(act=Act.TERMINATE, by=by, now=now, node=at, detail={"parent": str(parent_id)})
            running.run(loaded, Command(act=Act.TERMINATE, now=now, person=by.person_id, post=by.post_id), entry)


def follow(*, parent_id: UUID, act: Act, by: Actor) -> None:
    """The parent was suspended or resumed: so are its sub-flows; one that ended meanwhile is told of now."""
    was = Status.RUNNING if act is Act.SUSPEND else Status.SUSPENDED
    children = Instance.objects.filter(parent_id=parent_id)
    for child_id in children.filter(status=was.value).order_by("id").values_list("id", flat=True):
        loaded = store.lock(child_id)
        if loaded is not None:
            now = timezone.now()
            at = next(iter(loaded.state.active), loaded.flow.start.key)
            entry = store.Record(act=act, by=by, now=now, node=at, detail={"followed": str(parent_id)})
            running.run(loaded, Command(act=act, now=now, person=by.person_id, post=by.post_id), entry)
            follow(parent_id=child_id, act=act, by=by)
    parent = store.read(parent_id) if act is Act.RESUME else None
    for node, active in parent.state.active.items() if parent else ():
        if active.hold is None or active.hold.reason is not HoldReason.SUB_FLOW:
            continue
        last = children.filter(parent_node=node).order_by("-started_at").values_list("status", flat=True).first()
        if last in {Status.FINISHED.value, Status.TERMINATED.value}:
            failed = "" if last == Status.FINISHED.value else _("子流程已被终止")
            child_ended(parent_id=parent_id, node=node, by=by, failed=failed)


def child_ended(*, parent_id: UUID, node: str, by: Actor, failed: str) -> None:
    """Tell the parent; when it no longer waits at the node there is nothing to tell, while suspended not yet."""
    loaded = store.lock(parent_id)
    if loaded is None or node not in loaded.state.active or loaded.state.status is not Status.RUNNING:
        return
    act = Act.AUTOMATIC_FAILED if failed else Act.SUB_FLOW_ENDED
    now = timezone.now()
    command = Command(act=act, now=now, person=by.person_id, post=by.post_id, node=node, detail=failed)
    running.run(loaded, command, store.Record(act=act, by=by, now=now, node=node, detail={"reason": failed}))
