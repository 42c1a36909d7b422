"""What people do with their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import policies, selectors, store, wording
from saas.approvals.definition import Approve, RuleKind
from saas.approvals.engine import withdrawing
from saas.approvals.engine.commands import ON_TASK, Act, Command, Reason, Refused
from saas.approvals.engine.state import ADDED, Assignee, AssigneeKind, Status, Task
from saas.approvals.models import FlowEvent
from saas.approvals.registry import handler_of
from saas.approvals.services.filling import FormInput, form_fill, values_write
from saas.approvals.services.running import MAX_OPINION, node_ref, run
from saas.core.actors import Actor
from saas.core.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound
from saas.organisation.models import Post, Unit

NEEDS_OPINION = frozenset({Act.DISAGREE, Act.RETURN, Act.TERMINATE})
WITHOUT_OPINION = frozenset({Act.CIRCULATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where an act leads.

    Args:
        node: to which node a return goes; empty for the drafter.
        straight: after a return, come straight back instead of walking again.
        to: whom to ask, or to show it.
        chosen: assignees chosen now for later nodes, by node key.
    """

    node: str = ""
    straight: bool = False
    to: tuple[Assignee, ...] = ()
    chosen: Mapping[str, tuple[Assignee, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActResult:
    """What became of an act; `repeated` when the same act had been done before (double click, retry)."""

    instance_id: UUID
    status: Status
    repeated: bool = False


@transaction.atomic
def act(
    *,
    task_id: UUID,
    act: Act,
    by: Actor,
    idempotency_key: str,
    opinion: str = "",
    target: Target | None = None,
    values: Mapping[str, object] | None = None,
    form: FormInput | None = None,
) -> ActResult:
    """Act on a task in the post it asks for.

    Args:
        task_id: which task.
        act: one of `ON_TASK`.
        by: who acts; must hold the task's post today or stand in for a holder.
        idempotency_key: the same key is the same act, however often it is sent.
        opinion: at most 5,000 characters; needed for 不同意 and 退回 and where the node says so.
        target: where the act leads, for acts that need it.
        values: fields of the subject that conditions ask for, when they have changed (the drafter's resubmission).
        form: what was filled in; kept with any act, asked to be complete by 同意.

    Raises:
        NotFound: no such task that `by` may know of.
        Forbidden: `by` may see the matter but the task is somebody else's.
        Conflict: not possible any more; the message says who did what when.
        Invalid: an opinion or target is missing or too long.
    """
    if act not in ON_TASK:
        raise BadRequest(_("不能这样办理。"))
    target = target or Target()
    loaded = store.lock_by_task(task_id, idempotency_key=idempotency_key)
    if loaded is None:
        raise NotFound(_("没有这项待办，可能已经撤销。"))
    task = loaded.state.task(task_id)
    seated = policies.seat(task, flow_key=loaded.header.flow_key, by=by)
    if loaded.repeated and (seated is not None or task.done_by == by.person_id):
        return ActResult(loaded.header.id, loaded.state.status, repeated=True)
    if seated is None:
        raise not_yours(loaded, by)
    if task.node not in loaded.flow.places:  # Of a version the instance was moved away from.
        raise Conflict(wording.reason_text(Reason.TASK_CLOSED), code="approvals.task_closed")
    node = loaded.flow.node(task.node)
    text = check_opinion(opinion, act=act, required=isinstance(node, Approve) and node.opinion_required)
    check_targets(target.to)
    check_choices(loaded, target.chosen)
    reason = handler_of(loaded.header.subject.kind).can_act(
        loaded.header.ref(loaded.state), node_ref(loaded, task.node), act.value, seated
    )
    if reason:
        raise Conflict(reason, code="approvals.subject")
    if values:
        loaded = replace(loaded, state=replace(loaded.state, values={**loaded.state.values, **values}))
    filled = form_fill(loaded=loaded, node=task.node, given=form, by=seated, sending=act is Act.AGREE)
    loaded = filled.loaded
    if values or filled.detail:
        values_write(loaded)
    now = timezone.now()
    command = Command(
        act=act,
        now=now,
        person=by.person_id,
        post=seated.post_id,
        task=task_id,
        node=target.node,
        to=target.to,
        straight=target.straight,
        chosen=target.chosen,
    )
    entry = store.Record(
        act=act,
        by=seated,
        now=now,
        node=task.node,
        task_id=task_id,
        opinion=None if act in WITHOUT_OPINION and not text else text,
        idempotency_key=idempotency_key or None,
        detail={**_detail(target), **filled.detail},
    )
    try:
        changes = run(loaded, command, entry)
    except IntegrityError as error:
        raise used_elsewhere(error) from error
    return ActResult(loaded.header.id, changes.after.status)


def used_elsewhere(error: IntegrityError) -> Exception:
    """The same key came with another matter: a forged or broken client; anything else is our own fault."""
    if "approvals_event_once" in str(error):
        return Conflict(_("这次提交已经用于另一件事，请刷新页面后重试。"))
    return error


def _detail(target: Target) -> dict[str, object]:
    detail: dict[str, object] = {}
    if target.node:
        detail["node"] = target.node
    if target.straight:
        detail["straight"] = True
    if target.to:
        detail["to"] = [str(one.id) for one in target.to]
    return detail


def not_yours(loaded: store.Loaded, by: Actor) -> Exception:
    """404 for those who may not know of the matter, 403 for those who may read it."""
    if selectors.may_read(loaded.header.id, by):
        return Forbidden(_("这项待办属于其他岗位，您只能查看。"))
    return NotFound(_("没有这项待办，可能已经撤销。"))


def check_opinion(opinion: str, *, act: Act, required: bool = False) -> str:
    """The opinion without surrounding space.

    Raises:
        Invalid: missing where it is needed, or too long.
    """
    text = opinion.replace("\x00", "").strip()
    if len(text) > MAX_OPINION:
        message = _("意见最多 %(limit)d 字，现有 %(length)d 字。") % {"limit": MAX_OPINION, "length": len(text)}
        raise Invalid(message, fields={"opinion": message})
    if not text and (act in NEEDS_OPINION or (required and act is Act.AGREE)):
        message = _("请填写意见：%(act)s要说明理由。") % {"act": wording.ACTS[act]}
        raise Invalid(message, fields={"opinion": message})
    return text


def check_targets(to: tuple[Assignee, ...]) -> None:
    """Refuse posts and units that do not exist or are no longer used."""
    posts = {one.id for one in to if one.kind is AssigneeKind.POST}
    units = {one.id for one in to if one.kind is AssigneeKind.UNIT}
    if any(one.person is not None for one in to):
        raise BadRequest(_("流程只认岗位，不认个人。"))
    known = 0
    if posts:
        known += Post.objects.filter(id__in=posts, active=True).count()
    if units:
        known += Unit.objects.filter(id__in=units, active=True).count()
    if known != len(posts) + len(units):
        message = _("所选的岗位或部门不存在，或已停用。")
        raise Invalid(message, fields={"to": message})


def check_choices(loaded: store.Loaded, chosen: Mapping[str, tuple[Assignee, ...]]) -> None:
    """Refuse choices for nodes that take none, or from outside their range."""
    for key, assignees in chosen.items():
        place = loaded.flow.places.get(key)
        who = getattr(loaded.flow.node(key), "who", ()) if place else ()
        rule = next((one for one in who if one.kind is RuleKind.CHOSEN), None)
        if rule is None:
            raise BadRequest(_("这一环节不能选择办理人。"))
        check_targets(assignees)
        if rule.among:
            _check_range(rule.among, assignees)


def _check_range(among: tuple[str, ...], assignees: tuple[Assignee, ...]) -> None:
    allowed = {UUID(one) for one in among}
    rest = {one.id for one in assignees} - allowed
    if rest and Post.objects.filter(id__in=rest, unit_id__in=allowed).count() != len(rest):
        message = _("所选的办理人不在可选范围内。")
        raise Invalid(message, fields={"to": message})


@transaction.atomic
def withdraw(*, task_id: UUID, by: Actor, idempotency_key: str, reason: str = "") -> ActResult:
    """撤回 one's own agreement (the drafter's: the whole submission) while the next has not opened it.

    Raises:
        NotFound: no such task that `by` may know of.
        Conflict: the next has opened it, or something irrevocable followed.
    """
    loaded = store.lock_by_task(task_id, idempotency_key=idempotency_key)
    if loaded is None:
        raise NotFound(_("没有这项待办，可能已经撤销。"))
    if loaded.repeated:
        return ActResult(loaded.header.id, loaded.state.status, repeated=True)
    now = timezone.now()
    task = loaded.state.task(task_id)
    command = Command(act=Act.WITHDRAW, now=now, person=by.person_id, post=by.post_id, task=task_id)
    if task.done_by != by.person_id:
        raise _withdrawn_before(loaded, task, by) or not_yours(loaded, by)
    entry = store.Record(
        act=Act.WITHDRAW,
        by=by,
        now=now,
        node=task.node,
        task_id=task_id,
        opinion=check_opinion(reason, act=Act.WITHDRAW),
        idempotency_key=idempotency_key or None,
    )
    return ActResult(loaded.header.id, run(loaded, command, entry).after.status)


def _withdrawn_before(loaded: store.Loaded, task: Task, by: Actor) -> Conflict | None:
    """For a second press of 撤回: who had withdrawn it when, so that nobody is told the task is somebody else's."""
    if task.done_by is not None or policies.seat(task, flow_key=loaded.header.flow_key, by=by) is None:
        return None
    withdrawals = FlowEvent.objects.filter(instance_id=loaded.header.id, task_id=task.id, act=Act.WITHDRAW.value)
    event = withdrawals.order_by("id").last()
    if event is None:
        return None
    text = _("%(who)s 已于 %(when)s %(act)s，您的操作没有生效。") % {
        "who": event.actor_label,
        "when": timezone.localtime(event.at).strftime("%m-%d %H:%M"),
        "act": wording.ACTS[Act.WITHDRAW],
    }
    return Conflict(text, code="approvals.withdrawn")


@transaction.atomic
def remove_added(*, task_id: UUID, by: Actor, idempotency_key: str) -> ActResult:
    """减签: whoever added a signer takes them back.

    Raises:
        NotFound: no such task that `by` may know of.
        Forbidden: somebody else added it.
        Conflict: already acted on.
    """
    loaded = store.lock_by_task(task_id, idempotency_key=idempotency_key)
    if loaded is None:
        raise NotFound(_("没有这项待办，可能已经撤销。"))
    if loaded.repeated:
        return ActResult(loaded.header.id, loaded.state.status, repeated=True)
    task = loaded.state.task(task_id)
    parent = _adder(loaded, task)
    seated = policies.seat(parent, flow_key=loaded.header.flow_key, by=by) if parent else None
    if seated is None:
        raise not_yours(loaded, by)
    now = timezone.now()
    command = Command(act=Act.REMOVE, now=now, person=by.person_id, post=seated.post_id, task=task_id)
    entry = store.Record(
        act=Act.REMOVE, by=seated, now=now, node=task.node, task_id=task_id, idempotency_key=idempotency_key or None
    )
    return ActResult(loaded.header.id, run(loaded, command, entry).after.status)


def _adder(loaded: store.Loaded, task: Task) -> Task | None:
    return loaded.state.task(task.parent) if task.kind in ADDED and task.parent else None


def why_not_withdraw(loaded: store.Loaded, task: Task, by: Actor) -> str:
    """Empty when `by` may withdraw the task now, else the reason."""
    command = Command(act=Act.WITHDRAW, now=timezone.now(), person=by.person_id, post=by.post_id, task=task.id)
    try:
        withdrawing.check(loaded.flow, loaded.state, command)
    except Refused as refused:
        return wording.reason_text(refused.reason, refused.detail)
    return ""
