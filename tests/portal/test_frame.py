"""The frame: who sees which entry, display choices, notices, forms, where a sign-in leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory

from saas.core import navigation, toasts
from saas.core.access import Permission
from saas.core.navigation import NavEntry
from saas.core.tenancy import TenantRef
from saas.env import Zone, env
from saas.portal import display
from saas.portal.context import Frame


class Reader:
    """A signed-in user with some rights."""

    is_authenticated = True

    def __init__(self, *rights: Permission) -> None:
        self.rights = rights

    def has_permission(self, permission: Permission) -> bool:
        return permission in self.rights


@pytest.fixture
def menu() -> Iterator[Callable[..., None]]:
    """A menu of its own for the test."""
    before = dict(navigation._ENTRIES)
    navigation._ENTRIES.clear()

    def add(key: str, order: int, **values: Any) -> None:
        navigation.register(NavEntry(key, key, "portal:gallery", zone=settings.ZONE, order=order, **values))

    yield add
    navigation._ENTRIES.clear()
    navigation._ENTRIES.update(before)


def frame_for(*rights: Permission, path: str = "/gallery/") -> Frame:
    request = RequestFactory().get(path)
    request.user = Reader(*rights)  # type: ignore[assignment]
    return Frame(request)


def test_a_reader_sees_only_what_his_rights_open(menu: Callable[..., None]) -> None:
    menu("todo", 10)
    menu("accounts", 300, permission=Permission.MANAGE_ACCOUNTS)
    menu("mine", 20, permission=Permission.SIGNED_IN)
    assert [item.key for item in frame_for(Permission.STAFF).items] == ["todo", "mine"]
    assert [item.key for item in frame_for(Permission.MANAGE_ACCOUNTS).items] == ["mine", "accounts"]


def test_nobody_signed_in_sees_no_menu(menu: Callable[..., None]) -> None:
    menu("todo", 10)
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(is_authenticated=False)  # type: ignore[assignment]
    assert Frame(request).items == []


def test_groups_break_at_hundreds_and_leave_out_the_top_bars_entries(menu: Callable[..., None]) -> None:
    for key, order in (("a", 10), ("b", 90), ("settings", 95), ("c", 100)):
        menu(key, order)
    assert [[item.key for item in group] for group in frame_for(Permission.STAFF).groups] == [["a", "b"], ["c"]]


def test_the_bottom_bar_has_four_entries_in_their_own_order(menu: Callable[..., None]) -> None:
    for key, place in (("a", 4), ("b", 1), ("c", 0), ("d", 2), ("e", 3), ("f", 5)):
        menu(key, 10, bar=place)
    assert [item.key for item in frame_for(Permission.STAFF).bar] == ["b", "d", "e", "a"]


def test_counts_are_asked_once_a_page_and_not_for_hidden_entries(menu: Callable[..., None]) -> None:
    asked: list[str] = []

    def counted(key: str) -> Callable[[Any], int]:
        def count(_request: Any) -> int:
            asked.append(key)
            return 12

        return count

    menu("todo", 10, count=counted("todo"))
    menu("hidden", 20, permission=Permission.READ_AUDIT, count=counted("hidden"))
    frame = frame_for(Permission.STAFF)
    assert [item.count for item in frame.items] == [12]
    assert frame.groups
    assert frame.bar == []
    assert asked == ["todo"]


def test_the_entry_of_the_present_address_is_current(menu: Callable[..., None]) -> None:
    menu("todo", 10)
    assert frame_for(Permission.STAFF, path="/gallery/x/").items[0].current
    assert not frame_for(Permission.STAFF, path="/elsewhere/").items[0].current


def test_one_key_cannot_be_registered_for_two_entries(menu: Callable[..., None]) -> None:
    menu("todo", 10)
    with pytest.raises(ValueError, match="todo"):
        menu("todo", 20)


def test_display_choices_survive_a_round_trip_and_ignore_what_is_unknown() -> None:
    response = HttpResponse()
    display.write(response, display.Display(text="large", keys="off"))
    cookie = response.cookies[display.COOKIE]
    assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
    request = RequestFactory().get("/", headers={"cookie": f"{display.COOKIE}={cookie.value}"})
    assert display.read(request) == display.Display(text="large", keys="off")
    request = RequestFactory().get("/", headers={"cookie": f"{display.COOKIE}=text:huge.rows:compact.x:y.z"})
    assert display.read(request) == display.Display(rows="compact")


@pytest.fixture
def browser_at_alpha(in_alpha: TenantRef) -> Client:
    """A browser that is not signed in."""
    return Client(headers={"host": f"{in_alpha.code}.{env.host_suffix}"})


def test_a_display_choice_returns_to_its_page_and_never_elsewhere(browser_at_alpha: Client) -> None:
    answer = browser_at_alpha.post("/display/", {"text": "large", "next": "/sign-in/?next=/x/"})
    assert answer.headers["Location"] == "/sign-in/?next=/x/"
    away = browser_at_alpha.post("/display/", {"text": "", "next": "//elsewhere.example/"})
    assert away.headers["Location"] == "/"


@pytest.mark.parametrize("choice", [{"text": "huge"}, {"language": "xx"}])
def test_an_unknown_choice_is_refused_and_changes_nothing(browser_at_alpha: Client, choice: dict[str, str]) -> None:
    answer = browser_at_alpha.post("/display/", choice)
    assert answer.status_code == 400
    assert display.COOKIE not in answer.cookies
    assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies


def test_the_language_is_kept_and_shown(browser_at_alpha: Client) -> None:
    browser_at_alpha.post("/display/", {"language": "en"})
    page = browser_at_alpha.get("/sign-in/").content.decode()
    assert '<html lang="en"' in page
    assert "Skip to content" in page


def test_the_gallery_is_no_page_of_a_real_cloud(browser_at_alpha: Client, settings: Any) -> None:
    settings.DEMO = settings.DEBUG = False
    assert browser_at_alpha.get("/gallery/").status_code == 404


def test_a_notice_waits_for_the_next_page_and_is_shown_once() -> None:
    request = RequestFactory().get("/")
    request.session = {}  # type: ignore[assignment]
    toasts.show_next(request, "已同意", action_label="撤销", action_url="/undo/")
    assert toasts.take(request) == [toasts.Toast(text="已同意", action_label="撤销", action_url="/undo/")]
    assert toasts.take(request) == []


def test_a_notice_on_an_htmx_answer_keeps_other_events() -> None:
    response = HttpResponse()
    response.headers["HX-Trigger"] = '{"counted": {}}'
    toasts.attach(response, "已保存", kind=toasts.Kind.NOTE)
    assert response.headers["HX-Trigger"].isascii()
    assert '"counted"' in response.headers["HX-Trigger"]
    assert '"toast"' in response.headers["HX-Trigger"]


class Form(forms.Form):
    """A form of two fields, one with a hint."""

    code = forms.CharField(label="单位代码", help_text="小写字母")
    note = forms.CharField(label="备注", required=False)


def test_a_field_is_tied_to_its_label_hint_and_error() -> None:
    html = str(Form({"code": ""}))
    assert '<label for="id_code">单位代码</label>' in html
    assert 'id="id_code_helptext"' in html
    assert 'id="id_code_error"' in html
    assert 'aria-describedby="id_code_helptext id_code_error"' in html
    assert 'aria-invalid="true"' in html
    assert '<a href="#id_code">单位代码：' in html


def test_an_optional_field_says_so_and_a_form_without_errors_has_no_summary() -> None:
    html = str(Form())
    assert html.count("选填") == 1
    assert "data-error-summary" not in html


def test_intranet_home_leads_to_the_first_entry(menu: Callable[..., None], in_alpha: TenantRef, as_user: Any) -> None:
    from saas.accounts.models import User

    client = as_user(User.objects.create(username="home-reader", name="李建国"))
    assert "还没有可办的事" in client.get("/").content.decode()
    navigation.register(NavEntry("mine", "我的", "accounts:settings", Permission.SIGNED_IN, Zone.INTRANET, 10))
    assert client.get("/").headers["Location"] == "/settings/"
