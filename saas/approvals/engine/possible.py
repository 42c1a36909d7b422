"""Which acts a task allows now, and why the others are not possible: one answer for page, API and engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from saas.approvals.definition import Approve, Flow
from saas.approvals.engine.acts import check_open, check_running, returnable, too_deep
from saas.approvals.engine.commands import Act, Command, Reason, Refused
from saas.approvals.engine.facts import Facts
from saas.approvals.engine.state import ADVICE, State, Task, TaskKind
from saas.approvals.engine.walk import Walk

OFFERED = (
    Act.AGREE,
    Act.DISAGREE,
    Act.RETURN,
    Act.TRANSFER,
    Act.DELEGATE,
    Act.ADD_BEFORE,
    Act.ADD_BESIDE,
    Act.ADD_AFTER,
    Act.CIRCULATE,
)


@dataclass(frozen=True, slots=True)
class Possibility:
    """One act and, when it is not possible, the reason."""

    act: Act
    reason: Reason | None = None

    @property
    def possible(self) -> bool:
        """Whether it can be done now."""
        return self.reason is None


def possibilities(flow: Flow, state: State, task: Task) -> list[Possibility]:
    """Every act on a task, in the order in which a page offers them."""
    return [Possibility(act, _why_not(flow, state, task, act)) for act in OFFERED]


def return_targets(flow: Flow, state: State, task: Task, *, now: datetime, facts: Facts) -> list[str]:
    """Keys of the nodes the task may be returned to, in reading order."""
    command = Command(act=Act.RETURN, now=now, task=task.id)
    return returnable(Walk(flow, state, command, facts), task)


def _why_not(flow: Flow, state: State, task: Task, act: Act) -> Reason | None:
    try:
        check_running(state)
        check_open(task)
    except Refused as refused:
        return refused.reason
    node = flow.node(task.node)
    if isinstance(node, Approve) and act.value in node.forbid:
        return Reason.FORBIDDEN_HERE
    if task.kind is TaskKind.START and act not in {Act.AGREE, Act.CIRCULATE}:
        return Reason.AT_START
    if task.kind in ADVICE and act in {Act.RETURN, Act.ADD_BESIDE, Act.ADD_AFTER}:
        return Reason.ADVICE_ONLY
    adds = act in {Act.DELEGATE, Act.ADD_BEFORE, Act.ADD_BESIDE, Act.ADD_AFTER}
    return Reason.TOO_DEEP if adds and too_deep(state, task) else None
