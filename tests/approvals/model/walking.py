"""How a flow walks by the rules: coming to a node, deciding there, leaving it, and going back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.approvals.model.places import (
    ADVISERS,
    LIVE,
    VOTERS,
    Entry,
    Json,
    Line,
    MovedError,
    Signer,
    Spot,
    node_at,
    paths_in,
    refuse_if,
    spots_in,
    verdict,
)


class Walk:
    """Where one instance stands."""

    entry: Entry

    def __init__(
        self,
        nodes: list[Json],
        *,
        held: Mapping[str, tuple[str, ...]],
        chosen: Mapping[str, list[str]],
        values: Json,
    ) -> None:
        self.nodes = nodes
        self.paths = dict(paths_in(nodes, ()))
        self.held = dict(held)
        self.chosen = chosen
        self.values = dict(values)
        self.status = "running"
        self.root = Line(nodes)
        self.left: dict[str, Spot] = {}
        self.asked_ever: set[str] = set()
        self.arriving: dict[str, list[Any]] = {}

    def spots(self) -> list[Spot]:
        """Where the flow stands."""
        return [] if self.status in {"finished", "terminated"} else list(spots_in(self.root))

    def holders(self, who: str, narrowed: str = "") -> set[str]:
        """Who holds a post."""
        people = set(self.held.get(who, (who,)))
        return {narrowed} if narrowed in people else people

    # --- coming to a node and leaving it -----------------------------------------------------------------------

    def _go(self) -> None:
        """Walk on wherever the flow can."""
        while True:
            try:
                over = self._walk(self.root)
            except MovedError:
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
                raise MovedError
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
            spots = [*spots_in(self.root), *(spot for spot in self.left.values() if self._voted(spot))]
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
        votes = [verdict(one) for one in spot.signers if one.kind in {"own", "beside"} and one.state != "closed"]
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
        refuse_if(not to or len(set(to)) != len(to) or bool(taken & set(to)))

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
            found |= dict(paths_in(rest, ())).keys()
            if branch >= 0:
                nodes = nodes[index]["branches"][branch]["nodes"]
        return found

    def _unheld(self, spot: Spot) -> bool:
        return any(one.state == "open" and not self.holders(one.who, one.narrowed) for one in spot.signers)

    def _voted(self, spot: Spot) -> bool:
        return any(one.vote for one in spot.signers) and spot.node["kind"] == "approve"

    def _node(self, key: str) -> Json:
        return node_at(self.nodes, self.paths[key])

    def _running(self) -> None:
        refuse_if(self.status != "running")

    def _spot(self, key: str) -> Spot:
        found = [spot for spot in self.spots() if spot.key == key]
        refuse_if(not found)
        return found[0]

    def _find(self, key: str, who: str) -> tuple[Spot, Signer]:
        found = [(spot, one) for spot in self.spots() for one in spot.live() if (spot.key, one.who) == (key, who)]
        refuse_if(not found)
        assert len(found) == 1, f"{who} is asked twice at {key}"
        return found[0]

    def _open(self, key: str, who: str, act: str) -> tuple[Spot, Signer]:
        self._running()
        spot, one = self._find(key, who)
        refuse_if(one.state != "open" or act in spot.node.get("forbid", ()))
        refuse_if(one.kind == "start" and act not in {"agree", "circulate"})
        return spot, one

    def _line_of(self, line: Line, spot: Spot) -> Line | None:
        if line.at is spot:
            return line
        branches = line.at if isinstance(line.at, list) else []
        return next((found for one in branches if (found := self._line_of(one, spot))), None)
