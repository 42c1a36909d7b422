"""The nodes of a flow as frozen values, and the questions the engine asks of the tree."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from saas.approvals.forms.model import Access, FieldRule, Form, Rights

MAX_NODES = 500
MAX_DEPTH = 20


class RuleKind(enum.StrEnum):
    """How those who act at a node are found."""

    POST = "post"
    ROLE_IN_UNIT = "role_in_unit"
    UNIT_LEADER = "unit_leader"
    LEADER_ABOVE = "leader_above"
    IN_CHARGE = "in_charge"
    CHOSEN = "chosen"
    SAME_AS = "same_as"
    GROUP = "group"
    DRAFTER = "drafter"
    FIELD = "field"


class Mode(enum.StrEnum):
    """How several signers of one node decide."""

    SINGLE = "single"
    ALL = "all"
    ANY = "any"
    SHARE = "share"
    NUMBER = "number"
    ORDER = "order"


class Visibility(enum.StrEnum):
    """What co-signers see of one another's opinions while the node is open."""

    OPEN = "open"
    AFTER_OWN = "after_own"
    BLIND = "blind"


class Vacant(enum.StrEnum):
    """What happens when nobody holds a post: hold and tell the flow administrator, or ask a named substitute."""

    HOLD = "hold"
    SUBSTITUTE = "substitute"


class DrafterAlone(enum.StrEnum):
    """What happens when the drafter would approve alone."""

    ASK = "ask"
    SKIP = "skip"
    LEADER = "leader"


class Repeat(enum.StrEnum):
    """What happens when the same person would sign twice."""

    ASK = "ask"
    SKIP_CONSECUTIVE = "skip_consecutive"
    SKIP_ANY = "skip_any"


class OnRefused(enum.StrEnum):
    """What a node's 不同意 leads to."""

    RETURN = "return"
    TERMINATE = "terminate"
    CONTINUE = "continue"


class Overdue(enum.StrEnum):
    """What follows when a limit has passed: always the handler and the flow administrator are told.

    Beyond that: the leader above is told too, has the task instead, or the node passes.
    """

    TELL = "tell"
    ESCALATE = "escalate"
    TRANSFER = "transfer"
    PASS = "pass"  # noqa: S105 - a word, not a secret


