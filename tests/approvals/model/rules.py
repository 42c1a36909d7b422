"""The rules of a flow said a second time, as plainly as possible: what the engine is compared with.

Nothing of the engine is used. The place of a flow is a tree of lines (a parallel has one per branch), joining follows
from its shape, and withdrawing is said as "everything that happened, without that act": the history is played again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class Rules:
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
        self.given: dict[str, Any] = {"held": dict(held), "chosen": dict(chosen), "values": dict(values)}
        self.nodes = nodes
        self.paths = dict(_paths(nodes, ()))
        self.held = dict(held)
        self.chosen = chosen
        self.values = dict(values)
        self.status = "running"
        self.root = Line(nodes)
        self.left: dict[str, Spot] = {}
        self.asked_ever: set[str] = set()
        self.arriving: dict[str, list[Any]] = {}
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

    def spots(self) -> list[Spot]:
        """Where the flow stands."""
        return [] if self.status in {"finished", "terminated"} else list(_spots(self.root))

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
        return found - set(KIND_OF) if _depth(one) >= DEEPEST else found

    def returnable(self, key: str) -> list[str]:
        """Where a node can send the matter back to."""
        behind = [one for one in self.paths if one != key and key in self.from_on(one)]
        return [one for one in behind if one == "start" or (one in self.left and self._voted(self.left[one]))]

    def agreed(self) -> list[Signer]:
        """Agreements that stand."""
        spots = [*self.spots(), *self.left.values()]
        return [one for spot in dict.fromkeys(spots) for one in spot.signers if one.vote == "agree"]

    def holders(self, who: str, narrowed: str = "") -> set[str]:
        """Who holds a post."""
        people = set(self.held.get(who, (who,)))
        return {narrowed} if narrowed in people else people

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
        _no(one.kind in ADVISERS or target not in self.returnable(key))
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
        _no(_depth(one) >= DEEPEST or (act == "delegate" and len(to) != 1))
        _no(kind in {"after", "beside"} and one.kind in ADVISERS)
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
        _no(one.up is None)
        for below in _with_all_below(one):
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
        _no(not self.live())

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
        _no(self.status != "suspended")
        self.status = "running"
        self._look_for_people()

    def _terminate(self) -> None:
        _no(self.status not in {"running", "suspended"})
        self.status = "terminated"

    def _pass(self, key: str) -> None:
        self._running()
        spot = self._spot(key)
        _no(key == "start")
        self.entry.final = True
        self._leave(spot)

    def _fill(self, key: str, to: list[str]) -> None:
        self._running()
        spot = self._spot(key)
        _no(spot.node["kind"] != "approve" or bool(spot.signers) or not to or len(set(to)) != len(to))
        state = "queued" if spot.node.get("mode") == "order" else "open"
        spot.signers = [Signer(name, "own", self.entry, state) for name in to]
        spot.hold = ""
        self.asked_ever.add(key)
        self.entry.final = True
        self._settle(spot)

    def _jump(self, target: str) -> None:
        self._running()
        _no(target not in self.paths or self._node(target)["kind"] not in {"start", "approve"})
        path = self.paths[target]
        _no(len(path) > 1 and target not in self.asked_ever)
        for depth in range(1, len(path)):
            around = _at(self.nodes, path[:depth])
            inside = {key for key, other in self.paths.items() if len(other) > depth and _same_node(other, path, depth)}
            standing = {spot.key for spot in self.spots()}
            ahead = any(around["key"] in self.from_on(key) for key in standing)
            _no(around["kind"] == "parallel" and ahead and not inside & standing)
        self._back(target, straight=False)
        self._go()

    def _retry(self, key: str) -> None:
        self._running()
        spot = self._spot(key)
        why = self.holds().get(key, "")
        _no(why in {"", "sub_flow"})
        if why == "vacant":
            self.entry.idle = True  # Nobody has come meanwhile, or it would not say so.
        else:
            self._again(spot)

    def _worked(self, key: str) -> None:
        """An automatic act is done, or a sub-flow has ended."""
        self._running()
        spot = self._spot(key)
        _no(spot.node["kind"] not in {"automatic", "subflow"})
        self.entry.final = True
        self._leave(spot)

    def _failed(self, key: str) -> None:
        self._running()
        spot = self._spot(key)
        _no(spot.node["kind"] not in {"automatic", "subflow"})
        spot.hold = "failed"

    def _withdraw(self, one: Signer, person: str) -> None:
        self._running()
        spot = next((s for s in [*self.spots(), *self.left.values()] if one in s.signers), None)
        _no(one.vote != "agree" or one.voted is None or spot is None or one.person != person)
        assert one.voted is not None
        assert spot is not None
        act, standing = one.voted, self.spots()
        at = self.history.index(act)
        _no(any(entry.final for entry in self.history[at:]))
        _no(any(entry.skipped for entry in self.history[at + 1 :]))
        everybody = [(s, other) for s in {*standing, *self.left.values()} for other in s.signers]
        for place, other in everybody:
            if other.by is act and other is not one and other.vote != "skipped":
                _no(place not in standing or other.state not in LIVE or other.seen or bool(other.added))
        if one.kind in ADVISERS:
            assert one.up is not None
            _no(one.up.state != "waiting" and not (one.up.state == "open" and not one.up.seen))
            _no(any(other.by in self.history[at + 1 :] for other in (one.up, *one.up.added)))
        _no(spot not in standing and spot.left_by is not act)
        later = set(self.history[at + 1 :])
        _no(any(other.who == one.who and other.by in later for other in spot.signers))
        behind = self.from_on(spot.key) - {spot.key}
        _no(any(s.key in behind and s.since in later for s in standing))
        _no(any(key in behind and s.left_by in later for key, s in self.left.items()))
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
        for spot in [*_spots(self.root), *self.left.values()]:
            spot.since = first if spot.since is own else spot.since
            spot.left_by = first if spot.left_by is own else spot.left_by
            for one in spot.signers:
                one.by = first if one.by is own else one.by
                one.voted = first if one.voted is own else one.voted

    # --- coming to a node and leaving it -----------------------------------------------------------------------

    def _go(self) -> None:
        """Walk on wherever the flow can."""
        while True:
            try:
                over = self._walk(self.root)
            except _MovedError:
                continue
            if over and self.status == "running":
                self.status = "finished"
            return

    def _walk(self, line: Line) -> bool:
        while line.i < len(line.nodes):
            if line.at is None:
                line.at = self._arrive(line.nodes[line.i])
            if isinstance(line.at, list):
                ended = [self._walk(branch) for branch in line.at]  # Every branch is walked, whatever the others do.
                if not all(ended):
                    return False
            elif not line.at.done:
                return False
            elif line.at.straight:
                ways, line.at.straight = line.at.straight, []
                self.entry.final = True
                for key, further in ways:
                    self.arriving[key] = further
                    self._place(key)
                raise _MovedError
            line.i += 1
            line.at = None
        return True

    def _arrive(self, node: Json) -> Spot | list[Line]:
        spot = Spot(node, self.entry, straight=self.arriving.pop(node["key"], []))
        match node["kind"]:
            case "start":
                spot.signers = [Signer("drafter", "start", self.entry, narrowed="drafter")]
            case "approve":
                self._arrive_at_approval(spot)
            case "automatic" | "subflow":
                self.entry.final = True
                spot.hold = "automatic" if node["kind"] == "automatic" else "sub_flow"
            case "parallel":
                return [Line(branch["nodes"]) for branch in node["branches"]]
            case "condition":
                if self.values.get("amount") is None:
                    self.entry.final = True
                    spot.hold = "condition"
                else:
                    number = 0 if self.values["amount"] == 1 else 1
                    return [Line(node["branches"][number]["nodes"], branch=number)]
            case _:
                spot.done = True
        if spot.signers:
            self.asked_ever.add(spot.key)
        return spot

    def _arrive_at_approval(self, spot: Spot) -> None:
        node = spot.node
        found = self._who(node)
        if not found:
            spot.hold = "not_chosen" if any(rule["rule"] == "chosen" for rule in node["who"]) else "nobody"
            return
        asked: dict[str, str] = {}
        for who, narrowed in found:
            if node.get("vacant") == "substitute" and not self.holders(who):
                asked.setdefault(node["substitute"], "")
            else:
                asked.setdefault(who, narrowed)
        alone = len(asked) == 1 and self.holders(*next(iter(asked.items()))) == {"drafter"}
        if alone and node.get("drafter_alone") == "leader" and "leader" in self.held:
            asked, alone = {"leader": ""}, self.holders("leader") == {"drafter"}
        for who, narrowed in asked.items():
            state = "queued" if node.get("mode") == "order" else "open"
            one = Signer(who, "own", self.entry, state, narrowed)
            spot.signers.append(one)
            if (alone and node.get("drafter_alone") == "skip") or self._repeats(node, one):
                one.state, one.vote = "done", "skipped"
                self.entry.skipped = True
        if self._decided(spot):
            self._mark_left(spot)

    def _who(self, node: Json) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for rule in node["who"]:
            match rule["rule"]:
                case "post":
                    found.append((rule["id"], ""))
                case "drafter":
                    found.append(("drafter", "drafter"))
                case "chosen":
                    found += [(name, "") for name in self.chosen.get(node["key"], ())]
                case "unit_leader":
                    found += [("leader", "")] if "leader" in self.held else []
        return found

    def _repeats(self, node: Json, one: Signer) -> bool:
        holders = self.holders(one.who, one.narrowed)
        if node.get("repeat") == "skip_consecutive":
            person = "drafter" if self.entry.name == "start" else self.entry.args.get("person", "")
            return self.entry.name in {"start", "agree"} and person in holders
        if node.get("repeat") == "skip_any":
            spots = [*_spots(self.root), *(spot for spot in self.left.values() if self._voted(spot))]
            signed = {s.person for spot in spots for s in spot.signers if s.vote == "agree" and s.kind in VOTERS}
            return bool(holders & signed)
        return False

    def _leave(self, spot: Spot) -> None:
        self._mark_left(spot)
        self._go()

    def _mark_left(self, spot: Spot) -> None:
        spot.done, spot.left_by, spot.hold = True, self.entry, ""
        for one in spot.live():
            one.state = "closed"
        self.left[spot.key] = spot

    def _again(self, spot: Spot) -> None:
        """Arrive once more at the same place."""
        self.entry.final = True
        self.arriving[spot.key] = spot.straight
        line = self._line_of(self.root, spot)
        assert line is not None
        line.at = None
        self._go()

    def _back(self, target: str, *, straight: bool) -> None:
        lost = self.from_on(target)
        ways = [(spot.key, spot.straight) for spot in self.spots() if spot.key in lost]
        for key in [target] if straight else lost:
            self.left.pop(key, None)
        self.entry.final = True
        self._place(target)
        if straight:
            self.arriving[target] = sorted(ways, key=lambda way: list(self.paths).index(way[0]))

    def _place(self, target: str) -> None:
        """Put the flow to a node; branches beside it stay as they are, or count as walked when it comes from behind."""
        line = self.root
        path = self.paths[target]
        for index, branch in path[:-1]:
            node = line.nodes[index]
            lines = line.at if line.i == index and isinstance(line.at, list) else None
            if node["kind"] == "parallel":
                lines = lines or [Line(one["nodes"], len(one["nodes"])) for one in node["branches"]]
                line.i, line.at, line = index, lines, lines[branch]
            else:
                if lines is None or lines[0].branch != branch:
                    lines = [Line(node["branches"][branch]["nodes"], branch=branch)]
                line.i, line.at, line = index, lines, lines[0]
        line.i, line.at = path[-1][0], None

    # --- deciding -----------------------------------------------------------------------------------------------

    def _settle(self, spot: Spot) -> None:
        decided = self._decided(spot)
        if decided is None:
            return
        after = spot.node.get("on_refused", "return")
        if decided or after == "continue":
            self._leave(spot)
        elif after == "terminate":
            self.status = "terminated"
        else:
            self._back("start", straight=False)
            self._go()

    def _decided(self, spot: Spot) -> bool | None:
        votes = [_verdict(one) for one in spot.signers if one.kind in {"own", "beside"} and one.state != "closed"]
        yes, no, everybody = votes.count(True), votes.count(False), len(votes)
        result: bool | None = None
        match spot.node.get("mode", "single"):
            case "single" | "any":
                result = True if yes else False if no else None
            case "all":
                result = False if no else True if yes == everybody else None
            case "order":
                result = False if no else True if yes == everybody else None
                if result is None and not any(one.state in {"open", "waiting"} for one in spot.signers):
                    turn = next(one for one in spot.signers if one.state == "queued")
                    turn.state, turn.by = "open", self.entry
            case "share":
                share = spot.node.get("share", 100)
                result = True if yes * 100 >= share * everybody else None
                result = False if (everybody - no) * 100 < share * everybody else result
            case "number":
                number = min(spot.node.get("number", 1), everybody)
                result = True if yes >= number else False if everybody - no < number else None
        return result

    def _give_back(self, one: Signer) -> None:
        up = one.up
        assert up is not None
        if not any(other.state in LIVE and other.kind in ADVISERS for other in up.added):
            up.state, up.seen = "open", False

    def _give(self, spot: Spot, one: Signer, to: str) -> None:
        new = Signer(to, one.kind, self.entry, one.state, up=one.up, added=one.added)
        one.state = "closed"
        one.added = []
        for below in new.added:
            below.up = new
        if new.up is not None:
            new.up.added.append(new)
        spot.signers.insert(spot.signers.index(one), new)

    def _check(self, spot: Spot, kind: str, to: list[str]) -> None:
        """Nobody is asked twice for the same."""
        taken = {one.who for one in spot.signers if one.state in LIVE}
        if kind in VOTERS:
            taken |= {one.who for one in spot.signers if one.vote and one.kind in VOTERS}
        _no(not to or len(set(to)) != len(to) or bool(taken & set(to)))

    def _ask_substitutes(self) -> None:
        for spot in self.spots():
            if spot.node.get("vacant") != "substitute":
                continue
            for one in list(spot.signers):
                if one.kind == "own" and one.state == "open" and not self.holders(one.who, one.narrowed):
                    taken = {s.who for s in spot.signers if s.state in LIVE or (s.vote and s.kind in VOTERS)}
                    if spot.node["substitute"] not in taken:
                        self._give(spot, one, spot.node["substitute"])

    def _look_for_people(self) -> None:
        for spot in sorted(self.spots(), key=lambda one: one.key):
            if spot in self.spots() and spot.hold in {"nobody", "not_chosen"} and self._who(spot.node):
                self._again(spot)

    # --- asking -------------------------------------------------------------------------------------------------

    def from_on(self, key: str) -> set[str]:
        """A node and everything after it in its line and in the lines around."""
        found: set[str] = set()
        nodes, path = self.nodes, self.paths[key]
        for depth, (index, branch) in enumerate(path):
            rest = nodes[index:] if depth == len(path) - 1 else nodes[index + 1 :]
            found |= dict(_paths(rest, ())).keys()
            if branch >= 0:
                nodes = nodes[index]["branches"][branch]["nodes"]
        return found

    def _unheld(self, spot: Spot) -> bool:
        return any(one.state == "open" and not self.holders(one.who, one.narrowed) for one in spot.signers)

    def _voted(self, spot: Spot) -> bool:
        return any(one.vote for one in spot.signers) and spot.node["kind"] == "approve"

    def _node(self, key: str) -> Json:
        return _at(self.nodes, self.paths[key])

    def _running(self) -> None:
        _no(self.status != "running")

    def _spot(self, key: str) -> Spot:
        found = [spot for spot in self.spots() if spot.key == key]
        _no(not found)
        return found[0]

    def _find(self, key: str, who: str) -> tuple[Spot, Signer]:
        found = [(spot, one) for spot in self.spots() for one in spot.live() if (spot.key, one.who) == (key, who)]
        _no(not found)
        assert len(found) == 1, f"{who} is asked twice at {key}"
        return found[0]

    def _open(self, key: str, who: str, act: str) -> tuple[Spot, Signer]:
        self._running()
        spot, one = self._find(key, who)
        _no(one.state != "open" or act in spot.node.get("forbid", ()))
        _no(one.kind == "start" and act not in {"agree", "circulate"})
        return spot, one

    def _line_of(self, line: Line, spot: Spot) -> Line | None:
        if line.at is spot:
            return line
        branches = line.at if isinstance(line.at, list) else []
        return next((found for one in branches if (found := self._line_of(one, spot))), None)


class _MovedError(Exception):
    """The flow was put elsewhere while it was walked."""


def _no(refused: bool) -> None:
    if refused:
        raise NoError


def _verdict(one: Signer) -> bool | None:
    """What a signer says, with those added after."""
    if one.state in LIVE:
        return None
    if one.vote == "disagree":
        return False
    after = [_verdict(other) for other in one.added if other.kind == "after" and other.state != "closed"]
    return False if False in after else None if None in after else True


def _depth(one: Signer) -> int:
    return 0 if one.up is None else 1 + _depth(one.up)


def _with_all_below(one: Signer) -> Iterator[Signer]:
    yield one
    for other in one.added:
        yield from _with_all_below(other)


def _spots(line: Line) -> Iterator[Spot]:
    if isinstance(line.at, Spot) and not line.at.done:
        yield line.at
    for branch in line.at if isinstance(line.at, list) else ():
        yield from _spots(branch)


def _paths(nodes: list[Json], outer: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
    for index, node in enumerate(nodes):
        yield node["key"], (*outer, (index, -1))
        for number, branch in enumerate(node.get("branches", ())):
            yield from _paths(branch["nodes"], (*outer, (index, number)))


def _at(nodes: list[Json], path: tuple[tuple[int, int], ...]) -> Json:
    for index, branch in path[:-1]:
        nodes = nodes[index]["branches"][branch]["nodes"]
    return nodes[path[-1][0]]


def _same_node(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...], depth: int) -> bool:
    """Whether both paths go into the same container at that depth."""
    return one[: depth - 1] == other[: depth - 1] and one[depth - 1][0] == other[depth - 1][0]
