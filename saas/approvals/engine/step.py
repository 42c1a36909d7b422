"""The transition function: state and act in, new state and effects out; nothing else is read or written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from saas.approvals.definition import Approve, Circulate, Flow, RuleKind
from saas.approvals.engine.acts import ACTS
from saas.approvals.engine.commands import Act, Command, Reason, Refused
from saas.approvals.engine.effects import Effect, Held
from saas.approvals.engine.facts import Facts
from saas.approvals.engine.state import HoldReason, State, Task
from saas.approvals.engine.walk import Walk


@dataclass(frozen=True, slots=True)
class Changes:
    """What one act changed.

    Args:
        before: the state it was done in.
        after: the state it led to.
        effects: what the rest of the product has to do, in order.
    """

    before: State
    after: State
    effects: tuple[Effect, ...]

    @property
    def new_tasks(self) -> list[Task]:
        """Tasks that did not exist before."""
        known = {task.id for task in self.before.tasks}
        return [task for task in self.after.tasks if task.id not in known]

    @property
    def changed_tasks(self) -> list[Task]:
        """Tasks that existed before and differ now."""
        known = {task.id: task for task in self.before.tasks}
        return [task for task in self.after.tasks if task.id in known and known[task.id] != task]


def step(flow: Flow, state: State, command: Command, facts: Facts) -> Changes:
    """Do one act.

    Args:
        flow: the definition the instance runs on.
        state: where it stands.
        command: the act; who may do it has been checked by the caller.
        facts: organisation and calendar.

    Raises:
        Refused: the act is not possible now; nothing changed.
    """
    begun = replace(state, acts=state.acts + 1)
    if command.chosen:
        begun = replace(begun, chosen={**begun.chosen, **command.chosen})
    walk = Walk(flow, begun, command, facts)
    ACTS[command.act](walk)
    _check_choices(flow, state, command, walk)
    return Changes(state, walk.state, tuple(walk.effects))


def _check_choices(flow: Flow, state: State, command: Command, walk: Walk) -> None:
    """Whoever has to choose the next signers must do so with the act, instead of leaving the flow held."""
    if command.act is Act.START:
        chooser = flow.start.key
    elif command.act is Act.AGREE and command.task is not None:
        chooser = state.task(command.task).node
    else:
        return
    for effect in walk.effects:
        if isinstance(effect, Held) and effect.hold.reason is HoldReason.NOT_CHOSEN:
            node = flow.node(effect.node)
            if isinstance(node, Approve | Circulate) and any(
                rule.kind is RuleKind.CHOSEN and _by(flow, rule.node) == chooser for rule in node.who
            ):
                raise Refused(Reason.NOT_CHOSEN, node.key)


def _by(flow: Flow, node: str) -> str:
    return flow.start.key if node == "start" else node
