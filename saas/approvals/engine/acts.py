"""What each act does to the state; every function checks first and changes after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from saas.approvals.definition import Approve, Automatic, Circulate, Condition, Start, SubFlow
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


def open_task(walk: Walk) -> Task:
    """The command's task, which must be open."""
    check_running(walk.state)
    if walk.command.task is None:
        raise Refused(Reason.NO_TASK)
    try:
        task = walk.state.task(walk.command.task)
    except KeyError:
        raise Refused(Reason.NO_TASK) from None
    if task.state is not TaskState.OPEN:
        raise Refused(_WHY_NOT_OPEN[task.state])
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
    passed = {t.node for t in walk.state.tasks if t.vote in {Vote.AGREE, Vote.SKIPPED}}
    return [
        key
        for key in walk.flow.places
        if key in passed
        and key != task.node
        and isinstance(walk.flow.node(key), Start | Approve)
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
    _check_targets(walk, node)
    for number, assignee in enumerate(walk.command.to):
        walk.make(node=node, assignee=assignee, kind=TaskKind.OWN, order=number * 10)
    walk.irrevocable()
    walk.vacancies(node)


def _replace(walk: Walk, task: Task) -> None:
    if len(walk.command.to) != 1:
        raise Refused(Reason.NO_TARGET)
    _check_targets(walk, task.node)
    walk.close([task])
    new = walk.make(
        node=task.node,
        assignee=walk.command.to[0],
        kind=task.kind,
        order=task.order,
        state=task.state,
        parent=task.parent,
    )
    walk.change(replace(new, due_at=task.due_at))
    # What the former holder had asked of others is now asked for the new one.
    for child in walk.state.children(task.id):
        walk.change(replace(child, parent=new.id))
    walk.vacancies(task.node)


def _check_targets(walk: Walk, node: str) -> None:
    targets = walk.command.to
    if not targets or len(targets) > MAX_ADDED:
        raise Refused(Reason.NO_TARGET)
    asked = {task.assignee.id for task in walk.state.at(node) if task.live}
    if len({one.id for one in targets}) != len(targets) or any(one.id in asked for one in targets):
        raise Refused(Reason.ALREADY_ASKED)


def _depth(state: State, task: Task) -> int:
    depth = 0
    current = task
    while current.parent is not None:
        depth += 1
        current = state.task(current.parent)
    return depth


def add(walk: Walk) -> None:
    """加签 before, after or beside, and 委派 (which returns to the giver)."""
    task = _no_start(open_task(walk))
    if _depth(walk.state, task) >= MAX_ADDED_DEPTH:
        raise Refused(Reason.TOO_DEEP)
    if len(walk.state.at(task.node)) >= MAX_ADDED * 4:
        raise Refused(Reason.TOO_DEEP)
    _check_targets(walk, task.node)
    kind = _KIND_OF_ADDED[walk.command.act]
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


def terminate(walk: Walk) -> None:
    """终止."""
    if walk.state.status not in {Status.RUNNING, Status.SUSPENDED}:
        raise Refused(Reason.NOT_RUNNING)
    if walk.command.task is not None:
        task = walk.state.task(walk.command.task)
        if task.state is not TaskState.OPEN:
            raise Refused(_WHY_NOT_OPEN[task.state])
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
    """The administrator moves the flow from where it stands to a node of the same line, with a reason."""
    check_running(walk.state)
    target = walk.command.node
    if target not in walk.flow.places or not isinstance(walk.flow.node(target), Start | Approve):
        raise Refused(Reason.NOT_PASSED, target)
    if walk.flow.places[target].owners and target not in {t.node for t in walk.state.tasks}:
        raise Refused(Reason.NOT_PASSED, target)
    taken = walk.flow.withdrawn_by_return(target)
    if not taken & set(walk.state.active):
        # Forward: what is before the target in its line is given up.
        walk.deactivate(list(walk.state.active))
    walk.return_to(target)


def retry(walk: Walk) -> None:
    """Try a held node again, once its reason has been removed."""
    check_running(walk.state)
    key = walk.command.node
    active = walk.state.active.get(key)
    if active is None or active.hold is None or active.hold.reason in {HoldReason.SUB_FLOW}:
        raise Refused(Reason.NOT_ACTIVE)
    node = walk.flow.node(key)
    if active.hold.reason is HoldReason.VACANT:
        walk.vacancies(key)
        return
    walk.deactivate([key])
    if isinstance(node, Approve | Automatic | Condition | Circulate) and walk.enter(node):
        walk.go_on(key)


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
    if walk.command.node not in walk.state.active:
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
}
