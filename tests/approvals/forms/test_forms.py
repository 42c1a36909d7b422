"""Forms without a database: what is read, what may be filled in at which node, and what expressions may say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from saas.approvals.definition import DefinitionInvalid, parse
from saas.approvals.forms import expressions
from saas.approvals.forms.filling import Filled, complete, fill
from saas.approvals.forms.model import Form, Rights
from saas.approvals.forms.values import Filler, for_expressions
from tests.approvals.flows import approve, flow_json

FIELDS: list[dict[str, Any]] = [
    {"key": "kind", "label": "类别", "type": "choice", "choices": ["年假", "病假"], "required": True},
    {"key": "days", "label": "天数", "type": "decimal", "digits": 1, "least": 0.5, "most": 365},
    {"key": "amount", "label": "金额", "type": "money"},
    {"key": "count", "label": "份数", "type": "integer"},
    {"key": "starts", "label": "开始", "type": "date"},
    {"key": "ends", "label": "结束", "type": "date"},
    {"key": "urgent", "label": "急", "type": "yes_no"},
    {"key": "places", "label": "地点", "type": "choices", "choices": ["甲", "乙"]},
    {"key": "reviewer", "label": "复核人", "type": "post"},
    {
        "key": "items",
        "label": "明细",
        "type": "table",
        "most": 3,
        "columns": [
            {"key": "name", "label": "品名", "type": "text", "required": True},
            {"key": "price", "label": "单价", "type": "money"},
            {"key": "unit", "label": "部门", "type": "unit"},
        ],
    },
]
CHECKS = [{"check": "ends >= starts", "message": "结束不能早于开始", "field": "ends"}]


def read(fields: Any = None, checks: Any = None, rules: Any = None, *more: dict[str, Any]) -> Any:
    tree = flow_json(approve("one", "a", fields=rules or {}), *more)
    tree["form"] = {"fields": FIELDS if fields is None else fields, "checks": CHECKS if checks is None else checks}
    return parse(tree)


def problems(**more: Any) -> list[str]:
    with pytest.raises(DefinitionInvalid) as caught:
        read(**more)
    return [str(problem) for problem in caught.value.problems]


def filled(given: dict[str, Any], node: str = "start", current: dict[str, Any] | None = None, **more: Any) -> Filled:
    flow = read(**more)
    rights: Rights = flow.rights(node)
    by = Filler(unit=MY_UNIT)
    found = fill(flow.form, rights, current or {}, given, by)
    complete(flow.form, rights, found, by)
    return found


MY_UNIT = uuid4()


@pytest.mark.parametrize(
    ("key", "raw", "kept"),
    [
        ("days", "1.5", "1.5"),
        ("days", "1", "1.0"),
        ("amount", "12,345.6", "12345.60"),
        ("amount", "0.10", "0.10"),
        ("count", " 7 ", 7),
        ("starts", "2026-02-28", "2026-02-28"),
        ("urgent", "yes", True),
        ("urgent", "no", False),
        ("places", ["乙", "甲"], ["甲", "乙"]),
        ("kind", "", None),
    ],
)
def test_a_value_is_kept_in_one_form_whatever_way_it_was_typed(key: str, raw: Any, kept: Any) -> None:
    assert fill(read().form, read().rights("start"), {}, {key: raw}, Filler()).values.get(key) == kept


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("days", "0"),
        ("days", "366"),
        ("days", "1.25"),
        ("days", "NaN"),
        ("days", True),
        ("amount", "1e300"),
        ("amount", "99999999999999.99"),
        ("amount", "壹佰"),
        ("count", "1.0"),
        ("starts", "2026-02-30"),
        ("kind", "事假"),
        ("places", ["丙"]),
        ("places", "甲"),
        ("urgent", "maybe"),
        ("urgent", [1]),
        ("reviewer", "张三"),
        ("items", "x"),
        ("items", [{"name": "n"}] * 4),
        ("nothing", "x"),
    ],
)
def test_what_the_field_cannot_take_is_refused_at_the_field(key: str, raw: Any) -> None:
    found = fill(read().form, read().rights("start"), {}, {key: raw}, Filler())
    assert list(found.errors) == [key]
    assert found.changes == []
    assert not found.values.get(key)


def test_agreeing_needs_the_required_fields_and_the_rules_of_the_form() -> None:
    assert filled({}).errors == {"kind": "请填写“类别”。"}
    dates = {"starts": "2026-02-02", "ends": "2026-02-01"}
    assert filled({"kind": "年假", **dates}).errors == {"ends": "结束不能早于开始"}
    good = filled({"kind": "年假", "starts": "2026-02-02", "ends": "2026-02-02"})
    assert (good.errors, len(good.changes)) == ({}, 3)


def test_others_than_the_drafter_only_read_unless_a_rule_says_so() -> None:
    current = {"kind": "年假", "amount": "5.00"}
    assert filled({"amount": "6"}, "one", current).errors == {"amount": "本环节不能修改“金额”。"}
    assert filled({"amount": "5.00"}, "one", current).errors == {}
    allowed = filled({"amount": "6"}, "one", current, rules={"amount": "edit"})
    assert (allowed.errors, allowed.values["amount"]) == ({}, "6.00")
    assert [(c.field, c.before, c.after) for c in allowed.changes] == [("amount", "5.00", "6.00")]


ROWS = [{"id": "r1", "name": "笔", "price": "1.00"}, {"id": "r2", "name": "纸", "price": "2.00"}]


def test_rules_reach_columns_and_rows_of_a_table() -> None:
    current = {"items": ROWS}
    fixed = {"items": "read", "items.price": "edit"}
    priced = filled({"items": [{"id": "r2", "price": "3"}]}, "one", current, rules=fixed)
    assert priced.errors == {}
    assert [row["price"] for row in priced.values["items"]] == ["1.00", "3.00"]
    assert [(c.row, c.column, c.before, c.after) for c in priced.changes] == [("r2", "price", "2.00", "3.00")]
    renamed = filled({"items": [{"id": "r1", "name": "墨"}]}, "one", current, rules=fixed)
    assert renamed.errors == {"items.r1.name": "本环节不能修改“品名”。"}
    added = filled({"items": [*ROWS, {"name": "墨"}]}, "one", current, rules=fixed)
    assert list(added.errors) == ["items"]
    assert added.values["items"] == ROWS


def test_a_rule_over_rows_leaves_each_unit_its_own() -> None:
    mine, theirs = {"id": "r1", "name": "笔", "unit": str(MY_UNIT)}, {"id": "r2", "name": "纸", "unit": str(uuid4())}
    rules = {"items": {"access": "edit", "rows": "row.unit == my_unit"}}
    found = filled({"items": [{**mine, "name": "墨"}]}, "one", {"items": [mine, theirs]}, rules=rules)
    assert found.errors == {}
    assert [row["name"] for row in found.values["items"]] == ["墨", "纸"]
    forged = filled({"items": [mine, {**theirs, "name": "砚"}]}, "one", {"items": [mine, theirs]}, rules=rules)
    assert list(forged.errors) == ["items"]
    assert forged.values["items"] == [mine, theirs]
    given_away = filled(
        {"items": [{**mine, "unit": theirs["unit"]}, theirs]}, "one", {"items": [mine, theirs]}, rules=rules
    )
    assert list(given_away.errors) == ["items"]


def test_rows_come_and_go_with_a_record_of_each() -> None:
    found = filled({"kind": "年假", "items": [ROWS[0], {"name": "墨"}, {"name": ""}]}, current={"items": ROWS})
    assert found.errors == {}
    assert [row["name"] for row in found.values["items"]] == ["笔", "墨"]
    rows = [(c.before, c.after) for c in found.changes if c.field == "items"]
    assert rows == [(None, {"name": "墨"}), ({"name": "纸", "price": "2.00"}, None)]


def test_a_form_names_all_its_errors() -> None:
    bad = [
        {"key": "金额", "label": "金额", "type": "money"},
        {"key": "a", "label": "一", "type": "nothing"},
        {"key": "b", "label": "二", "type": "choice"},
        {"key": "title", "label": "三", "type": "text"},
        {"key": "c", "label": "四", "type": "table", "columns": [{"key": "x", "label": "内", "type": "table"}]},
        {"key": "d", "label": "五", "type": "integer", "least": 5, "most": 1},
    ]
    found = problems(fields=bad, checks=[{"check": "nothing > 1", "message": "错"}])
    assert len(found) == 7, found
    assert "用到未知字段“nothing”" in found[-1]
    assert problems(rules={"nothing": "edit"}) == ["one：字段权限用到未知字段“nothing”。"]
    assert problems(rules={"amount": "own"}) == ["one：字段权限只能是：edit、read、hidden。"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("amount > 5000.0", ""),
        ("count >= 3 && kind == '年假'", ""),
        ("starts > '2026-01-01'", ""),
        ("items.exists(r, r.price > 100.0)", ""),
        ("sum(items.map(r, r.price)) > 100.0", ""),
        ("'甲' in places", ""),
        ("urgent", ""),
        ("days(starts, ends) > 3", ""),
        ("amounts > 5000.0", "用到未知字段“amounts”。"),
        ("amount > 5000", "类型不符"),
        ("kind > 3", "类型不符"),
        ("amount", "“是”或“否”"),
        ("items.exists(r, r.prices > 1.0)", "用到未知字段“prices”。"),
        ("amount >", "写法不对"),
        ("open('/etc/passwd')", "用到未知字段“open”"),
        ("true || " * 100 + "true", "超过 500 个字符"),
        ("items.all(a, items.all(b, items.all(c, true)))", "太费时"),
    ],
)
def test_expressions_are_checked_with_the_fields_types(expression: str, reason: str) -> None:
    form: Form = read().form
    found = expressions.problems_of(expression, expressions.types_of(form), expressions.columns_of(form))
    assert (found == []) if not reason else (len(found) == 1 and reason in found[0]), found


def test_an_expression_over_values_is_exact_and_says_what_is_missing() -> None:
    form: Form = read().form
    rows = [{"id": str(n), "name": "x", "price": "0.10"} for n in range(3)]
    dates = {"starts": "2026-02-27", "ends": "2026-03-02"}
    data = for_expressions(form, {"items": rows, "amount": "0.30", "urgency": 2, **dates})
    assert expressions.holds("days(starts, ends) == 3 && starts < ends", data)
    assert expressions.holds("sum(items.map(r, r.price)) == amount", data)
    with pytest.raises(expressions.ExpressionFailed, match="count 没有值"):
        expressions.holds("count > 1", data)
    with pytest.raises(expressions.ExpressionFailed, match="nothing 没有值"):
        expressions.holds("nothing > 1", data)
    with pytest.raises(expressions.ExpressionFailed, match="类型不符"):
        expressions.holds("kind > 1", data)


def test_work_without_end_is_stopped() -> None:
    rows = [{"id": str(n), "name": "x", "price": "1"} for n in range(200)]
    data = for_expressions(read().form, {"items": rows})
    with pytest.raises(expressions.ExpressionFailed, match="计算量超限"):
        expressions.holds("items.all(a, items.all(b, items.all(c, a.price + b.price + c.price > 0.0)))", data)


def test_a_condition_written_as_a_list_means_the_same_expression() -> None:
    branch = {
        "kind": "condition",
        "key": "c",
        "name": "c",
        "branches": [
            {
                "name": "大额",
                "when": [
                    {"field": "amount", "is": "ge", "value": 5000},
                    {"field": "kind", "is": "in", "value": ["年假", "it's"]},
                    {"field": "starts", "is": "lt", "value": "2026-12-31"},
                ],
                "nodes": [],
            },
            {"name": "其他", "nodes": []},
        ],
    }
    flow = read(None, None, None, branch)
    when = flow.node("c").branches[0].when
    assert when == "amount >= 5000.0 && kind in ['年假', 'it\\'s'] && starts < '2026-12-31'"
    assert expressions.problems_of(when, expressions.types_of(flow.form)) == []
