"""Moves a running instance to another version of its flow: checked, tried without doing it, then on the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import selectors, store
from saas.approvals.definition import Approve, Automatic, Flow, RuleKind, SubFlow
from saas.approvals.engine import invariants
from saas.approvals.engine.commands import Act
from saas.approvals.engine.state import State, Status
from saas.approvals.forms.cleaning import clean
from saas.approvals.forms.model import FieldType
from saas.approvals.models import FlowEvent, FlowVersion, Instance, Opinion, Task, VersionState
from saas.approvals.services import acting
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound

CHANGE_VERSION = "change_version"


@dataclass(frozen=True, slots=True)
class DryRun:
    """What moving an instance would mean.

    Args:
        instance_id: which instance.
        now: the number of the version it runs on.
        then: the number of the version it would run on.
        against: why it cannot be moved; empty when it can.
        notes: what would be different for it.
    """

    instance_id: UUID
    now: int
    then: int
    against: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Whether it can be moved."""
        return not self.against


def move_try(*, instance_id: UUID, version_id: UUID, by: Actor) -> DryRun:
    """See what moving would mean, and change nothing.

    Raises:
        NotFound: no such instance, or no such version of its flow that was ever published.
        Forbidden: `by` does not keep the flows.
    """
    _allowed(by)
    loaded = store.read(instance_id)
    if loaded is None:
        raise NotFound(_("没有这件事。"))
    return _dry_run(loaded, _version(loaded, version_id))


@transaction.atomic
def instance_move(*, instance_id: UUID, version_id: UUID, by: Actor, reason: str) -> DryRun:
    """Let a running instance go on by another version.

    Raises:
        NotFound: no such instance, or no such version of its flow that was ever published.
        Forbidden: `by` does not keep the flows.
        Invalid: no reason given.
        Conflict: it cannot be moved; the message names every reason.
    """
    _allowed(by)
    loaded = store.lock(instance_id)
    if loaded is None:
        raise NotFound(_("没有这件事。"))
    text = acting.check_opinion(reason, act=Act.JUMP)
    if not text:
        message = _("请写明干预的理由，它会留在办理过程里。")
        raise Invalid(message, fields={"reason": message})
    version = _version(loaded, version_id)
    dry = _dry_run(loaded, version)
    if not dry.possible:
        raise Conflict("；".join(dry.against), code="approvals.not_movable")
    _write(loaded, version, dry, by=by, reason=text)
    return dry


def _allowed(by: Actor) -> None:
    if not selectors.administers(by):
        raise Forbidden(_("只有流程管理员可以干预流程。"))


def _version(loaded: store.Loaded, version_id: UUID) -> FlowVersion:
    found = FlowVersion.objects.filter(id=version_id, flow__key=loaded.header.flow_key).first()
    if found is None or found.state == VersionState.DRAFT:
        raise NotFound(_("没有这个版本。"))
    return found


def _dry_run(loaded: store.Loaded, version: FlowVersion) -> DryRun:
    number = FlowVersion.objects.values_list("number", flat=True).get(id=loaded.header.version_id)
    new = store.definition(version.id)
    against = list(dict.fromkeys(_against(loaded, new)))
    if version.id == loaded.header.version_id:
        against.append(_("已经按这个版本办理。"))
    if not against:
        against += [
            _("新版与现在的办理情况对不上：%(what)s") % {"what": one} for one in invariants.check(new, loaded.state)
        ]
    return DryRun(loaded.header.id, number, version.number, tuple(against), tuple(_notes(loaded, new)))


def _against(loaded: store.Loaded, new: Flow) -> Iterator[str]:
    state, old = loaded.state, loaded.flow
    if state.status not in {Status.RUNNING, Status.SUSPENDED}:
        yield _("流程已经结束。")
    if new.start.key != old.start.key:
        yield _("两个版本的“开始”不同。")
    for key in state.active:
        yield from _at(old, new, key)
    for key in {one for source, back in state.straight.items() for one in (source, *back)} - new.places.keys():
        yield _("退回后要直接回到的环节“%(node)s”在新版里没有。") % {"node": old.node(key).name}
    for field in new.form.fields:
        value = state.values.get(field.key)
        if value is None or field.type is FieldType.TABLE:
            continue
        try:
            clean(field, value)
        except ValueError as error:
            yield _("表单“%(field)s”现有的值在新版里不行：%(reason)s") % {"field": field.label, "reason": error}


