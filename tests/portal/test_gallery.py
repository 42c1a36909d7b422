"""Every component at desktop and phone size: no accessibility violation, nothing wider than the screen, keys work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, Site, opened, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@contextmanager
def gallery(
    browser: Browser, site: Site, size: tuple[int, int], *, display: str = "", locale: str = "zh-CN"
) -> Iterator[Page]:
    """The gallery, scrolled to its top."""
    with opened(browser, site, "/gallery/", size, display=display, locale=locale) as page:
        page.wait_for_function("document.activeElement.matches('[data-error-summary]')")
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        yield page


@pytest.mark.parametrize("display", ["", "text:large", "rows:compact"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_every_component_is_accessible_and_fits(
    browser: Browser, site: Site, axe: str, size: tuple[int, int], display: str
) -> None:
    with gallery(browser, site, size, display=display) as page:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"gallery-{size[0]}-{display.replace(':', '-') or 'usual'}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert violations(page, axe) == []


def test_text_at_twice_the_size_loses_nothing(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.evaluate("document.documentElement.style.setProperty('font-size', '175%')")
        wide = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 "
            "&& !e.closest('.card:has(> .t), .sr')).map(e => e.outerHTML.slice(0, 120))"
        )
        assert wide == []


def test_the_english_page_is_accessible_and_says_its_language(browser: Browser, site: Site, axe: str) -> None:
    with gallery(browser, site, DESKTOP, locale="en") as page:
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.locator("h1").inner_text() == "Components"
        assert violations(page, axe) == []


def test_touch_targets_on_a_phone_are_large(browser: Browser, site: Site) -> None:
    with gallery(browser, site, PHONE) as page:
        small = page.evaluate(
            "[...document.querySelectorAll('main .btn, .actionbar .btn, .tabbar a, .tabbar button, main select, "
            "main input:not([type=checkbox],[type=radio],[type=file],[type=hidden])')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)"
        )
        assert small == []


def test_rows_are_walked_and_picked_by_keys(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("x")
        assert page.locator("tr.at input[name=task]").is_checked()
        assert page.locator("tr.at input[name=task]").get_attribute("value") == "2"
        assert page.locator("[data-picked]").inner_text() == "已选 1"
        assert page.get_by_role("button", name="批量同意").is_enabled()
        page.keyboard.press("?")
        assert page.locator("#keys-help").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        assert page.locator("#confirm").is_visible()


def test_letters_typed_into_a_field_are_text(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.locator("#g-opinion").fill("")
        page.locator("#g-opinion").press("j")
        assert page.locator("#g-opinion").input_value() == "j"
        assert page.locator("tr.at").count() == 0


def test_keys_turned_off_do_nothing(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP, display="keys:off") as page:
        page.keyboard.press("j")
        assert page.locator("tr.at").count() == 0


def test_a_dangerous_act_waits_for_the_typed_name(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.get_by_role("button", name="打开对话框").click()
        stop = page.locator("#gallery-dialog [data-typed-button]")
        assert stop.is_disabled()
        page.locator("#typed-alpha").fill("alph")
        assert stop.is_disabled()
        page.locator("#typed-alpha").fill("alpha")
        assert stop.is_enabled()


def test_a_phrase_goes_where_the_caret_is(browser: Browser, site: Site) -> None:
    with gallery(browser, site, PHONE) as page:
        page.locator("#g-opinion").fill("请办公室阅。")
        page.evaluate("document.getElementById('g-opinion').setSelectionRange(0, 0)")
        page.get_by_role("button", name="同意。").click()
        assert page.locator("#g-opinion").input_value() == "同意。请办公室阅。"


def test_display_choices_are_kept_in_the_browser(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.locator(".me-btn").click()
        page.get_by_role("button", name="大字版").click()
        page.wait_for_function("document.documentElement.dataset.text === 'large'")
        assert page.url == f"{site.address}/gallery/"
        assert page.evaluate("getComputedStyle(document.body).fontSize") == "18px"


def test_the_page_prints_without_its_frame(browser: Browser, site: Site) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.emulate_media(media="print")
        for frame in (".top", ".side", ".bar", ".actionbar"):
            assert not page.locator(frame).first.is_visible()
        assert page.locator("table.t").is_visible()


@pytest.mark.parametrize("theme", ["blue", "red", "green", "teal", "graphite"])
def test_every_theme_keeps_its_contrast(browser: Browser, site: Site, axe: str, theme: str) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.screenshot(path=SCREENSHOTS / f"theme-{theme}.png")
        assert violations(page, axe) == []


def test_dialogs_menus_and_notices_are_accessible_and_seen(browser: Browser, site: Site, axe: str) -> None:
    with gallery(browser, site, PHONE) as page:
        page.evaluate(
            "import('/static/portal/js/toasts.js').then(m => m.toast({text: '已同意，送分管领导签批', "
            "action_label: '撤销', action_url: '/x/'}))"
        )
        page.wait_for_selector("[data-toast]")
        page.locator(".me-btn").click()
        page.screenshot(path=SCREENSHOTS / "phone-menu.png")
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="打开对话框").click()
        page.screenshot(path=SCREENSHOTS / "phone-dialog.png")
        assert violations(page, axe) == []


def test_a_second_editor_is_shown_both_texts(browser: Browser, site: Site, axe: str) -> None:
    with gallery(browser, site, DESKTOP) as page:
        page.evaluate("document.getElementById('autosave-conflict').showModal()")
        page.locator("[data-mine]").evaluate("e => { e.textContent = '请于11月30日前报送。' }")
        page.locator("[data-theirs]").evaluate("e => { e.textContent = '请于12月5日前报送。' }")
        page.screenshot(path=SCREENSHOTS / "conflict.png")
        assert violations(page, axe) == []
