"""The places of somebody's to-dos: whoever stands in for a colleague of the same unit sees no task twice."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from saas.approvals import selectors
from saas.approvals.models import Delegation, DelegationState, Task
from saas.approvals.selectors import TodoQuery, TodoSort, seats_of
from saas.core.tenancy import TenantRef
from saas.organisation.models import today
from tests.approvals.office import Office


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


def _stand_in(office: Office, giver: str, name: str, *, flow: str) -> None:
    Delegation.objects.create(
        giver_id=office.person(giver).id,
        giver_name=giver,
        stand_in_id=office.person(name).id,
        stand_in_name=name,
        flow_key=flow,
        starts=today(),
        ends=today() + timedelta(days=1),
        state=DelegationState.ACCEPTED,
    )


@pytest.mark.parametrize("flows", [("",), ("test",), ("", "test"), ("test", "other")])
@pytest.mark.parametrize("sort", list(TodoSort))
def test_no_task_stands_in_the_list_twice(office: Office, flows: tuple[str, ...], sort: TodoSort) -> None:
    for name in ("a", "b"):
        office.post(name)
    of_unit = {"rule": "group", "id": str(office.unit.id)}
    office.start(office.approve("post", "a"))
    office.start({"kind": "approve", "key": "unit", "name": "全处", "who": [of_unit]})
    named = office.start(office.approve("named", "a"))
    Task.objects.filter(instance_id=named, state="open").update(person_id=office.person("a").id)
    for flow in flows:
        _stand_in(office, "a", "b", flow=flow)
    seats = seats_of(office.person("b").id)
    rows = selectors.todo_list(seats, TodoQuery(sort=sort)).rows
    assert sorted(row.node_name for row in rows) == ["全处", "环节named", "环节post"]
    assert selectors.todo_counts(seats).total == 3


def test_a_task_that_names_a_holder_is_not_the_colleague_s_of_the_same_post(office: Office) -> None:
    office.post("a")
    office.appoint("second", "a")
    instance = office.start(office.approve("one", "a"))
    Task.objects.filter(instance_id=instance, state="open").update(person_id=office.person("a").id)
    seats = seats_of(office.person("second").id)
    assert selectors.todo_list(seats, TodoQuery()).rows == []
    office.leave("a", "a")
    assert [row.node_name for row in selectors.todo_list(seats, TodoQuery()).rows] == ["环节one"]


def test_pages_follow_each_other_without_loss(office: Office) -> None:
    for _number in range(5):
        office.start(office.approve("one", "a"))
    seats = seats_of(office.person("a").id)
    found = [selectors.todo_list(seats, TodoQuery(offset=at, limit=2)) for at in (0, 2, 4)]
    assert [page.more for page in found] == [True, True, False]
    assert len({row.id for page in found for row in page.rows}) == 5
    assert selectors.todo_list(seats, TodoQuery(words="100%")).rows == []
    assert selectors.todo_list(seats, TodoQuery(kind=uuid4().hex)).rows == []
