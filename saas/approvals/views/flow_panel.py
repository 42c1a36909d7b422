"""The flow editor's panel: one node, or the form, with everything a clerk may say about it, without JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from saas.approvals import registry
from saas.approvals.definition.editing import branched, node_of, replaced
from saas.approvals.definition.model import DrafterAlone, Mode, OnRefused, Operator, Overdue, Repeat, Vacant, Visibility
from saas.approvals.forms.model import NO_COLUMN, Access, FieldType
from saas.approvals.views import flow_cards
from saas.approvals.views.flow_controls import (
    MOST_LINES,
    Control,
    Line,
    World,
    choose,
    read_who,
    typed,
    who_lines,
    whole,
)

FORM = "form:"
_SPLIT = re.compile(r"[,，、;；\n]+")
MOST_ROWS = 5
Words = Mapping[Any, str | Promise]
_MODES: Words = {Mode.SINGLE: gettext_lazy("单人办理"), **flow_cards.MODES}
_VISIBILITY: Words = {
    Visibility.OPEN: gettext_lazy("互相可见"),
    Visibility.AFTER_OWN: gettext_lazy("自己办完后可见"),
    Visibility.BLIND: gettext_lazy("会签结束前不可见"),
}
_OVERDUE: Words = {
    Overdue.TELL: gettext_lazy("提醒本人和流程管理员"),
    Overdue.ESCALATE: gettext_lazy("并上报上级领导督办"),
    Overdue.TRANSFER: gettext_lazy("改由上级领导办理"),
    Overdue.PASS: gettext_lazy("自动通过"),
}
_REPEAT: Words = {
    Repeat.ASK: gettext_lazy("仍请其办理"),
    Repeat.SKIP_CONSECUTIVE: gettext_lazy("连续两次时跳过"),
    Repeat.SKIP_ANY: gettext_lazy("办过就跳过"),
}
_ALONE: Words = {
    DrafterAlone.ASK: gettext_lazy("由拟稿人自己办"),
    DrafterAlone.SKIP: gettext_lazy("跳过"),
    DrafterAlone.LEADER: gettext_lazy("请上级领导办"),
}
_REFUSED: Words = {
    OnRefused.RETURN: gettext_lazy("退回拟稿人"),
    OnRefused.TERMINATE: gettext_lazy("终止"),
    OnRefused.CONTINUE: gettext_lazy("记下意见，继续往下"),
}
_VACANT: Words = {Vacant.HOLD: gettext_lazy("停下，等流程管理员"), Vacant.SUBSTITUTE: gettext_lazy("由替补岗位办")}
_OPERATORS: Words = {
    Operator.EQUAL: gettext_lazy("等于"),
    Operator.NOT_EQUAL: gettext_lazy("不等于"),
    Operator.MORE: gettext_lazy("大于"),
    Operator.AT_LEAST: gettext_lazy("不小于"),
    Operator.LESS: gettext_lazy("小于"),
    Operator.AT_MOST: gettext_lazy("不大于"),
    Operator.IN: gettext_lazy("是其中之一（用顿号隔开）"),
    Operator.CONTAINS: gettext_lazy("包含"),
}
_ACCESS: Words = {
    "": gettext_lazy("默认"),
    Access.EDIT: gettext_lazy("可改"),
    Access.READ: gettext_lazy("只读"),
    Access.HIDDEN: gettext_lazy("不可见"),
}
TYPES: Words = {
    FieldType.TEXT: gettext_lazy("文字"),
    FieldType.LONG_TEXT: gettext_lazy("多行文字"),
    FieldType.INTEGER: gettext_lazy("整数"),
    FieldType.DECIMAL: gettext_lazy("小数"),
    FieldType.MONEY: gettext_lazy("金额"),
    FieldType.DATE: gettext_lazy("日期"),
    FieldType.CHOICE: gettext_lazy("单选"),
    FieldType.CHOICES: gettext_lazy("多选"),
    FieldType.PERSON: gettext_lazy("人员"),
    FieldType.UNIT: gettext_lazy("部门"),
    FieldType.POST: gettext_lazy("岗位"),
    FieldType.YES_NO: gettext_lazy("是或否"),
    FieldType.TABLE: gettext_lazy("表格"),
}
# What an approval leaves unsaid when it is the usual.
_USUAL: dict[str, tuple[Words, str]] = {
    "mode": (_MODES, Mode.SINGLE),
    "opinions": (_VISIBILITY, Visibility.OPEN),
    "on_refused": (_REFUSED, OnRefused.RETURN),
    "overdue": (_OVERDUE, Overdue.TELL),
    "repeat": (_REPEAT, Repeat.ASK),
    "drafter_alone": (_ALONE, DrafterAlone.ASK),
    "vacant": (_VACANT, Vacant.HOLD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What is being edited: `key` is a node's, or `FORM`."""

    key: str
    title: str
    controls: Sequence[Control] = ()
    who: Sequence[Line] = ()
    branches: Sequence[Line] = ()
    rights: Sequence[Control] = ()
    fields: Sequence[Line] = ()
    checks: Sequence[Line] = ()
    more_branches: bool = False


