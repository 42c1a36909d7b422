"""Open tasks follow the organisation: within the change itself, and nobody leaves work behind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from saas.accounts.services import user_disable
from saas.approvals import selectors
from saas.approvals.engine import Act
from saas.approvals.models import FlowEvent, Instance, Task
from saas.approvals.selectors import TodoQuery, seats_of
from saas.approvals.services import act, administering
from saas.core.actors import SYSTEM
from saas.core.errors import Conflict
from saas.core.tenancy import TenantRef
from saas.organisation import changes
from saas.organisation.models import Appointment, Post, PostKind, today
from saas.organisation.services.appointments import appointment_begin, appointment_end
from tests.approvals.office import Office, flow_administrator


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


def reasons(office: Office) -> list[str]:
    return [reason for row in selectors.stuck_list() for _node, reason, _detail in row.holds]


def asked(name: str, office: Office) -> list[str]:
    rows = selectors.todo_list(seats_of(office.person(name).id), TodoQuery()).rows
    return [row.node_name for row in rows]


def end_today(office: Office, name: str, post: str) -> None:
    """An appointment that ends with yesterday, by the service that announces it."""
    row = Appointment.objects.get(person=office.person(name), post=office.posts[post])
    Appointment.objects.filter(id=row.id).update(starts=today() - timedelta(days=9))
    appointment_end(appointment_id=row.id, ends=today() - timedelta(days=1), by=SYSTEM)


def begin(office: Office, name: str, post: str) -> None:
    appointment_begin(person_id=office.person(name).id, post_id=office.post(post), starts=today(), by=SYSTEM)


def test_an_appointment_takes_the_reason_back_in_its_own_transaction(office: Office) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
    end_today(office, "a", "a")
    row = Instance.objects.get(id=instance)
    assert (row.held, row.live["active"]["one"][2]) == (True, "vacant")
    begin(office, "new", "a")
    row.refresh_from_db()
    assert (row.held, row.live["active"]["one"][2]) == (False, "")
    assert asked("new", office) == ["环节one"]
    acts = FlowEvent.objects.filter(instance_id=instance).order_by("act_number").values_list("act_number", "act")
    assert list(acts) == [(1, "start"), (2, "holders_changed"), (3, "holders_changed")]


def test_hearing_of_the_same_change_again_writes_nothing(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    end_today(office, "a", "a")
    for _again in range(2):
        changes.announce(by=SYSTEM, posts={office.posts["a"].id})
    assert FlowEvent.objects.filter(instance_id=instance).count() == 2


def test_a_post_that_becomes_vacant_is_stood_in_for_by_the_nodes_substitute(office: Office) -> None:
    substitute = str(office.post("b"))
    instance = office.start(office.approve("one", "a", vacant="substitute", substitute=substitute))
    end_today(office, "a", "a")
    assert asked("b", office) == ["环节one"]
    assert not Instance.objects.get(id=instance).held


def test_a_node_nobody_was_found_for_goes_on_when_a_leader_is_appointed(office: Office) -> None:
    office.post("drafter")
    led = {"kind": "approve", "key": "led", "name": "环节led", "who": [{"rule": "unit_leader"}]}
    instance = office.start(office.approve("one", "a"), led)
    office.act(Act.AGREE, "a", instance)
    assert Instance.objects.get(id=instance).live["active"]["led"][2] == "nobody"
    office.posts["leader"] = Post.objects.create(unit=office.unit, name="主任", kind=PostKind.LEADER)
    begin(office, "chief", "leader")
    assert asked("chief", office) == ["环节led"]


def test_what_came_back_to_a_drafter_who_has_left_says_that_nobody_holds_it(office: Office) -> None:
    instance = office.start(office.approve("one", "a"))
    office.act(Act.RETURN, "a", instance, opinion="请改")
    end_today(office, "drafter", "drafter")
    assert Instance.objects.get(id=instance).live["active"]["start"][2] == "vacant"


def test_suspended_flows_are_in_no_list_of_to_dos_until_resumed(office: Office) -> None:
    admin = flow_administrator(office)
    instance = office.start(office.approve("one", "a", limit={"days": 1}))
    due = Task.objects.get(instance_id=instance, node="one").due_at
    administering.suspend(instance_id=instance, by=admin, reason="等上级批示")
    assert asked("a", office) == []
    assert selectors.todo_counts(seats_of(office.person("a").id)).total == 0
    assert [row.at for row in selectors.started_list(office.actor("drafter")).rows] == ["环节one"]
    task = Task.objects.get(instance_id=instance, node="one")
    with pytest.raises(Conflict, match="挂起"):
        act(task_id=task.id, act=Act.AGREE, by=office.actor("a"), idempotency_key="k")
    administering.resume(instance_id=instance, by=admin, reason="已批示")
    assert asked("a", office) == ["环节one"]
    again = Task.objects.get(instance_id=instance, node="one").due_at
    assert due is not None
    assert again is not None
    assert again > due


def test_an_account_is_disabled_only_when_its_work_is_handed_over(office: Office) -> None:
    admin = flow_administrator(office)
    office.post("b")
    instance = office.start(office.approve("one", "a", "c", mode="order"))
    user = office.person("a", account=True).user
    assert user is not None
    with pytest.raises(Conflict, match="1 件待办"):
        user_disable(user_id=user.pk, by=SYSTEM)
    administering.task_reassign(
        task_id=office.task("a", instance), to=office.to("b").to[0], by=admin, reason="人a 已调离"
    )
    assert not user_disable(user_id=user.pk, by=SYSTEM).is_active


def test_work_whose_turn_has_not_come_and_a_colleague_without_an_account_count_too(office: Office) -> None:
    office.start(office.approve("one", "a", "c", mode="order"))
    user = office.person("c", account=True).user
    assert user is not None
    office.appoint("nobody", "c")
    with pytest.raises(Conflict, match="1 件待办"):
        user_disable(user_id=user.pk, by=SYSTEM)
    office.person("nobody", account=True)
    assert not user_disable(user_id=user.pk, by=SYSTEM).is_active


def test_what_came_back_to_the_very_drafter_keeps_the_account_although_the_post_has_another_holder(
    office: Office,
) -> None:
    instance = office.start(office.approve("one", "a"))
    office.appoint("colleague", "drafter")
    office.person("colleague", account=True)
    user = office.person("drafter", account=True).user
    assert user is not None
    office.act(Act.RETURN, "a", instance, opinion="请改")
    with pytest.raises(Conflict, match="1 件待办"):
        user_disable(user_id=user.pk, by=SYSTEM)
