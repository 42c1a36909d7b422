"""Says where the embedded stack keeps its things: one ignored folder in the checkout, and one cache for downloads."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def stack_folder() -> Path:
    """Return the folder of data, generated passwords and logs: `.yunshu/`, or what YUNSHU_FOLDER names."""
    return Path(os.environ.get("YUNSHU_FOLDER") or CHECKOUT / ".yunshu").absolute()


def cache_folder() -> Path:
    """Return the folder of what can be fetched again (fonts, test tools); it outlives `make reset`.

    YUNSHU_CACHE overrides; where the home folder cannot be written, the stack's own folder is used.
    """
    wanted = os.environ.get("YUNSHU_CACHE")
    if wanted:
        folder = Path(wanted).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (no home: no error)
    folder = Path(base) / "yunshu"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = stack_folder() / "cache"
        folder.mkdir(parents=True, exist_ok=True)
    return folder
