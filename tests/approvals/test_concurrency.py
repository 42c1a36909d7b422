"""Many press the same button at once: one act is done, and everybody is told the truth about it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client

from saas.approvals.engine import Act
from saas.approvals.models import FlowEvent, Instance, Opinion, Task
from saas.approvals.services import ActResult, act, withdraw
from saas.core.actors import Actor
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.approvals.crowd import at_once
from tests.approvals.office import Office

CLIENTS = 64
# Each browser costs a page, not one call: fewer of them race as well.
BROWSERS = 16
HOLDERS = ("a", "b", "c", "d")


@pytest.fixture
def office(committed: TenantRef) -> Office:
    """A post that four people hold."""
    made = Office()
    made.post("a")
    for name in HOLDERS[1:]:
        made.appoint(name, "a")
    return made


def holders(office: Office) -> list[Actor]:
    return [office.actor(name) for name in HOLDERS]


def assert_one_act(instance: uuid.UUID, *, next_node: str = "two") -> FlowEvent:
    """The matter went on once: one event, one opinion, one next task, one audit record."""
    event = FlowEvent.objects.get(instance_id=instance, node="one")
    assert Opinion.objects.filter(instance_id=instance, node="one").count() == 1
    assert list(Task.objects.filter(instance_id=instance, state="open").values_list("node", flat=True)) == [next_node]
    assert AuditRecord.objects.filter(target_id=str(instance), event="task.acted").count() == 1
    assert Instance.objects.get(id=instance).live["acts"] == event.act_number
    return event


def test_64_clients_agree_to_one_task_and_63_are_told_who_did_it(office: Office, committed: TenantRef) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"))
    task, actors = office.task("a", instance), holders(office)

    def press(number: int) -> ActResult:
        by = actors[number % len(actors)]
        return act(task_id=task, act=Act.AGREE, by=by, idempotency_key=uuid.uuid4().hex, opinion=f"意见{number}")

    got = at_once(CLIENTS, press, bureau=committed)
    winners = [number for number, answer in enumerate(got) if isinstance(answer, ActResult)]
    assert len(winners) == 1, got
    event = assert_one_act(instance)
    done_by = actors[winners[0] % len(actors)]
    assert event.person_id == done_by.person_id
    assert Opinion.objects.get(instance_id=instance, node="one").text == f"意见{winners[0]}"
    refused = [answer for answer in got if not isinstance(answer, ActResult)]
    assert {type(answer) for answer in refused} == {Conflict}
    told = {str(answer.message) for answer in refused if isinstance(answer, Conflict)}
    (message,) = told
    assert all(part in message for part in (done_by.label, "同意", "您的操作没有生效"))


def test_64_clients_send_one_act_and_all_get_its_answer(office: Office, committed: TenantRef) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"))
    task, by = office.task("a", instance), office.actor("a")
    got = at_once(
        CLIENTS, lambda _n: act(task_id=task, act=Act.AGREE, by=by, idempotency_key="one press"), bureau=committed
    )
    answers = [answer for answer in got if isinstance(answer, ActResult)]
    assert len(answers) == CLIENTS, got
    assert {(answer.instance_id, answer.status.value) for answer in answers} == {(instance, "running")}
    assert Counter(answer.repeated for answer in answers) == {True: CLIENTS - 1, False: 1}
    assert_one_act(instance)


def test_of_agreeing_returning_and_transferring_at_once_one_is_done(office: Office, committed: TenantRef) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"))
    task, actors = office.task("a", instance), holders(office)
    wanted = (Act.AGREE, Act.RETURN, Act.TRANSFER)
    office.post("other")
    to = office.to("other")

    def press(number: int) -> Act:
        what, by = wanted[number % 3], actors[number % len(actors)]
        target = to if what is Act.TRANSFER else None
        act(task_id=task, act=what, by=by, idempotency_key=uuid.uuid4().hex, opinion="如下", target=target)
        return what

    got = at_once(CLIENTS, press, bureau=committed)
    winners = [answer for answer in got if isinstance(answer, Act)]
    assert len(winners) == 1, got
    assert {type(answer) for answer in got if not isinstance(answer, Act)} == {Conflict}
    event = assert_one_act(instance, next_node={Act.AGREE: "two", Act.RETURN: "start", Act.TRANSFER: "one"}[winners[0]])
    assert event.act == winners[0].value


def test_withdrawing_while_the_next_agrees_leaves_one_of_the_two(office: Office, committed: TenantRef) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"), office.approve("three", "last"))
    office.act(Act.AGREE, "a", instance)
    mine = Task.objects.get(instance_id=instance, node="one").id
    following, first, second = office.task("next", instance), office.actor("a"), office.actor("next")

    def press(number: int) -> str:
        if number % 2:
            withdraw(task_id=mine, by=first, idempotency_key=uuid.uuid4().hex)
            return "one"
        act(task_id=following, act=Act.AGREE, by=second, idempotency_key=uuid.uuid4().hex)
        return "three"

    got = at_once(CLIENTS, press, bureau=committed)
    winners = [answer for answer in got if isinstance(answer, str)]
    assert len(winners) == 1, got
    refused = [answer for answer in got if not isinstance(answer, str)]
    assert {type(answer) for answer in refused} == {Conflict}
    if winners == ["one"]:
        told = {str(answer.message) for answer in refused if isinstance(answer, Conflict)}
        assert all(f"{first.label} 已于" in text and "撤回，您的操作没有生效" in text for text in told), told
    assert list(Task.objects.filter(instance_id=instance, state="open").values_list("node", flat=True)) == winners


def test_a_second_press_of_withdraw_is_told_that_it_is_done(office: Office, committed: TenantRef) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"))
    office.act(Act.AGREE, "a", instance)
    task, by = Task.objects.get(instance_id=instance, node="one").id, office.actor("a")

    def press(_number: int) -> ActResult:
        return withdraw(task_id=task, by=by, idempotency_key=uuid.uuid4().hex)

    got = at_once(BROWSERS, press, bureau=committed)
    assert sum(isinstance(answer, ActResult) for answer in got) == 1
    refused = [answer for answer in got if not isinstance(answer, ActResult)]
    assert {type(answer) for answer in refused} == {Conflict}
    assert all("撤回，您的操作没有生效" in str(answer) for answer in refused)


def browsers(office: Office, bureau: TenantRef, as_user: Callable[..., Client]) -> list[Client]:
    """Signed-in browsers of the post's holders, several each."""
    users = [office.person(name, account=True).user for name in HOLDERS]
    return [as_user(users[number % len(users)], bureau=bureau) for number in range(BROWSERS)]


