"""The engine: a pure function from a state and an act to changes. It knows no database and no clock."""

from saas.approvals.engine.commands import Act, Command, Reason, Refused
from saas.approvals.engine.facts import Facts
from saas.approvals.engine.state import Assignee, AssigneeKind, Drafter, State, Status, Task, TaskState
from saas.approvals.engine.step import Changes, step

__all__ = [
    "Act",
    "Assignee",
    "AssigneeKind",
    "Changes",
    "Command",
    "Drafter",
    "Facts",
    "Reason",
    "Refused",
    "State",
    "Status",
    "Task",
    "TaskState",
    "step",
]
