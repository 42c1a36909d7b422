"""The desk in a browser: the workbench fits and is accessible, stars and filters answer, titles are suggested."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, Site, opened, served, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route
    from pytest_django.plugin import DjangoDbBlocker

    from saas.core.tenancy import TenantRef

pytestmark = pytest.mark.browser
TITLE = "关于做好汛期值班工作的通知"


@pytest.fixture(scope="module")
def desk(alpha: TenantRef, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """Alpha served to a person with a post and one document, both gone again afterwards."""

    from saas.accounts.models import User
    from saas.documents.models import Document
    from saas.env import env
    from saas.organisation.models import Appointment, Person, Post, PostKind, Unit
    from saas.organisation.models import today as day
    from saas.search.entries import EVERYONE, SearchEntry
    from saas.search.services import index, remove
    from tenants.context import use_tenant

    with django_db_blocker.unblock():
        with use_tenant(alpha):
            user = User.objects.create(username=f"desk-{uuid.uuid4().hex[:8]}", name="李建国")
            unit = Unit.objects.create(name="值班室", code=uuid.uuid4().hex[:8])
            post = Post.objects.create(unit=unit, name="科员", kind=PostKind.STAFF)
            person = Person.objects.create(user=user, name="李建国", staff_number=uuid.uuid4().hex[:8])
            held = Appointment.objects.create(person=person, post=post, starts=day(), primary=True)
            document = Document.objects.create(title=TITLE, state="sent", readers=[person.id])
            index(
                SearchEntry(kind="document_outgoing", object_id=document.id, title=TITLE, groups=frozenset({EVERYONE}))
            )
            running = ExitStack()
            found = running.enter_context(served(f"{alpha.code}.{env.host_suffix}", user))
        with running:
            yield found
        with use_tenant(alpha):
            remove(document.id)
            document.delete()
            held.delete()
            person.delete()
            user.delete()
            post.delete()
            unit.delete()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_workbench_fits_and_is_accessible(
    browser: Browser, desk: Site, axe: str, size: tuple[int, int], locale: str
) -> None:
    with opened(browser, desk, "/", size, locale=locale) as page:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"workbench-{locale}-{size[0]}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert violations(page, axe) == []


def test_a_star_stays_and_goes(browser: Browser, desk: Site) -> None:
    for before, after in (("false", "true"), ("true", "false")):
        with opened(browser, desk, "/documents/outgoing/", PHONE) as page:
            star = page.locator("tr", has_text=TITLE).locator(".star")
            expect(star).to_have_attribute("aria-pressed", before)
            star.click()
            expect(star).to_have_attribute("aria-pressed", after)


def test_stars_show_though_the_script_comes_after_what_is_starred(browser: Browser, desk: Site) -> None:
    def late(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    with opened(browser, desk, "/documents/outgoing/", PHONE) as page:
        star = page.locator("tr", has_text=TITLE).locator(".star")
        star.click()
        expect(star).to_have_attribute("aria-pressed", "true")
        page.route("**/stars.js", late)
        page.reload()
        expect(star).to_have_attribute("aria-pressed", "true")
        star.click()
        expect(star).to_have_attribute("aria-pressed", "false")


def test_a_filter_is_kept_used_and_forgotten(browser: Browser, desk: Site, axe: str) -> None:
    with opened(browser, desk, "/documents/outgoing/?tab=sent", DESKTOP) as page:
        page.get_by_role("button", name="我的筛选").click()
        page.get_by_label("把现在的筛选和排序保存为").fill("已发的")
        assert violations(page, axe) == []
        page.get_by_role("button", name="保存").click()
        page.wait_for_url("**/documents/outgoing/?tab=sent")
        expect(page.get_by_role("link", name="已发的")).to_have_attribute("aria-current", "page")
        page.goto(f"{desk.address}/documents/outgoing/")
        page.get_by_role("link", name="已发的").click()
        page.wait_for_url("**/documents/outgoing/?tab=sent")
        page.get_by_role("button", name="我的筛选").click()
        page.get_by_role("button", name="删除 已发的").click()
        page.wait_for_url("**/documents/outgoing/")
        expect(page.get_by_role("link", name="已发的")).to_have_count(0)


def test_titles_are_suggested_and_chosen_by_keys(browser: Browser, desk: Site, axe: str) -> None:
    with opened(browser, desk, "/", DESKTOP) as page:
        page.keyboard.press("/")
        page.keyboard.type("汛期值班")
        option = page.get_by_role("option", name=TITLE)
        expect(option).to_be_visible()
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
        expect(option).to_be_hidden()
        page.keyboard.type("工作")
        expect(option).to_be_visible()
        page.keyboard.press("ArrowDown")
        expect(option).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search/?q=*")
        expect(page.get_by_role("searchbox", name="检索词")).to_have_value(TITLE)