def panel_of(tree: Any, key: str, world: World) -> Panel | None:
    """The panel of a node or the form; None when there is no such node."""
    if key == FORM:
        return _form_panel(tree)
    node = node_of(tree, key)
    if node is None:
        return None
    kind = str(node.get("kind", ""))
    title = f"{flow_cards.KINDS.get(kind, kind)} · {node.get('name', '')}"
    name = Control(name="n_name", label=_("环节名称"), value=node.get("name", ""))
    rights = _rights(node, world) if kind in {"start", "approve", "circulate"} else ()
    if kind in {"condition", "parallel"}:
        lines = _branches(node, world)
        return Panel(key=key, title=title, controls=[name], branches=lines, more_branches=True)
    if kind in {"subflow", "automatic"}:
        return Panel(key=key, title=title, controls=[name, _called(node, kind, world)])
    who = who_lines(node.get("who"), world) if kind in {"approve", "circulate"} else ()
    controls = [name, *(_approval(node, world) if kind == "approve" else ())]
    return Panel(key=key, title=title, controls=controls, who=who, rights=rights)


def _called(node: Mapping[str, Any], kind: str, world: World) -> Control:
    if kind == "subflow":
        choices = {"": _("请选择"), **dict(world.flows())}
        return choose("n_flow", _("子流程"), choices, node.get("flow"))
    actions = {"": _("请选择"), **registry.action_names()}
    return choose("n_action", _("自动办理"), actions, node.get("action"))


def _approval(node: Mapping[str, Any], world: World) -> list[Control]:
    limit = node.get("limit") if isinstance(node.get("limit"), Mapping) else {}
    assert isinstance(limit, Mapping)
    substitute = f"post:{node['substitute']}" if node.get("substitute") else ""
    usual = {
        name: choose(f"n_{name}", "", words, node.get(name), default=default)
        for name, (words, default) in _USUAL.items()
    }
    labels = {
        "mode": _("多人时"),
        "opinions": _("会签意见"),
        "on_refused": _("不同意时"),
        "overdue": _("超期时"),
        "repeat": _("同一人再次办理"),
        "drafter_alone": _("办理人就是拟稿人"),
        "vacant": _("岗位空缺时"),
    }
    named = {
        name: Control(name=one.name, label=labels[name], kind="select", value=one.value, groups=one.groups)
        for name, one in usual.items()
    }
    return [
        named["mode"],
        Control(
            name="n_share", label=_("比例（%）"), kind="number", value=node.get("share", ""), hint=_("按比例通过时填")
        ),
        Control(
            name="n_number", label=_("人数"), kind="number", value=node.get("number", ""), hint=_("按人数通过时填")
        ),
        named["opinions"],
        named["on_refused"],
        Control(name="n_days", label=_("时限（工作日）"), kind="number", value=limit.get("days", "")),
        Control(name="n_hours", label=_("时限（工作小时）"), kind="number", value=limit.get("hours", "")),
        Control(name="n_remind", label=_("提前几个工作小时提醒"), kind="number", value=limit.get("remind", "")),
        named["overdue"],
        named["repeat"],
        named["drafter_alone"],
        named["vacant"],
        Control(name="n_substitute", label=_("替补岗位"), kind="select", value=substitute, groups=world.targets()),
        Control(
            name="n_opinion_required",
            label=_("同意也必须填意见"),
            kind="check",
            value=bool(node.get("opinion_required")),
        ),
        Control(name="n_bulk", label=_("允许批量同意"), kind="check", value=bool(node.get("bulk"))),
    ]


