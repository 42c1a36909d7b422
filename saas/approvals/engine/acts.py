"""What each act does to the state; every function checks first and changes after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from saas.approvals.definition import Approve, Automatic, Mode, Parallel, Start, SubFlow
from saas.approvals.engine import effects, withdrawing
from saas.approvals.engine.commands import Act, Reason, Refused
from saas.approvals.engine.state import (
    ADDED,
    ADVICE,
    Hold,
    HoldReason,
    State,
    Status,
    Task,
    TaskKind,
    TaskState,
    Vote,
)
from saas.approvals.engine.walk import Walk

MAX_ADDED_DEPTH = 5
MAX_ADDED = 50
MAX_AT_NODE = 200
_WHY_NOT_OPEN = {
    TaskState.DONE: Reason.TASK_DONE,
    TaskState.CLOSED: Reason.TASK_CLOSED,
    TaskState.WAITING: Reason.TASK_WAITING,
    TaskState.QUEUED: Reason.TASK_QUEUED,
}


def check_running(state: State) -> None:
    """Refuse when the flow is not running."""
    if state.status is Status.SUSPENDED:
        raise Refused(Reason.SUSPENDED)
    if state.status is not Status.RUNNING:
        raise Refused(Reason.NOT_RUNNING)


def check_open(task: Task) -> None:
    """Refuse when the task is not its holder's to act on."""
    if task.state is not TaskState.OPEN:
        raise Refused(_WHY_NOT_OPEN[task.state])


def open_task(walk: Walk) -> Task:
    """The command's task, which must be open."""
    check_running(walk.state)
    if walk.command.task is None:
        raise Refused(Reason.NO_TASK)
    try:
        task = walk.state.task(walk.command.task)
    except KeyError:
        raise Refused(Reason.NO_TASK) from None
    check_open(task)
    node = walk.flow.node(task.node)
    if isinstance(node, Approve) and walk.command.act.value in node.forbid:
        raise Refused(Reason.FORBIDDEN_HERE)
    return task


def _no_start(task: Task) -> Task:
    if task.kind is TaskKind.START:
        raise Refused(Reason.AT_START)
    return task


def start(walk: Walk) -> None:
    """The drafter submits for the first time."""
    task = walk.open_start()
    walk.done(task, Vote.AGREE)
    walk.leave(task.node)


def agree(walk: Walk) -> None:
    """同意, or the drafter's submitting again."""
    _vote(walk, open_task(walk), Vote.AGREE)


def disagree(walk: Walk) -> None:
    """不同意."""
    _vote(walk, _no_start(open_task(walk)), Vote.DISAGREE)


def _vote(walk: Walk, task: Task, vote: Vote) -> None:
    walk.done(task, vote)
    if task.kind is TaskKind.START:
        walk.leave(task.node)
    elif task.kind in ADVICE:
        _give_back(walk, task)
    else:
        walk.settle(task.node)


def _give_back(walk: Walk, task: Task) -> None:
    """The one who asked first has the task again, once nobody else is asked."""
    if task.parent is None:
        raise Refused(Reason.NO_TASK)
    parent = walk.state.task(task.parent)
    if not any(child.live for child in walk.state.children(parent.id) if child.kind in ADVICE):
        walk.change(replace(parent, state=TaskState.OPEN, seen=False))
    walk.vacancies(task.node)


def return_(walk: Walk) -> None:
    """退回 to the drafter or a node that was passed."""
    task = _no_start(open_task(walk))
    if task.kind in ADVICE:
        raise Refused(Reason.ADVICE_ONLY)
    target = walk.command.node or walk.flow.start.key
    if target not in returnable(walk, task):
        raise Refused(Reason.NOT_PASSED, target)
    # The straight way leads back to where the flow stands now, so the task is done before its node is left.
    walk.done(task, Vote.RETURN)
    walk.return_to(target, straight=walk.command.straight)


