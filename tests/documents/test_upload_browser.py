"""In a browser: an attachment whose upload breaks off goes on where it stopped, and the versions page reads well."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route
from pytest_django.plugin import DjangoDbBlocker

from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.models import Attachment, Document
from saas.documents.services.uploads import PIECE_BYTES
from saas.env import env
from tenants.context import use_tenant
from tests.bureaus import create_bureau
from tests.documents.conftest import draft_input, install_flow, make_office
from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, Site, axe, browser, opened, served, violations

__all__ = ["axe", "browser"]
pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Desk:
    """A drafter at his desk, and his draft."""

    bureau: TenantRef
    site: Site
    document: uuid.UUID


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Desk]:
    with django_db_blocker.unblock():
        bureau = create_bureau(code=f"u{uuid.uuid4().hex[:8]}", name="上传试验局")
        with use_tenant(bureau):
            office = make_office()
            install_flow(office)
            document = services.document_draft(draft=draft_input(body="请于3月1日前报送。"), by=office.drafter)
            services.document_autosave(
                document_id=document.id,
                draft=draft_input(body="请于3月15日前报送办公室。"),
                version=1,
                by=office.drafter,
            )
            user = office.users["drafter"]
        host = f"{bureau.code}.{env.host_suffix}"
        with use_tenant(bureau), served(host, user) as site:
            yield Desk(bureau, site, document.id)


def test_an_upload_whose_connection_breaks_goes_on(desk: Desk, browser: Browser, tmp_path: Path) -> None:
    content = b"%PDF-1.7\n" + os.urandom(3 * PIECE_BYTES)
    file = tmp_path / "预算表.pdf"
    file.write_bytes(content)
    sent: list[str] = []
    broken = threading.Event()

    def pass_on(route: Route) -> None:
        offset = route.request.headers.get("upload-offset", "")
        sent.append(offset)
        if offset == str(PIECE_BYTES) and not broken.is_set():
            broken.set()
            route.abort("connectionreset")
        else:
            route.continue_()

    # Not `opened`: the browser says in its console that the connection broke, as it should.
    context = browser.new_context(locale="zh-CN", reduced_motion="reduce")
    context.add_cookies([desk.site.session])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{desk.site.address}/documents/{desk.document}/edit/")
    page.route("**/uploads/*/", pass_on)
    page.locator("[data-pieces-url] input[type=file]").set_input_files(file)
    page.locator("[data-files] li", has_text="✓").wait_for(timeout=60_000)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / "documents-upload.png"))
    context.close()
    assert sent.count(str(PIECE_BYTES)) == 2
    assert sent.count("0") == 1
    with use_tenant(desk.bureau):
        kept = Attachment.objects.get(document_id=desk.document)
        assert (kept.name, kept.sha256) == ("预算表.pdf", hashlib.sha256(content).hexdigest())


def test_a_file_that_is_too_large_is_told_before_it_is_sent(desk: Desk, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "很大.pdf"
    with file.open("wb") as empty:
        empty.truncate(150_000_000)
    with opened(browser, desk.site, f"/documents/{desk.document}/edit/", DESKTOP) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/uploads/" in request.url else None)
        page.locator("[data-pieces-url] input[type=file]").set_input_files(file)
        page.locator("[data-files] .over").wait_for()
        assert asked == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_versions_page_reads_well(desk: Desk, browser: Browser, axe: str, size: tuple[int, int]) -> None:
    with opened(browser, desk.site, f"/documents/{desk.document}/versions/", size) as page:
        page.locator("ins").first.wait_for()
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=str(SCREENSHOTS / f"documents-versions-{size[0]}.png"), full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert violations(page, axe) == []
    with use_tenant(desk.bureau):
        assert Document.objects.get(id=desk.document).content_version == 2
