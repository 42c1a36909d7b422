"""Forms on PostgreSQL: kept with the instance, changed with an act by who may, every change recorded for good."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from saas.approvals import selectors, store
from saas.approvals.definition import DefinitionInvalid
from saas.approvals.engine import Act
from saas.approvals.models import FlowEvent, Instance, Opinion, Task
from saas.approvals.services import FormInput, act, flow_install, start_flow
from saas.approvals.services.filling import mark
from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from saas.core.errors import Conflict, Invalid
from saas.core.tenancy import TenantRef
from tests.approvals.office import Office, subject_of

FIELDS: list[dict[str, Any]] = [
    {"key": "reason", "label": "事由", "type": "text", "required": True},
    {"key": "amount", "label": "金额", "type": "money"},
    {"key": "reviewer", "label": "复核岗位", "type": "post"},
    {"key": "colleague", "label": "代班人", "type": "person"},
    {"key": "team", "label": "协办部门", "type": "unit"},
    {
        "key": "items",
        "label": "明细",
        "type": "table",
        "columns": [
            {"key": "name", "label": "品名", "type": "text"},
            {"key": "keeper", "label": "保管岗位", "type": "post"},
        ],
    },
]


@pytest.fixture
def office(in_alpha: TenantRef) -> Office:
    return Office()


def install(office: Office, *nodes: dict[str, Any], fields: list[dict[str, Any]] | None = None) -> None:
    start = {"kind": "start", "key": "start", "name": "填写"}
    end = {"kind": "end", "key": "end", "name": "结束"}
    tree = {"form": {"fields": fields or FIELDS}, "nodes": [start, *nodes, end]}
    flow_install(key="form", name="申请", tree=tree, by=SYSTEM)


def start(office: Office, *nodes: dict[str, Any], **form: Any) -> UUID:
    install(office, *nodes)
    office.post("drafter")
    given = {"reason": "出差", **form}
    return start_flow(flow_key="form", subject=subject_of(), by=office.actor("drafter"), form=given)


def asked(instance: UUID) -> list[UUID]:
    return list(Task.objects.filter(instance_id=instance, state="open").values_list("assignee_id", flat=True))


def by_field(field: str) -> dict[str, Any]:
    return {"kind": "approve", "key": "f", "name": "字段", "who": [{"rule": "field", "field": field}]}


def test_what_the_drafter_fills_in_is_kept_and_recorded(office: Office) -> None:
    instance = start(office, office.approve("one", "a"), amount="1,200")
    row = Instance.objects.get(id=instance)
    assert (row.values["reason"], row.values["amount"]) == ("出差", "1200.00")
    changed = FlowEvent.objects.get(instance_id=instance, act="start").detail["changed"]
    assert [(one["field"], one["before"], one["after"]) for one in changed] == [
        ("reason", None, "出差"),
        ("amount", None, "1200.00"),
    ]
    with pytest.raises(DatabaseError), transaction.atomic():
        FlowEvent.objects.filter(instance_id=instance).update(detail={})


def test_a_form_that_is_not_filled_in_does_not_start(office: Office) -> None:
    install(office, office.approve("one", "a"))
    office.post("drafter")
    for given in ({}, {"reason": " "}, {"reason": "x", "amount": "many"}, {"reason": "x", "colleague": str(uuid4())}):
        with pytest.raises(Invalid) as caught:
            start_flow(flow_key="form", subject=subject_of(), by=office.actor("drafter"), form=given)
        assert all(name.startswith("form.") for name in caught.value.fields)
    assert not Instance.objects.exists()


def test_only_who_may_edit_at_the_node_changes_a_value(office: Office) -> None:
    instance = start(
        office, office.approve("one", "a"), office.approve("two", "b", fields={"amount": "edit"}), amount="1"
    )
    with pytest.raises(Invalid) as caught:
        office.act(Act.AGREE, "a", instance, form=FormInput({"amount": "2"}))
    assert caught.value.fields == {"form.amount": "本环节不能修改“金额”。"}
    assert Opinion.objects.filter(node="one").count() == 0
    office.act(Act.AGREE, "a", instance)
    office.act(Act.AGREE, "b", instance, form=FormInput({"amount": "2"}))
    assert Instance.objects.get(id=instance).values["amount"] == "2.00"
    event = FlowEvent.objects.get(instance_id=instance, node="two")
    assert event.actor_label == office.actor("b").label
    assert event.detail["changed"] == [{"field": "amount", "row": "", "column": "", "before": "1.00", "after": "2.00"}]


def test_two_editors_do_not_overwrite_one_another(office: Office) -> None:
    rules = {"amount": "edit", "reason": "edit"}
    instance = start(office, office.approve("one", "a", "b", mode="all", fields=rules))
    loaded = store.read(instance)
    assert loaded is not None
    seen = mark(loaded.flow.form, loaded.state.values)
    office.act(Act.AGREE, "a", instance, form=FormInput({"amount": "2"}, seen))
    with pytest.raises(Conflict):
        office.act(Act.AGREE, "b", instance, form=FormInput({"reason": "开会"}, seen))
    assert Instance.objects.get(id=instance).values["reason"] == "出差"
    office.act(Act.AGREE, "b", instance, form=FormInput({"reason": "出差"}, seen))  # Changes nothing.


@pytest.mark.parametrize("field", ["reviewer", "team", "colleague", "items.keeper"])
def test_a_form_field_names_who_acts(office: Office, field: str) -> None:
    a, b = office.post("a"), office.post("b")
    given: dict[str, Any] = {
        "reviewer": str(a),
        "team": str(office.unit.id),
        "colleague": str(office.person("a").id),
        "items": [{"name": "x", "keeper": str(a)}, {"name": "y", "keeper": str(b)}, {"name": "z", "keeper": str(a)}],
    }
    instance = start(office, by_field(field), **given)
    expected = {"reviewer": [a], "team": [office.unit.id], "colleague": [a], "items.keeper": [a, b]}
    assert sorted(asked(instance)) == sorted(expected[field])


def test_a_field_left_empty_holds_the_flow_with_the_reason(office: Office) -> None:
    instance = start(office, by_field("reviewer"))
    assert [row.holds for row in selectors.stuck_list()] == [(("f", "nobody", ""),)]
    assert asked(instance) == []


def condition(when: str, yes: dict[str, Any]) -> dict[str, Any]:
    branches = [{"name": "大额", "when": when, "nodes": [yes]}, {"name": "其他", "nodes": []}]
    return {"kind": "condition", "key": "c", "name": "按金额", "branches": branches}


def test_a_condition_goes_by_the_form_and_one_that_fails_holds_and_is_told(office: Office) -> None:
    nodes = (condition("amount > 5000.0", office.approve("big", "boss")), office.approve("one", "a"))
    assert asked(start(office, *nodes, amount="5000.01")) == [office.post("boss")]
    assert asked(start(office, *nodes, amount="5000.00")) == [office.post("a")]
    held = start(office, *nodes)
    (row,) = selectors.stuck_list()
    assert (row.id, row.holds) == (held, (("c", "condition", "大额：“amount > 5000.0”：amount 没有值"),))
    told = AuditRecord.objects.get(event="flow.stuck", target_id=str(held))
    assert told.detail["reason"] == "condition"


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("amounts > 1.0", "用到未知字段“amounts”。"),
        ("amount > 'x'", "类型不符"),
        ("urgency > 1 && title.contains('急') && drafter_unit != ''", ""),
    ],
)
def test_conditions_are_checked_at_publication(office: Office, when: str, reason: str) -> None:
    nodes = (condition(when, office.approve("big", "boss")),)
    if not reason:
        install(office, *nodes)
        return
    with pytest.raises(DefinitionInvalid) as caught:
        install(office, *nodes)
    assert [(one.node, reason in one.reason) for one in caught.value.problems] == [("按金额", True)]


def test_a_field_of_the_systems_own_name_and_a_wrong_naming_field_are_refused(office: Office) -> None:
    with pytest.raises(DefinitionInvalid, match="系统保留"):
        install(
            office,
            office.approve("one", "a"),
            fields=[{"key": "sensitivity", "label": "级别", "type": "text"}],
        )
    with pytest.raises(DefinitionInvalid, match="不能决定办理人"):
        install(office, by_field("amount"))
    with pytest.raises(DefinitionInvalid, match="未知字段"):
        install(office, by_field("nobody"))


def test_an_act_sent_twice_changes_the_form_once(office: Office) -> None:
    instance = start(office, office.approve("one", "a", fields={"amount": "edit"}), office.approve("two", "b"))
    task = office.task("a", instance)
    for amount in ("1", "2"):
        form = FormInput({"amount": amount})
        act(task_id=task, act=Act.AGREE, by=office.actor("a"), idempotency_key="once-only", form=form)
    assert Instance.objects.get(id=instance).values["amount"] == "1.00"
