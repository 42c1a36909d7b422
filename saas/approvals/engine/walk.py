"""Moves the flow: entering, settling and leaving nodes, and taking lines of it back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from saas.approvals.definition import (
    Approve,
    Automatic,
    Circulate,
    Condition,
    End,
    Flow,
    Mode,
    Node,
    Parallel,
    RuleKind,
    Start,
    SubFlow,
)
from saas.approvals.definition.model import DrafterAlone, OnRefused, Repeat, Vacant
from saas.approvals.engine import effects
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.conditions import ConditionFailed, first_branch
from saas.approvals.engine.facts import Facts
from saas.approvals.engine.state import (
    LIVE,
    SIGNERS,
    Active,
    Assignee,
    AssigneeKind,
    Hold,
    HoldReason,
    State,
    Status,
    Task,
    TaskKind,
    TaskState,
    Vote,
)


class Walk:
    """One step in the making: the state so far and what follows from it. Lives for one call of `step`."""

    def __init__(self, flow: Flow, state: State, command: Command, facts: Facts) -> None:
        self.flow = flow
        self.state = state
        self.command = command
        self.facts = facts
        self.effects: list[effects.Effect] = []
        self._entering: set[str] = set()
        self._ahead: set[str] = set()

    # --- tasks ----------------------------------------------------------------------------------------------

    def change(self, task: Task) -> Task:
        """Put a changed or new task in place."""
        self.state = self.state.with_tasks([task])
        return task

    def done(self, task: Task, vote: Vote) -> Task:
        """The task's holder has acted."""
        command = self.command
        return self.change(
            replace(
                task,
                state=TaskState.DONE,
                vote=vote,
                closed_by=self.state.acts,
                done_by=command.person,
                done_post=command.post,
                seen=True,
            )
        )

    def close(self, tasks: Iterable[Task]) -> None:
        """Take live tasks back from those who have them."""
        self.state = self.state.with_tasks(
            replace(task, state=TaskState.CLOSED, was=task.state, closed_by=self.state.acts)
            for task in tasks
            if task.live
        )

    def make(
        self,
        *,
        node: str,
        assignee: Assignee,
        kind: TaskKind,
        order: int,
        state: TaskState = TaskState.OPEN,
        parent: UUID | None = None,
    ) -> Task:
        """A new task in the node's current round."""
        task = Task(
            id=self.state.next_task_id(),
            node=node,
            round=self.state.rounds[node],
            assignee=assignee,
            kind=kind,
            state=state,
            parent=parent,
            order=order,
            opened_by=self.state.acts,
            opened_at=self.command.now,
            due_at=self._due(node),
        )
        self.state = replace(self.state, made=self.state.made + 1)
        return self.change(task)

    def give(self, task: Task, assignee: Assignee) -> Task:
        """Somebody else has the task instead, with its limit and with what was asked of others for it."""
        self.close([task])
        new = self.make(
            node=task.node, assignee=assignee, kind=task.kind, order=task.order, state=task.state, parent=task.parent
        )
        new = self.change(replace(new, due_at=task.due_at))
        for child in self.state.children(task.id):
            self.change(replace(child, parent=new.id))
        return new

    def _due(self, key: str) -> datetime | None:
        node = self.flow.node(key)
        if not isinstance(node, Approve) or not node.limit:
            return None
        urgency = self.state.values.get("urgency", 0)
        return self.facts.due(node.limit, since=self.command.now, urgency=urgency if isinstance(urgency, int) else 0)

    # --- nodes ----------------------------------------------------------------------------------------------

    def activate(self, node: str, hold: Hold | None = None) -> None:
        """The flow is now at `node`, in a new round."""
        rounds = {**self.state.rounds, node: self.state.rounds.get(node, 0) + 1}
        active = {**self.state.active, node: Active(rounds[node], self.state.acts, hold)}
        self.state = replace(self.state, rounds=rounds, active=active)
        self.effects.append(effects.Entered(node))
        if hold is not None:
            self.effects.append(effects.Held(node, hold))

    def hold(self, node: str, hold: Hold | None) -> None:
        """Name (or clear) the reason why an active node waits."""
        current = self.state.active[node]
        if current.hold == hold:
            return
        self.state = replace(self.state, active={**self.state.active, node: replace(current, hold=hold)})
        if hold is not None:
            self.effects.append(effects.Held(node, hold))

    def deactivate(self, nodes: Iterable[str]) -> None:
        """The flow is no longer at these; what was open there is closed."""
        gone = set(nodes) & set(self.state.active)
        for node in sorted(gone):
            self.close(task for task in self.state.tasks if task.node == node)
            if isinstance(self.flow.node(node), SubFlow):
                self.effects.append(effects.SubFlowDropped(node))
        self.state = replace(self.state, active={k: v for k, v in self.state.active.items() if k not in gone})

    def irrevocable(self) -> None:
        """Nothing up to this act can be withdrawn any more."""
        self.state = replace(self.state, barrier=self.state.acts)

    def leave(self, node: str) -> None:
        """A node is done: go on after it, or straight back to where it was returned from."""
        self._passed(node)
        self.deactivate([node])
        straight = self.state.straight.get(node)
        if not straight:
            self.go_on(node)
            return
        self.state = replace(
            self.state, straight={key: back for key, back in self.state.straight.items() if key != node}
        )
        self.irrevocable()
        # A parallel is not at its end while one of its branches is still to be entered again.
        self._ahead |= set(straight)
        for key in straight:
            self._ahead.discard(key)
            if self.enter(self.flow.node(key)):
                self.leave(key)

    def _passed(self, node: str) -> None:
        if isinstance(self.flow.node(node), Approve) and any(task.vote for task in self.state.at(node)):
            self.state = replace(self.state, passed={**self.state.passed, node: self.state.acts})

    def enter_again(self, node: str) -> None:
        """Come to a node at which the flow stands already, as if for the first time."""
        self.irrevocable()
        self.deactivate([node])
        if self.enter(self.flow.node(node)):
            self.leave(node)

    def go_on(self, node: str) -> None:
        """Walk on after `node`, out of as many branches as end."""
        place = self.flow.places[node]
        while True:
            if not self._through(place.sequence, place.index + 1):
                return
            owner = place.owner
            if owner is None:
                self.finish()
                return
            if isinstance(owner, Parallel) and (
                owner.key in self._entering or self.flow.inside(owner.key) & (set(self.state.active) | self._ahead)
            ):
                return
            place = self.flow.places[owner.key]

    def finish(self) -> None:
        """The flow has come to its end."""
        self.state = replace(self.state, status=Status.FINISHED, active={})
        self.effects.append(effects.Finished())

    def _through(self, nodes: tuple[Node, ...], index: int) -> bool:
        return all(self.enter(node) for node in nodes[index:])

    def enter(self, node: Node) -> bool:  # noqa: PLR0911 - a case per kind
        """Come to a node.

        Returns:
            whether the flow passes straight through it.
        """
        match node:
            case End():
                return True
            case Start():
                self.open_start()
                return False
            case Approve():
                return self._enter_approval(node)
            case Circulate():
                readers = self.resolve(node)
                if readers:
                    self.effects.append(effects.Circulated(node.key, readers))
                return True
            case Condition():
                return self._enter_condition(node)
            case Parallel():
                self._entering.add(node.key)
                passed = [self._through(branch.nodes, 0) for branch in node.branches]
                self._entering.discard(node.key)
                return all(passed)
            case Automatic():
                self.irrevocable()
                self.activate(node.key, Hold(HoldReason.AUTOMATIC, node.action))
                self.effects.append(effects.AutomaticDue(node.key, node.action))
                return False
            case SubFlow():
                self.irrevocable()
                self.activate(node.key, Hold(HoldReason.SUB_FLOW, node.flow))
                self.effects.append(effects.SubFlowDue(node.key, node.flow))
                return False

    def open_start(self) -> Task:
        """The subject is with its drafter, who may submit it (again)."""
        start = self.flow.start.key
        self.activate(start)
        drafter = self.state.drafter
        task = self.make(
            node=start,
            assignee=Assignee(AssigneeKind.POST, drafter.post, drafter.person),
            kind=TaskKind.START,
            order=0,
        )
        if self.command.act is not Act.START:
            self.vacancies(start)
        return task

    def _enter_condition(self, node: Condition) -> bool:
        try:
            branch = first_branch(self.flow, node, self.state)
        except ConditionFailed as error:
            self.irrevocable()
            self.activate(node.key, Hold(HoldReason.CONDITION, str(error)))
            return False
        return self._through(branch.nodes, 0)

    def _enter_approval(self, node: Approve) -> bool:
        asked = self.resolve(node)
        if not asked:
            missing = any(rule.kind is RuleKind.CHOSEN for rule in node.who)
            self.activate(node.key, Hold(HoldReason.NOT_CHOSEN if missing else HoldReason.NOBODY))
            return False
        # The same post found in two ways, once for whoever holds it and once for the drafter, is asked once.
        named: dict[UUID, Assignee] = {}
        for one in (self._substituted(node, assignee) for assignee in asked):
            named.setdefault(one.id, one)
        asked = self._past_the_drafter(node, tuple(named.values()))
        self.activate(node.key)
        in_order = node.mode is Mode.ORDER
        for number, assignee in enumerate(asked):
            state = TaskState.QUEUED if in_order else TaskState.OPEN
            task = self.make(node=node.key, assignee=assignee, kind=TaskKind.OWN, order=number * 10, state=state)
            if self._skips(node, assignee, alone=len(asked) == 1):
                self.change(replace(task, state=TaskState.DONE, vote=Vote.SKIPPED, closed_by=self.state.acts))
        decided = self.decide(node)
        if decided is not None:
            self.effects.append(effects.Passed(node.key))
            self._passed(node.key)
            self.deactivate([node.key])
            return True
        self.vacancies(node.key)
        return False

    def vacancies(self, key: str) -> None:
        """Where nobody holds a post that is asked at a node: ask the substitute, else name the reason.

        The reason is cleared when all are held.
        """
        node = self.flow.node(key)
        asked = [task for task in self.state.at(key) if task.state is TaskState.OPEN]
        self.facts.know(tuple(task.assignee for task in asked))
        empty = []
        for task in asked:
            now = task
            if isinstance(node, Approve) and task.kind is TaskKind.OWN and not self.facts.holders(task.assignee):
                substitute = self._substituted(node, task.assignee)
                if substitute.id not in self.engaged(key, TaskKind.OWN):
                    now = self.give(task, substitute)
            if not self.facts.holders(now.assignee):
                empty.append(str(now.assignee.id))
        self.hold(key, Hold(HoldReason.VACANT, ",".join(empty)) if empty else None)

    def engaged(self, node: str, kind: TaskKind) -> set[UUID]:
        """Who cannot be asked for a task of that kind at a node: they are asked, or their vote would count twice."""
        counted = SIGNERS if kind in SIGNERS else frozenset()
        return {t.assignee.id for t in self.state.at(node) if t.live or (t.kind in counted and t.vote)}

    # --- who ------------------------------------------------------------------------------------------------

    def resolve(self, node: Approve | Circulate) -> tuple[Assignee, ...]:
        """Everybody the node's rules name, each once, in order."""
        found: list[Assignee] = []
        for rule in node.who:
            if rule.kind is RuleKind.CHOSEN:
                found += self.state.chosen.get(node.key, ())
                continue
            if rule.kind is RuleKind.SAME_AS:
                found += [t.assignee for t in self.state.at(rule.node) if t.kind is TaskKind.OWN and t.vote]
            elif rule.kind is RuleKind.DRAFTER:
                drafter = self.state.drafter
                found.append(Assignee(AssigneeKind.POST, drafter.post, drafter.person))
            else:
                found += self.facts.assignees(rule, self.state)
        asked = tuple(dict.fromkeys(found))
        self.facts.know(asked)
        return asked

    def _substituted(self, node: Approve, assignee: Assignee) -> Assignee:
        if node.vacant is Vacant.SUBSTITUTE and not self.facts.holders(assignee):
            return Assignee(AssigneeKind.POST, UUID(node.substitute))
        return assignee

    def _past_the_drafter(self, node: Approve, asked: tuple[Assignee, ...]) -> tuple[Assignee, ...]:
        if node.drafter_alone is DrafterAlone.LEADER and self._drafter_alone(asked):
            leader = self.facts.leader_above(self.state.drafter.post)
            return (leader,) if leader is not None else asked
        return asked

    def _drafter_alone(self, asked: tuple[Assignee, ...]) -> bool:
        drafter = self.state.drafter.person
        return len(asked) == 1 and drafter is not None and self.facts.holders(asked[0]) == {drafter}

    def _skips(self, node: Approve, assignee: Assignee, *, alone: bool) -> bool:
        if node.drafter_alone is DrafterAlone.SKIP and alone and self._drafter_alone((assignee,)):
            return True
        if node.repeat is Repeat.ASK:
            return False
        holders = self.facts.holders(assignee)
        if node.repeat is Repeat.SKIP_CONSECUTIVE:
            # Whoever disagreed, returned or moved the flow has not signed just before.
            signing = self.command.act in {Act.START, Act.AGREE}
            return signing and self.command.person is not None and self.command.person in holders
        signed = {
            task.done_by
            for key in {*self.state.passed, *self.state.active}
            for task in self.state.at(key)
            if task.vote is Vote.AGREE and task.kind in SIGNERS and task.done_by is not None
        }
        return bool(holders & signed)

    # --- deciding -------------------------------------------------------------------------------------------

    def settle(self, key: str) -> None:
        """After an act at an approval: decide it when it can be decided, else open whose turn it is."""
        node = self.flow.node(key)
        if not isinstance(node, Approve):
            raise TypeError(key)
        decided = self.decide(node)
        if decided is None:
            self.vacancies(key)
        elif decided or node.on_refused is OnRefused.CONTINUE:
            if decided:
                self.effects.append(effects.Passed(key))
            self.leave(key)
        elif node.on_refused is OnRefused.TERMINATE:
            self.terminate()
        else:
            self.return_to(self.flow.start.key)

    def decide(self, node: Approve) -> bool | None:
        """Whether the node is agreed (True), refused (False) or still open (None); opens the next in order."""
        slots = [t for t in self.state.at(node.key) if t.kind in {TaskKind.OWN, TaskKind.BESIDE}]
        votes = [self._value(task) for task in slots if task.state is not TaskState.CLOSED]
        agreed, refused = votes.count(True), votes.count(False)
        pending = len(votes) - agreed - refused
        if node.mode in {Mode.SINGLE, Mode.ANY}:
            if agreed or refused:
                return not refused
            return None
        needed = len(votes)
        if node.mode is Mode.SHARE:
            needed = max(1, math.ceil(len(votes) * node.share / 100))
        elif node.mode is Mode.NUMBER:
            needed = min(node.number, len(votes))
        if agreed >= needed:
            return True
        if agreed + pending < needed:
            return False
        if node.mode is Mode.ORDER and not any(
            t.live and t.state is not TaskState.QUEUED for t in self.state.at(node.key)
        ):
            first = next(task for task in slots if task.state is TaskState.QUEUED)
            self.change(
                replace(
                    first,
                    state=TaskState.OPEN,
                    opened_by=self.state.acts,
                    opened_at=self.command.now,
                    due_at=self._due(node.key),
                )
            )
        return None

    def _value(self, task: Task) -> bool | None:
        """A signer's vote with those added after it; None while any of them is open."""
        if task.state in LIVE:
            return None
        if task.vote is Vote.DISAGREE:
            return False
        after = [
            self._value(child)
            for child in self.state.children(task.id)
            if child.kind is TaskKind.AFTER and child.state is not TaskState.CLOSED
        ]
        if False in after:
            return False
        return None if None in after else True

    # --- going back and ending --------------------------------------------------------------------------------

    def return_to(self, target: str, *, straight: bool = False) -> None:
        """Take back everything from `target` on in its own line, and open it anew."""
        taken = self.flow.withdrawn_by_return(target)
        back = tuple(key for key in self.flow.places if key in taken and key in self.state.active)
        self.deactivate(taken)
        # What is come back to straight knows still where it would itself go straight back to.
        kept = {key: to for key, to in self.state.straight.items() if straight or key not in taken}
        lost = {target} if straight else taken
        if straight:
            kept[target] = back
        passed = {key: act for key, act in self.state.passed.items() if key not in lost}
        self.state = replace(self.state, straight=kept, passed=passed)
        self.irrevocable()
        node = self.flow.node(target)
        if self.enter(node):
            self.leave(target)
        if isinstance(node, Start):
            self.effects.append(effects.ReturnedToStart())

    def terminate(self) -> None:
        """End the flow before its end."""
        self.deactivate(list(self.state.active))
        self.state = replace(self.state, status=Status.TERMINATED)
        self.effects.append(effects.Terminated())
