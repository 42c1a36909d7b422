"""Recognises the mark of a state secret as it would be read on paper, in one pass over the text."""

from __future__ import annotations

import re
import unicodedata

# What no reader sees: soft hyphens, joiners, directions, fillers, variation selectors, tags, controls.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_LEVEL = r"(?:绝[^\S\n]{0,4}密|机[^\S\n]{0,4}密|秘[^\S\n]{0,4}密)"
# Blanks around a line's own mark never cross the line: with `\s*` a body of blank lines costs its length squared.
_MARK = re.compile(rf"{_LEVEL}\s*[★☆]|^[^\S\n]*{_LEVEL}[^\S\n]*$|密级[:：]\s*{_LEVEL}", re.MULTILINE)


def bears_secret_mark(text: str) -> bool:
    """Whether the text bears the mark of a state secret (绝密、机密、秘密).

    That is a level before a star, a level alone on its line, or a level after 密级：. Invisible characters are looked
    through and look-alikes of Unicode are what they look like.
    """
    return _MARK.search(unicodedata.normalize("NFKC", _UNSEEN.sub("", text))) is not None