def returnable(walk: Walk, task: Task) -> list[str]:
    """Nodes a task may be returned to, in reading order: the start, and approvals passed on the way to it."""
    return [
        key
        for key in walk.flow.places
        if (key in walk.state.passed or key == walk.flow.start.key)
        and key != task.node
        and task.node in walk.flow.withdrawn_by_return(key)
    ]


def transfer(walk: Walk) -> None:
    """转办: somebody else has the task instead."""
    task = _no_start(open_task(walk))
    _replace(walk, task)


def reassign(walk: Walk) -> None:
    """The administrator gives a task to somebody else, or fills a node nobody was found for."""
    check_running(walk.state)
    if walk.command.task is not None:
        try:
            task = walk.state.task(walk.command.task)
        except KeyError:
            raise Refused(Reason.NO_TASK) from None
        if not task.live:
            raise Refused(_WHY_NOT_OPEN[task.state])
        _replace(walk, task)
        return
    node, active = walk.command.node, walk.state.active.get(walk.command.node)
    if active is None or not isinstance(walk.flow.node(node), Approve) or walk.state.at(node):
        raise Refused(Reason.NOT_ACTIVE)
    _check_targets(walk, node, TaskKind.OWN)
    definition = walk.flow.node(node)
    in_order = isinstance(definition, Approve) and definition.mode is Mode.ORDER
    for number, assignee in enumerate(walk.command.to):
        state = TaskState.QUEUED if in_order else TaskState.OPEN
        walk.make(node=node, assignee=assignee, kind=TaskKind.OWN, order=number * 10, state=state)
    walk.irrevocable()
    walk.settle(node)


def _replace(walk: Walk, task: Task) -> None:
    if len(walk.command.to) != 1:
        raise Refused(Reason.NO_TARGET)
    _check_targets(walk, task.node, task.kind)
    walk.give(task, walk.command.to[0])
    walk.vacancies(task.node)


def _check_targets(walk: Walk, node: str, kind: TaskKind) -> None:
    targets = walk.command.to
    if not targets or len(targets) > MAX_ADDED:
        raise Refused(Reason.NO_TARGET)
    asked = walk.engaged(node, kind)
    if len({one.id for one in targets}) != len(targets) or any(one.id in asked for one in targets):
        raise Refused(Reason.ALREADY_ASKED)


def too_deep(state: State, task: Task) -> bool:
    """Whether nobody may be added below a task any more: too many in a chain, or at the node."""
    depth = 0
    current = task
    while current.parent is not None:
        depth += 1
        current = state.task(current.parent)
    return depth >= MAX_ADDED_DEPTH or len(state.at(task.node)) >= MAX_AT_NODE


def add(walk: Walk) -> None:
    """加签 before, after or beside, and 委派 (which returns to the giver)."""
    task = _no_start(open_task(walk))
    if too_deep(walk.state, task):
        raise Refused(Reason.TOO_DEEP)
    kind = _KIND_OF_ADDED[walk.command.act]
    _check_targets(walk, task.node, kind)
    if kind is TaskKind.DELEGATED and len(walk.command.to) != 1:
        raise Refused(Reason.NO_TARGET)
    if kind is not TaskKind.BEFORE and kind is not TaskKind.DELEGATED and task.kind in ADVICE:
        raise Refused(Reason.ADVICE_ONLY)
    if kind in ADVICE:
        walk.change(replace(task, state=TaskState.WAITING))
    elif kind is TaskKind.AFTER:
        walk.done(task, Vote.AGREE)
    for assignee in walk.command.to:
        walk.make(node=task.node, assignee=assignee, kind=kind, order=task.order + 1, parent=task.id)
    walk.vacancies(task.node)


_KIND_OF_ADDED = {
    Act.ADD_BEFORE: TaskKind.BEFORE,
    Act.ADD_AFTER: TaskKind.AFTER,
    Act.ADD_BESIDE: TaskKind.BESIDE,
    Act.DELEGATE: TaskKind.DELEGATED,
}


