"""The rules of a flow said a second time, as plainly as possible: what the engine is compared with.

Nothing of the engine is used. The place of a flow is a tree of lines (a parallel has one per branch), joining follows
from its shape, and withdrawing is said as "everything that happened, without that act": the history is played again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.approvals.model.places import (
    ADVISERS,
    DEEPEST,
    KIND_OF,
    LIVE,
    ON_TASK,
    Entry,
    Json,
    NoError,
    Signer,
    Spot,
    depth_of,
    node_at,
    refuse_if,
    same_node,
    spots_in,
    with_all_below,
)
from tests.approvals.model.walking import Walk


class Rules(Walk):
    """One instance."""

    def __init__(
        self,
        nodes: list[Json],
        *,
        held: Mapping[str, tuple[str, ...]],
        chosen: Mapping[str, list[str]],
        values: Json,
        first: str = "start",
    ) -> None:
        super().__init__(nodes, held=held, chosen=chosen, values=values)
        self.given: dict[str, Any] = {"held": dict(held), "chosen": dict(chosen), "values": dict(values)}
        self.history: list[Entry] = []
        self.entry = Entry(first, {})
        self.do(self.entry)

    # --- what is asked of it ---------------------------------------------------------------------------------

    def do(self, entry: Entry) -> None:
        """Let something happen, or raise `NoError`; every rule checks before it changes."""
        self.entry = entry
        entry.final = entry.skipped = False
        getattr(self, f"_{entry.name}")(**entry.args)
        if self.status == "running":
            self._ask_substitutes()
        if entry.name != "withdraw" and not entry.idle:
            self.history.append(entry)

    def live(self) -> list[tuple[str, str, str, str]]:
        """Who has a task: node, post, kind, state."""
        return sorted((spot.key, one.who, one.kind, one.state) for spot in self.spots() for one in spot.live())

    def votes(self) -> list[tuple[str, str, str, str]]:
        """What was said where the flow stands."""
        return sorted(
            (spot.key, one.who, one.kind, one.vote) for spot in self.spots() for one in spot.signers if one.vote
        )

    def holds(self) -> dict[str, str]:
        """Why nodes wait."""
        found = {spot.key: spot.hold for spot in self.spots() if spot.hold}
        return found | {spot.key: "vacant" for spot in self.spots() if not spot.hold and self._unheld(spot)}

    def offers(self, key: str, who: str) -> set[str]:
        """Acts that somebody with a task can do there."""
        spot, one = self._find(key, who)
        if self.status != "running" or one.state != "open":
            return set()
        if one.kind == "start":
            return {"agree", "circulate"}
        found = set(ON_TASK) - set(spot.node.get("forbid", ()))
        if one.kind in ADVISERS:
            found -= {"return", "add_beside", "add_after"}
        return found - set(KIND_OF) if depth_of(one) >= DEEPEST else found

    def returnable(self, key: str) -> list[str]:
        """Where a node can send the matter back to."""
        behind = [one for one in self.paths if one != key and key in self.from_on(one)]
        return [one for one in behind if one == "start" or (one in self.left and self._voted(self.left[one]))]

    def agreed(self) -> list[Signer]:
        """Agreements that stand."""
        spots = [*self.spots(), *self.left.values()]
        return [one for spot in dict.fromkeys(spots) for one in spot.signers if one.vote == "agree"]

    # --- what happens ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        spot = self._arrive(self.nodes[0])
        assert isinstance(spot, Spot)
        self.root.at = spot
        one = spot.signers[0]
        one.state, one.vote, one.person, one.voted = "done", "agree", "drafter", self.entry
        self._leave(spot)

    def _draft(self) -> None:
        self._go()

    def _agree(self, key: str, who: str, person: str, amount: Any = None) -> None:
        spot, one = self._open(key, who, "agree")
        if one.kind == "start" and amount is not None:
            self.values["amount"] = amount
        self._vote(spot, one, "agree", person)

    def _disagree(self, key: str, who: str, person: str) -> None:
        spot, one = self._open(key, who, "disagree")
        self._vote(spot, one, "disagree", person)

    def _vote(self, spot: Spot, one: Signer, vote: str, person: str) -> None:
        one.state, one.vote, one.person, one.voted = "done", vote, person, self.entry
        if one.kind == "start":
            self._leave(spot)
        elif one.kind in ADVISERS:
            self._give_back(one)
        else:
            self._settle(spot)

    def _return(self, key: str, who: str, target: str, straight: bool) -> None:
        _spot, one = self._open(key, who, "return")
        refuse_if(one.kind in ADVISERS or target not in self.returnable(key))
        one.state, one.vote = "done", "return"
        self._back(target, straight=straight)
        self._go()

    def _transfer(self, key: str, who: str, to: str) -> None:
        spot, one = self._open(key, who, "transfer")
        self._check(spot, one.kind, [to])
        self._give(spot, one, to)

    def _reassign(self, key: str, who: str, to: str) -> None:
        self._running()
        spot, one = self._find(key, who)
        self._check(spot, one.kind, [to])
        self._give(spot, one, to)

    def _add(self, act: str, key: str, who: str, person: str, to: list[str]) -> None:
        spot, one = self._open(key, who, act)
        kind = KIND_OF[act]
        refuse_if(depth_of(one) >= DEEPEST or (act == "delegate" and len(to) != 1))
        refuse_if(kind in {"after", "beside"} and one.kind in ADVISERS)
        self._check(spot, kind, to)
        if kind in ADVISERS:
            one.state = "waiting"
        elif kind == "after":
            one.state, one.vote, one.person, one.voted = "done", "agree", person, self.entry
        for name in to:
            new = Signer(name, kind, self.entry, up=one)
            one.added.append(new)
            spot.signers.append(new)

    def _remove(self, key: str, who: str) -> None:
        self._running()
        spot, one = self._find(key, who)
        refuse_if(one.up is None)
        for below in with_all_below(one):
            if below.state in LIVE:
                below.state = "closed"
        if one.kind in ADVISERS:
            self._give_back(one)
        else:
            self._settle(spot)

    def _circulate(self, key: str, who: str) -> None:
        _spot, one = self._open(key, who, "circulate")
        one.seen = True  # Whoever gives it on has opened it.

    def _urge(self) -> None:
        self._running()
        refuse_if(not self.live())

    def _look(self, key: str, who: str) -> None:
        for spot in self.spots():
            for one in spot.live():
                if (spot.key, one.who) == (key, who):
                    one.seen = True

    def _holders(self, who: str, people: tuple[str, ...]) -> None:
        self.held[who] = people
        if self.status == "running":
            self._look_for_people()

    def _suspend(self) -> None:
        self._running()
        self.status = "suspended"

    def _resume(self) -> None:
        refuse_if(self.status != "suspended")
        self.status = "running"
        self._look_for_people()

    def _terminate(self) -> None:
        refuse_if(self.status not in {"running", "suspended"})
        self.status = "terminated"

    def _pass(self, key: str) -> None:
        self._running()
        spot = self._spot(key)
        refuse_if(key == "start")
        self.entry.final = True
        self._leave(spot)

    def _fill(self, key: str, to: list[str]) -> None:
        self._running()
        spot = self._spot(key)
        refuse_if(spot.node["kind"] != "approve" or bool(spot.signers) or not to or len(set(to)) != len(to))
        state = "queued" if spot.node.get("mode") == "order" else "open"
        spot.signers = [Signer(name, "own", self.entry, state) for name in to]
        spot.hold = ""
        self.asked_ever.add(key)
        self.entry.final = True
        self._settle(spot)

    def _jump(self, target: str) -> None:
        self._running()
        refuse_if(target not in self.paths or self._node(target)["kind"] not in {"start", "approve"})
        path = self.paths[target]
        refuse_if(len(path) > 1 and target not in self.asked_ever)
        for depth in range(1, len(path)):
            around = node_at(self.nodes, path[:depth])
            inside = {key for key, other in self.paths.items() if len(other) > depth and same_node(other, path, depth)}
            standing = {spot.key for spot in self.spots()}
            ahead = any(around["key"] in self.from_on(key) for key in standing)
            refuse_if(around["kind"] == "parallel" and ahead and not inside & standing)
        self._back(target, straight=False)
        self._go()

    def _retry(self, key: str) -> None:
        self._running()
        spot = self._spot(key)
        why = self.holds().get(key, "")
        refuse_if(why in {"", "sub_flow"})
        if why == "vacant":
            self.entry.idle = True  # Nobody has come meanwhile, or it would not say so.
        else:
            self._again(spot)

    def _worked(self, key: str) -> None:
        """An automatic act is done, or a sub-flow has ended."""
        self._running()
        spot = self._spot(key)
        refuse_if(spot.node["kind"] not in {"automatic", "subflow"})
        self.entry.final = True
        self._leave(spot)

    def _failed(self, key: str) -> None:
        self._running()
        spot = self._spot(key)
        refuse_if(spot.node["kind"] not in {"automatic", "subflow"})
        spot.hold = "failed"

    def _withdraw(self, one: Signer, person: str) -> None:
        self._running()
        spot = next((s for s in [*self.spots(), *self.left.values()] if one in s.signers), None)
        refuse_if(one.vote != "agree" or one.voted is None or spot is None or one.person != person)
        assert one.voted is not None
        assert spot is not None
        act, standing = one.voted, self.spots()
        at = self.history.index(act)
        refuse_if(any(entry.final for entry in self.history[at:]))
        refuse_if(any(entry.skipped for entry in self.history[at + 1 :]))
        everybody = [(s, other) for s in {*standing, *self.left.values()} for other in s.signers]
        for place, other in everybody:
            if other.by is act and other is not one and other.vote != "skipped":
                refuse_if(place not in standing or other.state not in LIVE or other.seen or bool(other.added))
        if one.kind in ADVISERS:
            assert one.up is not None
            refuse_if(one.up.state != "waiting" and not (one.up.state == "open" and not one.up.seen))
            refuse_if(any(other.by in self.history[at + 1 :] for other in (one.up, *one.up.added)))
        refuse_if(spot not in standing and spot.left_by is not act)
        later = set(self.history[at + 1 :])
        refuse_if(any(other.who == one.who and other.by in later for other in spot.signers))
        behind = self.from_on(spot.key) - {spot.key}
        refuse_if(any(s.key in behind and s.since in later for s in standing))
        refuse_if(any(key in behind and s.left_by in later for key, s in self.left.items()))
        self._play_without(act, spot.key, one.who)

    def _play_without(self, act: Entry, key: str, who: str) -> None:
        first = self.history[0]
        twin = Rules(self.nodes, **self.given, first="draft" if act is first else first.name)
        if act is not first:
            twin._become(first)
        for entry in self.history[1:]:
            if entry is not act:
                try:
                    twin.do(entry)
                except NoError as error:
                    message = f"{entry.name} {entry.args} was built upon what may be withdrawn"
                    raise AssertionError(message) from error
        twin.do(Entry("look", {"key": key, "who": who}))
        twin.asked_ever |= self.asked_ever
        twin.values = self.values  # Taking a submission back does not take back what was written into the matter.
        self.__dict__.update(twin.__dict__)

    def _become(self, first: Entry) -> None:
        """Let the first entry be the very one the other history began with."""
        own, self.history[0] = self.history[0], first
        first.final, first.skipped = own.final, own.skipped
        for spot in [*spots_in(self.root), *self.left.values()]:
            spot.since = first if spot.since is own else spot.since
            spot.left_by = first if spot.left_by is own else spot.left_by
            for one in spot.signers:
                one.by = first if one.by is own else one.by
                one.voted = first if one.voted is own else one.voted
