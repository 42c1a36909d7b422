"""What a valid value is, said once for forms, services and the workbook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from saas.core.errors import Invalid

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_MOBILE = re.compile(r"\+?[0-9][0-9 -]{4,18}")
_DATE = re.compile(r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?")
EARLIEST, LATEST = date(1949, 10, 1), date(2199, 12, 31)
LARGEST_POSITION = 1_000_000


@dataclass(slots=True)
class Checked:
    """Reads values one by one and collects what is wrong, by field."""

    problems: dict[str, str] = field(default_factory=dict)

    def refuse(self, name: str, reason: str) -> None:
        """Note a problem; the first one of a field stays."""
        self.problems.setdefault(name, reason)

    def raise_if_wrong(self) -> None:
        """Raise everything that was collected.

        Raises:
            Invalid: with the fields, when there is any problem.
        """
        if self.problems:
            raise Invalid(_("填写有误，请改正标出的内容。"), fields=self.problems)

    def text(self, name: str, value: str, *, most: int) -> str:
        """A text that must not be empty, of at most `most` characters."""
        cleaned = self.optional_text(name, value, most=most)
        if not cleaned and name not in self.problems:
            self.refuse(name, _("不能为空"))
        return cleaned

    def optional_text(self, name: str, value: str, *, most: int) -> str:
        """A text without control characters, its spaces single, of at most `most` characters."""
        cleaned = re.sub(r"\s+", " ", value).strip()
        if any(unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Co", "Cn"} for ch in cleaned):
            self.refuse(name, _("含有无效字符"))
            return ""
        if len(cleaned) > most:
            self.refuse(name, _("不能超过 %(most)d 个字") % {"most": most})
        return cleaned

    def code(self, name: str, value: str) -> str:
        """A code: letters, digits, dots, dashes, at most 40."""
        cleaned = value.strip()
        if not cleaned:
            self.refuse(name, _("不能为空"))
        elif not _CODE.fullmatch(cleaned):
            self.refuse(name, _("只能用字母、数字、点和横线，最多 40 位"))
        return cleaned

    def mobile(self, name: str, value: str) -> str:
        """A telephone number or nothing."""
        cleaned = value.strip()
        if cleaned and not _MOBILE.fullmatch(cleaned):
            self.refuse(name, _("不是有效的电话号码"))
        return cleaned

    def email(self, name: str, value: str) -> str:
        """An e-mail address or nothing."""
        cleaned = value.strip()
        if cleaned:
            try:
                validate_email(cleaned)
            except ValidationError:
                self.refuse(name, _("不是有效的邮箱地址"))
            if len(cleaned) > 120:
                self.refuse(name, _("不能超过 %(most)d 个字") % {"most": 120})
        return cleaned

    def position(self, name: str, value: str) -> int:
        """A place in an order: a whole number from 0; empty is 0."""
        cleaned = value.strip()
        if not cleaned:
            return 0
        if not re.fullmatch(r"\d{1,7}", cleaned, re.ASCII) or int(cleaned) > LARGEST_POSITION:
            self.refuse(name, _("应为 0 至 1000000 的整数"))
            return 0
        return int(cleaned)

    def day(self, name: str, value: str | date | datetime) -> date | None:
        """A calendar day or nothing; 2026-01-05, 2026/1/5 and 2026年1月5日 are read."""
        if isinstance(value, datetime):
            value = value.date()
        if not isinstance(value, date):
            cleaned = value.strip()
            if not cleaned:
                return None
            found = _DATE.fullmatch(cleaned)
            try:
                if found is None:
                    raise ValueError
                value = date(*(int(part) for part in found.groups()))
            except ValueError:
                self.refuse(name, _("不是有效的日期，应写作 2026-01-05"))
                return None
        if not EARLIEST <= value <= LATEST:
            self.refuse(name, _("日期应在 %(first)s 与 %(last)s 之间") % {"first": EARLIEST, "last": LATEST})
            return None
        return value

    def period(self, starts_name: str, starts: date | None, ends_name: str, ends: date | None) -> None:
        """A first day, which is needed, and a last one that is not before it."""
        if starts is None:
            self.refuse(starts_name, _("不能为空"))
        elif ends is not None and ends < starts:
            self.refuse(ends_name, _("结束日期不能早于开始日期"))

    def choice(self, name: str, value: str, choices: Mapping[str, str]) -> str:
        """One of `choices` (shown → stored), by either."""
        cleaned = value.strip()
        if cleaned in choices:
            return choices[cleaned]
        if cleaned in choices.values():
            return cleaned
        self.refuse(name, _("应为以下之一：%(choices)s") % {"choices": "、".join(choices)})
        return ""
