"""A served site and a browser for the portal's tests: real pages, real style sheets, the product's own CSP."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django.plugin import DjangoDbBlocker

    from saas.core.tenancy import TenantRef

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"


@dataclass(frozen=True, slots=True)
class Site:
    """The served bureau: its address and the cookie of a signed-in account."""

    address: str
    secure: str
    session: dict[str, Any]


@pytest.fixture(scope="session")
def site(alpha: TenantRef, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """Serve alpha on a free port with one signed-in account, which is gone again afterwards."""
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test import Client
    from django.test.testcases import LiveServerThread

    from saas.accounts.models import User
    from saas.env import env
    from tenants.context import use_tenant

    host = f"{alpha.code}.{env.host_suffix}"
    with django_db_blocker.unblock():
        with use_tenant(alpha):
            user = User.objects.create(username=f"look-{uuid.uuid4().hex[:8]}", name="李建国")
            client = Client(headers={"host": host})
            client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
        settings.DEMO, was = True, settings.DEMO
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        if server.error:
            raise server.error
        address = f"http://{host}:{server.port}"
        # A cookie is not bound to a port; `__Host-` ones can only be set for https, and are sent to localhost anyway.
        secure = f"https://{host}/"
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": secure, "secure": True}
        yield Site(address=address, secure=secure, session=cookie)
        server.terminate()
        settings.DEMO = was
        with use_tenant(alpha):
            user.delete()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Chromium with the Chinese fonts of the document layout."""
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
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, unchanged as published."""
    source = AXE.read_bytes()
    assert hashlib.sha256(source).hexdigest() == AXE_SHA256
    return source.decode()
