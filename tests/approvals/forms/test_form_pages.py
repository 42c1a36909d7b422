"""The form on its pages: filled in to start a flow, shown and edited as each node lets its handlers."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from saas.approvals.engine import Act
from saas.approvals.models import Instance, Task
from saas.approvals.services import flow_install
from saas.core.actors import SYSTEM
from saas.core.tenancy import TenantRef
from tests.approvals.conftest import Enter
from tests.approvals.office import Office, start_with_form

FIELDS: list[dict[str, Any]] = [
    {"key": "sort", "label": "请假类别", "type": "choice", "choices": ["年假", "病假"], "required": True},
    {"key": "starts", "label": "开始日期", "type": "date", "required": True},
    {"key": "amount", "label": "补贴金额", "type": "money"},
    {"key": "secret", "label": "病情", "type": "long_text"},
    {"key": "urgent", "label": "是否加急", "type": "yes_no"},
    {"key": "places", "label": "去处", "type": "choices", "choices": ["本市", "外地"]},
    {"key": "stand_in", "label": "代班人", "type": "person"},
    {
        "key": "items",
        "label": "交接事项",
        "type": "table",
        "columns": [
            {"key": "what", "label": "事项", "type": "text", "required": True},
            {"key": "cost", "label": "费用", "type": "money"},
        ],
    },
]


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    made = Office()
    hidden = {"secret": "hidden", "amount": "edit", "items": "read", "items.cost": "edit"}
    nodes = [
        {"kind": "start", "key": "start", "name": "填写"},
        made.approve("one", "a", fields=hidden),
        made.approve("two", "b"),
        {"kind": "end", "key": "end", "name": "结束"},
    ]
    tree = {"form": {"fields": FIELDS, "applies": True}, "nodes": nodes}
    flow_install(key="leave", name="请假申请", tree=tree, by=SYSTEM)
    made.post("drafter")
    return made


def form(**more: Any) -> dict[str, Any]:
    filled = {
        "key": uuid4().hex,
        "title": "请假申请（人drafter）",
        "urgency": "0",
        "f_sort": "年假",
        "f_starts": "2026-12-01",
    }
    return {**filled, **more}


def test_a_form_is_offered_filled_in_and_sent(office: Office, enter: Enter) -> None:
    client = enter(office, "drafter")
    assert "请假申请" in client.get("/applications/").content.decode()
    page = client.get("/applications/leave/").content.decode()
    for label in ("请假类别", "开始日期", "补贴金额", "病情", "交接事项", "代班人", "加一行"):
        assert label in page
    rows = {
        "f_items__shown": "1",
        "f_items__rows": ["r1", "r2"],
        "f_items__r1__what": "值班",
        "f_items__r1__cost": "12.5",
    }
    posted = form(**rows, f_places__shown="1", f_places=["外地"], f_urgent="no", f_amount="1,000", f_secret="感冒")
    answer = client.post("/applications/leave/", posted)
    assert answer.status_code == 302
    row = Instance.objects.get(flow_key="leave")
    assert row.subject_kind == "application"
    assert row.values["items"] == [{"id": "r1", "what": "值班", "cost": "12.50"}]
    assert (row.values["places"], row.values["urgent"], row.values["amount"]) == (["外地"], False, "1000.00")
    matter = client.get(answer["Location"]).content.decode()
    for text in ("1,000.00", "感冒", "值班", "12.50", "外地"):
        assert text in matter


def test_a_wrong_form_comes_back_as_it_was_typed(office: Office, enter: Enter) -> None:
    client = enter(office, "drafter")
    rows = {"f_items__shown": "1", "f_items__rows": ["r1"], "f_items__r1__what": "", "f_items__r1__cost": "很多"}
    answer = client.post("/applications/leave/", form(**rows, f_starts="明天", f_amount="壹佰", title=" "))
    assert answer.status_code == 422
    answer = client.post("/applications/leave/", form(**rows, f_starts="明天", f_amount="壹佰"))
    page = answer.content.decode()
    assert answer.status_code == 422
    for text in (
        'value="明天"',
        'value="壹佰"',
        'value="很多"',
        "请填日期",
        "请填数字",
        "请填写“事项”",
        '<option value="年假" selected>',
    ):
        assert text in page, text
    assert not Instance.objects.filter(flow_key="leave").exists()


def started(office: Office) -> UUID:
    return start_with_form(
        office, "leave", sort="病假", starts="2026-12-01", secret="感冒", items=[{"id": "r1", "what": "值班"}]
    )


def test_each_node_shows_and_takes_what_its_rules_say(office: Office, enter: Enter) -> None:
    instance = started(office)
    task = office.task("a", instance)
    client = enter(office, "a")
    page = client.get(f"/tasks/{task}/").content.decode()
    assert "感冒" not in page
    assert "病情" not in page
    assert 'name="f_amount"' in page
    assert 'name="f_items__r1__cost"' in page
    assert 'name="f_sort"' not in page
    assert 'name="f_items__r1__what"' not in page
    base = {"key": uuid4().hex, "act": "agree", "f_items__shown": "1", "f_items__rows": ["r1"]}
    forged = client.post(f"/tasks/{task}/act/", {**base, "f_sort": "年假"})
    assert forged.status_code == 422
    assert "本环节不能修改“请假类别”" in forged.content.decode()
    done = client.post(f"/tasks/{task}/act/", {**base, "f_amount": "80", "f_items__r1__cost": "5"})
    assert done.status_code == 302
    values = Instance.objects.get(id=instance).values
    assert (values["amount"], values["items"][0]["cost"], values["sort"]) == ("80.00", "5.00", "病假")
    assert "感冒" not in client.get(f"/matters/{instance}/").content.decode()
    drafter = enter(office, "drafter").get(f"/matters/{instance}/").content.decode()
    assert "表单改过 2 处" in drafter
    assert "感冒" in drafter


def test_a_form_somebody_else_changed_is_looked_at_again(office: Office, enter: Enter) -> None:
    instance = started(office)
    task = office.task("a", instance)
    client = enter(office, "a")
    posted = {"key": uuid4().hex, "act": "agree", "f_amount": "80", "form_seen": "0" * 16}
    refused = client.post(f"/tasks/{task}/act/", posted)
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "表单刚被别人改过" in page
    assert 'value="80"' in page
    assert Task.objects.get(id=task).state == "open"


def test_the_drafter_corrects_what_came_back(office: Office, enter: Enter) -> None:
    instance = started(office)
    office.act(Act.RETURN, "a", instance, opinion="请改日期")
    client = enter(office, "drafter")
    task = office.task("drafter", instance)
    assert 'value="2026-12-01"' in client.get(f"/tasks/{task}/").content.decode()
    posted = {"key": uuid4().hex, "act": "agree", "f_starts": "2026-12-02"}
    assert client.post(f"/tasks/{task}/act/", posted).status_code == 302
    assert Instance.objects.get(id=instance).values["starts"] == "2026-12-02"


def test_a_flow_that_is_not_applied_for_has_no_page(office: Office, enter: Enter) -> None:
    office.start(office.approve("one", "a"), key="plain")
    client = enter(office, "drafter")
    assert client.get("/applications/plain/").status_code == 404
    assert client.get("/applications/none/").status_code == 404
