"""What the rules remember: who is asked at which node, and the tree of lines that is the place of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
LIVE = ("open", "waiting", "queued")
VOTERS = ("own", "after", "beside")
ADVISERS = ("before", "delegated")
ON_TASK = ("agree", "disagree", "return", "transfer", "delegate", "add_before", "add_after", "add_beside", "circulate")
KIND_OF = {"add_before": "before", "delegate": "delegated", "add_after": "after", "add_beside": "beside"}
DEEPEST = 5


class NoError(Exception):
    """The rules do not allow it."""


@dataclass(eq=False)
class Entry:
    """One thing that happened."""

    name: str
    args: Json
    final: bool = False
    skipped: bool = False
    idle: bool = False


@dataclass(eq=False)
class Signer:
    """Somebody asked at a node; `narrowed` is the one holder meant while they hold the post."""

    who: str
    kind: str
    by: Entry
    state: str = "open"
    narrowed: str = ""
    vote: str = ""
    person: str = ""
    voted: Entry | None = None
    seen: bool = False
    up: Signer | None = None
    added: list[Signer] = field(default_factory=list)


@dataclass(eq=False)
class Spot:
    """A node at which the flow stands (or stood: `done`)."""

    node: Json
    since: Entry
    signers: list[Signer] = field(default_factory=list)
    hold: str = ""
    done: bool = False
    left_by: Entry | None = None
    straight: list[Any] = field(default_factory=list)

    @property
    def key(self) -> str:
        return str(self.node["key"])

    def live(self) -> list[Signer]:
        return [one for one in self.signers if one.state in LIVE]


@dataclass(eq=False)
class Line:
    """A row of nodes and how far it has come: at `i`, which is a spot, or the lines of its branches."""

    nodes: list[Json]
    i: int = 0
    at: Spot | list[Line] | None = None
    branch: int = 0


class MovedError(Exception):
    """The flow was put elsewhere while it was walked."""


def refuse_if(refused: bool) -> None:
    if refused:
        raise NoError


def verdict(one: Signer) -> bool | None:
    """What a signer says, with those added after."""
    if one.state in LIVE:
        return None
    if one.vote == "disagree":
        return False
    after = [verdict(other) for other in one.added if other.kind == "after" and other.state != "closed"]
    return False if False in after else None if None in after else True


def depth_of(one: Signer) -> int:
    return 0 if one.up is None else 1 + depth_of(one.up)


def with_all_below(one: Signer) -> Iterator[Signer]:
    yield one
    for other in one.added:
        yield from with_all_below(other)


def spots_in(line: Line) -> Iterator[Spot]:
    if isinstance(line.at, Spot) and not line.at.done:
        yield line.at
    for branch in line.at if isinstance(line.at, list) else ():
        yield from spots_in(branch)


def paths_in(
    nodes: list[Json], outer: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
    for index, node in enumerate(nodes):
        yield node["key"], (*outer, (index, -1))
        for number, branch in enumerate(node.get("branches", ())):
            yield from paths_in(branch["nodes"], (*outer, (index, number)))


def node_at(nodes: list[Json], path: tuple[tuple[int, int], ...]) -> Json:
    for index, branch in path[:-1]:
        nodes = nodes[index]["branches"][branch]["nodes"]
    return nodes[path[-1][0]]


def same_node(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...], depth: int) -> bool:
    """Whether both paths go into the same container at that depth."""
    return one[: depth - 1] == other[: depth - 1] and one[depth - 1][0] == other[depth - 1][0]
