"""A browser's display choices, kept in one cookie so they hold before sign-in too and cost no query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponseBase

COOKIE = "__Host-display"
KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """What a reader may choose; the empty cookie is the usual display.

    Attributes:
        text: ``large`` is 大字版 (18 px base).
        rows: ``compact`` makes lists' rows 36 px.
        keys: ``off`` turns single-letter shortcuts off (WCAG 2.1.4).
    """

    text: str = ""
    rows: str = ""
    keys: str = ""


CHOICES = {"text": ("", "large"), "rows": ("", "compact"), "keys": ("", "off")}


def read(request: HttpRequest) -> Display:
    """The choices in the request's cookie; anything unknown in it is ignored."""
    raw = request.COOKIES.get(COOKIE, "")
    pairs = dict(part.split(":", 1) for part in raw.split(".") if ":" in part)
    return Display(**{name: value for name, value in pairs.items() if value in CHOICES.get(name, ())})


def write(response: HttpResponseBase, display: Display) -> None:
    """Keep `display` for a year."""
    chosen = {name: getattr(display, name) for name in CHOICES}
    value = ".".join(f"{name}:{choice}" for name, choice in chosen.items() if choice)
    response.set_cookie(COOKIE, value, max_age=KEPT, path="/", secure=True, httponly=True, samesite="Lax")
