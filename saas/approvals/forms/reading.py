"""Reads a form and a node's field rules from a definition, and names every error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from saas.approvals.forms import expressions
from saas.approvals.forms.model import (
    MAX_CHECKS,
    MAX_CHOICES,
    MAX_COLUMNS,
    MAX_FIELDS,
    MAX_ROWS,
    NO_COLUMN,
    NUMBERS,
    Access,
    Check,
    Field,
    FieldRule,
    FieldType,
    Form,
)

Wrong = Callable[[str, str], None]
KEY_LENGTH = 40
LABEL_LENGTH = 60
HINT_LENGTH = 200
# Names every instance has, and words CEL keeps for itself.
TAKEN = frozenset(
    {"urgency", "title", "drafter_unit", "row", "my_unit", "my_post", "my_person", "id", "true", "false", "null", "in"}
    | {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"}
    | {"namespace", "return", "var", "void", "while"}
)


def read_form(source: Any, wrong: Wrong) -> Form:
    """A definition's form.

    Args:
        source: the value of ``form``; None when the flow has none.
        wrong: takes the place and the reason of each error.
    """
    if source is None:
        return Form()
    at = _("表单")
    if not isinstance(source, Mapping) or not isinstance(source.get("fields"), list):
        wrong(at, _("表单的写法不对。"))
        return Form()
    if len(source["fields"]) > MAX_FIELDS:
        wrong(at, _("字段超过 %(limit)d 个。") % {"limit": MAX_FIELDS})
        return Form()
    fields = _fields(source["fields"], at, wrong, most=MAX_FIELDS, taken=TAKEN)
    checks = source.get("checks") or []
    if not isinstance(checks, list) or len(checks) > MAX_CHECKS:
        wrong(at, _("校验规则应是一组，最多 %(limit)d 条。") % {"limit": MAX_CHECKS})
        return Form(fields)
    form = Form(fields)
    read = tuple(one for one in (_check(item, form, at, wrong) for item in checks) if one)
    return Form(fields, read, applies=source.get("applies") is True)


def _fields(source: list[Any], at: str, wrong: Wrong, *, most: int, taken: frozenset[str]) -> tuple[Field, ...]:
    found: list[Field] = []
    if len(source) > most:
        wrong(at, _("列超过 %(limit)d 个。") % {"limit": most})
        return ()
    for item in source:
        one = _field(item, at, wrong, columns=most == MAX_FIELDS)
        if one is None:
            continue
        if one.key in taken or one.key in {other.key for other in found}:
            wrong(one.label, _("字段标识“%(key)s”重复，或是系统保留的。") % {"key": one.key})
        found.append(one)
    return tuple(found)


def _field(item: Any, at: str, wrong: Wrong, *, columns: bool) -> Field | None:
    if not isinstance(item, Mapping):
        wrong(at, _("字段的写法不对。"))
        return None
    key, label = _text(item, "key", KEY_LENGTH), _text(item, "label", LABEL_LENGTH)
    at = f"{at} · {label or key or '?'}"
    if not key.isascii() or not key.isidentifier():
        wrong(at, _("字段标识由英文字母、数字和下划线组成，以字母开头。"))
        return None
    if not label:
        wrong(at, _("字段缺少名称。"))
    try:
        kind = FieldType(item.get("type", ""))
    except ValueError:
        wrong(at, _("不认识的字段类型“%(type)s”。") % {"type": str(item.get("type"))[:40]})
        return None
    if not columns and kind in NO_COLUMN:
        wrong(at, _("表格的列不能是这种类型。"))
        return None
    digits = item.get("digits", 2)
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 6:
        wrong(at, _("小数位数应是 0 到 6。"))
        digits = 2
    least, most = _range(item, kind, at, wrong)
    return Field(
        key=key,
        label=label,
        type=kind,
        required=bool(item.get("required", False)),
        hint=_text(item, "hint", HINT_LENGTH),
        choices=_choices(item, kind, at, wrong),
        least=least,
        most=most,
        digits=digits,
        columns=_columns(item, at, wrong) if kind is FieldType.TABLE else (),
    )


def _choices(item: Mapping[str, Any], kind: FieldType, at: str, wrong: Wrong) -> tuple[str, ...]:
    choices = item.get("choices") or []
    if not isinstance(choices, list) or not all(isinstance(one, str) and one.strip() for one in choices):
        wrong(at, _("选项应是一组文字。"))
        return ()
    if kind in {FieldType.CHOICE, FieldType.CHOICES} and not 1 <= len(set(choices)) == len(choices) <= MAX_CHOICES:
        wrong(at, _("选项要有 1 到 %(limit)d 个，互不相同。") % {"limit": MAX_CHOICES})
    return tuple(choices)


def _range(item: Mapping[str, Any], kind: FieldType, at: str, wrong: Wrong) -> tuple[Decimal | None, Decimal | None]:
    least, most = _decimal(item, "least", at, wrong), _decimal(item, "most", at, wrong)
    if kind is FieldType.TABLE and most is not None and not 1 <= most <= MAX_ROWS:
        wrong(at, _("表格最多 %(limit)d 行。") % {"limit": MAX_ROWS})
    if kind in NUMBERS and least is not None and most is not None and least > most:
        wrong(at, _("最小值大于最大值。"))
    return least, most


def _columns(item: Mapping[str, Any], at: str, wrong: Wrong) -> tuple[Field, ...]:
    source = item.get("columns")
    if not isinstance(source, list) or not source:
        wrong(at, _("表格没有列。"))
        return ()
    return _fields(source, at, wrong, most=MAX_COLUMNS, taken=frozenset({"id"}))


def _text(item: Mapping[str, Any], name: str, length: int) -> str:
    value = item.get(name, "")
    return value.strip()[:length] if isinstance(value, str) else ""


def _decimal(item: Mapping[str, Any], name: str, at: str, wrong: Wrong) -> Decimal | None:
    value = item.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        wrong(at, _("“%(name)s”应是数字。") % {"name": name})
        return None
    return number


def _check(item: Any, form: Form, at: str, wrong: Wrong) -> Check | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("check"), str):
        wrong(at, _("校验规则的写法不对。"))
        return None
    message, field = _text(item, "message", HINT_LENGTH), _text(item, "field", KEY_LENGTH)
    if not message:
        wrong(at, _("校验规则缺少提示语。"))
    if field and field not in form.by_path:
        wrong(at, _("用到未知字段“%(field)s”。") % {"field": field})
    types, columns = expressions.types_of(form), expressions.columns_of(form)
    for problem in expressions.problems_of(item["check"], types, columns):
        wrong(at, _("校验规则“%(rule)s”：%(problem)s") % {"rule": item["check"][:60], "problem": problem})
    return Check(expression=item["check"], message=message, field=field)


def read_rules(source: Any, form: Form, at: str, wrong: Wrong) -> tuple[FieldRule, ...]:
    """A node's field rules: ``{path: access}``, or ``{path: {"access": …, "rows": …}}`` for rows of a table."""
    if source is None:
        return ()
    if not isinstance(source, Mapping):
        wrong(at, _("字段权限的写法不对。"))
        return ()
    found = []
    for path, value in source.items():
        field = form.by_path.get(str(path))
        if field is None:
            wrong(at, _("字段权限用到未知字段“%(field)s”。") % {"field": str(path)[:80]})
            continue
        rows = value.get("rows", "") if isinstance(value, Mapping) else ""
        word = value.get("access", "edit") if isinstance(value, Mapping) else value
        if word not in list(Access):
            wrong(at, _("字段权限只能是：%(names)s。") % {"names": "、".join(Access)})
            continue
        if rows and (field.type is not FieldType.TABLE or not isinstance(rows, str)):
            wrong(at, _("只有表格可以规定哪些行能改。"))
            rows = ""
        if rows:
            names = {"my_unit": FieldType.TEXT, "my_post": FieldType.TEXT, "my_person": FieldType.TEXT}
            for problem in expressions.problems_of(rows, names, row=field):
                wrong(at, _("行规则“%(rule)s”：%(problem)s") % {"rule": rows[:60], "problem": problem})
        found.append(FieldRule(path=str(path), access=Access(word), rows=rows))
    return tuple(found)
