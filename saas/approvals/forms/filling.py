"""Takes what was filled in: lets only what the node's rules allow change, and lists each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _

from saas.approvals.forms import expressions
from saas.approvals.forms.cleaning import clean, is_empty
from saas.approvals.forms.model import Access, Field, FieldType, Form, Rights
from saas.approvals.forms.values import ROW_ID, Change, Filler, Values, for_expressions, row_for_expressions


@dataclass(slots=True)
class Filled:
    """The values after filling, what changed, and what is wrong by path (``table.row.column`` inside a table)."""

    values: dict[str, Any]
    changes: list[Change] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def fill(form: Form, rights: Rights, current: Values, given: Values, by: Filler) -> Filled:
    """Put what was given in place of what stood there.

    Args:
        form: the fields.
        rights: what `by` may do at this node.
        current: values as they stand.
        given: by key; a table is a list of rows, each with its ``id`` when it stood there before. What is not given
            stays.
        by: who fills.
    """
    work = _Filling(rights, by, Filled(dict(current)))
    fields = {one.key: one for one in form.fields}
    for key, raw in given.items():
        one = fields.get(key)
        if one is None:
            work.filled.errors[key] = _("表单没有这个字段。")
        elif one.type is FieldType.TABLE:
            work.table(one, raw)
        else:
            work.field(one, raw)
    return work.filled


def complete(form: Form, rights: Rights, filled: Filled, by: Filler) -> None:
    """Add what is missing before the form may be sent on: required fields, and the form's rules."""
    work = _Filling(rights, by, filled)
    for one in form.fields:
        work.require(one)
    if not filled.errors:
        _check(form, rights, filled)


def may_change_row(table: Field, rights: Rights, row: Values, by: Filler) -> bool:
    """Whether a node's rule over rows lets `by` change a row; a rule that cannot be answered does not."""
    rule = rights.rows_of(table.key)
    if not rule:
        return True
    try:
        return expressions.holds(rule, {"row": row_for_expressions(table, row), **by.names()})
    except expressions.ExpressionFailed:
        return False