def test_16_browsers_agree_to_one_task_and_15_see_who_did_it(
    office: Office, committed: TenantRef, as_user: Callable[..., Client]
) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"))
    address = f"/tasks/{office.task('a', instance)}/act/"
    clients = browsers(office, committed, as_user)

    def press(number: int) -> tuple[int, str]:
        form = {"act": "agree", "key": uuid.uuid4().hex, "opinion": f"第{number}个浏览器的意见"}
        answer = clients[number].post(address, form)
        return answer.status_code, answer.content.decode()

    got = [answer for answer in at_once(BROWSERS, press) if isinstance(answer, tuple)]
    assert Counter(status for status, _page in got) == {302: 1, 409: BROWSERS - 1}
    with use_tenant(committed):
        event = assert_one_act(instance)
    for number, (status, page) in enumerate(got):
        if status == 409:
            assert event.actor_label in page
            assert "您的操作没有生效" in page
            assert f"第{number}个浏览器的意见" in page


def test_16_clicks_on_one_button_are_one_act_and_no_error(
    office: Office, committed: TenantRef, as_user: Callable[..., Client]
) -> None:
    instance = office.start(office.approve("one", "a"), office.approve("two", "next"))
    address, key = f"/tasks/{office.task('a', instance)}/act/", uuid.uuid4().hex
    clients = browsers(office, committed, as_user)[:: len(HOLDERS)]

    def press(number: int) -> int:
        return clients[number % len(clients)].post(address, {"act": "agree", "key": key}).status_code

    assert at_once(BROWSERS, press) == [302] * BROWSERS
    with use_tenant(committed):
        assert_one_act(instance)
