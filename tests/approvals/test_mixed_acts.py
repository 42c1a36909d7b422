"""64 clients do anything to the same tasks at once: the order of the events explains every answer and the result."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from typing import Any

import pytest

from saas.approvals.engine import Act, Assignee, AssigneeKind
from saas.approvals.models import FlowEvent, Opinion
from saas.approvals.models import Task as TaskRow
from saas.approvals.services import Target, act, administering, withdraw
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.tenancy import TenantRef
from tests.approvals.crowd import at_once
from tests.approvals.model.places import Entry
from tests.approvals.model.postgres import Bureau, Postgres
from tests.approvals.model.rules import Rules

Json = dict[str, Any]
CLIENTS = 64
WISHES = (
    [Act.AGREE] * 8
    + [Act.RETURN, Act.TRANSFER, Act.ADD_BEFORE, Act.ADD_BESIDE, Act.DELEGATE, Act.WITHDRAW] * 2
    + [Act.DISAGREE, Act.ADD_AFTER, Act.SUSPEND, Act.RESUME, Act.RESUME, Act.PASS]
)


def asked(*names: str) -> list[dict[str, str]]:
    return [{"rule": "post", "id": name} for name in names]


def approval(key: str, *names: str, **more: Any) -> Json:
    return {"kind": "approve", "key": key, "name": key, "who": asked(*names), **more}


NODES: list[Json] = [
    {"kind": "start", "key": "start", "name": "拟稿"},
    approval("n1", "a", "b", "c", mode="all"),
    {
        "kind": "parallel",
        "key": "p",
        "name": "p",
        "branches": [
            {"name": "0", "nodes": [approval("n2", "a", "b", "c", mode="number", number=2), approval("n3", "d")]},
            {"name": "1", "nodes": [approval("n4", "b", "d", mode="order")]},
            {"name": "2", "nodes": [approval("n5", "e", "c", mode="any")]},
        ],
    },
    approval("n6", "a"),
    {"kind": "end", "key": "end", "name": "结束"},
]


class Client:
    """One of the many: finds a task as it is now, and does something to it."""

    def __init__(self, bureau: Bureau, ground: Postgres, seed: int) -> None:
        self.bureau = bureau
        self.ground = ground
        self.random = random.Random(seed)

    def press(self) -> tuple[str, str]:
        """What was tried, and what came of it."""
        what = self.random.choice(WISHES)
        try:
            self.do(what)
        except (Conflict, Forbidden, Invalid, NotFound) as error:
            return what.value, str(error.message)
        return what.value, ""

    def do(self, what: Act) -> None:
        key, admin = uuid.uuid4().hex, self.bureau.admin
        if what is Act.SUSPEND:
            administering.suspend(instance_id=self.ground.id, by=admin, reason="暂停", idempotency_key=key)
            return
        if what is Act.RESUME:
            administering.resume(instance_id=self.ground.id, by=admin, reason="继续", idempotency_key=key)
            return
        rows = TaskRow.objects.filter(instance_id=self.ground.id).exclude(kind="start" if what is Act.WITHDRAW else "")
        rows = rows.filter(vote="agree") if what is Act.WITHDRAW else rows.filter(state__in=["open", "waiting"])
        row = self.random.choice(list(rows.order_by("id")) or [None])
        if row is None:
            return
        if what is Act.PASS:
            administering.node_pass(
                instance_id=self.ground.id, node=row.node, by=admin, reason="准予", idempotency_key=key
            )
            return
        by = self.bureau.actor(self.bureau.names[row.assignee_id])
        if what is Act.WITHDRAW:
            withdraw(task_id=row.id, by=by, idempotency_key=key)
            return
        to: tuple[Assignee, ...] = ()
        if what not in {Act.AGREE, Act.DISAGREE, Act.RETURN}:
            post = self.bureau.office.posts[self.random.choice("abcde")]
            to = (Assignee(AssigneeKind.POST, post.id),)
        act(task_id=row.id, act=what, by=by, idempotency_key=key, opinion="如下", target=Target(to=to))


def replay(bureau: Bureau, ground: Postgres) -> Rules:
    """The rules' own result of the same acts in the order of their numbers; each must be possible in its turn."""
    rules = Rules(NODES, held={}, chosen={}, values={})
    people = {person.id: name for name, person in bureau.office.people.items()}
    tasks = {row.id: row for row in TaskRow.objects.filter(instance_id=ground.id)}
    for event in FlowEvent.objects.filter(instance_id=ground.id, act_number__gt=1).order_by("act_number"):
        if event.task_id is None:
            rules.do(Entry(event.act, {"key": event.node} if event.act == "pass" else {}))
            continue
        row = tasks[event.task_id]
        who, person = bureau.names[row.assignee_id], people[event.person_id] if event.person_id else ""
        at = {"key": row.node, "who": who}
        to = [bureau.names[uuid.UUID(one)] for one in event.detail.get("to", ())]
        match event.act:
            case "agree" | "disagree":
                rules.do(Entry(event.act, {**at, "person": person}))
            case "return":
                rules.do(Entry("return", {**at, "target": "start", "straight": False}))
            case "transfer":
                rules.do(Entry("transfer", {**at, "to": to[0]}))
            case "withdraw":
                mine = [one for one in rules.agreed() if (one.who, one.kind) == (who, row.kind)]
                spots = [*rules.spots(), *rules.left.values()]
                mine = [one for one in mine if any(one in spot.signers and spot.key == row.node for spot in spots)]
                rules.do(Entry("withdraw", {"one": mine[-1], "person": person}))
            case added:
                rules.do(Entry("add", {**at, "act": added, "person": person, "to": to}))
    return rules


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_64_clients_do_anything_to_the_same_tasks(committed: TenantRef, seed: int) -> None:
    bureau = Bureau()
    ground = Postgres(bureau, NODES, held={}, values={})
    clients = [Client(bureau, ground, seed * 1000 + number) for number in range(CLIENTS)]
    got = at_once(CLIENTS, lambda number: [clients[number].press() for _press in range(3)], bureau=committed)
    answers = [answer for one in got if isinstance(one, list) for answer in one]
    assert len(answers) == 3 * CLIENTS, [one for one in got if not isinstance(one, list)]
    rules = replay(bureau, ground)
    ground.fingerprint()  # Whatever was read before the crowd came is forgotten.
    assert (ground.status, ground.live(), ground.votes()) == (rules.status, rules.live(), rules.votes())
    assert ground.broken() == []
    said = Counter(FlowEvent.objects.filter(instance_id=ground.id).values_list("act", flat=True))
    accepted = Counter(what for what, why in answers if not why)
    assert said["agree"] <= accepted["agree"] + 3  # Those the bureau's own start made are none of the clients'.
    assert Opinion.objects.filter(instance_id=ground.id, act="agree").count() == said["agree"]
