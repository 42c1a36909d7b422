"""Definitions and an in-memory world for the engine's tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from saas.approvals.definition import Flow, Limit, Rule, RuleKind, parse
from saas.approvals.engine import Act, Assignee, AssigneeKind, Changes, Command, Drafter, State, step
from saas.approvals.engine.state import Task

SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def uid(name: str) -> UUID:
    """A stable id for a name."""
    return uuid5(SPACE, name)


def post(name: str) -> Assignee:
    """The post of that name."""
    return Assignee(AssigneeKind.POST, uid(name))


def approve(key: str, *posts: str, **more: Any) -> dict[str, Any]:
    """An approval by named posts."""
    who = [{"rule": "post", "id": str(uid(one))} for one in posts]
    return {"kind": "approve", "key": key, "name": key, "who": who, **more}


def flow_json(*nodes: dict[str, Any]) -> dict[str, Any]:
    """Start, the nodes, end."""
    start = {"kind": "start", "key": "start", "name": "拟稿"}
    end = {"kind": "end", "key": "end", "name": "结束"}
    return {"nodes": [start, *nodes, end]}


def flow(*nodes: dict[str, Any]) -> Flow:
    """The same, parsed."""
    return parse(flow_json(*nodes))


def parallel(key: str, *branches: list[dict[str, Any]]) -> dict[str, Any]:
    """Branches walked at once."""
    named = [{"name": str(n), "nodes": nodes} for n, nodes in enumerate(branches)]
    return {"kind": "parallel", "key": key, "name": key, "branches": named}


def condition(key: str, field: str, value: Any, yes: list[dict[str, Any]], no: list[dict[str, Any]]) -> dict[str, Any]:
    """Two branches by one comparison."""
    branches = [
        {"name": "yes", "when": [{"field": field, "is": "eq", "value": value}], "nodes": yes},
        {"name": "no", "nodes": no},
    ]
    return {"kind": "condition", "key": key, "name": key, "branches": branches}


class World:
    """`Facts` from plain dictionaries: a post named X is held by the person named X unless told otherwise."""

    def __init__(self, held: Mapping[str, Iterable[str]] | None = None) -> None:
        self.held = {uid(name): frozenset(uid(f"person {p}") for p in people) for name, people in (held or {}).items()}
        self.everybody: dict[UUID, frozenset[UUID]] = {}

    def assignees(self, rule: Rule, state: State) -> tuple[Assignee, ...]:
        """Posts by id; no other rule is answered here."""
        assert rule.kind is RuleKind.POST
        return (Assignee(AssigneeKind.POST, UUID(rule.id)),)

    def know(self, assignees: tuple[Assignee, ...]) -> None:
        """Everything is known."""

    def holders(self, assignee: Assignee) -> frozenset[UUID]:
        """Who holds a post."""
        return self.held.get(assignee.id, frozenset({uuid5(assignee.id, "holder")}))

    def leader_above(self, of: UUID) -> Assignee | None:
        """The post named leader."""
        return post("leader")

    def due(self, limit: Limit, *, since: datetime, urgency: int) -> datetime | None:
        """Plain days."""
        return since + timedelta(days=limit.days, hours=limit.hours) if limit else None


class Case:
    """One instance driven by names: posts act by name, time moves a minute an act."""

    def __init__(self, definition: Flow, world: World | None = None, **values: Any) -> None:
        self.flow = definition
        self.world = world or World()
        self.now = NOW
        drafter = Drafter(person=uid("person drafter"), post=uid("drafter"), unit=uid("unit"))
        self.state = State(id=uid("instance"), drafter=drafter, values=values)
        self.effects: list[Any] = []
        self.run(Act.START, by="drafter")

    def run(self, act: Act, *, by: str, task: Task | None = None, **more: Any) -> Changes:
        """Do an act as the holder of a post."""
        self.now += timedelta(minutes=1)
        command = Command(
            act=act, now=self.now, person=uid(f"person {by}"), post=uid(by), task=task.id if task else None, **more
        )
        changes = step(self.flow, self.state, command, self.world)
        self.state = changes.after
        self.effects = list(changes.effects)
        return changes

    def task(self, by: str, node: str = "") -> Task:
        """The live task of a post."""
        found = [t for t in self.state.live_tasks() if t.assignee.id == uid(by) and node in {"", t.node}]
        assert len(found) == 1, f"{by} has {len(found)} live tasks"
        return found[0]

    def act(self, act: Act, by: str, **more: Any) -> Changes:
        """Do an act on the live task of a post."""
        return self.run(act, by=by, task=self.task(by), **more)

    def last(self, by: str) -> Task:
        """The last task a post has done."""
        return max((t for t in self.state.tasks if t.done_post == uid(by)), key=lambda t: t.closed_by)

    @property
    def asked(self) -> list[str]:
        """Posts with an open task, by the names used so far."""
        return sorted(NAMES.get(t.assignee.id, "?") for t in self.state.tasks if t.state == "open")


NAMES = {uid(name): name for name in ["drafter", "leader", *"abcdefgh", *"pqrstuvwxyz"]}
