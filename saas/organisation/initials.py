"""Pinyin initials of names (李建国 → ljg), so that a directory can be searched by typing three letters."""

from __future__ import annotations

# GB 2312 orders its first-level characters by pinyin; these are the first characters of each initial.
_FIRST = "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝"
_LETTERS = "abcdefghjklmnopqrstwxyz"
_STARTS = [(int.from_bytes(ch.encode("gb2312"), "big"), letter) for ch, letter in zip(_FIRST, _LETTERS, strict=True)]
_LAST = 0xD7F9
# Surnames read otherwise than the character, and common name characters of the second level.
_SURNAMES = {
    "曾": "z",
    "单": "s",
    "解": "x",
    "仇": "q",
    "区": "o",
    "查": "z",
    "翟": "z",
    "盖": "g",
    "朴": "p",
    "尉": "y",
}
_OTHERS = dict.fromkeys("琪祺琦淇岐芪", "q") | dict.fromkeys("婷霆珽", "t") | dict.fromkeys("晖徽翚虹泓浩昊皓颢", "h")
_OTHERS |= dict.fromkeys("玮炜蔚", "w") | dict.fromkeys("媛瑗芸昀昱煜钰瑜妤峪骅", "y") | dict.fromkeys("雯汶", "w")
_OTHERS |= dict.fromkeys("琳麟璐潞霖黎岚澜鹭", "l") | dict.fromkeys("馨鑫炘昕晞熙曦曦萱璇暄", "x") | {"骅": "h"}
_OTHERS |= dict.fromkeys("珺筠隽菁婧靓憬璟烨", "j") | {"烨": "y", "筠": "y"} | dict.fromkeys("喆祯臻瞻臧", "z")
_OTHERS |= (
    dict.fromkeys("晟笙姗珊", "s") | dict.fromkeys("闫邬妍嫣琰滢莹颖", "y") | {"邬": "w"} | dict.fromkeys("邹芷梓", "z")
)
_OTHERS |= dict.fromkeys("冯", "f") | dict.fromkeys("郝", "h") | dict.fromkeys("樊", "f") | dict.fromkeys("佟彤", "t")


def _initial(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    if character in _OTHERS:
        return _OTHERS[character]
    try:
        code = int.from_bytes(character.encode("gb2312"), "big")
    except UnicodeEncodeError:
        return ""
    if not _STARTS[0][0] <= code <= _LAST:
        return ""
    return next(letter for start, letter in reversed(_STARTS) if code >= start)


def initials(name: str) -> str:
    """The initials of every character that is known; others are left out."""
    first, rest = name[:1], name[1:]
    return (_SURNAMES.get(first) or _initial(first)) + "".join(_initial(ch) for ch in rest)