class Operator(enum.StrEnum):
    """How a condition written as a list compares a field with a value."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    LESS = "lt"
    AT_MOST = "le"
    MORE = "gt"
    AT_LEAST = "ge"
    IN = "in"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way to find assignees.

    Args:
        kind: which way.
        id: the post (POST) or the group, which is a unit (GROUP); empty otherwise.
        unit: a unit id or ``drafter`` (ROLE_IN_UNIT, UNIT_LEADER, IN_CHARGE).
        role: the kind of post (ROLE_IN_UNIT), as in `organisation.models.PostKind`.
        level: 1 is the leader of the drafter's own unit, 2 the next above (LEADER_ABOVE).
        node: whose handlers again (SAME_AS), or at which node the choice is made (CHOSEN; ``start`` by the drafter).
        among: ids of units or posts one may choose from (CHOSEN); empty for all.
        field: the form's field, or ``table.column``, that names them (FIELD).
    """

    kind: RuleKind
    id: str = ""
    unit: str = "drafter"
    role: str = ""
    level: int = 1
    node: str = ""
    among: tuple[str, ...] = ()
    field: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """Time to act, in working days and working hours; `remind` working hours before its end the handler is told."""

    days: int = 0
    hours: int = 0
    remind: int = 4

    def __bool__(self) -> bool:
        return bool(self.days or self.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The drafter's own place in the flow."""

    key: str
    name: str
    marks: frozenset[str] = frozenset()
    fields: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """People give their opinion and decide."""

    key: str
    name: str
    who: tuple[Rule, ...]
    mode: Mode = Mode.SINGLE
    share: int = 100
    number: int = 1
    opinions: Visibility = Visibility.OPEN
    vacant: Vacant = Vacant.HOLD
    substitute: str = ""
    drafter_alone: DrafterAlone = DrafterAlone.ASK
    repeat: Repeat = Repeat.ASK
    on_refused: OnRefused = OnRefused.RETURN
    limit: Limit = Limit()
    overdue: Overdue = Overdue.TELL
    opinion_required: bool = False
    bulk: bool = False
    forbid: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    fields: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circulate:
    """People are given the subject to read; nobody waits for them."""

    key: str
    name: str
    who: tuple[Rule, ...]
    marks: frozenset[str] = frozenset()
    fields: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on; in a condition it is taken when the expression `when` holds (an empty one always does)."""

    name: str
    nodes: tuple[Node, ...] = ()
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The first branch that holds is taken."""

    key: str
    name: str
    branches: tuple[Branch, ...]
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """All branches are walked at once; the flow goes on when all have ended."""

    key: str
    name: str
    branches: tuple[Branch, ...]
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubFlow:
    """Another flow is run to its end on the same subject."""

    key: str
    name: str
    flow: str
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Automatic:
    """A registered act runs without anybody."""

    key: str
    name: str
    action: str
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The flow has done its work."""

    key: str
    name: str
    marks: frozenset[str] = frozenset()


Node = Start | Approve | Circulate | Condition | Parallel | SubFlow | Automatic | End
Container = Condition | Parallel
Step = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands.

    Args:
        sequence: the line of nodes it is in.
        index: its position in that line.
        owners: the containers around it, outermost first.
        path: for each enclosing line the index and the branch taken there (-1 for the node itself).
    """

    sequence: tuple[Node, ...]
    index: int
    owners: tuple[Container, ...]
    path: tuple[Step, ...]

    @property
    def owner(self) -> Container | None:
        """The container whose branch the sequence is, or None at the top."""
        return self.owners[-1] if self.owners else None


@dataclass(frozen=True)
class Flow:
    """A whole definition: the top sequence from Start to End, and the form that travels with it."""

    nodes: tuple[Node, ...]
    form: Form = field(default_factory=Form)

    def rights(self, key: str) -> Rights:
        """What those who act at a node may do with the form: by default the drafter edits, others read."""
        node = self.node(key)
        rules = node.fields if isinstance(node, Start | Approve | Circulate) else ()
        return Rights(rules, Access.EDIT if isinstance(node, Start) else Access.READ)

    @cached_property
    def places(self) -> dict[str, Place]:
        """Every node's place by its key."""
        return dict(_places(self.nodes, (), ()))

    def node(self, key: str) -> Node:
        """The node of that key.

        Raises:
            KeyError: no such node.
        """
        place = self.places[key]
        return place.sequence[place.index]

    @property
    def start(self) -> Start:
        """The drafter's node."""
        first = self.nodes[0]
        if not isinstance(first, Start):
            raise TypeError("a checked flow begins with a start")
        return first

    def walk(self) -> Iterator[Node]:
        """All nodes in reading order."""
        for place in self.places.values():
            yield place.sequence[place.index]

    def withdrawn_by_return(self, target: str) -> frozenset[str]:
        """The keys of all nodes a return to `target` takes back: itself and what follows it in its own line.

        Branches parallel to the target's own are left as they are.
        """
        place = self.places[target]
        return frozenset(key for key, other in self.places.items() if key == target or _follows(place.path, other.path))

    def side_by_side(self, one: str, other: str) -> bool:
        """Whether two nodes stand in different branches of the same parallel."""
        first, second = self.places[one], self.places[other]
        for depth, ((index, branch), (other_index, other_branch)) in enumerate(
            zip(first.path, second.path, strict=False)
        ):
            if index != other_index or -1 in {branch, other_branch}:
                return False
            if branch != other_branch:
                return isinstance(first.owners[depth], Parallel)
        return False

    def inside(self, container: str) -> frozenset[str]:
        """The keys of all nodes in a container's branches."""
        return frozenset(
            key for key, place in self.places.items() if any(owner.key == container for owner in place.owners)
        )


def _places(
    nodes: tuple[Node, ...], owners: tuple[Container, ...], outer: tuple[Step, ...]
) -> Iterator[tuple[str, Place]]:
    for index, node in enumerate(nodes):
        yield node.key, Place(nodes, index, owners, (*outer, (index, -1)))
        if isinstance(node, Condition | Parallel):
            for number, branch in enumerate(node.branches):
                yield from _places(branch.nodes, (*owners, node), (*outer, (index, number)))


def _follows(target: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    for (index, branch), (other_index, other_branch) in zip(target, other, strict=False):
        if index != other_index:
            return other_index > index
        if branch != other_branch:
            return False
    return False
