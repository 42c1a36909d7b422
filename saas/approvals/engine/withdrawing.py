"""撤回: taking one's own agreement back while nobody has built upon it."""

from __future__ import annotations

from dataclasses import replace

from saas.approvals.definition import Flow
from saas.approvals.engine import effects
from saas.approvals.engine.commands import Command, Reason, Refused
from saas.approvals.engine.state import (
    ADVICE,
    Active,
    State,
    Status,
    Task,
    TaskKind,
    TaskState,
    Vote,
)
from saas.approvals.engine.walk import Walk


def withdraw(walk: Walk) -> None:
    """Restore the flow to where it was before the command's task was agreed to.

    Possible while the instance runs, everything the agreement opened is unopened and untouched, and nothing
    irrevocable (an automatic act, a sub-flow, a return) has followed.
    """
    task = check(walk.flow, walk.state, walk.command)
    act = task.closed_by
    state = walk.state
    changed: list[Task] = []
    for other in state.tasks:
        if other.id == task.id:
            changed.append(
                replace(other, state=TaskState.OPEN, vote=None, closed_by=0, done_by=None, done_post=None, seen=True)
            )
        elif other.opened_by == act and (other.live or other.vote is Vote.SKIPPED):
            changed.append(_taken_back(task, other, walk.state.acts))
        elif other.closed_by == act and other.state is TaskState.CLOSED and other.was is not None:
            changed.append(replace(other, state=other.was, was=None, closed_by=0))
    if task.kind in ADVICE and task.parent is not None:
        changed.append(replace(state.task(task.parent), state=TaskState.WAITING))
    active = {key: at for key, at in state.active.items() if at.opened_by != act}
    if task.node not in active:
        active[task.node] = Active(task.round, task.opened_by)
    passed = {key: number for key, number in state.passed.items() if number != act}
    walk.state = replace(state, active=active, passed=passed).with_tasks(changed)
    if task.kind is TaskKind.START:
        walk.effects.append(effects.ReturnedToStart())
    walk.vacancies(task.node)


def _taken_back(task: Task, other: Task, act: int) -> Task:
    if other.node == task.node and other.kind is TaskKind.OWN and other.live:
        return replace(other, state=TaskState.QUEUED)  # Its turn had come through the act now withdrawn.
    return replace(other, state=TaskState.CLOSED, was=other.state, closed_by=act)


def check(flow: Flow, state: State, command: Command) -> Task:
    """The task whose agreement can be withdrawn.

    Raises:
        Refused: with the reason why it cannot.
    """
    if state.status is Status.SUSPENDED:
        raise Refused(Reason.SUSPENDED)
    if state.status is not Status.RUNNING:
        raise Refused(Reason.NOT_RUNNING)
    task = _own_task(state, command)
    act = task.closed_by
    if task.round != state.rounds.get(task.node) or act <= state.barrier:
        raise Refused(Reason.IRREVOCABLE)
    opened = [
        other
        for other in state.tasks
        if other.opened_by == act and other.id != task.id and other.vote is not Vote.SKIPPED
    ]
    if any(other.seen or not other.live or state.children(other.id) for other in opened):
        raise Refused(Reason.NEXT_HAS_OPENED)
    if task.kind in ADVICE and not _asker_waits(state, task):
        raise Refused(Reason.NEXT_HAS_OPENED)
    if task.node not in state.active and any(other.closed_by > act for other in state.at(task.node)):
        raise Refused(Reason.IRREVOCABLE)  # Another's later opinion decided the node.
    if any(other.assignee.id == task.assignee.id and other.opened_by > act for other in state.at(task.node)):
        raise Refused(Reason.IRREVOCABLE)  # They were asked there once more since, and would be asked twice.
    skipped = [other for other in state.tasks if other.vote is Vote.SKIPPED and other.state is TaskState.DONE]
    if any(other.opened_by > act for other in skipped):
        raise Refused(Reason.IRREVOCABLE)  # Somebody was not asked because of this opinion, perhaps.
    behind = flow.withdrawn_by_return(task.node) - {task.node}
    later = [at.opened_by for key, at in state.active.items() if key in behind]
    later += [number for key, number in state.passed.items() if key in behind]
    if any(number > act for number in later):
        raise Refused(Reason.IRREVOCABLE)  # Other branches ended meanwhile, and the flow went on.
    return task


def _asker_waits(state: State, task: Task) -> bool:
    if task.parent is None:
        return False
    parent = state.task(task.parent)
    # Whoever asks somebody else next, or gives the task on, has built upon the answer.
    if any(later.opened_by > task.closed_by for later in (parent, *state.children(parent.id))):
        return False
    return parent.state is TaskState.WAITING or (parent.state is TaskState.OPEN and not parent.seen)


def _own_task(state: State, command: Command) -> Task:
    if command.task is None:
        raise Refused(Reason.NO_TASK)
    try:
        task = state.task(command.task)
    except KeyError:
        raise Refused(Reason.NO_TASK) from None
    if task.state is not TaskState.DONE or task.vote is not Vote.AGREE:
        raise Refused(Reason.TASK_CLOSED)
    if command.person is None or task.done_by != command.person:
        raise Refused(Reason.NOT_YOURS)
    return task
