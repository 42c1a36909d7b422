"""Limits in working days: told of once, escalated as the node says, armed anew, counted by the database's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from saas.accounts.models import RoleGrant
from saas.approvals import selectors
from saas.approvals.definition import Limit
from saas.approvals.engine import Act
from saas.approvals.jobs import limits_check
from saas.approvals.models import FlowEvent, Opinion, Task
from saas.approvals.registry import Subject
from saas.approvals.selectors import TodoQuery, seats_of
from saas.approvals.services import remind, resubmit, resume, starting, suspend
from saas.approvals.services.handing_over import hand_over
from saas.approvals.world import DatabaseFacts, post_assignee
from saas.core import calendar
from saas.core.access import Role
from saas.core.actors import Actor
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Forbidden
from saas.core.tenancy import TenantRef
from tests.approvals.conftest import Enter
from tests.approvals.office import Office, subject_of


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    made = Office()
    made.post("leader")
    return made


@pytest.fixture
def keeper(office: Office) -> Actor:
    office.post("keeper")
    user = office.person("keeper", account=True).user
    assert user is not None
    RoleGrant.objects.create(user=user, role=Role.FLOW_ADMIN, exclusive=False)
    return office.actor("keeper")


def late(instance: UUID, by: timedelta = timedelta(hours=1)) -> None:
    """Let the limit of whatever is open have passed."""
    Task.objects.filter(instance_id=instance, state="open").update(due_at=timezone.now() - by)


def told(instance: UUID) -> list[str]:
    rows = FlowEvent.objects.filter(instance_id=instance, act__in=["due_soon", "overdue", "escalated"])
    return list(rows.order_by("id").values_list("act", flat=True))


def limited(office: Office, **more: Any) -> UUID:
    return office.start(office.approve("one", "a", limit={"days": 2}, **more), office.approve("two", "b"))


def test_the_handler_and_the_flow_administrator_are_told_once(office: Office, keeper: Actor, enter: Enter) -> None:
    instance = limited(office)
    limits_check()
    assert told(instance) == []
    Task.objects.filter(instance_id=instance, state="open").update(due_at=timezone.now() + timedelta(minutes=5))
    limits_check()
    assert told(instance) == ["due_soon"]
    assert "即将到期" in enter(office, "a").get("/tasks/").content.decode()
    late(instance)
    limits_check()
    limits_check()
    assert told(instance) == ["due_soon", "overdue"]
    (row,) = selectors.overdue_list()
    assert (row.instance_id, row.node_name) == (instance, "环节one")
    page = enter(office, "keeper").get("/stuck/").content.decode()
    assert "超期未办" in page
    assert "关于测试的通知" in page
    assert AuditRecord.objects.filter(event="task.overdue", target_id=str(instance)).count() == 1


def test_a_node_entered_again_is_reminded_again(office: Office) -> None:
    instance = limited(office)
    late(instance)
    limits_check()
    office.act(Act.RETURN, "a", instance, opinion="请改")
    resubmit(instance_id=instance, by=office.actor("drafter"), idempotency_key="again")
    late(instance)
    limits_check()
    assert told(instance) == ["overdue", "overdue"]


def test_a_limit_told_of_is_armed_anew_by_a_suspension(office: Office, keeper: Actor) -> None:
    instance = limited(office)
    late(instance)
    limits_check()
    suspend(instance_id=instance, by=keeper, reason="等材料")
    late(instance)
    limits_check()
    assert told(instance) == ["overdue"]
    resume(instance_id=instance, by=keeper, reason="材料到了")
    assert Task.objects.get(instance_id=instance, state="open").alert == 0


def test_escalation_shows_it_to_the_leader_above_who_may_read_it(office: Office, enter: Enter) -> None:
    instance = limited(office, overdue="escalate")
    leader = seats_of(office.person("leader").id)
    assert not selectors.may_read(instance, office.actor("leader"))
    late(instance)
    limits_check()
    assert told(instance) == ["overdue", "escalated"]
    assert [row.instance_id for row in selectors.supervised_list(leader).rows] == [instance]
    assert selectors.may_read(instance, office.actor("leader"))
    page = enter(office, "leader").get("/supervised/").content.decode()
    assert "关于测试的通知" in page
    assert "人a" in page
    office.act(Act.AGREE, "a", instance)
    assert selectors.supervised_list(leader).rows == []


def test_an_overdue_task_goes_to_the_leader_or_passes_when_the_node_says_so(office: Office) -> None:
    moved, passed = limited(office, overdue="transfer"), limited(office, overdue="pass")
    late(moved)
    late(passed)
    limits_check()
    limits_check()
    open_task = Task.objects.get(instance_id=moved, state="open")
    assert (open_task.assignee_id, open_task.node, open_task.alert) == (office.post("leader"), "one", 2)
    assert Task.objects.get(instance_id=passed, state="open").node == "two"
    said = Opinion.objects.get(instance_id=passed, act="pass")
    assert (said.person_name, said.text) == ("系统", "超期，按流程规定自动处理")


def test_the_third_reminder_tells_the_leader(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "URGE_PAUSE", timedelta(0))  # Events are append-only: no two hours can be faked.
    instance = office.start(office.approve("one", "a"))
    for number in range(3):
        remind(instance_id=instance, by=office.actor("drafter"), idempotency_key=f"u{number}")
        assert told(instance) == (["escalated"] if number == 2 else [])
    (row,) = selectors.todo_list(seats_of(office.person("a").id), TodoQuery()).rows
    assert row.urged == 3
    assert [row.urged for row in selectors.supervised_list(seats_of(office.person("leader").id)).rows] == [3]


def test_urgent_matters_have_less_time(office: Office) -> None:
    since = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 09:00 in China
    facts = DatabaseFacts()
    dues = [facts.due(Limit(days=4), since=since, urgency=level) for level in (0, 2, 3)]
    assert [timezone.localtime(due).strftime("%m-%d %H:%M") for due in dues if due] == [
        "11-27 17:30",
        "11-25 09:00",
        "11-24 09:00",
    ]


def test_the_calendar_stands_in_the_database_and_unknown_years_say_so(office: Office) -> None:
    calendar.forget()
    assert calendar.is_workday(date(2026, 10, 1)) is False
    assert calendar.is_workday(date(2026, 10, 10)) is True  # a Saturday worked in exchange
    assert (calendar.is_known(2026), calendar.is_known(2090)) == (True, False)
    assert calendar.is_workday(date(2090, 1, 2)) is True
    instance = office.start(
        office.approve("one", "a", limit={"days": 60}), subject=Subject(kind="test", id=subject_of().id, title="长")
    )
    entries = selectors.timeline(instance, office.actor("a"))
    assert "年的放假安排还没有录入" in entries[-1].text


def test_a_leavers_to_dos_go_to_others_in_one_act(office: Office, keeper: Actor, enter: Enter) -> None:
    office.post("b")
    first, second = office.start(office.approve("one", "a")), office.start(office.approve("one", "a"))
    leaver = office.person("a", account=True)
    client = enter(office, "keeper")
    tasks = [office.task("a", one) for one in (first, second)]
    page = client.get(f"/stuck/handover/?person={leaver.id}").content.decode()
    assert all(f"to_{task}" in page for task in tasks)
    with pytest.raises(Forbidden):
        hand_over(person_id=leaver.id, to={tasks[0]: post_assignee(office.post("b"))}, by=office.actor("b"), reason="x")
    with pytest.raises(Conflict):
        hand_over(
            person_id=office.person("b").id, to={tasks[0]: post_assignee(office.post("b"))}, by=keeper, reason="x"
        )
    posted = {f"to_{tasks[0]}": str(office.post("leader")), f"to_{tasks[1]}": "", "all": str(office.post("b"))}
    answer = client.post("/stuck/handover/", {"person": str(leaver.id), "reason": "调离", **posted})
    assert answer.status_code == 302
    held = {row.instance_id: row.assignee_id for row in Task.objects.filter(state="open")}
    assert held == {first: office.post("leader"), second: office.post("b")}
    assert Opinion.objects.filter(act="reassign", text="调离").count() == 2
    assert "没有要交接的待办" in client.get(f"/stuck/handover/?person={leaver.id}").content.decode()
