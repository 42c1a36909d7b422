"""What every template of the product keeps to: the strict CSP, icons that exist, vendored files as published."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "saas" / "portal" / "static" / "portal"
TEMPLATES = sorted((ROOT / "saas").glob("*/templates/**/*.html"))
ICONS = frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text("utf-8")))
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*="),
    "an inline handler": re.compile(r"\son[a-z]+=[\"']"),
    "a handler in an attribute": re.compile(r"\s(data-)?hx-on"),
    "computed values": re.compile(r"hx-(vals|headers)[^=]*=.\s*js:"),
    "a script in the page": re.compile(r"<script(?![^>]*\s(src=|type=\"application/json\"))"),
    "a style sheet in the page": re.compile(r"<style"),
    "another origin": re.compile(r"(src|href)=\"(https?:)?//"),
}


def forbidden_in(source: str) -> list[str]:
    """What the CSP would refuse in a template."""
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(source)]


def missing_icons(source: str) -> set[str]:
    """Icons a template names that the sprite does not have."""
    named = re.findall(r'{%\s*icon\s+"([^"]+)"', source) + re.findall(r'icon_name="([^"]+)"', source)
    return set(named) - ICONS


def test_no_template_has_what_the_csp_refuses() -> None:
    found = {str(path.relative_to(ROOT)): forbidden_in(path.read_text("utf-8")) for path in TEMPLATES}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        '<p style="color:red">',
        '<button onclick="x()">',
        '<a hx-on:click="x()">',
        "<script>x()</script>",
        '<img src="https://x/y.png">',
        "<a hx-vals='js:{a: 1}'>",
        "<style>p{}</style>",
    ],
)
def test_the_rule_catches_each_breach(source: str) -> None:
    assert forbidden_in(source) != []


def test_every_named_icon_is_in_the_sprite() -> None:
    found = {str(path.relative_to(ROOT)): missing_icons(path.read_text("utf-8")) for path in TEMPLATES}
    assert {path: names for path, names in found.items() if names} == {}


def test_every_menu_entrys_icon_is_in_the_sprite() -> None:
    from saas.core.navigation import entries
    from saas.env import Zone

    assert {entry.key for zone in Zone for entry in entries(zone) if entry.icon not in ICONS} == set()


def test_every_menu_entry_leads_somewhere() -> None:
    from django.urls import reverse

    from saas.core.navigation import entries

    assert all(reverse(entry.url_name) for entry in entries(settings.ZONE))


def test_htmx_is_the_file_that_was_published() -> None:
    digest = hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest()
    assert digest == "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    assert digest in (STATIC / "LICENSES.md").read_text("utf-8")
