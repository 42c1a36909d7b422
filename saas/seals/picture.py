"""Draws a bureau's round seal as a vector picture: name around the rim, star in the middle.

国发〔1999〕25号 (印章管理规定) fixes the shape: round, red, a five-pointed star, the name around it from left to
right; 42 mm across for a municipal bureau, 45 mm for a provincial one.
"""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from pathlib import Path

import typst
from django.conf import settings
from django.utils.translation import gettext as _

from saas.core.errors import Invalid

LEAST_MM = 30.0
MOST_MM = 60.0
LONGEST_NAME = 30

_SOURCE = Path(__file__).with_name("picture.typ")
_local = threading.local()


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[settings.FONTS_FOLDER])


def _compiler() -> typst.Compiler:
    # A compiler is not safe to share between threads; the fonts are.
    if not hasattr(_local, "compiler"):
        _local.compiler = typst.Compiler(_SOURCE, font_paths=_fonts())
    compiler: typst.Compiler = _local.compiler
    return compiler


def draw(*, name: str, caption: str, diameter_mm: float, specimen: str = "") -> bytes:
    """The seal as a one-page PDF whose page is exactly the seal's square.

    Args:
        name: the legal name on the rim, 2 to 30 characters.
        caption: the line under the star (专用章 kinds), may be empty.
        diameter_mm: 30 to 60 millimetres.
        specimen: a word across the picture, for showing what is no impression.

    Raises:
        Invalid: a length or the diameter is out of range.
    """
    if not 2 <= len(name) <= LONGEST_NAME or len(caption) > 10:
        raise Invalid(_("印章名称应为 2 到 30 个字，章内文字不超过 10 个字。"), code="seal.name")
    if not LEAST_MM <= diameter_mm <= MOST_MM:
        raise Invalid(_("印章直径应在 30 到 60 毫米之间。"), code="seal.size")
    data = {
        "name": name,
        "caption": caption,
        "specimen": specimen,
        "diameter": diameter_mm,
        "fonts": ["FandolSong", "Noto Serif CJK SC"],
    }
    drawn = _compiler().compile(format="pdf", sys_inputs={"data": json.dumps(data)}, timestamp=0)
    assert isinstance(drawn, bytes)  # one document, given back and not written
    return drawn
