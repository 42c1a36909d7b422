"""The engine as a function, driven by the names the rules use."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from saas.approvals.definition import Limit, Rule, RuleKind, parse
from saas.approvals.engine import Act, Assignee, AssigneeKind, Command, Drafter, Refused, State, invariants, step
from saas.approvals.engine.possible import possibilities, return_targets
from saas.approvals.engine.state import Status, Task, TaskState
from tests.approvals.flows import NOW, SPACE, uid
from tests.approvals.model.drawing import EVERYBODY, choices, rendered

Json = dict[str, Any]
NAMES = {uid(name): name for name in (*EVERYBODY, "leader")}
PEOPLE = {uuid5(SPACE, f"person {name}"): name for name in (*EVERYBODY, "leader", "p", "q", "admin")}


def person(name: str) -> UUID:
    """The id of a person."""
    return uuid5(SPACE, f"person {name}")


def post(name: str) -> Assignee:
    """A post as an assignee."""
    return Assignee(AssigneeKind.POST, uid(name))


class World:
    """`Facts` from a dictionary of names."""

    def __init__(self, held: dict[str, tuple[str, ...]]) -> None:
        self.held = dict(held)

    def assignees(self, rule: Rule, state: State) -> tuple[Assignee, ...]:
        """Posts by id, and a leader once there is one."""
        if rule.kind is RuleKind.UNIT_LEADER:
            return (post("leader"),) if "leader" in self.held else ()
        return (Assignee(AssigneeKind.POST, UUID(rule.id)),)

    def know(self, assignees: tuple[Assignee, ...]) -> None:
        """Everything is known."""

    def holders(self, assignee: Assignee) -> frozenset[UUID]:
        """Who holds a post."""
        name = NAMES[assignee.id]
        people = frozenset(person(one) for one in self.held.get(name, (name,)))
        return frozenset({assignee.person}) if assignee.person in people and assignee.person else people

    def leader_above(self, of: UUID) -> Assignee | None:
        """The leader, once there is one."""
        return post("leader") if "leader" in self.held else None

    def due(self, limit: Limit, *, since: datetime, urgency: int) -> datetime | None:
        """Plain days."""
        return since + timedelta(days=limit.days) if limit else None


class Memory:
    """One instance in memory."""

    def __init__(self, nodes: list[Json], *, held: dict[str, tuple[str, ...]], values: Json) -> None:
        self.flow = parse({"nodes": rendered(nodes, lambda name: str(uid(name)))})
        self.world = World(held)
        self.now = NOW
        drafter = Drafter(person=person("drafter"), post=uid("drafter"), unit=uid("unit"))
        self.state = State(id=uid("instance"), drafter=drafter, values=values)
        chosen = {key: tuple(post(name) for name in names) for key, names in choices(nodes).items()}
        self._step(Act.START, by="drafter", chosen=chosen)

    # --- what is done ----------------------------------------------------------------------------------------

    def possible_here(self, name: str, args: Json) -> bool:
        """The engine does not ask who acts."""
        return True

    def new_version(self) -> None:
        """A running instance has its definition already."""

    def time_passes(self) -> None:
        """A month goes by."""
        self.now += timedelta(days=30)

    def do(self, name: str, args: Json) -> bool:
        """Do one thing in the rules' words; whether the engine accepted it."""
        try:
            getattr(self, f"_{name}")(**args)
        except Refused:
            return False
        return True

    def _step(self, act: Act, *, by: str = "admin", task: Task | None = None, **more: Any) -> None:
        self.now += timedelta(minutes=1)
        command = Command(
            act=act, now=self.now, person=person(by), post=uid(by), task=task.id if task else None, **more
        )
        before = self.state
        changes = step(self.flow, before, command, self.world)
        self.state = changes.after
        assert self.state.acts == before.acts + 1
        assert {task.id for task in before.tasks} <= {task.id for task in self.state.tasks}

    def _task(self, key: str, who: str) -> Task:
        for task in self.state.live_tasks():
            if task.node == key and task.assignee.id == uid(who):
                return task
        raise AssertionError((key, who))

    def _agree(self, key: str, who: str, person: str, amount: Any = None) -> None:
        before = self.state
        if amount is not None and key == "start":
            self.state = replace(before, values={**before.values, "amount": amount})
        try:
            self._step(Act.AGREE, by=person, task=self._task(key, who))
        except Refused:
            self.state = before
            raise

    def _disagree(self, key: str, who: str, person: str) -> None:
        self._step(Act.DISAGREE, by=person, task=self._task(key, who))

    def _return(self, key: str, who: str, target: str, straight: bool) -> None:
        self._step(Act.RETURN, task=self._task(key, who), node=target, straight=straight)

    def _transfer(self, key: str, who: str, to: str) -> None:
        self._step(Act.TRANSFER, task=self._task(key, who), to=(post(to),))

    def _reassign(self, key: str, who: str, to: str) -> None:
        self._step(Act.REASSIGN, task=self._task(key, who), to=(post(to),))

    def _add(self, act: str, key: str, who: str, person: str, to: list[str]) -> None:
        self._step(Act(act), by=person, task=self._task(key, who), to=tuple(post(name) for name in to))

    def _remove(self, key: str, who: str) -> None:
        self._step(Act.REMOVE, task=self._task(key, who))

    def _circulate(self, key: str, who: str) -> None:
        self._step(Act.CIRCULATE, task=self._task(key, who), to=(post("e"),))

    def _urge(self) -> None:
        self._step(Act.URGE)

    def _look(self, key: str, who: str) -> None:
        self.state = self.state.with_tasks([replace(self._task(key, who), seen=True)])

    def _holders(self, who: str, people: tuple[str, ...]) -> None:
        self.world.held[who] = people
        with contextlib.suppress(Refused):  # When nothing follows from it.
            self._step(Act.HOLDERS_CHANGED)

    def _suspend(self) -> None:
        self._step(Act.SUSPEND)

    def _resume(self) -> None:
        self.now += timedelta(days=1)
        self._step(Act.RESUME)

    def _terminate(self) -> None:
        self._step(Act.TERMINATE)

    def _pass(self, key: str) -> None:
        self._step(Act.PASS, node=key)

    def _fill(self, key: str, to: list[str]) -> None:
        self._step(Act.REASSIGN, node=key, to=tuple(post(name) for name in to))

    def _jump(self, target: str) -> None:
        self._step(Act.JUMP, node=target)

    def _retry(self, key: str) -> None:
        self._step(Act.RETRY, node=key)

    def _worked(self, key: str) -> None:
        sub = key in self.flow.places and type(self.flow.node(key)).__name__ == "SubFlow"
        self._step(Act.SUB_FLOW_ENDED if sub else Act.AUTOMATIC_DONE, node=key)

    def _failed(self, key: str) -> None:
        self._step(Act.AUTOMATIC_FAILED, node=key, detail="no")

    def _withdraw(self, task: Task, person: str) -> None:
        self._step(Act.WITHDRAW, by=person, task=task)

    # --- what is seen ----------------------------------------------------------------------------------------

    def dead_task_refuses_everything(self, number: int) -> None:
        """An act on a task that is not open is refused."""
        dead = [task for task in self.state.tasks if task.state is not TaskState.OPEN]
        if not dead:
            return
        task = dead[number % len(dead)]
        for one in possibilities(self.flow, self.state, task):
            assert not one.possible
            before = self.state
            try:
                self._step(one.act, task=task, to=(post("e"),), node="start")
            except Refused:
                assert self.state is before
            else:
                message = f"{one.act} on a task that is {task.state}"
                raise AssertionError(message)

    def agreements(self) -> list[Task]:
        """Every task somebody agreed to, in any round."""
        return [task for task in self.state.tasks if task.vote == "agree"]

    def described(self, task: Task) -> tuple[str, str, str, str]:
        """Node, post, kind and person of a task that was done."""
        done_by = PEOPLE[task.done_by] if task.done_by else ""
        return task.node, NAMES[task.assignee.id], task.kind.value, done_by

    def latest(self, task: Task) -> bool:
        """Whether it is the last of its kind for its post in the node's present round."""
        mine = (task.node, task.assignee.id, task.kind)
        same = [t for t in self.agreements() if (t.node, t.assignee.id, t.kind) == mine]
        newest = task is max(same, key=lambda t: t.closed_by)
        return newest and task.round == self.state.rounds.get(task.node)

    @property
    def status(self) -> str:
        """Where it stands as a whole."""
        return self.state.status.value

    def live(self) -> list[tuple[str, str, str, str]]:
        """Who has a task: node, post, kind, state."""
        tasks = self.state.live_tasks()
        return sorted((t.node, NAMES[t.assignee.id], t.kind.value, t.state.value) for t in tasks)

    def votes(self) -> list[tuple[str, str, str, str]]:
        """What was said at the nodes it stands at."""
        tasks = (task for key in self.state.active for task in self.state.at(key) if task.vote)
        return sorted((t.node, NAMES[t.assignee.id], t.kind.value, t.vote.value if t.vote else "") for t in tasks)

    def holds(self) -> dict[str, str]:
        """Why nodes wait."""
        return {key: at.hold.reason.value for key, at in self.state.active.items() if at.hold}

    def offers(self, key: str, who: str) -> set[str]:
        """What a page would offer on a task."""
        found = possibilities(self.flow, self.state, self._task(key, who))
        return {one.act.value for one in found if one.possible}

    def returnable(self, key: str, who: str) -> list[str]:
        """Where a page would let it be returned to."""
        return return_targets(self.flow, self.state, self._task(key, who), now=self.now, facts=self.world)

    def broken(self) -> list[str]:
        """What the engine's own invariants say, and those only a look from outside tells."""
        found = invariants.check(self.flow, self.state)
        asked = [(task.node, task.assignee.id) for task in self.state.live_tasks()]
        if len(asked) != len(set(asked)):
            found.append("somebody is asked twice for the same")
        if self.state.status in {Status.FINISHED, Status.TERMINATED} and asked:
            found.append("ended with live tasks")
        return found
