"""Reads the numbers that articles are counted with."""

from __future__ import annotations

_DIGITS = {ch: n for n, ch in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
NUMERAL = "[零〇○一二两三四五六七八九十百千0-9０-９]"


def to_int(text: str) -> int:
    """The value of 一百二十三, 十二, 二〇二四 or 123.

    Raises:
        ValueError: it is not such a number.
    """
    if not text:
        raise ValueError(text)
    if text.isdecimal():
        return int(text)
    if not any(ch in _UNITS for ch in text):
        if any(ch not in _DIGITS for ch in text):
            raise ValueError(text)
        return int("".join(str(_DIGITS[ch]) for ch in text))
    total, digit = 0, 0
    for ch in text:
        if ch in _DIGITS:
            digit = _DIGITS[ch]
        elif ch in _UNITS:
            total += (digit or 1) * _UNITS[ch]
            digit = 0
        else:
            raise ValueError(text)
    return total + digit