def _rights(node: Mapping[str, Any], world: World) -> list[Control]:
    rules = node.get("fields") if isinstance(node.get("fields"), Mapping) else {}
    assert isinstance(rules, Mapping)
    found = []
    for path in world.fields():
        rule = rules.get(path, "")
        value = rule.get("access", "edit") if isinstance(rule, Mapping) else rule
        found.append(choose(f"right_{path}", world.label(path), _ACCESS, value))
        if world.fields()[path].get("type") == FieldType.TABLE:
            rows = rule.get("rows", "") if isinstance(rule, Mapping) else ""
            hint = _("留空为所有行；如 row.unit == my_unit 为本部门的行")
            found.append(
                Control(
                    name=f"rows_{path}",
                    label=_("%(table)s：能改哪些行") % {"table": world.label(path)},
                    value=rows,
                    hint=hint,
                )
            )
    return found


def _branches(node: Mapping[str, Any], world: World) -> list[Line]:
    branches = [one for one in node.get("branches") or () if isinstance(one, Mapping)]
    lines = []
    for number, branch in enumerate(branches):
        name = Control(name=f"br_{number}_name", label=_("分支名称"), value=branch.get("name", ""))
        last = number == len(branches) - 1
        inner: list[Line] = []
        if node.get("kind") == "condition" and not last:
            inner = _condition(f"br_{number}", branch.get("when"), world)
        title = _("其他情况都走这里") if node.get("kind") == "condition" and last else ""
        remove = f"unbranch:{node.get('key', '')}:{number}" if len(branches) > 2 else ""
        lines.append(Line(controls=[name], title=title, inner=inner, remove=remove))
    return lines


def _condition(name: str, when: Any, world: World) -> list[Line]:
    rows = [one for one in when if isinstance(one, Mapping)] if isinstance(when, list) else []
    lines = []
    for number, row in enumerate([*rows, {}][:MOST_ROWS]):
        value = row.get("value", "")
        shown = "、".join(str(one) for one in value) if isinstance(value, list) else value
        if isinstance(value, bool):
            shown = _("是") if value else _("否")
        lines.append(
            Line(
                controls=[
                    Control(
                        name=f"{name}_{number}_field",
                        label=_("字段"),
                        kind="select",
                        value=row.get("field", ""),
                        groups=world.condition_fields(),
                    ),
                    choose(f"{name}_{number}_is", _("比较"), _OPERATORS, row.get("is"), default=Operator.EQUAL),
                    Control(name=f"{name}_{number}_value", label=_("值"), value=shown),
                ]
            )
        )
    text = when if isinstance(when, str) else ""
    hint = _("复杂的条件可写 CEL 表达式，如 amount > 5000.0 && urgency >= 2；写了就不看上面各行")
    lines.append(Line(controls=[Control(name=f"{name}_when", label=_("或者写表达式"), value=text, hint=hint)]))
    return lines


