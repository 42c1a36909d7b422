"""A node of a definition in words a clerk reads: what kind, who acts, how they decide, how long they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from saas.approvals.definition import Mode, RuleKind
from saas.approvals.definition.editing import Card
from saas.approvals.definition.model import Operator
from saas.approvals.selectors.matter import names_of_assignees

KINDS: dict[str, Promise] = {
    "start": gettext_lazy("开始"),
    "approve": gettext_lazy("审批"),
    "circulate": gettext_lazy("传阅"),
    "condition": gettext_lazy("条件分支"),
    "parallel": gettext_lazy("并行分支"),
    "subflow": gettext_lazy("子流程"),
    "automatic": gettext_lazy("自动办理"),
    "end": gettext_lazy("结束"),
}
RULES: dict[str, Promise] = {
    RuleKind.POST: gettext_lazy("岗位"),
    RuleKind.GROUP: gettext_lazy("部门全体"),
    RuleKind.ROLE_IN_UNIT: gettext_lazy("部门内的某类岗位"),
    RuleKind.UNIT_LEADER: gettext_lazy("拟稿部门负责人"),
    RuleKind.LEADER_ABOVE: gettext_lazy("拟稿人的上级领导"),
    RuleKind.IN_CHARGE: gettext_lazy("分管领导"),
    RuleKind.CHOSEN: gettext_lazy("由拟稿人选择"),
    RuleKind.SAME_AS: gettext_lazy("与前面环节相同"),
    RuleKind.DRAFTER: gettext_lazy("拟稿人"),
    RuleKind.FIELD: gettext_lazy("由表单字段决定"),
}
MODES: dict[str, Promise] = {
    Mode.ALL: gettext_lazy("会签（全部同意）"),
    Mode.ANY: gettext_lazy("或签（一人即可）"),
    Mode.SHARE: gettext_lazy("按比例通过"),
    Mode.NUMBER: gettext_lazy("按人数通过"),
    Mode.ORDER: gettext_lazy("依次办理"),
}


@dataclass(frozen=True, slots=True)
class CardView:
    """One card of the list; `depth` is how far it is set in, at most 3. A branch's own has no key but `into`."""

    key: str
    name: str
    kind: str
    kind_label: str
    who: str
    mode: str
    limit: str
    branch: str
    depth: int
    fixed: bool
    into: str = ""
    when: str = ""


def views_of(found: Sequence[Card]) -> list[CardView]:
    """The cards with the names of posts and units as they are today. One or two queries for all."""
    ids = {one for card in found for rule in _rules(card.node) if (one := _uuid(rule.get("id"))) is not None}
    names = names_of_assignees(ids)
    return [
        CardView(
            key=card.key,
            name=str(card.node.get("name", "")),
            kind=str(card.node.get("kind", "")),
            kind_label=str(KINDS.get(str(card.node.get("kind", "")), card.node.get("kind", ""))),
            who="、".join(_who(rule, names) for rule in _rules(card.node)),
            mode=str(MODES.get(str(card.node.get("mode", "")), "")),
            limit=_limit(card.node.get("limit")),
            branch=card.branch,
            depth=min(card.depth, 3),
            fixed=card.node.get("kind") in {"start", "end"},
            into=card.into,
            when=when_text(card.when),
        )
        for card in found
    ]


def when_text(when: Any) -> str:
    """A branch's condition as an expression, however it is written; empty when it always holds."""
    if isinstance(when, list):
        parts = []
        for one in when:
            if isinstance(one, Mapping):
                parts.append(
                    f"{one.get('field', '')} {SIGNS.get(str(one.get('is', 'eq')), '?')} {one.get('value', '')}"
                )
        return " && ".join(parts)
    return when if isinstance(when, str) else ""


SIGNS: dict[str, str] = {
    Operator.EQUAL: "=",
    Operator.NOT_EQUAL: "≠",
    Operator.LESS: "<",
    Operator.AT_MOST: "≤",
    Operator.MORE: ">",
    Operator.AT_LEAST: "≥",
    Operator.IN: "∈",
    Operator.CONTAINS: "⊇",
}


def _rules(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    who = node.get("who")
    return [rule for rule in who if isinstance(rule, Mapping)] if isinstance(who, list) else []


def _who(rule: Mapping[str, Any], names: Mapping[UUID, str]) -> str:
    found = _uuid(rule.get("id"))
    kind = str(rule.get("rule", ""))
    if found is not None:
        return names.get(found, _("不存在的岗位或部门"))
    if kind == RuleKind.LEADER_ABOVE:
        return _("拟稿人往上第 %(n)s 级领导") % {"n": rule.get("level", 1)}
    return str(RULES.get(kind, kind))


def _limit(source: Any) -> str:
    if not isinstance(source, Mapping):
        return ""
    parts = []
    if source.get("days"):
        parts.append(_("%(days)s 个工作日") % {"days": source["days"]})
    if source.get("hours"):
        parts.append(_("%(hours)s 小时") % {"hours": source["hours"]})
    return " ".join(parts)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None
