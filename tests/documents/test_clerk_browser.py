"""In a browser: ticked recipients, text typed before another act, text too long, and a page that follows its job."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.plugin import DjangoDbBlocker

from saas.core.tenancy import TenantRef
from saas.documents import services
from saas.documents.kinds import State
from saas.documents.models import Document
from saas.env import env
from saas.exchange.models import Dispatch, DispatchState
from tenants.context import use_tenant
from tests.bureaus import create_bureau
from tests.documents.conftest import draft_input, install_flow, make_office
from tests.documents.test_services import numbered, signed_off
from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, Site, axe, browser, opened, served, violations

__all__ = ["axe", "browser"]
pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Desk:
    """A drafter and a clerk at their desks; a draft, a numbered document, one that was sent."""

    bureau: TenantRef
    drafter: Site
    clerk: Site
    draft: uuid.UUID
    numbered: uuid.UUID
    sent: uuid.UUID


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Desk]:
    with django_db_blocker.unblock():
        bureau = create_bureau(code=f"k{uuid.uuid4().hex[:8]}", name="文书试验局")
        with use_tenant(bureau):
            office = make_office()
            install_flow(office)
            draft = services.document_draft(draft=draft_input(recipients=""), by=office.drafter)
            services.attachment_add(document_id=draft.id, name="a.txt", stream=io.BytesIO(b"text"), by=office.drafter)
            waits = numbered(office)
            sent = signed_off(office, title="云州市大数据发展管理局关于第二件事的通知")
            Document.objects.filter(id=sent.id).update(state=State.SENT)
            told = {"document_id": sent.id, "asked_by": "孙文", "answered_at": timezone.now()}
            state = {"state": DispatchState.RETURNED, "answered_by": "许强", "reason": "主送有误"}
            Dispatch.objects.create(to_code="beta", to_name="乙局", **told, **state)
        host = f"{bureau.code}.{env.host_suffix}"
        drafter, clerk = office.users["drafter"], office.users["clerk"]
        with use_tenant(bureau), served(host, drafter) as one, served(host, clerk) as two:
            yield Desk(bureau, one, two, draft.id, waits.id, sent.id)


def test_ticking_writes_a_recipient_once_and_what_is_shortened_stays(desk: Desk, browser: Browser) -> None:
    with opened(browser, desk.drafter, f"/documents/{desk.draft}/edit/", DESKTOP) as page:
        boxes = page.locator('input[name="recipient_codes"]')
        names = [boxes.nth(place).locator("xpath=ancestor::label").inner_text().strip() for place in (0, 1)]
        field = page.locator("#id_recipients")
        boxes.nth(0).check()
        boxes.nth(1).check()
        expect(field).to_have_value("，".join(names))
        boxes.nth(1).uncheck()
        expect(field).to_have_value(names[0])
        field.fill(f"市发改局、{names[0][-4:]}")
        boxes.nth(1).check()
        expect(field).to_have_value(f"市发改局、{names[0][-4:]}、{names[1]}")
        boxes.nth(0).uncheck()
        boxes.nth(0).check()
        boxes.nth(1).uncheck()
        field.fill("市发改局")
        page.locator('button[name="then"][value="save"]').click()
        page.wait_for_load_state()
        expect(page.locator("#id_recipients")).to_have_value("市发改局")
        expect(page.locator('input[name="recipient_codes"]').nth(0)).to_be_checked()


def test_what_was_typed_is_saved_before_another_form_is_sent(desk: Desk, browser: Browser) -> None:
    with opened(browser, desk.drafter, f"/documents/{desk.draft}/edit/", DESKTOP) as page:
        page.locator("#id_note").fill("此件主动公开")
        page.locator(".doc-files [data-confirm]").first.click()
        page.locator("#confirm button[value=yes]").click()
        page.wait_for_url("**/edit/")
        expect(page.locator(".doc-files")).to_have_count(0)
        expect(page.locator("#id_note")).to_have_value("此件主动公开")


def test_a_title_too_long_is_not_cut_and_comes_back_whole(desk: Desk, browser: Browser) -> None:
    title = "关于" + "长" * 2990 + "的通知"
    context = browser.new_context(locale="zh-CN", reduced_motion="reduce")
    context.add_cookies([desk.drafter.session])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{desk.drafter.address}/documents/new/")
    page.locator("#id_title").fill(title)
    page.locator('button[name="then"][value="submit"]').click()
    page.wait_for_load_state()
    expect(page.locator("#id_title")).to_have_value(title)
    expect(page.locator(".errorlist", has_text="不能超过150字").first).to_be_visible()
    context.close()


def test_the_page_of_a_numbered_document_shows_the_seal_when_it_is_set(desk: Desk, browser: Browser) -> None:
    with opened(browser, desk.clerk, f"/documents/{desk.numbered}/", DESKTOP) as page:
        expect(page.locator(".notice", has_text="正在排版印制")).to_be_visible()
        with use_tenant(desk.bureau):
            Document.objects.filter(id=desk.numbered).update(state=State.RENDERED)
        expect(page.locator("a.btn.pri", has_text="用印")).to_be_visible(timeout=20_000)
        page.screenshot(path=str(SCREENSHOTS / "documents-to-seal.png"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_clerks_pages_read_well(desk: Desk, browser: Browser, axe: str, size: tuple[int, int]) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    for name, path, wanted in (
        ("issuing", "/documents/issuing/?tab=seal", "待用印"),
        ("sent", f"/documents/{desk.sent}/", "主送有误"),
        ("check", "/seals/check/", "带电子印章的 PDF"),
    ):
        with opened(browser, desk.clerk, path, size) as page:
            expect(page.locator("main", has_text=wanted)).to_be_visible()
            page.screenshot(path=str(SCREENSHOTS / f"clerk-{name}-{size[0]}.png"), full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            assert violations(page, axe) == [], path
