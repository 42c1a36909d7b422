"""The pages of approvals in a browser, at a desk and on a phone, with the demonstration's people and documents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import WSGIServer
from django.db import connections
from django.test import Client
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler
from playwright.sync_api import Browser, Page

from saas.accounts.models import User
from saas.approvals.models import Task
from saas.core.tenancy import TenantRef
from saas.env import env
from saas.portal.demo import papers, stage, work
from saas.portal.demo.cast import BUREAUS
from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, Site, axe, browser, opened, violations

__all__ = ["axe", "browser"]
pytestmark = pytest.mark.browser


class OneAtATime(LiveServerThread):
    """Answers one request at a time: they share the test's one connection, and with it the bureau that is set."""

    def _create_server(self, connections_override: object = None) -> WSGIServer:
        return WSGIServer((self.host, self.port), QuietWSGIRequestHandler, allow_reuse_address=False)


PLAN = BUREAUS[1]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a reader finds: the served site, and a to-do to handle."""

    site: Site
    task: str
    matter: str


@pytest.fixture
def desk(in_alpha: TenantRef, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The section head's to-dos, served by a thread that shares this test's transaction."""
    stage.set_up(PLAN, password="a-demo-password-2026")
    at_work = work.Desk(PLAN, run_jobs)
    found = [one for one in vars(papers).values() if isinstance(one, papers.Paper)][:4]
    matters = [work.submit(at_work, work.draft(at_work, paper, office=1), office=1) for paper in found]
    task = Task.objects.get(instance_id=matters[0], state="open")
    reader = User.objects.get(username=stage.section_head(PLAN, 1).username)
    host = f"{in_alpha.code}.{env.host_suffix}"
    client = Client(headers={"host": host})
    client.force_login(reader)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    shared = connections["default"]
    monkeypatch.setattr(shared, "close", lambda: None)  # the server closes after each answer; this one must live
    shared.inc_thread_sharing()
    server = OneAtATime("127.0.0.1", StaticFilesHandler, connections_override={"default": shared})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    secure = f"https://{host}/"
    session = {"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": secure, "secure": True}
    try:
        site = Site(address=f"http://{host}:{server.port}", secure=secure, session=session)
        yield Desk(site, f"/tasks/{task.id}/", f"/matters/{matters[0]}/")
    finally:
        server.terminate()
        for thread in threading.enumerate():
            if "process_request_thread" in thread.name:
                thread.join(timeout=10)
        shared.dec_thread_sharing()


def look(page: Page, name: str) -> None:
    """Keep a picture of the whole page."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"approvals-{name}.png"))


def test_the_pages_read_well_and_break_no_rule_of_accessibility(desk: Desk, browser: Browser, axe: str) -> None:
    found: list[str] = []
    pages = {"todo": "/tasks/", "task": desk.task, "matter": desk.matter, "started": "/started/"}
    pages |= {"to-read": "/to-read/", "done": "/done/", "supervised": "/supervised/"}
    pages |= {"applications": "/applications/", "apply": "/applications/purchase/"}
    for size in (DESKTOP, PHONE):
        for name, path in pages.items():
            with opened(browser, desk.site, path, size) as page:
                page.wait_for_load_state("networkidle")
                look(page, f"{name}-{size[0]}")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                found += [f"{name} {size[0]}: {one}" for one in violations(page, axe)]
                found += [f"{name} {size[0]}: {wide} px too wide"] if wide > 0 else []
    assert found == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_phrase_is_taken_somebody_is_chosen_and_the_matter_goes_on(
    desk: Desk, browser: Browser, size: tuple[int, int]
) -> None:
    with opened(browser, desk.site, desk.task, size) as page:
        page.get_by_role("button", name="更多").click()
        look(page, f"more-{size[0]}")
        page.locator("#more-acts").get_by_role("button", name="传阅").click()
        options = page.locator("#options-to_circulate input")
        options.first.wait_for()
        whole = options.count()
        page.locator("#picker-to_circulate input[type=search]").fill("文书")
        page.wait_for_function("n => document.querySelectorAll('#options-to_circulate input').length < n", arg=whole)
        options.first.check()
        look(page, f"choose-{size[0]}")
        page.locator("#act-circulate").get_by_role("button", name="传阅").click()
        page.get_by_text("已传阅").wait_for()
        page.locator(".chip", has_text="同意。").first.click()
        assert page.locator("#id_opinion").input_value() == "同意。"
        page.locator(".actionbar").get_by_role("button", name="退回").click()
        assert page.locator("#id_reason").input_value() == "同意。"
        look(page, f"return-{size[0]}")
        page.locator("#act-return").get_by_role("button", name="取消").click()
        page.get_by_role("button", name="同意并送下一步").click()
        page.get_by_text("已同意").wait_for()
        assert desk.task not in page.url


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_form_with_rows_is_filled_in_and_sent(desk: Desk, browser: Browser, size: tuple[int, int]) -> None:
    with opened(browser, desk.site, "/applications/purchase/", size) as page:
        for name, price in (("档案盒", "720"), ("扫描仪", "6800")):
            page.get_by_role("button", name="加一行").click()
            row = page.locator("table.cells tbody tr").last
            row.get_by_label("品名").fill(name)
            row.get_by_label("数量").fill("1")
            row.get_by_label("预估金额").fill(price)
        page.get_by_role("button", name="加一行").click()
        page.get_by_role("button", name="删去这一行").last.click()
        page.get_by_label("用途").fill("档案数字化")
        page.get_by_label("需用日期").fill("2027-01-08")
        assert page.locator("table.cells tbody tr").count() == 2
        page.get_by_label("预估合计").fill("7520")
        look(page, f"apply-filled-{size[0]}")
        page.get_by_role("button", name="提交").click()
        page.get_by_text("已提交。").wait_for()
        assert "7,520.00" in page.content()
