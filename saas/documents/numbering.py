"""发文字号 and Chinese dates as text: read, normalise, write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_DIGITS = {ch: i for i, ch in enumerate("〇一二三四五六七八九")} | {"○": 0, "Ｏ": 0, "O": 0, "零": 0, "０": 0}
_NUMBER = re.compile(
    r"(?P<mark>[\u4e00-\u9fff]{1,20}?)\s*[〔\[［【（(]\s*(?P<year>\d{4})\s*[〕\]］】）)]\s*第?\s*0*(?P<serial>\d{1,6})\s*号"
)
_ORDER = re.compile(r"(?P<mark>[\u4e00-\u9fff]{1,20}?令)\s*第?\s*(?P<serial>\d{1,6})\s*号")
_ARABIC = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_CHINESE = re.compile(
    r"([〇一二三四五六七八九○Ｏ零]{4})年(元|[一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)


@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """A 发文字号 in its parts: GB/T 9704-2012, 7.2.5 (机关代字, year in 〔〕, serial without 第 and leading zeros)."""

    mark: str
    year: int | None
    serial: int

    def __str__(self) -> str:
        """The number as it is printed."""
        if self.year is None:
            return f"{self.mark}第{self.serial}号"
        return f"{self.mark}〔{self.year}〕{self.serial}号"


def parse_number(text: str) -> DocumentNumber | None:
    """The whole text as a number in any bracket form, or None."""
    text = text.strip()
    if match := _NUMBER.fullmatch(text):
        return DocumentNumber(match["mark"], int(match["year"]), int(match["serial"]))
    if match := _ORDER.fullmatch(text):
        return DocumentNumber(match["mark"], None, int(match["serial"]))
    return None


def _whole(text: str) -> int:
    """一 … 三十一."""
    if text == "元":
        return 1
    if "十" in text:
        tens, _, ones = text.partition("十")
        return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
    return _DIGITS[text]


def parse_date(text: str) -> date | None:
    """A whole line as a date, in Arabic or Chinese digits (二〇〇四年六月二十六日); None when it is not one."""
    text = re.sub(r"[\s\u3000]", "", text)
    try:
        if match := _ARABIC.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _CHINESE.fullmatch(text):
            year = int("".join(str(_DIGITS[ch]) for ch in match[1]))
            return date(year, _whole(match[2]), _whole(match[3]))
    except ValueError:
        return None
    return None