def _form_panel(tree: Any) -> Panel:
    found = tree.get("form") if isinstance(tree, Mapping) else None
    form: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    applies = Control(
        name="form_applies", label=_("任何人都可以填表发起"), kind="check", value=form.get("applies") is True
    )
    checks = [one for one in form.get("checks") or () if isinstance(one, Mapping)]
    lines = [
        Line(
            controls=[
                Control(
                    name=f"check_{number}_check",
                    label=_("要成立的式子"),
                    value=one.get("check", ""),
                    hint="ends >= starts",
                ),
                Control(name=f"check_{number}_message", label=_("不成立时提示"), value=one.get("message", "")),
                Control(name=f"check_{number}_field", label=_("提示在哪个字段"), value=one.get("field", "")),
            ]
        )
        for number, one in enumerate([*checks, {}])
    ]
    fields = _field_lines("fl", form.get("fields"), columns=False)
    return Panel(key=FORM, title=_("表单"), controls=[applies], fields=fields, checks=lines)


def _field_lines(prefix: str, source: Any, *, columns: bool) -> list[Line]:
    found = [one for one in source if isinstance(one, Mapping)] if isinstance(source, list) else []
    lines = []
    for number, one in enumerate([*found, {}][:MOST_LINES]):
        name = f"{prefix}_{number}"
        types = {key: text for key, text in TYPES.items() if not columns or key not in NO_COLUMN}
        controls = [
            Control(name=f"{name}_label", label=_("列名") if columns else _("字段名称"), value=one.get("label", "")),
            choose(f"{name}_type", _("类型"), types, one.get("type"), default=FieldType.TEXT),
            Control(name=f"{name}_key", label=_("标识"), value=one.get("key", ""), hint=_("条件里用；留空自动取")),
            Control(
                name=f"{name}_choices",
                label=_("选项（顿号隔开）"),
                value="、".join(str(x) for x in one.get("choices") or ()),
            ),
            Control(name=f"{name}_least", label=_("最小"), value=one.get("least", "")),
            Control(name=f"{name}_most", label=_("最大（表格为行数）"), value=one.get("most", "")),
            Control(name=f"{name}_required", label=_("必填"), kind="check", value=bool(one.get("required"))),
        ]
        table = one.get("type") == FieldType.TABLE
        inner = _field_lines(f"{name}_c", one.get("columns"), columns=True) if table else ()
        lines.append(
            Line(controls=controls, inner=inner, title="" if one else (_("加一列") if columns else _("加一个字段")))
        )
    return lines


# --- reading --------------------------------------------------------------------------------------------------


def applied(tree: Any, key: str, posted: QueryDict, world: World) -> Any:
    """The definition with what the open panel says; the same when there is no such node."""
    if key == FORM:
        return _applied_form(tree, posted)
    node = node_of(tree, key)
    if node is None or "n_name" not in posted:
        return tree
    kind = str(node.get("kind", ""))
    changed = {**node, "name": posted.get("n_name", "").strip()}
    if kind in {"condition", "parallel"}:
        changed["branches"] = [
            _read_branch(number, branch, posted, world)
            for number, branch in enumerate(node.get("branches") or ())
            if isinstance(branch, Mapping)
        ]
    elif kind == "subflow":
        changed["flow"] = posted.get("n_flow", "")
    elif kind == "automatic":
        changed["action"] = posted.get("n_action", "")
    if kind in {"approve", "circulate"}:
        changed["who"] = read_who(posted, node.get("who"))
    if kind == "approve":
        changed = _read_approval(changed, posted)
    if kind in {"start", "approve", "circulate"}:
        rules = _read_rights(posted, world)
        changed = {**changed, "fields": rules} if rules else {k: v for k, v in changed.items() if k != "fields"}
    return replaced(tree, key, changed)


def _read_approval(node: dict[str, Any], posted: QueryDict) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, (words, default) in _USUAL.items():
        value = posted.get(f"n_{name}", default)
        said[name] = value if value in [str(one) for one in words] and value != default else None
    said["share"] = whole(posted.get("n_share", ""))
    said["number"] = whole(posted.get("n_number", ""))
    limit = {name: whole(posted.get(f"n_{name}", "")) for name in ("days", "hours", "remind")}
    said["limit"] = {name: value for name, value in limit.items() if value is not None} or None
    kind, _colon, target = posted.get("n_substitute", "").partition(":")
    said["substitute"] = target if kind == "post" else None
    said["opinion_required"] = True if posted.get("n_opinion_required") else None
    said["bulk"] = True if posted.get("n_bulk") else None
    return {
        **{key: value for key, value in node.items() if key not in said},
        **{k: v for k, v in said.items() if v is not None},
    }


