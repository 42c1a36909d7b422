"""Cleans one value by its field's type, into the JSON it is kept as."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals.forms.model import LONG_TEXT_LENGTH, MAX_DIGITS, TEXT_LENGTH, Field, FieldType

_WHOLE = re.compile(r"[+-]?\d{1,15}")
_YES, _NO = frozenset({True, "true", "yes", "on", "1"}), frozenset({False, "false", "no", "0"})


def is_empty(value: Any) -> bool:
    """Whether nothing was filled in; a no and a zero are something."""
    return value is None or value in ("", [])


def clean(one: Field, raw: Any) -> Any:
    """A value as it is kept, None when nothing was filled in.

    Numbers are kept as text except whole ones, dates as ISO 8601, people, units and posts as their ids.

    Raises:
        ValueError: with what is wrong, translated.
    """
    if isinstance(raw, str):
        raw = raw.replace("\x00", "").strip()
    return None if is_empty(raw) else _CLEANERS[one.type](one, raw)


def _text(one: Field, raw: Any) -> str:
    most = LONG_TEXT_LENGTH if one.type is FieldType.LONG_TEXT else TEXT_LENGTH
    if not isinstance(raw, str):
        raise ValueError(_("请填文字。"))
    if len(raw) > most:
        raise ValueError(_("最多 %(limit)d 字，现有 %(length)d 字。") % {"limit": most, "length": len(raw)})
    return raw


def _date(one: Field, raw: Any) -> str:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        raise ValueError(_("请填日期，如 2026-11-23。")) from None


def _choice(one: Field, raw: Any) -> str:
    if raw not in one.choices:
        raise ValueError(_("请从所列各项里选择。"))
    return str(raw)


def _choices(one: Field, raw: Any) -> list[str]:
    if not isinstance(raw, list | tuple):
        raise ValueError(_("请从所列各项里选择。"))
    wanted = {_choice(one, each) for each in raw}
    return [choice for choice in one.choices if choice in wanted]


def _yes_no(one: Field, raw: Any) -> bool:
    if isinstance(raw, bool | str) and raw in _YES | _NO:
        return raw in _YES
    raise ValueError(_("请选择是或否。"))


def _id(one: Field, raw: Any) -> str:
    try:
        return str(UUID(str(raw)))
    except ValueError:
        raise ValueError(_("请从名单里选择。")) from None


def _table(one: Field, raw: Any) -> Any:
    raise TypeError(one.key)  # Tables are filled row by row.


def _number(one: Field, raw: Any) -> int | str:
    text = str(raw).replace(",", "").replace("，", "")
    try:
        number = Decimal("" if isinstance(raw, bool) else text)
    except InvalidOperation:
        raise ValueError(_("请填数字。")) from None
    if not number.is_finite() or number.adjusted() >= MAX_DIGITS:
        raise ValueError(_("数字太大。"))
    if one.least is not None and number < one.least:
        raise ValueError(_("不能小于 %(least)s。") % {"least": one.least})
    if one.most is not None and number > one.most:
        raise ValueError(_("不能大于 %(most)s。") % {"most": one.most})
    return (
        _whole(text)
        if one.type is FieldType.INTEGER
        else _decimal(number, 2 if one.type is FieldType.MONEY else one.digits)
    )


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(_("请填整数。"))
    return int(text)


def _decimal(number: Decimal, places: int) -> str:
    try:
        exact = number.quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        raise ValueError(_("数字太大。")) from None
    if exact != number:
        raise ValueError(_("最多 %(places)d 位小数。") % {"places": places})
    if len(exact.as_tuple().digits) > MAX_DIGITS:
        raise ValueError(_("数字太大。"))
    return str(exact)


_CLEANERS: dict[FieldType, Callable[[Field, Any], Any]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.INTEGER: _number,
    FieldType.DECIMAL: _number,
    FieldType.MONEY: _number,
    FieldType.DATE: _date,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.PERSON: _id,
    FieldType.UNIT: _id,
    FieldType.POST: _id,
    FieldType.YES_NO: _yes_no,
    FieldType.TABLE: _table,
}
