"""The one language of conditions and form rules: CEL, checked with the fields' types and limited in length and cost.

CEL has no loops, no assignments and no way out of its values; cel-expr-python is the CEL project's own runtime. It
stops an evaluation after a fixed number of iterations, and its regular expressions run in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from django.utils.translation import gettext as _

from saas.approvals.forms.model import Field, FieldType, Form

MAX_LENGTH = 500
# Each nested walk over a table multiplies the work by its rows.
MAX_WALKS = 2
_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_WALK = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(")
_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\b(?!\s*\()")
_COLUMN = re.compile(r"\.\s*([A-Za-z_]\w*)\b(?!\s*\()")
_WHERE = re.compile(r"<input>:\d+:(\d+): (.*)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']+)'")
_NOTHING_IN = re.compile(r"(?:No value with name|Key not found in map :) \"([^\"]+)\"")

_ROW = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_TYPES: dict[FieldType, Any] = {
    FieldType.INTEGER: cel.Type.INT,
    FieldType.DECIMAL: cel.Type.DOUBLE,
    FieldType.MONEY: cel.Type.DOUBLE,
    FieldType.CHOICES: cel.Type.List(cel.Type.STRING),
    FieldType.YES_NO: cel.Type.BOOL,
    FieldType.TABLE: cel.Type.List(_ROW),
}


class ExpressionFailed(Exception):
    """An expression cannot be answered with these values; the message says why, in the reader's language."""


def _sum(numbers: Sequence[Any]) -> float:
    """Exact for amounts: every number is taken as it was written, not as its binary neighbour."""
    return float(sum((Decimal(repr(one)) for one in numbers), Decimal(0)))


def _days(start: str, end: str) -> int:
    """Days from one date to another; dates are texts (2026-11-23), so they compare as they are."""
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


_FUNCTIONS = [
    cel.FunctionDecl(
        "sum", [cel.Overload("sum_list", cel.Type.DOUBLE, [cel.Type.List(cel.Type.DYN)], is_member=False, impl=_sum)]
    ),
    cel.FunctionDecl(
        "days",
        [cel.Overload("days_between", cel.Type.INT, [cel.Type.STRING, cel.Type.STRING], is_member=False, impl=_days)],
    ),
]


@lru_cache(maxsize=256)
def _environment(variables: tuple[tuple[str, FieldType], ...], rows: bool) -> Any:
    types = {name: _TYPES.get(kind, cel.Type.STRING) for name, kind in variables}
    if rows:
        types["row"] = _ROW
    return cel.NewEnv(variables=types, functions=_FUNCTIONS)


@lru_cache(maxsize=4096)
def _program(expression: str) -> Any:
    # Types were checked at publication; without them one environment serves every flow.
    return _environment((), False).compile(expression, disable_check=True)


def types_of(form: Form) -> dict[str, FieldType]:
    """The names a form gives to expressions."""
    return {field.key: field.type for field in form.fields}


def columns_of(form: Form) -> set[str]:
    """The names its tables' rows have."""
    return {column.key for field in form.fields for column in field.columns}


def names_in(expression: str) -> set[str]:
    """The names of fields (and of loop variables) an expression uses."""
    return set(_NAME.findall(_STRING.sub("''", expression)))


def problems_of(
    expression: str, variables: Mapping[str, FieldType], columns: Iterable[str] = (), *, row: Field | None = None
) -> list[str]:
    """Everything wrong with an expression that must answer yes or no.

    Args:
        expression: CEL.
        variables: names it may use, with their types.
        columns: names that rows of tables have.
        row: the table whose single row ``row`` stands for, in a rule over rows.

    Returns:
        translated reasons; empty when it can be published.
    """
    bare = _STRING.sub("''", expression)
    if len(expression) > MAX_LENGTH:
        return [_("表达式超过 %(limit)d 个字符。") % {"limit": MAX_LENGTH}]
    if len(_WALK.findall(bare)) > MAX_WALKS:
        return [_("表达式太费时：遍历表格最多 %(limit)d 次。") % {"limit": MAX_WALKS}]
    known = set(columns) | ({one.key for one in row.columns} if row else set())
    unknown = [name for name in _COLUMN.findall(bare) if name not in known]
    if unknown:
        return [_("用到未知字段“%(field)s”。") % {"field": name} for name in dict.fromkeys(unknown)]
    try:
        found = _environment(tuple(sorted(variables.items())), row is not None).compile(expression)
    except RuntimeError as error:
        return _translated(str(error))
    if found.return_type() not in (cel.Type.BOOL, cel.Type.DYN):
        return [_("表达式要得出“是”或“否”。")]
    return []


def _translated(message: str) -> list[str]:
    found = []
    for column, text in _WHERE.findall(message):
        unknown = _UNKNOWN.search(text)
        if unknown:
            found.append(_("用到未知字段“%(field)s”。") % {"field": unknown.group(1)})
        elif "no matching overload" in text:
            found.append(
                _("第 %(column)s 个字符处类型不符：文字加引号，金额和小数带小数点（如 5000.0），整数不带。")
                % {"column": column}
            )
        else:
            found.append(_("第 %(column)s 个字符处写法不对。") % {"column": column})
    return list(dict.fromkeys(found)) or [_("表达式写法不对。")]


def holds(expression: str, data: Mapping[str, Any]) -> bool:
    """Whether an expression holds.

    Args:
        expression: CEL, as published.
        data: values by name, as `values.for_expressions` gives them.

    Raises:
        ExpressionFailed: a value is missing or of another type, or the work is too much.
    """
    try:
        answer = _program(expression).eval(data=data)
        kind, value = answer.type(), answer.value()
    except (RuntimeError, ValueError, TypeError, ArithmeticError) as error:
        raise ExpressionFailed(_reason(expression, data, str(error))) from error
    if kind != cel.Type.BOOL:
        raise ExpressionFailed(_reason(expression, data, str(value)))
    return bool(value)


def _reason(expression: str, data: Mapping[str, Any], detail: str) -> str:
    missing = _NOTHING_IN.search(detail)
    empty = sorted(name for name in names_in(expression) if name in data and data[name] is None)
    if missing:
        empty = [missing.group(1)]
    if empty:
        return _("“%(expression)s”：%(fields)s 没有值") % {"expression": expression, "fields": "、".join(empty)}
    if "budget" in detail or "limit" in detail:
        return _("“%(expression)s”：计算量超限") % {"expression": expression}
    return _("“%(expression)s”：值的类型不符") % {"expression": expression}


def quoted(value: Any) -> str:
    """A JSON value as CEL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(quoted(one) for one in value)}]"
    if value is None:
        return "null"
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(c if c >= " " else f"\\x{ord(c):02x}" for c in text) + "'"