def _at(old: Flow, new: Flow, key: str) -> Iterator[str]:
    """What keeps an instance that is at a node from going on there."""
    was = old.node(key)
    name = {"node": was.name}
    if key not in new.places:
        yield _("现在所在的环节“%(node)s”在新版里没有。") % name
        return
    now = new.node(key)
    if type(now) is not type(was):
        yield _("现在所在的环节“%(node)s”在新版里是另一种环节。") % name
        return
    if [one.key for one in old.places[key].owners] != [one.key for one in new.places[key].owners]:
        yield _("现在所在的环节“%(node)s”在新版里换了分支。") % name
    if isinstance(was, SubFlow) and isinstance(now, SubFlow) and was.flow != now.flow:
        yield _("环节“%(node)s”正在办理的子流程在新版里换了。") % name
    if isinstance(was, Automatic) and isinstance(now, Automatic) and was.action != now.action:
        yield _("环节“%(node)s”正在进行的自动办理在新版里换了。") % name


def _notes(loaded: store.Loaded, new: Flow) -> Iterator[str]:
    state, old = loaded.state, loaded.flow
    passed = {task.node for task in state.tasks if task.vote}
    for node in (node for node in old.walk() if node.key not in new.places and node.key not in state.active):
        text = (
            _("办过的环节“%(node)s”在新版里没有，意见保留。") if node.key in passed else _("以后不再办环节“%(node)s”。")
        )
        yield text % {"node": node.name}
    ahead = {one for key in state.active if key in new.places for one in new.withdrawn_by_return(key)}
    added = [node for node in new.walk() if node.key not in old.places]
    for node in added:
        if node.key in ahead:
            yield _("以后要多办环节“%(node)s”。") % {"node": node.name}
        else:
            yield _("新版在已经走过的部分增加了环节“%(node)s”，不补办。") % {"node": node.name}
    for key in ahead - state.active.keys() - state.chosen.keys():
        node = new.node(key)
        if isinstance(node, Approve) and any(rule.kind is RuleKind.CHOSEN for rule in node.who):
            yield _("环节“%(node)s”的办理人还没有选择，到时会等流程管理员指定。") % {"node": node.name}
    yield from _form_notes(old, new)


def _form_notes(old: Flow, new: Flow) -> Iterator[str]:
    known = {field.key for field in old.form.fields}
    for field in new.form.fields:
        if field.key not in known:
            yield _("表单多了“%(field)s”。") % {"field": field.label}
    kept = {field.key for field in new.form.fields}
    for field in old.form.fields:
        if field.key not in kept:
            yield _("表单不再有“%(field)s”，已填的值保留但不显示。") % {"field": field.label}


def _write(loaded: store.Loaded, version: FlowVersion, dry: DryRun, *, by: Actor, reason: str) -> None:
    header, now = loaded.header, timezone.now()
    new = store.definition(version.id)
    # What was agreed by the former version is not taken back by the new one's rules.
    state: State = replace(loaded.state, acts=loaded.state.acts + 1, barrier=loaded.state.acts + 1)
    Instance.objects.filter(id=header.id).update(
        version_id=version.id, live=json.loads(store.live_json(state)), changed_at=now
    )
    for task in state.live_tasks():
        node = new.node(task.node)
        bulk = isinstance(node, Approve) and node.bulk
        Task.objects.filter(id=task.id).update(node_name=node.name, bulk=bulk)
    at = next(iter(state.active), new.start.key)
    detail = {"from": dry.now, "to": dry.then, "notes": list(dry.notes)}
    FlowEvent.objects.create(
        instance_id=header.id,
        act_number=state.acts,
        act=CHANGE_VERSION,
        node=at,
        person_id=by.person_id,
        actor_label=by.label[:160],
        detail=detail,
        at=now,
    )
    Opinion.objects.create(
        instance_id=header.id,
        node=at,
        node_name=new.node(at).name,
        act=CHANGE_VERSION,
        text=reason,
        person_id=by.person_id,
        post_id=by.post_id,
        person_name=by.user_name[:60],
        post_name=by.post_name[:60],
        unit_name=by.unit_name[:100],
        on_behalf_of=by.on_behalf_of[:60],
        at=now,
    )
    record(
        Event.FLOW_INTERVENED,
        by=by,
        target=Target("flow", header.id, header.subject.title),
        detail={"act": CHANGE_VERSION, "from": dry.now, "to": dry.then, "reason": reason[:500]},
    )