def remove(walk: Walk) -> None:
    """减签: whoever added a signer takes them back, while they have not acted."""
    check_running(walk.state)
    try:
        task = walk.state.task(walk.command.task) if walk.command.task else None
    except KeyError:
        task = None
    if task is None or task.kind not in ADDED or task.parent is None:
        raise Refused(Reason.NOT_ADDED)
    if not task.live:
        raise Refused(_WHY_NOT_OPEN[task.state])
    walk.close([task, *_below(walk.state, task)])
    if task.kind in ADVICE:
        _give_back(walk, task)
    else:
        walk.settle(task.node)


def _below(state: State, task: Task) -> list[Task]:
    found = []
    for child in state.children(task.id):
        found += [child, *_below(state, child)]
    return found


def circulate(walk: Walk) -> None:
    """传阅: these get it to read; the flow does not wait for them."""
    task = open_task(walk)
    if not walk.command.to or len(walk.command.to) > MAX_ADDED * 10:
        raise Refused(Reason.NO_TARGET)
    walk.change(replace(task, seen=True))  # Whoever gives it on has opened it: nobody before withdraws any more.
    walk.effects.append(effects.Circulated(task.node, walk.command.to))


def urge(walk: Walk) -> None:
    """催办: recorded; who is urged follows from the live tasks."""
    check_running(walk.state)
    if not walk.state.live_tasks():
        raise Refused(Reason.NOT_ACTIVE)


def suspend(walk: Walk) -> None:
    """挂起: nobody can act until it is resumed."""
    check_running(walk.state)
    walk.state = replace(walk.state, status=Status.SUSPENDED, suspended_at=walk.command.now)


def resume(walk: Walk) -> None:
    """恢复: limits are longer by the time of the suspension."""
    if walk.state.status is not Status.SUSPENDED or walk.state.suspended_at is None:
        raise Refused(Reason.NOT_SUSPENDED)
    pause = walk.command.now - walk.state.suspended_at
    walk.state = replace(walk.state, status=Status.RUNNING, suspended_at=None).with_tasks(
        replace(task, due_at=task.due_at + pause) for task in walk.state.live_tasks() if task.due_at
    )
    _look_for_holders(walk)
    for key, active in walk.state.active.items():
        if active.hold is not None and active.hold.reason is HoldReason.AUTOMATIC:
            # Its job may have come meanwhile and found the flow suspended.
            walk.effects.append(effects.AutomaticDue(key, active.hold.detail))


def terminate(walk: Walk) -> None:
    """终止."""
    if walk.state.status not in {Status.RUNNING, Status.SUSPENDED}:
        raise Refused(Reason.NOT_RUNNING)
    walk.terminate()


def pass_node(walk: Walk) -> None:
    """The administrator lets a node pass, with a reason."""
    check_running(walk.state)
    key = walk.command.node
    if key not in walk.state.active or isinstance(walk.flow.node(key), Start):
        raise Refused(Reason.NOT_ACTIVE)
    if isinstance(walk.flow.node(key), Approve):
        walk.effects.append(effects.Passed(key))
    walk.irrevocable()
    walk.leave(key)


def jump(walk: Walk) -> None:
    """The administrator moves the flow from where it stands to a node of the same line, with a reason.

    What stands in a branch parallel to the target's stays; everything else is given up.
    """
    check_running(walk.state)
    flow, target = walk.flow, walk.command.node
    if target not in flow.places or not isinstance(flow.node(target), Start | Approve):
        raise Refused(Reason.NOT_PASSED, target)
    active = set(walk.state.active)
    if flow.places[target].owners and target not in {t.node for t in walk.state.tasks}:
        raise Refused(Reason.NOT_PASSED, target)
    for owner in flow.places[target].owners:
        ahead = any(owner.key in flow.withdrawn_by_return(key) for key in active)
        if isinstance(owner, Parallel) and ahead and not flow.inside(owner.key) & active:
            # Its other branches have not been walked, and nobody would ask for them any more.
            raise Refused(Reason.NOT_PASSED, target)
    given_up = {key for key in active if not flow.side_by_side(key, target)}
    walk.state = replace(walk.state, straight=_straight_from(walk.state, active - given_up))
    walk.deactivate(given_up)
    walk.return_to(target)


