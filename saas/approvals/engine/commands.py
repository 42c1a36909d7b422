"""Every act as a value: what somebody wants done, by whom, when."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from saas.approvals.engine.state import Assignee


class Act(enum.StrEnum):
    """The closed set of acts."""

    START = "start"
    AGREE = "agree"
    DISAGREE = "disagree"
    RETURN = "return"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    DELEGATE = "delegate"
    ADD_BEFORE = "add_before"
    ADD_AFTER = "add_after"
    ADD_BESIDE = "add_beside"
    REMOVE = "remove"
    CIRCULATE = "circulate"
    URGE = "urge"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"
    REASSIGN = "reassign"
    PASS = "pass"  # noqa: S105 - a word, not a secret
    JUMP = "jump"
    RETRY = "retry"
    AUTOMATIC_DONE = "automatic_done"
    AUTOMATIC_FAILED = "automatic_failed"
    SUB_FLOW_ENDED = "sub_flow_ended"
    HOLDERS_CHANGED = "holders_changed"


ON_TASK = frozenset(
    {
        Act.AGREE,
        Act.DISAGREE,
        Act.RETURN,
        Act.TRANSFER,
        Act.DELEGATE,
        Act.ADD_BEFORE,
        Act.ADD_AFTER,
        Act.ADD_BESIDE,
        Act.CIRCULATE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One act.

    Args:
        act: what.
        now: when; the engine has no clock.
        person: who acts; None for the system.
        post: in which post.
        task: on which task, for acts on one.
        node: to which node (RETURN, JUMP), or at which (PASS, RETRY, AUTOMATIC_*, SUB_FLOW_ENDED).
        to: whom to ask (TRANSFER, DELEGATE, ADD_*, REASSIGN) or to show it (CIRCULATE).
        straight: after a return, come straight back instead of walking again.
        chosen: assignees chosen now for later nodes, by node.
        detail: reason of a failure or of an administrator's act.
    """

    act: Act
    now: datetime
    person: UUID | None = None
    post: UUID | None = None
    task: UUID | None = None
    node: str = ""
    to: tuple[Assignee, ...] = ()
    straight: bool = False
    chosen: Mapping[str, tuple[Assignee, ...]] = field(default_factory=dict)
    detail: str = ""


class Reason(enum.StrEnum):
    """Why an act is not possible."""

    NOT_RUNNING = "not_running"
    SUSPENDED = "suspended"
    NO_TASK = "no_task"
    TASK_DONE = "task_done"
    TASK_CLOSED = "task_closed"
    TASK_WAITING = "task_waiting"
    TASK_QUEUED = "task_queued"
    NOT_AT_START = "not_at_start"
    AT_START = "at_start"
    ADVICE_ONLY = "advice_only"
    FORBIDDEN_HERE = "forbidden_here"
    NO_TARGET = "no_target"
    ALREADY_ASKED = "already_asked"
    NOT_PASSED = "not_passed"
    NEXT_HAS_OPENED = "next_has_opened"
    NOT_YOURS = "not_yours"
    IRREVOCABLE = "irrevocable"
    NOT_ADDED = "not_added"
    TOO_DEEP = "too_deep"
    NOT_ACTIVE = "not_active"
    NOT_CHOSEN = "not_chosen"
    NOT_SUSPENDED = "not_suspended"
    NOTHING_CHANGED = "nothing_changed"


class Refused(Exception):
    """The act is not possible in this state; nothing changed."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
