"""The flows of the demonstration: how a bureau issues a document, handles one that came in, and grants a request."""

from __future__ import annotations

from typing import Any

from saas.organisation.models import Post, PostKind, Unit
from saas.portal.demo.cast import BureauPlan

Node = dict[str, Any]


def _post(unit: str, name: str) -> dict[str, str]:
    return {"rule": "post", "id": str(Post.objects.get(unit__name=unit, name=name, active=True).id)}


def _approve(key: str, name: str, who: list[dict[str, Any]], **more: Any) -> Node:
    return {"kind": "approve", "key": key, "name": name, "who": who, **more}


def _whole(nodes: list[Node], *, first: str) -> Node:
    start = {"kind": "start", "key": "start", "name": first}
    return {"nodes": [start, *nodes, {"kind": "end", "key": "end", "name": "结束"}]}


def outgoing(plan: BureauPlan) -> Node:
    """拟稿 → 科室审核 → 会签 → 办公室核稿 (或签) → 分管领导审批 → 签发."""
    office = plan.general_office.name
    unit = Unit.objects.get(name=office)
    countersign = [_post(name, plan.section_head) for name in plan.countersigning]
    return _whole(
        [
            _approve("section", "科室审核", [{"rule": "unit_leader"}], limit={"days": 2}, repeat="skip_consecutive"),
            _approve("countersign", "会签", countersign, mode="all", limit={"days": 3}, opinions="after_own"),
            _approve(
                "edit",
                "办公室核稿",
                [
                    _post(office, plan.section_head),
                    {"rule": "role_in_unit", "unit": str(unit.id), "role": PostKind.DEPUTY.value},
                ],
                mode="any",
                limit={"days": 1},
            ),
            _approve("in_charge", "分管领导审批", [{"rule": "in_charge"}], limit={"days": 2}),
            _approve(
                "sign_off",
                "签发",
                [_post(plan.leaders_unit, plan.head)],
                limit={"days": 2},
                marks=["sign_off"],
                bulk=False,
            ),
        ],
        first="拟稿",
    )


def short(plan: BureauPlan) -> Node:
    """拟稿 → 科室审核 → 签发, for everyday letters."""
    return _whole(
        [
            _approve("section", "科室审核", [{"rule": "unit_leader"}], limit={"days": 1}, repeat="skip_consecutive"),
            _approve("sign_off", "签发", [_post(plan.leaders_unit, plan.head)], limit={"days": 1}, marks=["sign_off"]),
        ],
        first="拟稿",
    )


def incoming(plan: BureauPlan) -> Node:
    """登记 → 拟办 → 批示 → 承办 (lead and joint) → 传阅."""
    office = plan.general_office.name
    lead = [_post(plan.offices[2].name, plan.section_head), _post(plan.offices[3].name, plan.section_head)]
    deputies = [_post(plan.leaders_unit, f"{plan.deputy}（{number}）") for number in "一二"]
    return _whole(
        [
            _approve("propose", "拟办", [_post(office, plan.section_head)], limit={"days": 1}, opinion_required=True),
            _approve("instruct", "批示", [_post(plan.leaders_unit, plan.head)], limit={"days": 2}),
            {"kind": "circulate", "key": "circulate", "name": "传阅", "who": deputies},
            _approve("handle", "承办", lead, mode="all", limit={"days": 5}, opinion_required=True),
        ],
        first="登记",
    )


def leave(plan: BureauPlan) -> Node:
    """请假: 科室负责人, and the leader in charge when it is longer than three days; the office is told."""
    long = _approve("in_charge", "分管领导审批", [{"rule": "in_charge"}], limit={"days": 1}, overdue="escalate")
    tree = _whole(
        [
            _approve(
                "section", "科室负责人审批", [{"rule": "unit_leader"}], limit={"days": 1}, repeat="skip_any", bulk=True
            ),
            {
                "kind": "condition",
                "key": "length",
                "name": "按天数",
                "branches": [
                    {"name": "三天以上", "when": "length > 3.0", "nodes": [long]},
                    {"name": "三天以内", "nodes": []},
                ],
            },
            {
                "kind": "circulate",
                "key": "told",
                "name": "办公室备案",
                "who": [_post(plan.general_office.name, plan.section_head)],
                "fields": {"reason": "hidden"},
            },
        ],
        first="填写",
    )
    fields = [
        {"key": "sort", "label": "请假类别", "type": "choice", "choices": ["年休假", "病假", "事假"], "required": True},
        {"key": "length", "label": "天数", "type": "decimal", "digits": 1, "least": 0.5, "most": 60, "required": True},
        {"key": "starts", "label": "开始日期", "type": "date", "required": True},
        {"key": "ends", "label": "结束日期", "type": "date", "required": True},
        {"key": "stand_in", "label": "工作代理人", "type": "person"},
        {"key": "outside", "label": "是否离开本市", "type": "yes_no", "required": True},
        {"key": "reason", "label": "事由", "type": "long_text", "required": True},
    ]
    checks = [{"check": "ends >= starts", "message": "结束日期不能早于开始日期。", "field": "ends"}]
    return {**tree, "form": {"applies": True, "fields": fields, "checks": checks}}


def purchase(plan: BureauPlan) -> Node:
    """采购: the office settles the prices line by line; a large sum goes to the head."""
    office = plan.general_office.name
    large = _approve("head", "主要领导审批", [_post(plan.leaders_unit, plan.head)], limit={"days": 2})
    tree = _whole(
        [
            _approve("section", "科室负责人审核", [{"rule": "unit_leader"}], limit={"days": 1}, repeat="skip_any"),
            _approve(
                "price",
                "办公室核价",
                [_post(office, plan.section_head)],
                limit={"days": 2},
                fields={"items": "read", "items.settled": "edit", "settled_total": "edit"},
            ),
            {
                "kind": "condition",
                "key": "sum",
                "name": "按金额",
                "branches": [
                    {"name": "五千元以上", "when": "settled_total > 5000.0", "nodes": [large]},
                    {"name": "其他", "nodes": []},
                ],
            },
        ],
        first="填写",
    )
    columns = [
        {"key": "name", "label": "品名", "type": "text", "required": True},
        {"key": "count", "label": "数量", "type": "integer", "least": 1, "most": 999, "required": True},
        {"key": "guess", "label": "预估金额", "type": "money", "least": 0, "required": True},
        {"key": "settled", "label": "核定金额", "type": "money", "least": 0, "required": True},
    ]
    fields = [
        {"key": "purpose", "label": "用途", "type": "text", "required": True},
        {"key": "needed", "label": "需用日期", "type": "date", "required": True},
        {"key": "items", "label": "采购明细", "type": "table", "columns": columns, "most": 50, "required": True},
        {"key": "total", "label": "预估合计", "type": "money", "least": 0, "required": True},
        {"key": "settled_total", "label": "核定合计", "type": "money", "least": 0, "required": True},
    ]
    checks = [
        {"check": f"sum(items.map(r, r.{column})) == {total}", "message": "合计应等于各行金额之和。", "field": total}
        for column, total in (("guess", "total"), ("settled", "settled_total"))
    ]
    # What the office settles is nothing to fill in for the applicant.
    tree["nodes"][0]["fields"] = {"items.settled": "hidden", "settled_total": "hidden"}
    return {**tree, "form": {"applies": True, "fields": fields, "checks": checks}}
