"""The fonts this installation sets documents in."""

from __future__ import annotations

from saas.documents.layout import FontSet
from saas.env import env


def font_set() -> FontSet:
    """The fonts of this installation."""
    return FontSet(folder=env.fonts_folder)
