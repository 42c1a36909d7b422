"""The list editor's changes to a definition as it is written: pure, and at ease with one that is not yet valid."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Card:
    """One node as the list shows it: its JSON, and how many branches it is inside of."""

    node: Mapping[str, Any]
    depth: int
    branch: str = ""

    @property
    def key(self) -> str:
        """The node's key, empty while it has none."""
        return str(self.node.get("key", ""))


def cards(tree: Any, *, depth: int = 0, branch: str = "") -> Iterator[Card]:
    """Every node in reading order; what is no node is left out."""
    nodes = tree.get("nodes") if isinstance(tree, Mapping) else None
    for node in nodes if isinstance(nodes, list) else ():
        if not isinstance(node, Mapping):
            continue
        yield Card(node, depth, branch)
        branches = node.get("branches")
        if depth < DEEPEST_SHOWN:
            for inner in branches if isinstance(branches, list) else ():
                name = str(inner.get("name", "")) if isinstance(inner, Mapping) else ""
                yield from cards(inner, depth=depth + 1, branch=name)


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


def added(tree: Any, node: Mapping[str, Any]) -> Any:
    """The definition with a node before its end."""
    changed = copy.deepcopy(tree) if isinstance(tree, dict) else {}
    nodes = changed.setdefault("nodes", [])
    if isinstance(nodes, list):
        ends = bool(nodes) and isinstance(nodes[-1], Mapping) and nodes[-1].get("kind") == "end"
        nodes.insert(len(nodes) - ends, dict(node))
    return changed


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
            for inner in node.get("branches") or () if isinstance(node, dict) else ():
                yield from _lines(inner)


def _index(line: list[Any], key: str) -> int | None:
    return next((at for at, node in enumerate(line) if isinstance(node, dict) and node.get("key") == key), None)
