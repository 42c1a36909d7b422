"""The state of one running flow as frozen values: what the transition function takes and gives back."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5


class Status(enum.StrEnum):
    """Where an instance stands as a whole."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    FINISHED = "finished"
    TERMINATED = "terminated"


class TaskState(enum.StrEnum):
    """Open: in a to-do list. Waiting: for those its holder asked first. Queued: its turn has not come."""

    OPEN = "open"
    WAITING = "waiting"
    QUEUED = "queued"
    DONE = "done"
    CLOSED = "closed"


LIVE = frozenset({TaskState.OPEN, TaskState.WAITING, TaskState.QUEUED})


class TaskKind(enum.StrEnum):
    """Why somebody was asked: by the flow, or by another signer."""

    START = "start"
    OWN = "own"
    BEFORE = "before"
    AFTER = "after"
    BESIDE = "beside"
    DELEGATED = "delegated"


ADVICE = frozenset({TaskKind.BEFORE, TaskKind.DELEGATED})
SIGNERS = frozenset({TaskKind.OWN, TaskKind.AFTER, TaskKind.BESIDE})
ADDED = frozenset({TaskKind.BEFORE, TaskKind.AFTER, TaskKind.BESIDE, TaskKind.DELEGATED})


class Vote(enum.StrEnum):
    """How a task was done."""

    AGREE = "agree"
    DISAGREE = "disagree"
    RETURN = "return"
    SKIPPED = "skipped"


class HoldReason(enum.StrEnum):
    """Why an active node may have nobody acting: always named, always told to the flow administrator."""

    NOBODY = "nobody"
    VACANT = "vacant"
    NOT_CHOSEN = "not_chosen"
    CONDITION = "condition"
    AUTOMATIC = "automatic"
    SUB_FLOW = "sub_flow"
    FAILED = "failed"


# These are the flow's own work in progress, not a fault an administrator must look at.
WORKING = frozenset({HoldReason.AUTOMATIC, HoldReason.SUB_FLOW})


class AssigneeKind(enum.StrEnum):
    """A post, or everybody in a unit (a group)."""

    POST = "post"
    UNIT = "unit"


@dataclass(frozen=True, slots=True, order=True)
class Assignee:
    """Who is asked: whoever holds the post (or belongs to the unit) when the list is read.

    `person` narrows it to one of several holders as long as that person holds the post (the drafter).
    """

    kind: AssigneeKind
    id: UUID
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A node that waits, and why."""

    reason: HoldReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Active:
    """A node the flow is at: in its n-th round, entered by which act."""

    round: int
    opened_by: int
    hold: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One request to one assignee.

    Args:
        opened_by: number of the act that opened it.
        closed_by: number of the act that did or closed it, 0 while live.
        was: the state it had when another's act closed it, so a withdrawal can restore it.
        parent: the task whose holder added it (加签, 委派).
    """

    id: UUID
    node: str
    round: int
    assignee: Assignee
    kind: TaskKind = TaskKind.OWN
    state: TaskState = TaskState.OPEN
    vote: Vote | None = None
    was: TaskState | None = None
    parent: UUID | None = None
    order: int = 0
    opened_by: int = 0
    closed_by: int = 0
    seen: bool = False
    opened_at: datetime
    due_at: datetime | None = None
    done_by: UUID | None = None
    done_post: UUID | None = None

    @property
    def live(self) -> bool:
        """Whether somebody still has to act on it."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafter:
    """Who started the flow, in which post and unit."""

    person: UUID | None
    post: UUID
    unit: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One instance.

    Args:
        active: nodes the flow is at.
        rounds: how often each node was entered.
        straight: after these nodes the flow comes straight back to the nodes named.
        passed: approvals behind the flow, each with the act that passed it; a return takes out what it takes back.
        acts: number of acts done; the number of the last one.
        barrier: no act up to this number can be withdrawn (something irrevocable followed it).
        made: number of tasks ever made; their ids follow from it.
        suspended_at: since when it is suspended.
    """

    id: UUID
    drafter: Drafter
    status: Status = Status.RUNNING
    active: Mapping[str, Active] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    rounds: Mapping[str, int] = field(default_factory=dict)
    straight: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passed: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, tuple[Assignee, ...]] = field(default_factory=dict)
    acts: int = 0
    barrier: int = 0
    made: int = 0
    suspended_at: datetime | None = None

    def task(self, task_id: UUID) -> Task:
        """The task of that id.

        Raises:
            KeyError: it is none of this instance's.
        """
        for task in self.tasks:
            if task.id == task_id:
                return task
        raise KeyError(task_id)

    def live_tasks(self) -> list[Task]:
        """Tasks somebody still has to act on."""
        return [task for task in self.tasks if task.live]

    def at(self, node: str) -> list[Task]:
        """The tasks of a node's current round, in order."""
        number = self.rounds.get(node, 0)
        return sorted((t for t in self.tasks if t.node == node and t.round == number), key=lambda t: t.order)

    def children(self, task_id: UUID) -> list[Task]:
        """Tasks that a task's holder added."""
        return [task for task in self.tasks if task.parent == task_id]

    def with_tasks(self, changed: Iterable[Task]) -> State:
        """The same with these tasks put in place of those of equal id, new ones at the end."""
        by_id = {task.id: task for task in changed}
        kept = tuple(by_id.pop(task.id, task) for task in self.tasks)
        return replace(self, tasks=(*kept, *by_id.values()))

    def next_task_id(self) -> UUID:
        """Task ids follow from the instance and a count, so the transition stays a function."""
        return uuid5(self.id, f"task:{self.made + 1}")