@dataclass(slots=True)
class _Filling:
    rights: Rights
    by: Filler
    filled: Filled

    def wrong(self, path: str, reason: str) -> None:
        self.filled.errors.setdefault(path, reason)

    def field(self, one: Field, raw: Any) -> None:
        try:
            value = clean(one, raw)
        except ValueError as error:
            self.wrong(one.key, str(error))
            return
        before = self.filled.values.get(one.key)
        if value == before or (is_empty(value) and is_empty(before)):
            return
        if self.rights.of(one.key) is not Access.EDIT:
            self.wrong(one.key, _("本环节不能修改“%(field)s”。") % {"field": one.label})
            return
        self.filled.values[one.key] = value
        self.filled.changes.append(Change(field=one.key, before=before, after=value))

    def table(self, table: Field, raw: Any) -> None:
        if not isinstance(raw, list | tuple) or not all(isinstance(row, Mapping) for row in raw):
            self.wrong(table.key, _("表格的写法不对。"))
            return
        if len(raw) > table.most_rows:
            self.wrong(table.key, _("最多 %(limit)d 行。") % {"limit": table.most_rows})
            return
        if self.rights.of(table.key) is Access.HIDDEN:
            if raw:
                self.wrong(table.key, _("本环节不能修改“%(field)s”。") % {"field": table.label})
            return
        before = list(self.filled.values.get(table.key) or ())
        stood: dict[str, Values] = {str(row[ROW_ID]): row for row in before}
        order = {row_id: number for number, row_id in enumerate(stood)}
        rows: list[dict[str, Any]] = []
        for given in raw:
            old = stood.pop(str(given.get(ROW_ID, "")), None)
            rows += self.new_row(table, given) if old is None else self.old_row(table, old, given)
        for row_id, row in stood.items():
            if self.rights.of(table.key) is Access.EDIT and may_change_row(table, self.rights, row, self.by):
                self.filled.changes.append(Change(field=table.key, row=row_id, before=_shown(row), after=None))
            else:
                rows.append(dict(row))  # A row one may not change is not taken away by leaving it out.
        self.filled.values[table.key] = sorted(rows, key=lambda row: order.get(str(row[ROW_ID]), len(order)))

    def new_row(self, table: Field, given: Values) -> list[dict[str, Any]]:
        if all(is_empty(given.get(column.key)) for column in table.columns):
            return []  # The empty line at the end of a table.
        row: dict[str, Any] = {ROW_ID: _row_id(given.get(ROW_ID))}
        refused = _("本环节不能给“%(field)s”添加这样的行。") % {"field": table.label}
        if self.rights.of(table.key) is not Access.EDIT:
            self.wrong(table.key, refused)
            return []
        self.cells(table, row, given)
        if not may_change_row(table, self.rights, row, self.by):
            self.wrong(table.key, refused)
            return []
        self.filled.changes.append(Change(field=table.key, row=str(row[ROW_ID]), before=None, after=_shown(row)))
        return [row]

    def old_row(self, table: Field, old: Values, given: Values) -> list[dict[str, Any]]:
        row = dict(old)
        changes = self.cells(table, row, given)
        both = all(may_change_row(table, self.rights, one, self.by) for one in (old, row)) if changes else True
        if not both:
            self.wrong(table.key, _("本环节不能修改“%(field)s”的这一行。") % {"field": table.label})
            return [dict(old)]
        self.filled.changes += changes
        return [row]

    def cells(self, table: Field, row: dict[str, Any], given: Values) -> list[Change]:
        """Put the given cells into a row."""
        changes = []
        row_id = str(row[ROW_ID])
        for column in table.columns:
            if column.key not in given:
                continue
            path = f"{table.key}.{row_id}.{column.key}"
            before = row.get(column.key)
            try:
                value = clean(column, given[column.key])
            except ValueError as error:
                self.wrong(path, str(error))
                continue
            if value == before or (is_empty(value) and is_empty(before)):
                continue
            if self.rights.of_column(table.key, column.key) is not Access.EDIT:
                self.wrong(path, _("本环节不能修改“%(field)s”。") % {"field": column.label})
                continue
            row[column.key] = value
            changes.append(Change(field=table.key, row=row_id, column=column.key, before=before, after=value))
        return changes

    def require(self, one: Field) -> None:
        value = self.filled.values.get(one.key)
        missing = _("请填写“%(field)s”。")
        if one.required and self.rights.of(one.key) is Access.EDIT and is_empty(value):
            self.wrong(one.key, missing % {"field": one.label})
        if one.type is not FieldType.TABLE:
            return
        for row in value or ():
            if not may_change_row(one, self.rights, row, self.by):
                continue
            for column in one.columns:
                asked = column.required and self.rights.of_column(one.key, column.key) is Access.EDIT
                if asked and is_empty(row.get(column.key)):
                    self.wrong(f"{one.key}.{row[ROW_ID]}.{column.key}", missing % {"field": column.label})


def _shown(row: Values) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != ROW_ID and not is_empty(value)}


def _row_id(raw: Any) -> str:
    text = str(raw or "")
    return text if text.isascii() and text.isalnum() and len(text) <= 32 else uuid4().hex[:12]


def _check(form: Form, rights: Rights, filled: Filled) -> None:
    """Ask the form's rules that reach a field which may be changed here, once all their fields are filled."""
    data = for_expressions(form, filled.values)
    keys = {one.key for one in form.fields}
    for check in form.checks:
        used = sorted(expressions.names_in(check.expression) & keys)
        if any(is_empty(filled.values.get(key)) for key in used) or not any(
            rights.changes(form.by_path[key]) for key in used
        ):
            continue
        place = check.field or next(iter(used), "")
        try:
            if not expressions.holds(check.expression, data):
                filled.errors[place] = check.message
        except expressions.ExpressionFailed as error:
            filled.errors[place] = str(error)
