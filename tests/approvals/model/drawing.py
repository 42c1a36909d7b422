"""What hypothesis draws: definitions with post names instead of ids, and who holds the posts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
POSTS = ("a", "b", "c", "d", "e")
EVERYBODY = ("drafter", *POSTS)
FORBIDDEN = ("transfer", "return", "add_before", "add_after", "add_beside", "delegate")


@st.composite
def trees(draw: Draw) -> list[Json]:
    """The nodes of a definition, from start to end, with at least one approval."""
    numbers = itertools.count(1)
    nodes = [_node(draw, numbers, depth=0) for _ in range(draw(st.integers(1, 4)))]
    if not any(node["kind"] == "approve" for node in _all(nodes)):
        nodes.append(_approval(draw, numbers))
    return [
        {"kind": "start", "key": "start", "name": "拟稿"},
        *nodes,
        {"kind": "end", "key": "end", "name": "结束"},
    ]


def _all(nodes: list[Json]) -> Iterator[Json]:
    for node in nodes:
        yield node
        for branch in node.get("branches", ()):
            yield from _all(branch["nodes"])


def _node(draw: Draw, numbers: Iterator[int], *, depth: int) -> Json:
    inner = ["parallel", "condition"] if depth < 2 else []
    kind = draw(st.sampled_from(["approve"] * 6 + inner * 2 + ["circulate", "subflow", "automatic"]))
    if kind == "approve":
        return _approval(draw, numbers)
    key = f"n{next(numbers)}"
    node: Json = {"kind": kind, "key": key, "name": key}
    match kind:
        case "circulate":
            node["who"] = [{"rule": "post", "id": draw(st.sampled_from(POSTS))}]
        case "subflow":
            node["flow"] = "child"
        case "automatic":
            node["action"] = "work"
        case _:
            node["branches"] = [_branch(draw, numbers, depth, number) for number in range(draw(st.integers(2, 3)))]
            if kind == "condition":
                node["branches"] = node["branches"][:2]
                node["branches"][0]["when"] = [{"field": "amount", "is": "eq", "value": 1}]
    return node


def _branch(draw: Draw, numbers: Iterator[int], depth: int, number: int) -> Json:
    length = draw(st.sampled_from([0, 1, 1, 2, 2]))
    return {"name": str(number), "nodes": [_node(draw, numbers, depth=depth + 1) for _ in range(length)]}


def _approval(draw: Draw, numbers: Iterator[int]) -> Json:
    key = f"n{next(numbers)}"
    asked = draw(st.lists(st.sampled_from(POSTS), min_size=1, max_size=3, unique=True))
    who: list[Json] = [{"rule": "post", "id": name} for name in asked]
    other = draw(st.sampled_from([None] * 8 + ["unit_leader", "drafter", "chosen"]))
    if other is not None:
        rule: Json = {"rule": other, "node": "start"} if other == "chosen" else {"rule": other}
        who = [rule, *who] if other == "drafter" else [rule]
    node: Json = {"kind": "approve", "key": key, "name": key, "who": who}
    mode = draw(st.sampled_from(["single", "all", "any", "share", "number", "order"]))
    node["mode"] = mode
    if mode == "share":
        node["share"] = draw(st.sampled_from([34, 50, 67]))
    if mode == "number":
        node["number"] = draw(st.integers(1, 3))
    for name, usual, others in (
        ("repeat", "ask", ["skip_consecutive", "skip_any"]),
        ("drafter_alone", "ask", ["skip", "leader"]),
        ("on_refused", "return", ["terminate", "continue"]),
    ):
        chosen = draw(st.sampled_from([usual] * 4 + others))
        if chosen != usual:
            node[name] = chosen
    if draw(st.integers(0, 4)) == 4:
        node["vacant"] = "substitute"
        node["substitute"] = draw(st.sampled_from(POSTS))
    if draw(st.integers(0, 7)) == 7:
        node["forbid"] = draw(st.lists(st.sampled_from(FORBIDDEN), max_size=2, unique=True))
    if draw(st.booleans()):
        node["limit"] = {"days": 1}
    return node


def people() -> st.SearchStrategy[tuple[str, ...]]:
    """Who holds a post: mostly somebody, sometimes two, sometimes nobody, sometimes who holds another post too."""
    return st.sampled_from([("p",), ("q",), ("p", "q"), (), ("drafter",), ("a",), ("b",)])


def holdings() -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    """Who holds what at the beginning; a post not named is held by the person of its name."""
    return st.dictionaries(st.sampled_from(POSTS), people(), max_size=2)


def choices(nodes: list[Json]) -> dict[str, list[str]]:
    """What the drafter chooses for every node that asks for it."""
    asking = (node for node in _all(nodes) if any(rule["rule"] == "chosen" for rule in node.get("who", ())))
    return {node["key"]: [POSTS[sum(map(ord, node["key"])) % 5], "e"][: 1 + len(node["key"]) % 2] for node in asking}


def rendered(nodes: list[Json], name_to_id: Callable[[str], str]) -> list[Json]:
    """The same nodes with ids in place of names, as the definition's JSON wants them."""

    def one(node: Json) -> Json:
        new = dict(node)
        if "who" in node:
            new["who"] = [{**rule, "id": name_to_id(rule["id"])} if "id" in rule else rule for rule in node["who"]]
        if "substitute" in node:
            new["substitute"] = name_to_id(node["substitute"])
        if "branches" in node:
            new["branches"] = [{**b, "nodes": [one(inner) for inner in b["nodes"]]} for b in node["branches"]]
        return new

    return [one(node) for node in nodes]
