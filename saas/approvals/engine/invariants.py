"""What must hold after every act; asserted by the tests and before every write."""

from __future__ import annotations

from saas.approvals.definition import Approve, Flow, Start
from saas.approvals.engine.state import ADVICE, State, Status, TaskKind, TaskState


def check(flow: Flow, state: State) -> list[str]:
    """Every broken rule in words for a developer; empty when all hold.

    The first rule is the promise of the engine: an open instance always has a live task or a named reason.
    """
    broken: list[str] = []
    if state.status in {Status.FINISHED, Status.TERMINATED}:
        if state.active or state.live_tasks():
            broken.append(f"{state.status} but still at {sorted(state.active)}")
        return broken
    if not state.active:
        broken.append("open but nowhere")
    for key, active in state.active.items():
        broken += _node(flow, state, key, held=active.hold is not None)
    for task in state.live_tasks():
        at = state.active.get(task.node)
        if at is None or at.round != task.round:
            broken.append(f"live task {task.id} at {task.node}, where the flow is not")
    return broken + _waiting(state)


def _node(flow: Flow, state: State, key: str, *, held: bool) -> list[str]:
    if isinstance(flow.node(key), Approve | Start):
        can_act = [task for task in state.at(key) if task.state is TaskState.OPEN]
        if not can_act and not held:
            return [f"{key} has nobody who can act and no reason"]
        starts = [task for task in state.at(key) if task.live and task.kind is TaskKind.START]
        if isinstance(flow.node(key), Start) and len(starts) != 1:
            return [f"{key} is with {len(starts)} drafters"]
        return []
    return [] if held else [f"{key} is active without a reason"]


def _waiting(state: State) -> list[str]:
    return [
        f"{task.id} waits for nobody"
        for task in state.tasks
        if task.state is TaskState.WAITING
        and not any(child.live for child in state.children(task.id) if child.kind in ADVICE)
    ]