def _read_rights(posted: QueryDict, world: World) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in world.fields():
        access, rows = posted.get(f"right_{path}", ""), posted.get(f"rows_{path}", "").strip()
        if access in list(Access):
            found[path] = {"access": access, "rows": rows} if rows else access
    return found


def _read_branch(number: int, branch: Mapping[str, Any], posted: QueryDict, world: World) -> dict[str, Any]:
    name = f"br_{number}"
    changed = {**branch, "name": posted.get(f"{name}_name", str(branch.get("name", ""))).strip()}
    if f"{name}_when" not in posted:
        return changed
    rows = []
    for row in range(MOST_ROWS):
        field = posted.get(f"{name}_{row}_field", "")
        if not field:
            continue
        operator, text = posted.get(f"{name}_{row}_is", Operator.EQUAL), posted.get(f"{name}_{row}_value", "")
        kind = world.type_of(field)
        value = (
            [typed(one, kind) for one in _SPLIT.split(text) if one.strip()]
            if operator == Operator.IN
            else typed(text, kind)
        )
        rows.append({"field": field, "is": operator, "value": value})
    changed["when"] = posted.get(f"{name}_when", "").strip() or rows
    return changed


def _applied_form(tree: Any, posted: QueryDict) -> Any:
    if "fl_0_label" not in posted or not isinstance(tree, Mapping):
        return tree
    before = tree.get("form") if isinstance(tree.get("form"), Mapping) else {}
    assert isinstance(before, Mapping)
    fields = _read_fields("fl", posted, before.get("fields"))
    checks = []
    for number in range(MOST_LINES):
        one = {name: posted.get(f"check_{number}_{name}", "").strip() for name in ("check", "message", "field")}
        if one["check"]:
            checks.append({key: value for key, value in one.items() if value or key != "field"})
    if not fields and not before:
        return tree
    form: dict[str, Any] = {"fields": fields}
    if checks:
        form["checks"] = checks
    if posted.get("form_applies"):
        form["applies"] = True
    return {**tree, "form": form}


def _read_fields(prefix: str, posted: QueryDict, before: Any) -> list[dict[str, Any]]:
    old = [one for one in before if isinstance(one, Mapping)] if isinstance(before, list) else []
    found: list[dict[str, Any]] = []
    taken = {posted.get(f"{prefix}_{number}_key", "").strip() for number in range(MOST_LINES)}
    for number in range(MOST_LINES):
        name = f"{prefix}_{number}"
        label = posted.get(f"{name}_label", "").strip()
        if not label:
            continue  # An emptied line takes the field away.
        key = posted.get(f"{name}_key", "").strip() or next(f"f{n}" for n in range(1, 1000) if f"f{n}" not in taken)
        taken.add(key)
        kind = posted.get(f"{name}_type", FieldType.TEXT)
        was = old[number] if number < len(old) else {}
        one: dict[str, Any] = {"key": key, "label": label, "type": kind}
        one |= {kept: was[kept] for kept in ("hint", "digits") if kept in was}
        choices = [part.strip() for part in _SPLIT.split(posted.get(f"{name}_choices", "")) if part.strip()]
        one |= {"choices": choices} if choices else {}
        for bound in ("least", "most"):
            text = posted.get(f"{name}_{bound}", "").strip()
            if text:
                one[bound] = whole(text) if whole(text) is not None else text
        if posted.get(f"{name}_required"):
            one["required"] = True
        if kind == FieldType.TABLE:
            one["columns"] = _read_fields(f"{name}_c", posted, was.get("columns"))
        found.append(one)
    return found


def with_branch(tree: Any, key: str, *, without: int | None = None) -> Any:
    """The definition with a branch more, or one less, at a node."""
    node = node_of(tree, key)
    return tree if node is None else replaced(tree, key, branched(node, without=without, name=_("新分支")))