def _straight_from(state: State, nodes: set[str]) -> dict[str, tuple[str, ...]]:
    """The straight ways that begin at these nodes, and those that begin where they lead."""
    found: dict[str, tuple[str, ...]] = {}
    ahead = list(nodes)
    while ahead:
        key = ahead.pop()
        if key in state.straight and key not in found:
            found[key] = state.straight[key]
            ahead += state.straight[key]
    return found


def retry(walk: Walk) -> None:
    """Try a held node again, once its reason has been removed."""
    check_running(walk.state)
    key = walk.command.node
    active = walk.state.active.get(key)
    if active is None or active.hold is None or active.hold.reason is HoldReason.SUB_FLOW:
        raise Refused(Reason.NOT_ACTIVE)
    if active.hold.reason is HoldReason.VACANT:
        walk.vacancies(key)
    else:
        walk.enter_again(key)


def holders_changed(walk: Walk) -> None:
    """Posts are held by others than before: what waited for a holder goes on, what has none any more says so."""
    check_running(walk.state)
    before = walk.state
    _look_for_holders(walk)
    if walk.state == before:
        raise Refused(Reason.NOTHING_CHANGED)


def _look_for_holders(walk: Walk) -> None:
    for key, active in sorted(walk.state.active.items()):
        node = walk.flow.node(key)
        if walk.state.active.get(key) is not active or not isinstance(node, Start | Approve):
            continue
        if walk.state.at(key):
            walk.vacancies(key)
        elif isinstance(node, Approve) and walk.resolve(node):
            walk.enter_again(key)


def automatic_done(walk: Walk) -> None:
    """An automatic act has been done."""
    check_running(walk.state)
    if walk.command.node not in walk.state.active or not isinstance(walk.flow.node(walk.command.node), Automatic):
        raise Refused(Reason.NOT_ACTIVE)
    walk.irrevocable()
    walk.leave(walk.command.node)


def automatic_failed(walk: Walk) -> None:
    """An automatic act cannot be done; the node waits with the reason."""
    check_running(walk.state)
    if walk.command.node not in walk.state.active or not isinstance(
        walk.flow.node(walk.command.node), Automatic | SubFlow
    ):
        raise Refused(Reason.NOT_ACTIVE)
    walk.hold(walk.command.node, Hold(HoldReason.FAILED, walk.command.detail[:300]))


def sub_flow_ended(walk: Walk) -> None:
    """The sub-flow has come to its end."""
    check_running(walk.state)
    if walk.command.node not in walk.state.active or not isinstance(walk.flow.node(walk.command.node), SubFlow):
        raise Refused(Reason.NOT_ACTIVE)
    walk.irrevocable()
    walk.leave(walk.command.node)


ACTS: dict[Act, Callable[[Walk], None]] = {
    Act.START: start,
    Act.AGREE: agree,
    Act.DISAGREE: disagree,
    Act.RETURN: return_,
    Act.WITHDRAW: withdrawing.withdraw,
    Act.TRANSFER: transfer,
    Act.DELEGATE: add,
    Act.ADD_BEFORE: add,
    Act.ADD_AFTER: add,
    Act.ADD_BESIDE: add,
    Act.REMOVE: remove,
    Act.CIRCULATE: circulate,
    Act.URGE: urge,
    Act.SUSPEND: suspend,
    Act.RESUME: resume,
    Act.TERMINATE: terminate,
    Act.REASSIGN: reassign,
    Act.PASS: pass_node,
    Act.JUMP: jump,
    Act.RETRY: retry,
    Act.AUTOMATIC_DONE: automatic_done,
    Act.AUTOMATIC_FAILED: automatic_failed,
    Act.SUB_FLOW_ENDED: sub_flow_ended,
    Act.HOLDERS_CHANGED: holders_changed,
}
