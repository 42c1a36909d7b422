"""Every act in any order: whether it is accepted, and what follows, must be as the rules say."""

from __future__ import annotations

from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.approvals.model import drawing
from tests.approvals.model.places import ON_TASK, Entry, NoError, Signer
from tests.approvals.model.rules import Rules

Json = dict[str, Any]
Row = tuple[str, str, str, str]


class Ground(Protocol):
    """Where the engine runs: in memory, or with everything around it on PostgreSQL."""

    def do(self, name: str, args: Json) -> bool:
        """Do one thing; whether it was accepted."""

    def possible_here(self, name: str, args: Json) -> bool:
        """Whether anybody, or anything, could try it there."""

    def new_version(self) -> None:
        """Another version of the flow is published."""

    def time_passes(self) -> None:
        """Limits pass."""

    def dead_task_refuses_everything(self, number: int) -> None:
        """Acts on a task that is not open are refused."""

    def agreements(self) -> list[Any]:
        """Every task somebody agreed to, in any round."""

    def described(self, task: Any) -> Row:
        """Node, post, kind and person of such a task."""

    def latest(self, task: Any) -> bool:
        """Whether it is the last of its kind."""

    @property
    def status(self) -> str:
        """Where the instance stands as a whole."""

    def live(self) -> list[Row]:
        """Who has a task."""

    def votes(self) -> list[Row]:
        """What was said where it stands."""

    def holds(self) -> dict[str, str]:
        """Why nodes wait."""

    def offers(self, key: str, who: str) -> set[str]:
        """What a page would offer."""

    def returnable(self, key: str, who: str) -> list[str]:
        """Where it could be returned to."""

    def broken(self) -> list[str]:
        """Invariants that do not hold."""


