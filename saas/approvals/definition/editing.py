"""The list editor's changes to a definition as it is written: pure, and at ease with one that is not yet valid."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Card:
    """One node as the list shows it: its JSON, and how many branches it is inside of.

    A branch has a card of its own before its nodes, without a node: `branch` and `when` name it, `into` is its place.
    """

    node: Mapping[str, Any]
    depth: int
    branch: str = ""
    when: Any = None
    into: str = ""

    @property
    def key(self) -> str:
        """The node's key, empty while it has none."""
        return str(self.node.get("key", ""))


def cards(tree: Any, *, depth: int = 0) -> Iterator[Card]:
    """Every node and branch in reading order; what is no node is left out."""
    nodes = tree.get("nodes") if isinstance(tree, Mapping) else None
    for node in nodes if isinstance(nodes, list) else ():
        if not isinstance(node, Mapping):
            continue
        yield Card(node, depth)
        branches = node.get("branches")
        if depth < DEEPEST_SHOWN:
            for number, inner in enumerate(branches if isinstance(branches, list) else ()):
                if isinstance(inner, Mapping):
                    into = f"{node.get('key', '')}:{number}"
                    yield Card({}, depth + 1, str(inner.get("name", "")), inner.get("when"), into)
                    yield from cards(inner, depth=depth + 1)


def moved(tree: Any, key: str, *, steps: int) -> Any:
    """The definition with a node further down (up when negative) in its own line; the same when it cannot move."""
    changed = copy.deepcopy(tree)
    for line in _lines(changed):
        at = _index(line, key)
        if at is not None and 0 <= at + steps < len(line):
            line.insert(at + steps, line.pop(at))
            break
    return changed


def removed(tree: Any, key: str) -> Any:
    """The definition without a node and what is in its branches."""
    changed = copy.deepcopy(tree)
    for line in _lines(changed):
        at = _index(line, key)
        if at is not None:
            del line[at]
            break
    return changed


def added(tree: Any, node: Mapping[str, Any], *, into: str = "") -> Any:
    """The definition with a new node at the end of a branch (``key:number``), else before the flow's end."""
    changed = copy.deepcopy(tree) if isinstance(tree, dict) else {}
    key, _colon, number = into.partition(":")
    branches = (node_of(changed, key) or {}).get("branches") if key else None
    line = None
    if isinstance(branches, list) and number.isdigit() and int(number) < len(branches):
        line = branches[int(number)].setdefault("nodes", [])
    if line is None:
        line = changed.setdefault("nodes", [])
    if isinstance(line, list):
        ends = bool(line) and isinstance(line[-1], Mapping) and line[-1].get("kind") == "end"
        line.insert(len(line) - ends, dict(node))
    return changed


def node_of(tree: Any, key: str) -> dict[str, Any] | None:
    """The node of that key, as it stands in the definition (a change to it changes the definition)."""
    for line in _lines(tree):
        at = _index(line, key)
        if at is not None:
            found: dict[str, Any] = line[at]
            return found
    return None


def replaced(tree: Any, key: str, node: Mapping[str, Any]) -> Any:
    """The definition with a node in place of that of the same key."""
    changed = copy.deepcopy(tree)
    for line in _lines(changed):
        at = _index(line, key)
        if at is not None:
            line[at] = dict(node)
            break
    return changed


def branched(node: Mapping[str, Any], *, without: int | None = None, name: str = "") -> dict[str, Any]:
    """A condition or parallel with one branch more (before the last, which needs no condition), or one less."""
    branches = [dict(one) for one in node.get("branches") or () if isinstance(one, Mapping)]
    if without is None:
        branches.insert(max(len(branches) - (node.get("kind") == "condition"), 0), {"name": name, "nodes": []})
    elif 0 <= without < len(branches):
        del branches[without]
    return {**node, "branches": branches}


def free_key(tree: Any) -> str:
    """A key no node has."""
    taken = {card.key for card in cards(tree)}
    number = 1
    while f"n{number}" in taken:
        number += 1
    return f"n{number}"


def _lines(tree: Any) -> Iterator[list[Any]]:
    nodes = tree.get("nodes") if isinstance(tree, dict) else None
    if isinstance(nodes, list):
        yield nodes
        for node in nodes:
            branches = node.get("branches") if isinstance(node, dict) else None
            for inner in branches if isinstance(branches, list) else ():
                yield from _lines(inner)


def _index(line: list[Any], key: str) -> int | None:
    return next((at for at, node in enumerate(line) if isinstance(node, dict) and node.get("key") == key), None)
