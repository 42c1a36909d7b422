"""Pages of approvals: what they show, what they cost, and how acting on them is answered."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from saas.approvals.engine import Act
from saas.approvals.models import FlowEvent, Opinion, Phrase, Task
from saas.approvals.registry import Subject
from saas.core.audit.models import AuditRecord
from saas.core.tenancy import TenantRef
from saas.organisation.models import Person
from tenants.context import ActiveTenant
from tests.approvals.office import Office

LISTS = ("/tasks/", "/to-read/", "/done/", "/started/")
NEAR, FAR = "关于召开年度会议的通知", "关于印发检查办法的请示"
SignIn = Callable[..., Client]
Enter = Callable[[str], Client]


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


@pytest.fixture
def running(office: Office) -> UUID:
    """A matter with its first approver, urgent, within its limit."""
    nodes = office.approve("one", "a", limit={"days": 2}), office.approve("two", "b")
    subject = Subject(kind="test", id=uuid4(), title=NEAR, urgency=3, number="云数发〔2026〕38号")
    return office.start(*nodes, subject=subject)


@pytest.fixture
def enter(office: Office, in_alpha: TenantRef, as_user: SignIn, monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Sign in whoever has that name in the office; after an answer the test is inside the bureau again."""
    answered = Client.request

    def request(client: Client, **more: Any) -> Any:
        answer = answered(client, **more)
        connection.set_tenant(ActiveTenant(in_alpha))  # type: ignore[attr-defined]
        return answer

    monkeypatch.setattr(Client, "request", request)

    def sign_in(name: str) -> Client:
        office.post(name)
        person: Person = office.person(name, account=True)
        return as_user(person.user)

    return sign_in


def act_of(act: str, **more: object) -> dict[str, object]:
    """What the handling page's form sends."""
    return {"act": act, "key": uuid4().hex, **more}


