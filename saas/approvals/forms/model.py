"""The fields of a form as frozen values, and what a node's rules let its handlers do with them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

MAX_FIELDS = 100
MAX_COLUMNS = 20
MAX_ROWS = 200
MAX_CHOICES = 200
MAX_CHECKS = 50
TEXT_LENGTH = 200
LONG_TEXT_LENGTH = 5000
# Beyond 15 significant digits two numbers could no longer be told apart in a condition.
MAX_DIGITS = 15


class FieldType(enum.StrEnum):
    """What a field takes."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    PERSON = "person"
    UNIT = "unit"
    POST = "post"
    YES_NO = "yes_no"
    TABLE = "table"


WHO = frozenset({FieldType.PERSON, FieldType.UNIT, FieldType.POST})
NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY})
# What a table's column cannot be: a cell has room for one value.
NO_COLUMN = frozenset({FieldType.TABLE, FieldType.CHOICES, FieldType.LONG_TEXT})


class Access(enum.StrEnum):
    """What those who act at a node may do with a field."""

    EDIT = "edit"
    READ = "read"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field, or one column of a table.

    Args:
        key: the name expressions know it by.
        label: what people read.
        type: what it takes.
        required: must be filled by whoever may edit it when they agree.
        hint: one line of help.
        choices: what may be chosen (CHOICE, CHOICES).
        least: smallest number.
        most: greatest number; for a table the greatest number of rows.
        digits: decimal places of DECIMAL; money has two.
        columns: of a table.
    """

    key: str
    label: str
    type: FieldType
    required: bool = False
    hint: str = ""
    choices: tuple[str, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    digits: int = 2
    columns: tuple[Field, ...] = ()

    @property
    def most_rows(self) -> int:
        """How many rows a table may have."""
        return int(self.most) if self.most is not None else MAX_ROWS

    def column(self, key: str) -> Field | None:
        """The column of that key."""
        return next((one for one in self.columns if one.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule over the whole form: what must hold, and what is said at which field when it does not."""

    expression: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """What a node's handlers may do with a field, a column (``table.column``) and, of a table, with which rows.

    Args:
        path: the field's key, or ``table.column``.
        access: what they may do; a table with READ whose column has EDIT has fixed rows.
        rows: an expression over ``row``, ``my_unit``, ``my_post`` and ``my_person``; rows for which it does not
            hold are only read. Empty for all rows.
    """

    path: str
    access: Access
    rows: str = ""


@dataclass(frozen=True)
class Form:
    """All fields of a flow and the rules over them; `applies` when anybody may start the flow by filling it in."""

    fields: tuple[Field, ...] = ()
    checks: tuple[Check, ...] = ()
    applies: bool = False

    def __bool__(self) -> bool:
        return bool(self.fields)

    @cached_property
    def by_path(self) -> dict[str, Field]:
        """Fields by key and columns by ``table.column``."""
        return dict(self._paths())

    def _paths(self) -> Iterator[tuple[str, Field]]:
        for field in self.fields:
            yield field.key, field
            for column in field.columns:
                yield f"{field.key}.{column.key}", column

    def people(self) -> Iterator[tuple[str, Field]]:
        """Paths of the fields and columns that name somebody."""
        for path, field in self.by_path.items():
            if field.type in WHO:
                yield path, field


@dataclass(frozen=True)
class Rights:
    """A node's rules, with what holds where they say nothing."""

    rules: tuple[FieldRule, ...] = ()
    otherwise: Access = Access.READ

    @cached_property
    def _by_path(self) -> dict[str, FieldRule]:
        return {rule.path: rule for rule in self.rules}

    def of(self, key: str) -> Access:
        """What may be done with a field."""
        rule = self._by_path.get(key)
        return rule.access if rule else self.otherwise

    def of_column(self, table: str, column: str) -> Access:
        """What may be done with a table's column: its own rule, else the table's; nothing of a hidden table."""
        whole = self.of(table)
        if whole is Access.HIDDEN:
            return whole
        rule = self._by_path.get(f"{table}.{column}")
        return rule.access if rule else whole

    def rows_of(self, table: str) -> str:
        """The expression that says which rows may be changed; empty for all."""
        rule = self._by_path.get(table)
        return rule.rows if rule else ""

    def changes(self, one: Field) -> bool:
        """Whether a field, or any of its columns, may be changed."""
        return self.of(one.key) is Access.EDIT or any(
            self.of_column(one.key, column.key) is Access.EDIT for column in one.columns
        )

    def edits(self, form: Form) -> bool:
        """Whether anything of the form may be changed."""
        return any(self.changes(one) for one in form.fields)
