"""What the flow administrator may do to a flow that is stuck, always with a reason and on the record."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import selectors, store
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.state import Assignee
from saas.approvals.services import acting, limits, sub_flows
from saas.approvals.services.running import run
from saas.core.actors import Actor
from saas.core.errors import Forbidden, Invalid, NotFound


def suspend(*, instance_id: UUID, by: Actor, reason: str, idempotency_key: str = "") -> None:
    """挂起: nobody can act until it is resumed. Raises as `_intervene`."""
    _intervene(instance_id=instance_id, act=Act.SUSPEND, by=by, reason=reason, key=idempotency_key)


def resume(*, instance_id: UUID, by: Actor, reason: str, idempotency_key: str = "") -> None:
    """恢复: limits are longer by the time of the suspension. Raises as `_intervene`."""
    with transaction.atomic():
        _intervene(instance_id=instance_id, act=Act.RESUME, by=by, reason=reason, key=idempotency_key)
        limits.rearm(instance_id)


def task_reassign(*, task_id: UUID, to: Assignee, by: Actor, reason: str, idempotency_key: str = "") -> None:
    """改派: somebody else has the task instead. Raises as `_intervene`."""
    loaded = store.read_by_task(task_id)
    if loaded is None:
        raise NotFound(_("没有这项待办，可能已经撤销。"))
    _intervene(
        instance_id=loaded.header.id,
        act=Act.REASSIGN,
        by=by,
        reason=reason,
        key=idempotency_key,
        task_id=task_id,
        to=(to,),
    )


def node_fill(
    *, instance_id: UUID, node: str, to: tuple[Assignee, ...], by: Actor, reason: str, idempotency_key: str = ""
) -> None:
    """Name those who act at a node nobody was found for. Raises as `_intervene`."""
    _intervene(instance_id=instance_id, act=Act.REASSIGN, by=by, reason=reason, key=idempotency_key, node=node, to=to)


def node_pass(*, instance_id: UUID, node: str, by: Actor, reason: str, idempotency_key: str = "") -> None:
    """准予通过: let a node pass. Raises as `_intervene`."""
    _intervene(instance_id=instance_id, act=Act.PASS, by=by, reason=reason, key=idempotency_key, node=node)


def node_retry(*, instance_id: UUID, node: str, by: Actor, reason: str, idempotency_key: str = "") -> None:
    """重试: enter a held node again, once its reason has been removed. Raises as `_intervene`."""
    _intervene(instance_id=instance_id, act=Act.RETRY, by=by, reason=reason, key=idempotency_key, node=node)


def flow_move(*, instance_id: UUID, node: str, by: Actor, reason: str, idempotency_key: str = "") -> None:
    """移至节点: move the flow to another node of its line. Raises as `_intervene`."""
    _intervene(instance_id=instance_id, act=Act.JUMP, by=by, reason=reason, key=idempotency_key, node=node)


@transaction.atomic
def _intervene(
    *,
    instance_id: UUID,
    act: Act,
    by: Actor,
    reason: str,
    key: str,
    task_id: UUID | None = None,
    node: str = "",
    to: tuple[Assignee, ...] = (),
) -> None:
    """Do an administrator's act.

    Raises:
        NotFound: no such instance.
        Forbidden: `by` does not keep the flows.
        Invalid: no reason given.
        Conflict: not possible in the state the flow is in.
    """
    if not selectors.administers(by):
        raise Forbidden(_("只有流程管理员可以干预流程。"))
    loaded = store.lock(instance_id, idempotency_key=key or None)
    if loaded is None:
        raise NotFound(_("没有这件事。"))
    if loaded.repeated:
        return
    text = acting.check_opinion(reason, act=act)
    if not text:
        message = _("请写明干预的理由，它会留在办理过程里。")
        raise Invalid(message, fields={"reason": message})
    acting.check_targets(to)
    now = timezone.now()
    at = loaded.state.task(task_id).node if task_id else node or next(iter(loaded.state.active), "")
    command = Command(
        act=act, now=now, person=by.person_id, post=by.post_id, task=task_id, node=node, to=to, detail=text
    )
    entry = store.Record(
        act=act,
        by=by,
        now=now,
        node=at if at in loaded.flow.places else "",
        task_id=task_id,
        opinion=text,
        idempotency_key=key or None,
        detail={"to": [str(one.id) for one in to], "node": node},
    )
    run(loaded, command, entry)
    if act in {Act.SUSPEND, Act.RESUME}:
        sub_flows.follow(parent_id=instance_id, act=act, by=by)
