"""The whole way in a browser: two bureaus, eleven people, at a desk and on a phone; screenshots are kept."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from PIL import ImageChops

from saas.core.storage import open_object
from saas.core.tenancy import TenantRef
from saas.documents.models import Document
from saas.portal.demo import stage
from saas.portal.demo.stage import Signs
from tenants.context import use_tenant
from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, browser
from tests.whole_way.conftest import Town

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
pytestmark = pytest.mark.browser
BODY = """为加快推进中小企业数字化转型，现将有关事项通知如下：
一、申报条件
（一）在本市注册、具有独立法人资格的中小企业。
（二）近三年内无重大安全、环保、质量事故。
二、时间要求
申报截止时间为2026年12月31日，逾期不予受理。"""


@dataclass
class Office:
    """Serves the town and opens its pages as the people who work there."""

    browser: Browser
    port: int
    shots: int = 0

    @contextmanager
    def page(self, bureau: TenantRef, who: Signs, size: tuple[int, int], path: str) -> Iterator[Page]:
        """A page of `bureau` as `who`; fails on any script error."""
        from django.conf import settings
        from django.test import Client

        from saas.accounts.models import User

        host = f"{bureau.code}.localhost"
        client = Client(headers={"host": host})
        with use_tenant(bureau):
            client.force_login(User.objects.get(username=who.username))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", reduced_motion="reduce"
        )
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": f"https://{host}/", "secure": True}]
        )
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"http://{host}:{self.port}{path}")
        yield page
        self.shots += 1
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"whole-way-{self.shots:02d}-{who.username}-{size[0]}.png")
        context.close()
        assert problems == []

    def agree(self, bureau: TenantRef, who: Signs, size: tuple[int, int], *, title: str, opinion: str) -> None:
        """Open the to-do of that title and agree."""
        with self.page(bureau, who, size, "/tasks/") as page:
            page.get_by_role("link", name=title).first.click()
            page.wait_for_selector("#id_opinion")
            page.fill("#id_opinion", opinion)
            page.uncheck("input[type=checkbox][name=next]")
            page.click("button[name=act][value=agree]")
            page.wait_for_load_state("networkidle")
            assert not page.query_selector("[aria-invalid=true]")


@pytest.fixture(scope="module")
def office(town: Town, browser: Browser) -> Iterator[Office]:
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test.testcases import LiveServerThread

    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    yield Office(browser, server.port)
    server.terminate()


def test_a_document_walks_through_two_bureaus(town: Town, office: Office, tmp_path: Path) -> None:
    sender, receiver, plan = town.sender, town.receiver, town.sender_plan
    matter = "组织申报2027年度中小企业数字化改造项目"
    title = f"{plan.name}关于{matter}的通知"
    with office.page(sender, stage.drafter(plan, 5), DESKTOP, "/documents/new/") as page:
        page.fill("[name=title]", title)
        page.fill("[name=recipients]", "各县（市、区）工业和信息化主管部门")
        page.fill("[name=body]", BODY)
        page.select_option("[name=flow]", "outgoing")
        page.wait_for_selector("#preview img")
        page.click("button[name=then][value=submit]")
        page.wait_for_url("**/documents/*-*-*/")
        path = "/" + page.url.split("/", 3)[3]

    signers = [
        (stage.section_head(plan, 5), DESKTOP),
        (stage.section_head(plan, 1), DESKTOP),
        (stage.section_head(plan, 2), DESKTOP),
        (stage.section_head(plan, 0), DESKTOP),
        (stage.deputy(plan, "一二三四"[plan.offices[5].in_charge]), PHONE),
        (stage.head(plan), PHONE),
    ]
    for who, size in signers:
        office.agree(sender, who, size, title=matter, opinion="同意。")

    clerk = stage.clerk(plan)
    for button, submit in (("编号", "取号"), ("用印", "用印")):
        with office.page(sender, clerk, DESKTOP, path) as page:
            page.locator(".hd-acts").get_by_role("link", name=button).click()
            page.get_by_role("button", name=submit).last.click()
            page.wait_for_load_state("networkidle")
        settle(town)
    with office.page(sender, clerk, DESKTOP, path) as page:
        page.locator(".hd-acts").get_by_role("link", name="发送").click()
        page.check(f"input[name=to][value={receiver.code}]")
        page.get_by_role("button", name="发送").click()
        page.wait_for_load_state("networkidle")
    settle(town)

    with use_tenant(sender):
        document = Document.objects.get(title=title)
        sealed, rendered = read(document.sealed_name), read(document.pdf_name)
    assert_sealed(sealed, rendered, tmp_path)

    other = town.receiver_plan
    with office.page(receiver, stage.clerk(other), PHONE, "/deliveries/") as page:
        page.get_by_role("link", name=matter).click()
        page.get_by_role("button", name="签收并登记").click()
        page.wait_for_url("**/documents/*-*-*/")
        arrived = "/" + page.url.split("/", 3)[3]
    settle(town)
    for who in (
        stage.section_head(other, 0),
        stage.head(other),
        stage.section_head(other, 2),
        stage.section_head(other, 3),
    ):
        office.agree(receiver, who, PHONE, title=matter, opinion="请按要求办理。")
    for bureau, bureau_plan, page_path in ((sender, plan, path), (receiver, other, arrived)):
        with office.page(bureau, stage.archivist(bureau_plan), DESKTOP, page_path) as page:
            page.locator(".hd-acts").get_by_role("link", name="归档").click()
            page.get_by_role("button", name="归档").click()
            page.wait_for_url("**/archive/*/")
        settle(town)
    with office.page(receiver, stage.head(other), PHONE, "/search/?q=数字化改造项目") as page:
        assert page.get_by_role("link", name=matter).count() >= 1
    with use_tenant(receiver):
        incoming = Document.objects.get(title=title)
        assert (incoming.state, incoming.number) == ("filed", document.number)
        assert hashlib.sha256(read(incoming.pdf_name)).digest() == hashlib.sha256(sealed).digest()


def settle(town: Town) -> None:
    """Run the jobs beside Playwright's loop, as the worker would: on a thread of their own."""
    from django.db import connections

    def work() -> None:
        try:
            town.settle()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def read(name: str) -> bytes:
    with open_object(name) as source:
        return source.read()


def assert_sealed(sealed: bytes, rendered: bytes, folder: Path) -> None:
    """`pdfsig` finds it valid, and the pages differ from the signed-off ones by the seal alone."""
    path = folder / "sealed.pdf"
    path.write_bytes(sealed)
    said = subprocess.run(["pdfsig", str(path)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    with_seal, without = pypdfium2.PdfDocument(sealed), pypdfium2.PdfDocument(rendered)
    with_seal.init_forms()
    assert len(with_seal) == len(without)
    changed = []
    for number in range(len(without)):
        before = without[number].render(scale=1).to_pil().convert("RGB")
        after = with_seal[number].render(scale=1).to_pil().convert("RGB")
        after.save(SCREENSHOTS / f"whole-way-sealed-{number + 1}.png")
        box = ImageChops.difference(before, after).getbbox()
        if box is not None:
            changed.append((box[2] - box[0], box[3] - box[1]))
    # 42 mm are 119 points; a page is drawn at one pixel a point.
    assert len(changed) == 1
    assert all(110 <= side <= 124 for side in changed[0]), changed
