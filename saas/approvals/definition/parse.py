"""Reads a definition from JSON and names every error at once, each with its node."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from saas.approvals.definition import model
from saas.approvals.definition.model import (
    MAX_DEPTH,
    MAX_NODES,
    Approve,
    Automatic,
    Branch,
    Circulate,
    Condition,
    End,
    Flow,
    Limit,
    Mode,
    Node,
    Operator,
    Parallel,
    Rule,
    RuleKind,
    Start,
    SubFlow,
)
from saas.approvals.forms import FieldType, Form, expressions
from saas.approvals.forms.model import WHO
from saas.approvals.forms.reading import read_form, read_rules

E = TypeVar("E", bound=enum.StrEnum)
NAME_LENGTH = 60
KEY_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: at which node (key or position), and a translated reason."""

    node: str
    reason: str

    def __str__(self) -> str:
        return f"{self.node}：{self.reason}"


class DefinitionInvalid(Exception):
    """A definition that cannot run; `problems` has all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = list(problems)


def parse(source: Any) -> Flow:
    """The definition as values.

    Args:
        source: decoded JSON, ``{"form": {...}, "nodes": [...]}`` as in the published schema.

    Raises:
        DefinitionInvalid: with every error found in form and structure.
    """
    whole = source if isinstance(source, Mapping) else {}
    reader = _Reader()
    reader.form = read_form(whole.get("form"), reader.wrong)
    flow = Flow(reader.sequence(whole.get("nodes"), "", 0), reader.form)
    reader.structure(flow)
    if reader.problems:
        raise DefinitionInvalid(reader.problems)
    return flow


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.keys: set[str] = set()
        self.count = 0
        self.form = Form()

    def wrong(self, node: str, reason: str) -> None:
        self.problems.append(Problem(node or _("流程"), reason))

    def sequence(self, source: Any, path: str, depth: int) -> tuple[Node, ...]:
        if not isinstance(source, list):
            self.wrong(path, _("缺少节点列表。"))
            return ()
        if depth > MAX_DEPTH:
            self.wrong(path, _("分支嵌套超过 %(limit)d 层。") % {"limit": MAX_DEPTH})
            return ()
        nodes = []
        for number, item in enumerate(source, 1):
            self.count += 1
            if self.count > MAX_NODES:
                if self.count == MAX_NODES + 1:
                    self.wrong(path, _("节点超过 %(limit)d 个。") % {"limit": MAX_NODES})
                break
            where = f"{path}{number}"
            node = self.node(item, where, depth)
            if node is not None:
                nodes.append(node)
        return tuple(nodes)

    def node(self, item: Any, where: str, depth: int) -> Node | None:  # noqa: C901, PLR0911 - a case per kind
        if not isinstance(item, Mapping):
            self.wrong(where, _("节点的写法不对。"))
            return None
        key = self.text(item, "key", where, KEY_LENGTH)
        name = self.text(item, "name", key or where, NAME_LENGTH)
        at = name or key or where
        if key in self.keys:
            self.wrong(at, _("节点标识“%(key)s”重复。") % {"key": key})
        self.keys.add(key)
        marks = frozenset(self.texts(item, "marks", at))
        base: dict[str, Any] = {"key": key, "name": name, "marks": marks}
        match item.get("kind"):
            case "start":
                return Start(**base, fields=read_rules(item.get("fields"), self.form, at, self.wrong))
            case "end":
                return End(**base)
            case "approve":
                return self.approve(item, at, base)
            case "circulate":
                fields = read_rules(item.get("fields"), self.form, at, self.wrong)
                return Circulate(**base, who=self.rules(item, at), fields=fields)
            case "condition":
                return Condition(**base, branches=self.branches(item, at, where, depth, conditional=True))
            case "parallel":
                return Parallel(**base, branches=self.branches(item, at, where, depth, conditional=False))
            case "subflow":
                return SubFlow(**base, flow=self.text(item, "flow", at, KEY_LENGTH))
            case "automatic":
                return Automatic(**base, action=self.text(item, "action", at, NAME_LENGTH))
            case other:
                self.wrong(at, _("不认识的节点类型“%(kind)s”。") % {"kind": str(other)[:40]})
                return None

    def approve(self, item: Mapping[str, Any], at: str, base: dict[str, Any]) -> Approve:
        limit = item.get("limit") or {}
        if not isinstance(limit, Mapping):
            self.wrong(at, _("办理时限的写法不对。"))
            limit = {}
        node = Approve(
            **base,
            who=self.rules(item, at),
            mode=self.choice(item, "mode", Mode.SINGLE, at),
            share=self.whole(item, "share", 100, (1, 100), at),
            number=self.whole(item, "number", 1, (1, 1000), at),
            opinions=self.choice(item, "opinions", model.Visibility.OPEN, at),
            vacant=self.choice(item, "vacant", model.Vacant.HOLD, at),
            substitute=self.text(item, "substitute", at, 36, required=False),
            drafter_alone=self.choice(item, "drafter_alone", model.DrafterAlone.ASK, at),
            repeat=self.choice(item, "repeat", model.Repeat.ASK, at),
            on_refused=self.choice(item, "on_refused", model.OnRefused.RETURN, at),
            limit=Limit(
                self.whole(limit, "days", 0, (0, 365), at),
                self.whole(limit, "hours", 0, (0, 80), at),
                self.whole(limit, "remind", 4, (0, 80), at),
            ),
            overdue=self.choice(item, "overdue", model.Overdue.TELL, at),
            opinion_required=bool(item.get("opinion_required", False)),
            bulk=bool(item.get("bulk", False)),
            forbid=frozenset(self.texts(item, "forbid", at)),
            fields=read_rules(item.get("fields"), self.form, at, self.wrong),
        )
        if node.vacant is model.Vacant.SUBSTITUTE and not node.substitute:
            self.wrong(at, _("选择了由替补岗位办理，但没有指定岗位。"))
        return node

    def rules(self, item: Mapping[str, Any], at: str) -> tuple[Rule, ...]:
        source = item.get("who")
        if not isinstance(source, list) or not source:
            self.wrong(at, _("没有办理人。"))
            return ()
        return tuple(self.rule(rule, at) for rule in source)

    def rule(self, source: Any, at: str) -> Rule:
        if not isinstance(source, Mapping):
            self.wrong(at, _("办理人的写法不对。"))
            return Rule(kind=RuleKind.DRAFTER)
        kind = self.choice(source, "rule", RuleKind.POST, at)
        return Rule(
            kind=kind,
            id=self.text(source, "id", at, 36, required=kind in {RuleKind.POST, RuleKind.GROUP}),
            unit=self.text(source, "unit", at, 36, required=False) or "drafter",
            role=self.text(source, "role", at, 12, required=kind is RuleKind.ROLE_IN_UNIT),
            level=self.whole(source, "level", 1, (1, 10), at),
            node=self.text(source, "node", at, KEY_LENGTH, required=kind is RuleKind.SAME_AS)
            or ("start" if kind is RuleKind.CHOSEN else ""),
            among=tuple(self.texts(source, "among", at)),
            field=self.who_field(source, at) if kind is RuleKind.FIELD else "",
        )

    def who_field(self, source: Mapping[str, Any], at: str) -> str:
        path = self.text(source, "field", at, 2 * KEY_LENGTH + 1)
        named = self.form.by_path.get(path)
        if path and named is None:
            self.wrong(at, _("办理人用到未知字段“%(field)s”。") % {"field": path})
        elif named is not None and named.type not in WHO:
            self.wrong(at, _("字段“%(field)s”不是人员、部门或岗位，不能决定办理人。") % {"field": named.label})
        return path

    def branches(
        self, item: Mapping[str, Any], at: str, where: str, depth: int, *, conditional: bool
    ) -> tuple[Branch, ...]:
        source = item.get("branches")
        if not isinstance(source, list) or len(source) < 2:
            self.wrong(at, _("至少要有两个分支。"))
            return ()
        found = []
        for number, branch in enumerate(source, 1):
            if not isinstance(branch, Mapping):
                self.wrong(at, _("第 %(number)d 个分支的写法不对。") % {"number": number})
                continue
            name = self.text(branch, "name", at, NAME_LENGTH)
            when = self.condition(branch.get("when"), at) if conditional else ""
            nodes = self.sequence(branch.get("nodes"), f"{where}.{number}.", depth + 1)
            found.append(Branch(name, nodes, when))
        if conditional:
            for branch in found[:-1]:
                if not branch.when:
                    self.wrong(at, _("分支“%(name)s”没有条件，它后面的分支永远走不到。") % {"name": branch.name})
            if found and found[-1].when:
                self.wrong(at, _("最后一个分支应没有条件，否则都不满足时无路可走。"))
        return tuple(found)

    def condition(self, source: Any, at: str) -> str:
        """An expression, or a list of comparisons that must all hold, as the one expression they mean."""
        if isinstance(source, list):
            return " && ".join(self.comparison(one, at) for one in source)
        if source is not None and not isinstance(source, str):
            self.wrong(at, _("条件的写法不对。"))
        return source.strip() if isinstance(source, str) else ""

    def comparison(self, source: Any, at: str) -> str:
        if not isinstance(source, Mapping):
            self.wrong(at, _("条件的写法不对。"))
            return "true"
        operator = self.choice(source, "is", Operator.EQUAL, at)
        name, value = self.text(source, "field", at, NAME_LENGTH), source.get("value")
        if operator is Operator.IN and not isinstance(value, list):
            self.wrong(at, _("条件“属于”要给出一组值。"))
        if not name.isascii() or not name.isidentifier():
            self.wrong(at, _("条件用到未知字段“%(field)s”。") % {"field": name})
            return "true"
        return comparison_text(name, operator, value, self.form)

    def structure(self, flow: Flow) -> None:
        top = flow.nodes
        if not top or not isinstance(top[0], Start):
            self.wrong("", _("流程要从“开始”节点起。"))
        if len(top) < 2 or not isinstance(top[-1], End):
            self.wrong("", _("流程要到“结束”节点止，否则没有出口。"))
        if self.problems:
            return  # The questions below need a readable tree.
        if not any(isinstance(node, Approve) for node in flow.walk()):
            self.wrong("", _("流程里没有任何审批节点。"))
        for key, place in flow.places.items():
            node = flow.node(key)
            first = not place.owners and place.index == 0
            last = not place.owners and place.index == len(top) - 1
            if isinstance(node, Start) and not first:
                self.wrong(node.name, _("“开始”只能是第一个节点。"))
            if isinstance(node, End) and not last:
                self.wrong(node.name, _("“结束”只能是最后一个节点，其后的节点永远走不到。"))
            if isinstance(node, Approve | Circulate):
                for rule in node.who:
                    self.reference(flow, node, rule)

    def reference(self, flow: Flow, node: Approve | Circulate, rule: Rule) -> None:
        if rule.kind not in {RuleKind.SAME_AS, RuleKind.CHOSEN} or rule.node == "start":
            return
        earlier = flow.places.get(rule.node)
        if earlier is None or not isinstance(flow.node(rule.node), Approve):
            self.wrong(node.name, _("所指的节点“%(key)s”不存在或不是审批节点。") % {"key": rule.node})
        elif node.key not in flow.withdrawn_by_return(rule.node) or node.key == rule.node:
            self.wrong(node.name, _("所指的节点“%(key)s”不在它之前。") % {"key": rule.node})

    def text(self, source: Mapping[str, Any], name: str, at: str, length: int, *, required: bool = True) -> str:
        value = source.get(name, "")
        if not isinstance(value, str) or (required and not value.strip()):
            self.wrong(at, _("缺少“%(name)s”。") % {"name": name})
            return ""
        if len(value) > length:
            self.wrong(at, _("“%(name)s”超过 %(length)d 个字。") % {"name": name, "length": length})
        return value.strip()[:length]

    def texts(self, source: Mapping[str, Any], name: str, at: str) -> list[str]:
        value = source.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(at, _("“%(name)s”应是一组文字。") % {"name": name})
            return []
        return value

    def whole(self, source: Mapping[str, Any], name: str, default: int, within: tuple[int, int], at: str) -> int:
        low, high = within
        value = source.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(at, _("“%(name)s”应是 %(low)d 到 %(high)d 的整数。") % {"name": name, "low": low, "high": high})
            return default
        return value

    def choice(self, source: Mapping[str, Any], name: str, default: E, at: str) -> E:
        value = source.get(name, default)
        try:
            return type(default)(value)
        except ValueError:
            names = "、".join(type(default))
            self.wrong(at, _("“%(name)s”只能是：%(names)s。") % {"name": name, "names": names})
            return default


_WRITTEN = {
    Operator.EQUAL: "{0} == {1}",
    Operator.NOT_EQUAL: "{0} != {1}",
    Operator.LESS: "{0} < {1}",
    Operator.AT_MOST: "{0} <= {1}",
    Operator.MORE: "{0} > {1}",
    Operator.AT_LEAST: "{0} >= {1}",
    Operator.IN: "{0} in {1}",
}


def comparison_text(name: str, operator: Operator, value: Any, form: Form) -> str:
    """A comparison as an expression, its value written as the field's type needs it."""
    field = next((one for one in form.fields if one.key == name), None)
    kind = field.type if field else None
    written = _literal(value, kind)
    if operator is Operator.CONTAINS:
        return f"{written} in {name}" if kind is FieldType.CHOICES else f"{name}.contains({written})"
    return _WRITTEN[operator].format(name, written)


def _literal(value: Any, kind: FieldType | None) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(one, kind) for one in value)}]"
    if kind in {FieldType.DECIMAL, FieldType.MONEY}:
        try:
            return repr(float(value))
        except (TypeError, ValueError):
            return expressions.quoted(value)
    return expressions.quoted(value)
