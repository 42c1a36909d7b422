"""Values of a form as expressions and events take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from saas.approvals.forms.model import WHO, Access, Field, FieldType, Form, Rights

ROW_ID = "id"
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value that was changed; `row` and `column` are empty outside tables, `column` is for a whole row."""

    field: str
    before: Any
    after: Any
    row: str = ""
    column: str = ""

    def as_json(self) -> dict[str, Any]:
        """As kept in the event."""
        return {
            "field": self.field,
            "row": self.row,
            "column": self.column,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Who fills the form, as rules over rows know them."""

    person: UUID | None = None
    post: UUID | None = None
    unit: UUID | None = None

    def names(self) -> dict[str, str]:
        """The names rules over rows may use."""
        return {
            "my_person": str(self.person or ""),
            "my_post": str(self.post or ""),
            "my_unit": str(self.unit or ""),
        }


def for_expressions(form: Form, values: Values) -> dict[str, Any]:
    """The values as expressions take them: amounts as numbers, every field there, if empty."""
    data: dict[str, Any] = dict(values)
    for one in form.fields:
        value = values.get(one.key)
        if one.type is FieldType.TABLE:
            data[one.key] = [row_for_expressions(one, row) for row in value or ()]
        elif one.type is FieldType.CHOICES:
            data[one.key] = list(value or ())
        else:
            data[one.key] = _for_expression(one, value)
    return data


def row_for_expressions(table: Field, row: Values) -> dict[str, Any]:
    """One row of a table as expressions take it."""
    return {column.key: _for_expression(column, row.get(column.key)) for column in table.columns}


def _for_expression(one: Field, value: Any) -> Any:
    if value is None:
        # An empty text compares with texts; nothing else has an empty value.
        return "" if one.type in {FieldType.TEXT, FieldType.LONG_TEXT, FieldType.CHOICE} | WHO else None
    if one.type in {FieldType.DECIMAL, FieldType.MONEY}:
        return float(value)
    return value


def visible(form: Form, seen: Sequence[Rights]) -> Form:
    """The form without what none of these nodes' rights show."""

    def shown(accesses: Iterable[Access]) -> bool:
        return any(one is not Access.HIDDEN for one in accesses)

    fields = [
        replace(
            one,
            columns=tuple(
                column for column in one.columns if shown(rights.of_column(one.key, column.key) for rights in seen)
            ),
        )
        for one in form.fields
        if shown(rights.of(one.key) for rights in seen)
    ]
    return replace(form, fields=tuple(fields))
