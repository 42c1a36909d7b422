"""A form on a page: every field with its control or its text, and what a POST filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from saas.approvals.forms import Access, Field, FieldType, Form
from saas.approvals.forms.filling import may_change_row
from saas.approvals.forms.model import LONG_TEXT_LENGTH, NUMBERS, TEXT_LENGTH, WHO, Rights
from saas.approvals.forms.values import ROW_ID, Filler, Values, visible
from saas.approvals.selectors.forms import Names, names_of, text_of
from saas.organisation import selectors as organisation
from saas.organisation.forms import unit_choices
from saas.organisation.models import Appointment

PREFIX = "f_"
NEW_ROW = "NEWROW"
# A group's name (empty for none) with its choices.
Options = Sequence[tuple[str, Sequence[tuple[str, str]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value with its control: `control` is empty when it is only read."""

    name: str
    label: str
    text: str
    control: str = ""
    value: Any = ""
    required: bool = False
    hint: str = ""
    error: str = ""
    options: Options = ()
    longest: int = TEXT_LENGTH
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table."""

    id: str
    cells: Sequence[Cell]
    removable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """One field of the form; a table has rows and, when rows may be added, an empty one to copy."""

    cell: Cell
    table: bool = False
    heads: Sequence[tuple[str, bool]] = ()
    rows: Sequence[Row] = ()
    empty_row: Row | None = None
    editable: bool = False


@dataclass(slots=True)
class _Choices:
    """Whom a field may name, each list made once a page."""

    known: dict[FieldType, Options] = field(default_factory=dict)

    def of(self, kind: FieldType) -> Options:
        if kind not in self.known:
            self.known[kind] = _load(kind)
        return self.known[kind]


def _load(kind: FieldType) -> Options:
    none = [("", _("请选择"))]
    if kind is FieldType.UNIT:
        return [("", unit_choices(organisation.unit_tree(), none=_("请选择")))]
    groups: dict[str, list[tuple[str, str]]] = {}
    if kind is FieldType.POST:
        for post in organisation.active_posts():
            groups.setdefault(post.unit.name, []).append((str(post.id), post.name))
        return [("", none), *groups.items()]
    seen = set()
    rows = Appointment.objects.current().filter(post__active=True).in_rank_order()
    for person, name, post_name, unit in rows.values_list(
        "person_id", "person__name", "post__name", "post__unit__name"
    ):
        if person not in seen:
            seen.add(person)
            groups.setdefault(unit, []).append((str(person), f"{name}（{post_name}）"))
    return [("", none), *groups.items()]


def given_of(form: Form, posted: QueryDict) -> dict[str, Any]:
    """What a POST filled in; fields the page did not offer are left out."""
    given: dict[str, Any] = {}
    for one in form.fields:
        name = PREFIX + one.key
        if one.type is FieldType.TABLE:
            if f"{name}__shown" in posted:
                given[one.key] = [_row_of(one, name, row, posted) for row in posted.getlist(f"{name}__rows")]
        elif one.type is FieldType.CHOICES:
            if f"{name}__shown" in posted:
                given[one.key] = posted.getlist(name)
        elif name in posted:
            given[one.key] = posted[name]
    return given


def _row_of(table: Field, name: str, row: str, posted: QueryDict) -> dict[str, Any]:
    found: dict[str, Any] = {ROW_ID: row}
    for column in table.columns:
        cell = f"{name}__{row}__{column.key}"
        if cell in posted:
            found[column.key] = posted[cell]
    return found


def form_views(
    form: Form,
    values: Values,
    *,
    rights: Rights | None = None,
    by: Filler | None = None,
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[FieldView]:
    """The fields as the page shows them.

    Args:
        form: the fields to show.
        values: as kept.
        rights: what may be edited; None to read only.
        by: who fills, for rules over rows.
        given: what was typed into a form that was refused; shown in place of what is kept.
        errors: by path.
    """
    if rights is not None:
        form = visible(form, [rights])
    work = _Work(rights, by or Filler(), errors or {}, names_of(form, values), _Choices())
    shown = {**values, **(given or {})}
    return [
        work.table(one, shown, values) if one.type is FieldType.TABLE else work.field(one, shown, values)
        for one in form.fields
    ]


@dataclass(slots=True)
class _Work:
    rights: Rights | None
    by: Filler
    errors: Mapping[str, str]
    names: Names
    choices: _Choices

    def field(self, one: Field, shown: Values, kept: Values) -> FieldView:
        edit = self.rights is not None and self.rights.of(one.key) is Access.EDIT
        value = (shown if edit else kept).get(one.key)
        return FieldView(cell=self.cell(one, one.key, PREFIX + one.key, value, edit=edit), editable=edit)

    def cell(self, one: Field, path: str, name: str, value: Any, *, edit: bool) -> Cell:
        text = text_of(one, value, self.names) if not edit else ""
        right = one.type in NUMBERS
        if not edit:
            return Cell(name=name, label=one.label, text=text, right=right)
        return Cell(
            name=name,
            label=one.label,
            text=text,
            control=_CONTROLS.get(one.type, "text"),
            value=_typed(one, value),
            required=one.required,
            hint=one.hint or _hint(one),
            error=self.errors.get(path, ""),
            options=self.options(one),
            longest=LONG_TEXT_LENGTH if one.type is FieldType.LONG_TEXT else TEXT_LENGTH,
            right=right,
        )

    def options(self, one: Field) -> Options:
        if one.type in WHO:
            return self.choices.of(one.type)
        if one.type is FieldType.YES_NO:
            return [("", [("", _("请选择")), ("yes", _("是")), ("no", _("否"))])]
        none = [("", _("请选择"))] if one.type is FieldType.CHOICE else []
        return [("", [*none, *((choice, choice) for choice in one.choices)])] if one.choices else ()

    def table(self, one: Field, shown: Values, kept: Values) -> FieldView:
        rights = self.rights
        edit = rights is not None and rights.of(one.key) is Access.EDIT
        name = PREFIX + one.key
        stood = {str(row[ROW_ID]): row for row in kept.get(one.key) or ()}
        rows = [
            self.row(one, name, {**stood.get(str(row[ROW_ID]), {}), **row}, stood) for row in shown.get(one.key) or ()
        ]
        return FieldView(
            cell=Cell(
                name=name,
                label=one.label,
                text="",
                hint=one.hint,
                required=edit and one.required,
                error=self.errors.get(one.key, ""),
            ),
            table=True,
            heads=[(column.label, column.type in NUMBERS) for column in one.columns],
            rows=rows,
            empty_row=self.row(one, name, {ROW_ID: NEW_ROW}, {}) if edit else None,
            editable=rights is not None and rights.changes(one),
        )

    def row(self, table: Field, name: str, row: Values, stood: Values) -> Row:
        row_id = str(row[ROW_ID])
        rights = self.rights
        mine = rights is not None and (row_id not in stood or may_change_row(table, rights, stood[row_id], self.by))
        cells = []
        for column in table.columns:
            edit = mine and rights is not None and rights.of_column(table.key, column.key) is Access.EDIT
            source = row if edit and column.key in row else stood.get(row_id, {})
            path, cell = f"{table.key}.{row_id}.{column.key}", f"{name}__{row_id}__{column.key}"
            cells.append(self.cell(column, path, cell, source.get(column.key), edit=edit))
        removable = mine and rights is not None and rights.of(table.key) is Access.EDIT
        return Row(id=row_id, cells=cells, removable=removable)


_CONTROLS = {
    FieldType.LONG_TEXT: "area",
    FieldType.INTEGER: "number",
    FieldType.DECIMAL: "number",
    FieldType.MONEY: "number",
    FieldType.DATE: "date",
    FieldType.CHOICE: "select",
    FieldType.CHOICES: "choices",
    FieldType.PERSON: "select",
    FieldType.UNIT: "select",
    FieldType.POST: "select",
    FieldType.YES_NO: "select",
}


def _typed(one: Field, value: Any) -> Any:
    """A value as its control takes it."""
    if one.type is FieldType.YES_NO and isinstance(value, bool):
        return "yes" if value else "no"
    if one.type is FieldType.CHOICES:
        return list(value or ())
    return "" if value is None else str(value)


def _hint(one: Field) -> str:
    if one.type not in NUMBERS:
        return ""
    bounds = [(_("不小于 %(n)s"), one.least), (_("不大于 %(n)s"), one.most)]
    return "，".join(text % {"n": bound} for text, bound in bounds if bound is not None)


def errors_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """The form's own among a refusal's fields."""
    return {name.removeprefix("form."): str(text) for name, text in fields.items() if name.startswith("form.")}
