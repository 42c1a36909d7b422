"""What the flow administrator does to a flow that is stuck, through the services, and delegations that are declined."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from saas.approvals import registry, selectors
from saas.approvals.engine import Act
from saas.approvals.jobs import automatic_watch
from saas.approvals.models import FlowEvent, Instance, Opinion
from saas.approvals.registry import InstanceRef
from saas.approvals.selectors import TodoQuery, seats_of
from saas.approvals.services import administering, delegating, terminate
from saas.core.actors import Actor
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.tenancy import TenantRef
from saas.organisation.models import today
from tenants.context import outside_tenants
from tests.approvals.office import Office, flow_administrator, install

SUB = {"kind": "subflow", "key": "s", "name": "子流程", "flow": "child"}


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


@pytest.fixture
def admin(office: Office) -> Actor:
    return flow_administrator(office)


def asked(name: str, office: Office) -> list[str]:
    rows = selectors.todo_list(seats_of(office.person(name).id), TodoQuery()).rows
    return [row.node_name for row in rows]


def hold(instance: UUID, node: str) -> str:
    return str(Instance.objects.get(id=instance).live["active"][node][2])


def test_interventions_are_the_flow_administrators_and_need_a_reason(office: Office, admin: Actor) -> None:
    instance = office.start(office.approve("one", "a"))
    with pytest.raises(Forbidden):
        administering.node_pass(instance_id=instance, node="one", by=office.actor("a"), reason="x")
    with pytest.raises(Invalid):
        administering.node_pass(instance_id=instance, node="one", by=admin, reason=" ")
    administering.node_pass(instance_id=instance, node="one", by=admin, reason="领导口头同意", idempotency_key="k")
    administering.node_pass(instance_id=instance, node="one", by=admin, reason="领导口头同意", idempotency_key="k")
    assert Instance.objects.get(id=instance).status == "finished"
    assert Opinion.objects.get(instance_id=instance, act="pass").text == "领导口头同意"


def test_a_node_nobody_was_found_for_is_filled(office: Office, admin: Actor) -> None:
    led = {"kind": "approve", "key": "led", "name": "环节led", "mode": "order", "who": [{"rule": "unit_leader"}]}
    instance = office.start(office.approve("one", "a"), led)
    office.act(Act.AGREE, "a", instance)
    assert hold(instance, "led") == "nobody"
    two = office.to("b", "c").to
    administering.node_fill(instance_id=instance, node="led", to=two, by=admin, reason="暂无负责人")
    assert hold(instance, "led") == ""
    assert (asked("b", office), asked("c", office)) == (["环节led"], [])
    with pytest.raises(Conflict):
        administering.node_fill(instance_id=instance, node="led", to=two, by=admin, reason="再来")


def test_a_refused_automatic_act_is_tried_again(
    office: Office, admin: Actor, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Conflict("没有文号簿")]

    def number(instance: InstanceRef) -> None:
        if answers:
            raise answers.pop()

    monkeypatch.setattr(registry, "_actions", {"number": ("编号", number)})
    instance = office.start(
        office.approve("one", "a"), {"kind": "automatic", "key": "m", "name": "编号", "action": "number"}
    )
    office.act(Act.AGREE, "a", instance)
    run_jobs()
    assert hold(instance, "m") == "failed"
    administering.node_retry(instance_id=instance, node="m", by=admin, reason="文号簿已建")
    assert hold(instance, "m") == "automatic"
    run_jobs()
    assert Instance.objects.get(id=instance).status == "finished"


def test_an_automatic_act_that_came_while_the_flow_was_suspended_runs_after_it_is_resumed(
    office: Office, admin: Actor, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[UUID] = []

    def note(instance: InstanceRef) -> None:
        done.append(instance.id)

    monkeypatch.setattr(registry, "_actions", {"note": ("记一笔", note)})
    automatic = {"kind": "automatic", "key": "m", "name": "记一笔", "action": "note"}
    instance = office.start(office.approve("one", "a"), automatic)
    office.act(Act.AGREE, "a", instance)
    administering.suspend(instance_id=instance, by=admin, reason="暂停")
    run_jobs()
    assert done == []
    administering.resume(instance_id=instance, by=admin, reason="继续")
    run_jobs()
    assert done == [instance]
    assert Instance.objects.get(id=instance).status == "finished"


def test_an_automatic_act_whose_job_was_given_up_says_so(
    office: Office, admin: Actor, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_actions", {"note": ("记一笔", lambda instance: None)})
    instance = office.start(
        {"kind": "automatic", "key": "m", "name": "记一笔", "action": "note"}, office.approve("a", "a")
    )
    with outside_tenants(), connection.cursor() as cursor:
        cursor.execute("SELECT args FROM cell.procrastinate_jobs WHERE scheduled_at > now() + interval '20 minutes'")
        watch = json.loads(cursor.fetchone()[0])
    watch.pop("_tenant")
    automatic_watch(**{**watch, "act_number": watch["act_number"] + 1})
    assert hold(instance, "m") == "automatic"
    automatic_watch(**watch)
    assert hold(instance, "m") == "failed"
    administering.node_retry(instance_id=instance, node="m", by=admin, reason="密钥服务已恢复")
    run_jobs()
    assert asked("a", office) == ["环节a"]
    automatic_watch(**watch)
    assert asked("a", office) == ["环节a"]


def test_a_flow_is_moved_ahead_and_back_within_its_line(office: Office, admin: Actor) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"), office.approve("three", "c"))
    administering.flow_move(instance_id=instance, node="three", by=admin, reason="前两步线下已办")
    assert (asked("a", office), asked("c", office)) == ([], ["环节three"])
    administering.flow_move(instance_id=instance, node="one", by=admin, reason="改走线上")
    assert (asked("a", office), asked("c", office)) == (["环节one"], [])
    with pytest.raises(Conflict):
        administering.flow_move(instance_id=instance, node="end", by=admin, reason="直接结束")


def test_a_sub_flow_is_suspended_and_resumed_with_its_parent(office: Office, admin: Actor) -> None:
    install("child", office.approve("inner", "c"))
    instance = office.start(office.approve("one", "a"), SUB, office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    administering.suspend(instance_id=instance, by=admin, reason="暂停")
    assert asked("c", office) == []
    administering.resume(instance_id=instance, by=admin, reason="继续")
    assert asked("c", office) == ["环节inner"]
    child = Instance.objects.get(parent_id=instance)
    office.act(Act.AGREE, "c", child.id)
    assert asked("b", office) == ["环节two"]


def test_a_sub_flow_that_ended_while_its_parent_was_suspended_is_told_of_when_it_is_resumed(
    office: Office, admin: Actor
) -> None:
    install("child", office.approve("inner", "c"))
    instance = office.start(office.approve("one", "a"), SUB, office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    administering.suspend(instance_id=instance, by=admin, reason="暂停")
    child = Instance.objects.get(parent_id=instance)
    terminate(instance_id=child.id, by=admin, reason="不办了", idempotency_key="t")
    assert hold(instance, "s") == "sub_flow"
    administering.resume(instance_id=instance, by=admin, reason="继续")
    assert hold(instance, "s") == "failed"


def test_a_sub_flow_that_was_ended_is_started_anew(office: Office, admin: Actor) -> None:
    install("child", office.approve("inner", "c"))
    instance = office.start(office.approve("one", "a"), SUB, office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    first = Instance.objects.get(parent_id=instance)
    terminate(instance_id=first.id, by=admin, reason="不办了", idempotency_key="t")
    assert hold(instance, "s") == "failed"
    administering.node_retry(instance_id=instance, node="s", by=admin, reason="重新办")
    second = Instance.objects.exclude(id=first.id).get(parent_id=instance)
    assert hold(instance, "s") == "sub_flow"
    office.act(Act.AGREE, "c", second.id)
    assert asked("b", office) == ["环节two"]


def test_a_sub_flow_given_up_and_entered_anew_in_one_act_is_not_taken_for_failed(office: Office, admin: Actor) -> None:
    install("child", office.approve("inner", "c"))
    office.post("a")
    skipped = office.approve("one", "drafter", drafter_alone="skip")
    instance = office.start(office.approve("zero", "a"), skipped, SUB, office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    administering.flow_move(instance_id=instance, node="one", by=admin, reason="重走")
    assert hold(instance, "s") == "sub_flow"
    states = Instance.objects.filter(parent_id=instance).order_by("started_at").values_list("status", flat=True)
    assert list(states) == ["terminated", "running"]


def test_every_act_of_an_instance_has_its_number_without_a_gap(office: Office, admin: Actor) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    office.act(Act.AGREE, "a", instance)
    administering.suspend(instance_id=instance, by=admin, reason="暂停")
    administering.resume(instance_id=instance, by=admin, reason="继续")
    office.act(Act.RETURN, "b", instance, opinion="退")
    numbers = FlowEvent.objects.filter(instance_id=instance).order_by("id").values_list("act_number", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5]


def test_a_delegation_that_was_declined_or_taken_back_counts_no_more(office: Office) -> None:
    office.post("b")
    office.start(office.approve("one", "a"))
    giver, stand_in = office.actor("a"), office.actor("b")
    dates: dict[str, Any] = {"starts": today(), "ends": today() + timedelta(days=3)}
    one = delegating.give(stand_in_id=office.person("b").id, by=giver, **dates)
    with pytest.raises(NotFound):
        delegating.decline(delegation_id=one.id, by=giver)
    delegating.decline(delegation_id=one.id, by=stand_in)
    delegating.decline(delegation_id=one.id, by=stand_in)
    assert asked("b", office) == []
    with pytest.raises(Conflict):
        delegating.accept(delegation_id=one.id, by=stand_in)
    other = delegating.give(stand_in_id=office.person("b").id, by=giver, **dates)
    delegating.accept(delegation_id=other.id, by=stand_in)
    assert asked("b", office) == ["环节one"]
    delegating.decline(delegation_id=other.id, by=stand_in)
    assert asked("b", office) == []
