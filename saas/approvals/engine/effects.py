"""What a step asks the rest of the product to do, in order."""

from __future__ import annotations

from dataclasses import dataclass

from saas.approvals.engine.state import Assignee, Hold


@dataclass(frozen=True, slots=True)
class Entered:
    """The flow came to a node."""

    node: str


@dataclass(frozen=True, slots=True)
class Passed:
    """An approval was given."""

    node: str


@dataclass(frozen=True, slots=True)
class Circulated:
    """These get the subject to read."""

    node: str
    to: tuple[Assignee, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A node waits for a named reason."""

    node: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class AutomaticDue:
    """A registered act is to run."""

    node: str
    action: str


@dataclass(frozen=True, slots=True)
class SubFlowDue:
    """Another flow is to start for this node."""

    node: str
    flow: str


@dataclass(frozen=True, slots=True)
class SubFlowDropped:
    """A sub-flow's node was taken back."""

    node: str


@dataclass(frozen=True, slots=True)
class ReturnedToStart:
    """The subject is back with its drafter."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The flow came to its end."""


@dataclass(frozen=True, slots=True)
class Terminated:
    """The flow was ended before its end."""


Effect = (
    Entered
    | Passed
    | Circulated
    | Held
    | AutomaticDue
    | SubFlowDue
    | SubFlowDropped
    | ReturnedToStart
    | Finished
    | Terminated
)