def cost(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200, address
    skipped = ("SAVEPOINT", "RELEASE", "SET ")
    return len([one for one in asked.captured_queries if not one["sql"].startswith(skipped)])


def test_every_page_opens_and_costs_little(office: Office, running: UUID, enter: Enter) -> None:
    reader = enter("a")
    assert {address: cost(reader, address) for address in LISTS if cost(reader, address) > 8} == {}
    assert cost(reader, f"/tasks/{office.task('a', running)}/") <= 12
    assert cost(reader, f"/matters/{running}/") <= 12
    assert cost(enter("drafter"), f"/matters/{running}/") <= 12


def test_the_list_shows_counts_urgency_and_what_is_unread(office: Office, running: UUID, enter: Enter) -> None:
    reader = enter("a")
    page = reader.get("/tasks/").content.decode()
    assert all(text in page for text in (NEAR, "特急", "云数发〔2026〕38号", "环节one", 'class="un"', "1 件待办"))
    reader.get(f"/tasks/{office.task('a', running)}/")
    assert 'class="un"' not in reader.get("/tasks/").content.decode()
    assert NEAR not in reader.get("/tasks/", {"q": "没有的词"}).content.decode()
    assert NEAR in reader.get("/tasks/", {"q": "年度会议", "sort": "urgency", "kind": "test"}).content.decode()
    assert NEAR not in reader.get("/tasks/", {"overdue": "1"}).content.decode()


def test_the_export_follows_the_filter_and_is_recorded(office: Office, running: UUID, enter: Enter) -> None:
    office.start(office.approve("one", "a"), subject=Subject(kind="test", id=uuid4(), title=FAR))
    answer = enter("a").get("/tasks/export/", {"q": "年度会议"})
    rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
    assert [row[0] for row in rows[1:]] == [NEAR]
    assert AuditRecord.objects.filter(event="list.exported").count() == 1


def test_agreeing_sends_the_matter_on_and_offers_to_take_it_back(office: Office, running: UUID, enter: Enter) -> None:
    reader, task = enter("a"), office.task("a", running)
    assert reader.post(f"/tasks/{task}/act/", act_of("agree", opinion="拟同意。")).status_code == 302
    assert Opinion.objects.get(node="one").text == "拟同意。"
    assert f"/tasks/{task}/withdraw/" in reader.get("/done/").content.decode()
    assert reader.post(f"/tasks/{task}/withdraw/").status_code == 302
    assert office.task("a", running)


def test_returning_needs_a_reason_and_keeps_what_was_typed(office: Office, running: UUID, enter: Enter) -> None:
    reader, task = enter("a"), office.task("a", running)
    refused = reader.post(f"/tasks/{task}/act/", act_of("return", node="start", reason=" "))
    assert refused.status_code == 422
    assert "要说明理由" in refused.content.decode()
    long = "缺少附件二。" * 1000
    refused = reader.post(f"/tasks/{task}/act/", act_of("return", node="start", reason=long))
    assert refused.status_code == 422
    assert long in refused.content.decode()
    done = reader.post(f"/tasks/{task}/act/", act_of("return", node="start", reason="缺少附件二。"))
    assert done.status_code == 302
    assert Opinion.objects.get(act="return").text == "缺少附件二。"


def test_a_double_click_is_one_act(office: Office, running: UUID, enter: Enter) -> None:
    reader, task = enter("a"), office.task("a", running)
    form = act_of("agree")
    assert [reader.post(f"/tasks/{task}/act/", form).status_code for _twice in range(2)] == [302, 302]
    assert FlowEvent.objects.filter(instance_id=running, act="agree").count() == 1


def test_somebody_elses_task_is_not_there_for_strangers_and_closed_to_the_drafter(
    office: Office, running: UUID, enter: Enter
) -> None:
    task = office.task("a", running)
    for name, status in (("stranger", 404), ("drafter", 403)):
        other = enter(name)
        assert other.get(f"/tasks/{task}/").status_code == status
        assert other.post(f"/tasks/{task}/act/", act_of("agree")).status_code == status
    assert enter("stranger").get(f"/matters/{running}/").status_code == 404
    assert enter("stranger").get(f"/tasks/{uuid4()}/").status_code == 404


def test_a_stale_page_is_told_who_did_what_and_keeps_the_opinion(office: Office, enter: Enter) -> None:
    instance = office.start(office.approve("one", "a", "c", mode="any"))
    reader, task = enter("a"), office.task("a", instance)
    office.act(Act.AGREE, "c", instance)
    stale = reader.post(f"/tasks/{task}/act/", act_of("agree", opinion="我的长意见"))
    text = stale.content.decode()
    assert stale.status_code == 409
    assert "人c" in text
    assert "我的长意见" in text
    assert 'value="agree"' not in text


def test_transferring_asks_for_somebody_and_moves_the_task(office: Office, running: UUID, enter: Enter) -> None:
    reader, task = enter("a"), office.task("a", running)
    refused = reader.post(f"/tasks/{task}/act/", act_of("transfer", opinion="请协助"))
    assert refused.status_code == 422
    assert "请协助" in refused.content.decode()
    found = reader.get("/assignees/", {"field": "to_transfer", "who": "人c"}).content.decode()
    assert "没有找到“人c”" in found
    value = f"post:{office.post('c')}"
    found = reader.get("/assignees/", {"field": "to_transfer", "who": "人c"}).content.decode()
    assert value in found
    assert 'name="to_transfer"' in found
    assert reader.post(f"/tasks/{task}/act/", act_of("transfer", to_transfer=value)).status_code == 302
    assert Task.objects.get(id=office.task("c", running)).node == "one"


def test_acts_that_are_not_possible_say_why(office: Office, enter: Enter) -> None:
    instance = office.start(office.approve("one", "a", forbid=["transfer"]))
    page = enter("a").get(f"/tasks/{office.task('a', instance)}/").content.decode()
    assert "本环节的规则不允许。" in page
    assert 'value="transfer"' not in page
    assert 'value="circulate"' in page


def test_bulk_agreement_answers_for_each(office: Office, enter: Enter) -> None:
    easy = office.start(office.approve("one", "a", bulk=True), key="easy")
    hard = office.start(office.approve("one", "a", bulk=False), key="hard")
    tasks = [str(office.task("a", one)) for one in (easy, hard)]
    reader = enter("a")
    answer = reader.post("/tasks/bulk/", {"task": [*tasks, str(uuid4())], "key": uuid4().hex})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert all(part in text for part in ("1 件已同意，2 件未办", "请逐件办理", "可能已经办理或撤销"))
    assert Task.objects.get(id=tasks[0]).state == "done"
    assert Task.objects.get(id=tasks[1]).state == "open"
    assert reader.post("/tasks/bulk/", {"key": uuid4().hex}).status_code == 422


def test_what_is_circulated_is_read_and_marked(office: Office, running: UUID, enter: Enter) -> None:
    sender, task = enter("a"), office.task("a", running)
    sent = sender.post(f"/tasks/{task}/act/", act_of("circulate", to_circulate=f"post:{office.post('c')}"))
    assert sent.headers["Location"] == f"/tasks/{task}/"
    reader = enter("c")
    page = reader.get("/to-read/").content.decode()
    assert NEAR in page
    item = page.partition('name="item" value="')[2].partition('"')[0]
    assert reader.get(f"/matters/{running}/").status_code == 200
    assert reader.post("/to-read/mark/", {"item": item}).status_code == 302
    assert NEAR not in reader.get("/to-read/").content.decode()
    assert NEAR in reader.get("/to-read/", {"read": "1"}).content.decode()


def test_the_drafter_reminds_once_and_sees_where_it_is(office: Office, running: UUID, enter: Enter) -> None:
    drafter = enter("drafter")
    assert "环节one" in drafter.get("/started/").content.decode()
    remind = f"/matters/{running}/remind/"
    assert drafter.post(remind, {"key": uuid4().hex}).status_code == 302
    assert drafter.post(remind, {"key": uuid4().hex}).status_code in {409, 429}


def test_own_phrases_come_first(office: Office, running: UUID, enter: Enter) -> None:
    reader, task = enter("a"), office.task("a", running)
    assert reader.post("/phrases/", {"text": "请抓紧落实。", "back": str(task)}).status_code == 302
    assert Phrase.objects.get().text == "请抓紧落实。"
    page = reader.get(f"/tasks/{task}/").content.decode()
    assert page.index("请抓紧落实。") < page.index("拟同意，请审签。")


def test_english_readers_see_urgency_and_acts(office: Office, running: UUID, enter: Enter) -> None:
    page = enter("a").get("/tasks/", headers={"accept-language": "en"}).content.decode()
    assert 'class="tag te"' in page