class FlowMachine(RuleBasedStateMachine):
    """One instance after another, acted on at random."""

    ground: Ground
    rules_: Rules

    def begin(self, nodes: list[Json], held: dict[str, tuple[str, ...]], values: Json) -> Ground:
        """A new instance on the ground."""
        raise NotImplementedError

    @initialize(nodes=drawing.trees(), held=drawing.holdings(), amount=st.sampled_from([0, 1, 1, None]))
    def start_first(self, nodes: list[Json], held: dict[str, tuple[str, ...]], amount: int | None) -> None:
        """The drafter submits."""
        self.start(nodes, held, amount)

    def start(self, nodes: list[Json], held: dict[str, tuple[str, ...]], amount: int | None) -> None:
        """A new instance, in the rules and on the ground."""
        values = {} if amount is None else {"amount": amount}
        self.nodes = nodes
        self.rules_ = Rules(nodes, held=held, chosen=drawing.choices(nodes), values=values)
        self.ground = self.begin(nodes, held, values)

    @precondition(lambda self: hasattr(self, "rules_") and not self.going())
    @rule(nodes=drawing.trees(), held=drawing.holdings(), amount=st.sampled_from([0, 1, 1, None]))
    def start_another(self, nodes: list[Json], held: dict[str, tuple[str, ...]], amount: int | None) -> None:
        """Once one has ended, the next begins."""
        self.start(nodes, held, amount)

    # --- helpers ---------------------------------------------------------------------------------------------

    def going(self) -> bool:
        """Whether it still runs."""
        return hasattr(self, "rules_") and self.rules_.status in {"running", "suspended"}

    def try_(self, name: str, **args: Any) -> None:
        """Do it in both; both must agree on whether it can be done."""
        if not self.ground.possible_here(name, args):
            return
        try:
            self.rules_.do(Entry(name, args))
            possible = True
        except NoError:
            possible = False
        accepted = self.ground.do(name, args)
        assert accepted == possible, f"{name} {args}: the engine says {accepted}, the rules {possible}"

    def somebody(self, data: st.DataObject) -> tuple[str, str, str]:
        """Somebody with a task at a held post: node, post and one of its holders."""
        rows = self.rules_.live()
        key, who, _kind, _state = data.draw(st.sampled_from(rows))
        return key, who, self.holder(key, who, data)

    def holder(self, key: str, who: str, data: st.DataObject) -> str:
        """One of a post's holders, or its name when there is none."""
        narrowed = next((s.narrowed for spot in self.rules_.spots() for s in spot.live() if s.who == who), "")
        return str(data.draw(st.sampled_from(sorted(self.rules_.holders(who, narrowed)) or ["p"])))

    def keys(self, data: st.DataObject) -> str:
        """Any node of the flow."""
        return str(data.draw(st.sampled_from(list(self.rules_.paths))))

    def standing(self, data: st.DataObject) -> str:
        """A node the flow stands at, mostly."""
        keys = [spot.key for spot in self.rules_.spots()]
        return str(data.draw(st.sampled_from(keys * 4 + list(self.rules_.paths)[:1])))

    def has_tasks(self) -> bool:
        """Whether anybody has a task."""
        return self.going() and bool(self.rules_.live())

    # --- acts ------------------------------------------------------------------------------------------------

    @precondition(has_tasks)
    @rule(data=st.data(), amount=st.sampled_from([None, 0, 1]))
    def agree(self, data: st.DataObject, amount: int | None) -> None:
        key, who, person = self.somebody(data)
        self.try_("agree", key=key, who=who, person=person, amount=amount)

    @precondition(has_tasks)
    @rule(data=st.data())
    def agree_again(self, data: st.DataObject) -> None:
        """So that flows come far."""
        key, who, person = self.somebody(data)
        self.try_("agree", key=key, who=who, person=person)

    @precondition(has_tasks)
    @rule(data=st.data())
    def disagree(self, data: st.DataObject) -> None:
        key, who, person = self.somebody(data)
        self.try_("disagree", key=key, who=who, person=person)

    @precondition(has_tasks)
    @rule(data=st.data(), straight=st.booleans())
    def send_back(self, data: st.DataObject, straight: bool) -> None:
        key, who, _person = self.somebody(data)
        target = data.draw(st.sampled_from(self.rules_.returnable(key) * 3 + list(self.rules_.paths)))
        self.try_("return", key=key, who=who, target=target, straight=straight)

    @precondition(has_tasks)
    @rule(data=st.data(), to=st.sampled_from(drawing.EVERYBODY))
    def transfer(self, data: st.DataObject, to: str) -> None:
        key, who, _person = self.somebody(data)
        self.try_("transfer", key=key, who=who, to=to)

    @precondition(has_tasks)
    @rule(
        data=st.data(),
        act=st.sampled_from(["delegate", "add_before", "add_after", "add_beside"]),
        to=st.lists(st.sampled_from(drawing.EVERYBODY), max_size=2),
    )
    def add(self, data: st.DataObject, act: str, to: list[str]) -> None:
        key, who, person = self.somebody(data)
        self.try_("add", act=act, key=key, who=who, person=person, to=to)

    @precondition(has_tasks)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        rows = self.rules_.live()
        added = [row for row in rows if row[2] not in {"own", "start"}]
        key, who, _kind, _state = data.draw(st.sampled_from(added * 4 + rows))
        self.try_("remove", key=key, who=who)

    @precondition(has_tasks)
    @rule(data=st.data())
    def circulate(self, data: st.DataObject) -> None:
        key, who, _person = self.somebody(data)
        self.try_("circulate", key=key, who=who)

    @precondition(has_tasks)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        key, who, _person = self.somebody(data)
        self.try_("look", key=key, who=who)

    @precondition(has_tasks)
    @rule(data=st.data())
    def advise(self, data: st.DataObject) -> None:
        """So that those asked for advice are heard."""
        rows = [row for row in self.rules_.live() if row[2] in {"before", "delegated"}]
        if rows:
            key, who, _kind, _state = data.draw(st.sampled_from(rows))
            self.try_("agree", key=key, who=who, person=self.holder(key, who, data))

    @precondition(lambda self: hasattr(self, "rules_"))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Of all agreements ever given; those of rounds that were taken back must be refused."""
        tasks = self.ground.agreements()
        if not tasks:
            return
        standing = {row: one for one in self.rules_.agreed() for row in [self.row(one)]}
        fresh = [task for task in tasks if self.ground.latest(task) and self.ground.described(task) in standing]
        task = data.draw(st.sampled_from(range(len(tasks + fresh * 3))).map(lambda at: (tasks + fresh * 3)[at]))
        row = self.ground.described(task)
        one = standing.get(row) if self.ground.latest(task) else None
        person = data.draw(st.sampled_from([row[3], row[3], row[3], "p"]))
        before = self.rules_.status
        possible = False
        if one is not None:
            try:
                self.rules_.do(Entry("withdraw", {"one": one, "person": person}))
                possible = True
            except NoError:
                pass
        accepted = self.ground.do("withdraw", {"task": task, "person": person})
        assert accepted == possible, f"withdrawing {row} by {person}: engine {accepted}, rules {possible} ({before})"

    def row(self, one: Signer) -> Row:
        """Node, post, kind and person of an agreement."""
        spots = [*self.rules_.spots(), *self.rules_.left.values()]
        key = next(spot.key for spot in spots if one in spot.signers)
        return key, one.who, one.kind, one.person

    # --- the administrator and the clock -----------------------------------------------------------------------

    @precondition(going)
    @rule(data=st.data())
    def urge(self, data: st.DataObject) -> None:
        self.try_("urge")

    @precondition(going)
    @rule()
    def suspend(self) -> None:
        self.try_("suspend")

    @precondition(lambda self: self.going() and self.rules_.status == "suspended")
    @rule()
    def resume(self) -> None:
        self.try_("resume")

    @precondition(lambda self: self.going() and self.rules_.status == "suspended")
    @rule()
    def resume_soon(self) -> None:
        """So that flows do not stay suspended."""
        self.try_("resume")

    @precondition(going)
    @rule(sure=st.integers(0, 5))
    def terminate(self, sure: int) -> None:
        if sure == 5:
            self.try_("terminate")

    @precondition(has_tasks)
    @rule(data=st.data(), to=st.sampled_from(drawing.EVERYBODY))
    def reassign(self, data: st.DataObject, to: str) -> None:
        key, who, _person = self.somebody(data)
        self.try_("reassign", key=key, who=who, to=to)

    @precondition(going)
    @rule(data=st.data(), to=st.lists(st.sampled_from(drawing.EVERYBODY), max_size=3))
    def fill(self, data: st.DataObject, to: list[str]) -> None:
        self.try_("fill", key=self.standing(data), to=to)

    @precondition(going)
    @rule(data=st.data())
    def let_pass(self, data: st.DataObject) -> None:
        self.try_("pass", key=self.standing(data))

    @precondition(going)
    @rule(data=st.data())
    def jump(self, data: st.DataObject) -> None:
        self.try_("jump", target=self.keys(data))

    @precondition(going)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        self.try_("retry", key=self.standing(data))

    @precondition(going)
    @rule(data=st.data())
    def work(self, data: st.DataObject) -> None:
        self.try_("worked", key=self.standing(data))

    @precondition(going)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        self.try_("failed", key=self.standing(data))

    @precondition(going)
    @rule(who=st.sampled_from((*drawing.EVERYBODY, "leader")), people=drawing.people())
    def change_holders(self, who: str, people: tuple[str, ...]) -> None:
        self.try_("holders", who=who, people=people)

    @precondition(going)
    @rule()
    def publish(self) -> None:
        self.ground.new_version()

    @precondition(going)
    @rule()
    def wait(self) -> None:
        self.ground.time_passes()

    @precondition(lambda self: hasattr(self, "rules_"))
    @rule(number=st.integers(0, 100))
    def act_on_what_is_over(self, number: int) -> None:
        self.ground.dead_task_refuses_everything(number)

    @precondition(lambda self: hasattr(self, "rules_") and not self.going())
    @rule(name=st.sampled_from(["urge", "suspend", "resume", "terminate"]))
    def after_the_end(self, name: str) -> None:
        self.try_(name)

    # --- what must hold ----------------------------------------------------------------------------------------

    @invariant()
    def as_the_rules_say(self) -> None:
        """Status, tasks, votes and holds are the same, and nothing is broken."""
        if not hasattr(self, "rules_"):
            return
        rules, ground = self.rules_, self.ground
        assert ground.broken() == []
        assert ground.status == rules.status
        assert ground.live() == rules.live()
        assert ground.votes() == rules.votes()
        if rules.status == "running":
            assert ground.holds() == rules.holds()
        for key, who, kind, state in rules.live():
            if state == "open":
                offered = ground.offers(key, who)
                assert offered == rules.offers(key, who) <= set(ON_TASK)
                if kind != "start":
                    assert ground.returnable(key, who) == rules.returnable(key)
