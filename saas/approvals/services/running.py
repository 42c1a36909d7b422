"""Runs one command on a locked instance: step, write, effects, audit; everything in the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import store, wording
from saas.approvals.engine import effects, invariants
from saas.approvals.engine.commands import Act, Command, Reason, Refused
from saas.approvals.engine.state import WORKING, Status
from saas.approvals.engine.step import Changes, step
from saas.approvals.models import FlowEvent
from saas.approvals.registry import NodeRef, handler_of
from saas.approvals.services import circulating
from saas.approvals.world import DatabaseFacts
from saas.core.actors import SYSTEM, Actor
from saas.core.audit import Event, record
from saas.core.audit.services import AuditValues, values
from saas.core.audit.services import Target as AuditTarget
from saas.core.errors import Conflict, Invalid
from saas.core.metrics import APPROVAL_ACTS

MAX_OPINION = 5000
MAX_REASON = 500
# Longer than all tries of the job together, with the pauses between them.
AUTOMATIC_PATIENCE = timedelta(minutes=30)
_BEFORE_NOTHING = frozenset({Reason.NO_TARGET, Reason.NOT_CHOSEN, Reason.ALREADY_ASKED, Reason.TOO_DEEP})


def run(loaded: store.Loaded, command: Command, entry: store.Record) -> Changes:
    """Do `command` and everything that follows from it.

    Args:
        loaded: the instance, locked.
        command: what to do.
        entry: who does it and what they said.

    Raises:
        Conflict: not possible any more; the message says who did what when.
        Invalid: something the act needs is missing.
    """
    try:
        changes = step(loaded.flow, loaded.state, command, DatabaseFacts())
    except Refused as refused:
        refuse(loaded, command, refused)
    broken = invariants.check(loaded.flow, changes.after)
    if broken:
        message = f"instance {loaded.header.id} after {command.act}: {'; '.join(broken)}"
        raise AssertionError(message)
    store.write(loaded.header, loaded.flow, changes, entry, audit=_audit(loaded, changes, entry))
    APPROVAL_ACTS.labels(act=command.act.value).inc()
    _tell_stuck(loaded, changes)
    _effects(loaded, changes, entry)
    return changes


def refuse(loaded: store.Loaded, command: Command, refused: Refused) -> NoReturn:
    """Say why an act is not possible, and for a task that is done: who did what when."""
    detail = refused.detail
    if refused.reason is Reason.NOT_CHOSEN:
        detail = loaded.flow.node(detail).name
    text = wording.reason_text(refused.reason, detail)
    if refused.reason in _BEFORE_NOTHING:
        raise Invalid(text, code=f"approvals.{refused.reason}", fields={"to": text}) from refused
    if refused.reason in {Reason.TASK_DONE, Reason.TASK_CLOSED, Reason.NOT_RUNNING}:
        number = loaded.state.acts
        if command.task is not None and refused.reason is not Reason.NOT_RUNNING:
            number = loaded.state.task(command.task).closed_by
        text = _who_did(loaded.header.id, number) or text
    raise Conflict(text, code=f"approvals.{refused.reason}") from refused


def _who_did(instance_id: UUID, act_number: int) -> str:
    event = FlowEvent.objects.filter(instance_id=instance_id, act_number=act_number).first()
    if event is None:
        return ""
    at = timezone.localtime(event.at)
    return _("%(who)s 已于 %(when)s %(act)s，您的操作没有生效。") % {
        "who": event.actor_label,
        "when": at.strftime("%m-%d %H:%M"),
        "act": wording.act_text(event.act),
    }


_EVENT_OF = {
    Act.START: Event.FLOW_STARTED,
    Act.SUSPEND: Event.FLOW_INTERVENED,
    Act.RESUME: Event.FLOW_INTERVENED,
    Act.REASSIGN: Event.FLOW_INTERVENED,
    Act.PASS: Event.FLOW_INTERVENED,
    Act.JUMP: Event.FLOW_INTERVENED,
    Act.RETRY: Event.FLOW_INTERVENED,
    Act.HOLDERS_CHANGED: Event.FLOW_INTERVENED,
}


def _audit(loaded: store.Loaded, changes: Changes, entry: store.Record) -> AuditValues:
    header = loaded.header
    status = changes.after.status
    event = _EVENT_OF.get(entry.act, Event.TASK_ACTED)
    if status is not changes.before.status and status is Status.FINISHED:
        event = Event.FLOW_FINISHED
    elif status is not changes.before.status and status is Status.TERMINATED:
        event = Event.FLOW_TERMINATED
    return values(
        event,
        by=entry.by,
        target=AuditTarget("flow", header.id, header.subject.title),
        detail={
            "act": entry.act.value,
            "node": entry.node,
            "task": str(entry.task_id or ""),
            "subject": str(header.subject.id),
            "subject_kind": header.subject.kind,
        },
    )


def _tell_stuck(loaded: store.Loaded, changes: Changes) -> None:
    target = AuditTarget("flow", loaded.header.id, loaded.header.subject.title)
    for effect in changes.effects:
        if isinstance(effect, effects.Held) and effect.hold.reason not in WORKING:
            record(
                Event.FLOW_STUCK,
                by=SYSTEM,
                target=target,
                detail={"node": effect.node, "reason": effect.hold.reason.value, "detail": effect.hold.detail[:200]},
            )


def node_ref(loaded: store.Loaded, key: str) -> NodeRef:
    """A node as the subject's app sees it."""
    node = loaded.flow.node(key)
    return NodeRef(node.key, node.name, node.marks)


