"""The flows of the demonstration: how a bureau issues a document and how it handles one that came in."""

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
    others = [one.name for one in plan.offices if one.code in {"FG", "ZH"} and one is not plan.general_office][:1]
    countersign = [_post(name, plan.section_head) for name in [*others, plan.offices[2].name]]
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
