"""A served site and a browser for tests of pages: real pages, real style sheets, the product's own CSP."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from saas.accounts.models import User

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
DESKTOP = (1440, 900)
PHONE = (390, 844)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"


@dataclass(frozen=True, slots=True)
class Site:
    """The served bureau: its address and the cookie of a signed-in account."""

    address: str
    secure: str
    session: dict[str, Any]


@contextmanager
def served(host: str, user: User) -> Iterator[Site]:
    """Serve this zone at `host` on a free port, with a session of `user`; call with the database unblocked."""
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test import Client
    from django.test.testcases import LiveServerThread

    client = Client(headers={"host": host})
    client.force_login(user)
    # A cookie is not bound to a port; `__Host-` ones can only be set for https, and are sent to localhost anyway.
    secure = f"https://{host}/"
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    settings.DEMO, was = True, settings.DEMO
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": secure, "secure": True}
    try:
        yield Site(address=f"http://{host}:{server.port}", secure=secure, session=cookie)
    finally:
        server.terminate()
        settings.DEMO = was


@contextmanager
def opened(
    browser: Browser,
    site: Site,
    path: str,
    size: tuple[int, int],
    *,
    display: str = "",
    locale: str = "zh-CN",
) -> Iterator[Page]:
    """A page as a signed-in reader sees it; fails on any script error or refusal by the CSP."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale=locale, reduced_motion="reduce"
    )
    cookies = [site.session]
    if display:
        cookies.append({"name": "__Host-display", "value": display, "url": site.secure, "secure": True})
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{site.address}{path}")
    yield page
    context.close()
    assert problems == []


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds, one line each."""
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    return [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in found]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium with Chinese fonts; closed with its module, since Playwright allows one at a time."""
    from playwright.sync_api import sync_playwright

    from saas.embedded.folders import cache_folder

    folder = tmp_path_factory.mktemp("fonts")
    fonts = folder / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
        f"<dir>{cache_folder() / 'fonts'}</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    # Playwright's loop must not make Django believe that its ORM is called from async code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
                env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
            )
            yield opened
            opened.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, unchanged as published."""
    source = AXE.read_bytes()
    assert hashlib.sha256(source).hexdigest() == AXE_SHA256
    return source.decode()
