"""The flow editor: branches, conditions, rules of who acts and the form are made without a line of JSON."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from saas.accounts.models import RoleGrant
from saas.approvals.definition import Condition, parse
from saas.approvals.definition.editing import added, branched, cards, replaced
from saas.approvals.models import Flow, FlowVersion
from saas.core.access import Role
from saas.core.tenancy import TenantRef
from tests.approvals.conftest import Enter
from tests.approvals.office import Office


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    made = Office()
    made.post("keeper")
    user = made.person("keeper", account=True).user
    assert user is not None
    RoleGrant.objects.create(user=user, role=Role.FLOW_ADMIN, exclusive=False)
    return made


class Editor:
    """Presses the editor's buttons, sending everything the page shows, as a browser would."""

    def __init__(self, client: Client, key: str) -> None:
        self.client = client
        answer = client.post("/flows/new/", {"name": "采购", "key": key})
        self.address = answer["Location"]
        self.page = client.get(self.address).content.decode()

    def shown(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        editor = self.page[self.page.index('id="editor"') :]
        for plain, tag, attributes, inside in re.findall(
            r"<input\b([^>]*)>|<(select|textarea)\b([^>]*)>(.*?)</(?:select|textarea)>", editor, re.S
        ):
            said = attributes or plain
            name = re.search(r'name="([^"]+)"', said)
            if name is None or name.group(1) == "csrfmiddlewaretoken":
                continue
            if tag == "select":
                chosen = re.search(r'<option value="([^"]*)" selected', inside) or re.search(
                    r'<option value="([^"]*)"', inside
                )
                values[name.group(1)] = html.unescape(chosen.group(1)) if chosen else ""
            elif tag == "textarea":
                values[name.group(1)] = html.unescape(inside)
            elif 'type="checkbox"' not in said or " checked" in said:
                value = re.search(r'value="([^"]*)"', said)
                values[name.group(1)] = html.unescape(value.group(1)) if value else ""
        return values

    def press(self, change: str, **typed: str) -> None:
        answer = self.client.post(self.address, {**self.shown(), **typed, "change": change})
        assert answer.status_code == 200, answer.content.decode()[-2000:]
        self.page = answer.content.decode()

    @property
    def tree(self) -> Any:
        return json.loads(self.shown()["definition"])


def test_a_flow_with_a_form_branches_and_conditions_is_made_without_json(office: Office, enter: Enter) -> None:
    editor = Editor(enter(office, "keeper"), "purchase")
    boss, clerk = office.post("boss"), office.post("clerk")
    editor.press("open:form:")
    editor.press("keep:", fl_0_label="金额", fl_0_type="money", fl_0_required="1", fl_0_key="amount", form_applies="1")
    editor.press("keep:", fl_1_label="明细", fl_1_type="table")
    editor.press("keep:", fl_1_c_0_label="品名", fl_1_c_0_type="text")
    editor.press("keep:", fl_2_label="去处", fl_2_type="choice", fl_2_choices="本市、外地")
    editor.press("close:", check_0_check="amount > 0.0", check_0_message="金额应大于零", check_0_field="amount")
    editor.press("add", new_name="审核", new_kind="approve", new_rule="post", new_post=str(clerk))
    editor.press("add", new_name="按金额", new_kind="condition")
    editor.press("open:n2")
    first = {"br_0_name": "大额", "br_0_0_field": "amount", "br_0_0_is": "ge", "br_0_0_value": "5000"}
    editor.press("keep:", **first)
    second = {"br_0_1_field": "f2", "br_0_1_is": "in", "br_0_1_value": "本市、外地"}
    assert editor.tree["form"]["fields"][2]["key"] == "f2"
    editor.press("branch:n2", **second)
    editor.press("close:", br_1_name="急件", br_1_when="urgency >= 2")
    editor.press("add", new_name="领导审批", new_kind="approve", new_rule="post", new_post=str(boss), new_into="n2:0")
    editor.press("open:n1")
    editor.press(
        "close:",
        n_mode="all",
        n_days="2",
        n_remind="8",
        n_overdue="escalate",
        who_1_rule="leader_above",
        who_1_level="2",
        right_amount="edit",
        **{"right_f1.f1": "hidden"},
    )
    tree = editor.tree
    node = tree["nodes"][1]
    assert node["who"] == [{"rule": "post", "id": str(clerk)}, {"rule": "leader_above", "level": 2}]
    assert (node["mode"], node["limit"], node["overdue"]) == ("all", {"days": 2, "remind": 8}, "escalate")
    assert node["fields"] == {"amount": "edit", "f1.f1": "hidden"}
    assert tree["form"]["applies"] is True
    assert tree["form"]["checks"] == [{"check": "amount > 0.0", "message": "金额应大于零", "field": "amount"}]
    condition = parse(tree).node("n2")
    assert isinstance(condition, Condition)
    assert [branch.when for branch in condition.branches] == [
        "amount >= 5000.0 && f2 in ['本市', '外地']",
        "urgency >= 2",
        "",
    ]
    assert [inner.name for inner in condition.branches[0].nodes] == ["领导审批"]
    answer = editor.client.post(editor.address + "publish/", editor.shown())
    assert answer.status_code == 302
    assert FlowVersion.objects.get(flow__key="purchase").state == "published"


def test_every_error_is_shown_at_once_with_its_node(office: Office, enter: Enter) -> None:
    editor = Editor(enter(office, "keeper"), "wrong")
    editor.press("add", new_name="按金额", new_kind="condition")
    editor.press("open:n1")
    editor.press("close:", br_0_name="大额", br_0_when="amount > 1")
    editor.press("add", new_name="归档", new_kind="automatic")
    editor.press("add", new_name="审核", new_kind="approve", new_rule="unit_leader")
    editor.press("open:n3")
    editor.press("close:", who_0_rule="field", n_vacant="substitute")
    answer = editor.client.post(editor.address + "publish/", editor.shown())
    page = answer.content.decode()
    assert answer.status_code == 422
    for text in ("<b>归档</b> 缺少“action”。", "<b>审核</b> 缺少“field”。", "<b>审核</b> 选择了由替补岗位办理"):
        assert text in page, text
    editor.page = page
    editor.press("open:n3")
    editor.press("close:", who_0_rule="unit_leader", n_vacant="hold")
    editor.press("remove:n2")
    page = editor.client.post(editor.address + "publish/", editor.shown()).content.decode()
    assert "<b>按金额</b> 分支“大额”的条件：用到未知字段“amount”。" in page
    assert Flow.objects.get(key="wrong").versions.get().state == "draft"


def test_what_the_panel_does_not_show_is_kept(office: Office, enter: Enter) -> None:
    editor = Editor(enter(office, "keeper"), "kept")
    tree = editor.tree
    chosen = {"rule": "chosen", "among": [str(office.post("a")), str(office.post("b"))]}
    tree["nodes"].insert(
        1,
        {"kind": "approve", "key": "n1", "name": "签", "who": [chosen], "marks": ["sign_off"], "forbid": ["transfer"]},
    )
    before = json.loads(json.dumps(tree))
    editor.press("open:n1", definition=json.dumps(tree))
    editor.press("close:")
    assert editor.tree == before


def test_a_branch_is_added_before_the_last_and_taken_away() -> None:
    node: dict[str, Any] = {"kind": "condition", "key": "c", "branches": [{"name": "a"}, {"name": "b"}]}
    more = branched(node, name="new")
    assert [one["name"] for one in more["branches"]] == ["a", "new", "b"]
    assert [one["name"] for one in branched(more, without=0)["branches"]] == ["new", "b"]
    assert branched(node, without=9)["branches"] == node["branches"]
    tree = {"nodes": [{"kind": "start", "key": "s"}, node, {"kind": "end", "key": "e"}]}
    grown = added(tree, {"kind": "approve", "key": "x"}, into="c:1")
    assert grown["nodes"][1]["branches"][1]["nodes"] == [{"kind": "approve", "key": "x"}]
    assert added(tree, {"key": "x"}, into="c:7")["nodes"][2] == {"key": "x"}
    assert [card.into or card.key for card in cards(grown)] == ["s", "c", "c:0", "c:1", "x", "e"]
    assert replaced(grown, "x", {"key": "x", "kind": "circulate"})["nodes"][1]["branches"][1]["nodes"][0] == {
        "key": "x",
        "kind": "circulate",
    }