def _effects(loaded: store.Loaded, changes: Changes, entry: store.Record) -> None:
    by = entry.by
    # A parent that ends its sub-flow itself need not be told; it may be at the node again for another reason.
    dropped = loaded.header.parent_id is not None and (entry.detail or {}).get("parent") == str(loaded.header.parent_id)
    for effect in changes.effects:
        if isinstance(effect, effects.AutomaticDue | effects.SubFlowDue | effects.SubFlowDropped):
            _own_work(loaded, changes, effect, by)
        elif loaded.header.parent_id is not None and isinstance(effect, effects.Finished | effects.Terminated):
            from saas.approvals.services.sub_flows import child_ended

            if dropped:
                continue
            failed = "" if isinstance(effect, effects.Finished) else _("子流程已被终止")
            child_ended(parent_id=loaded.header.parent_id, node=loaded.header.parent_node, by=by, failed=failed)
        else:
            _tell_subject(loaded, changes, effect, by)


def _own_work(
    loaded: store.Loaded,
    changes: Changes,
    effect: effects.AutomaticDue | effects.SubFlowDue | effects.SubFlowDropped,
    by: Actor,
) -> None:
    from saas.approvals.jobs import automatic_run, automatic_watch
    from saas.approvals.services import sub_flows
    from saas.core.jobs import enqueue

    header = loaded.header
    match effect:
        case effects.AutomaticDue(node, _name):
            entered = changes.after.active[node].opened_by
            about = str(header.id)
            enqueue(automatic_run, instance_id=about, node=node, act_number=entered)
            enqueue(automatic_watch, delay=AUTOMATIC_PATIENCE, instance_id=about, node=node, act_number=entered)
        case effects.SubFlowDue(node, flow_key):
            sub_flows.start_child(header=header, state=changes.after, node=node, flow_key=flow_key, by=by)
        case effects.SubFlowDropped(node):
            sub_flows.drop_child(parent_id=header.id, node=node, by=by)


def _tell_subject(loaded: store.Loaded, changes: Changes, effect: effects.Effect, by: Actor) -> None:
    ref = loaded.header.ref(changes.after)
    handler = handler_of(loaded.header.subject.kind)
    match effect:
        case effects.Entered(node):
            handler.on_entered(ref, node_ref(loaded, node))
        case effects.Passed(node):
            handler.on_passed(ref, node_ref(loaded, node), by)
        case effects.Circulated(node, to):
            circulating.circulate(header=loaded.header, node=node, to=to, by=by)
            handler.on_circulated(ref, frozenset(one.id for one in to))
        case effects.ReturnedToStart():
            handler.on_returned_to_start(ref, by)
        case effects.Finished():
            handler.on_finished(ref, by)
        case effects.Terminated():
            handler.on_terminated(ref, by)
        case _:
            pass  # Held is told to the flow administrator by its audit record and the list of stuck matters.
