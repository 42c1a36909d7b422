"""Passwords: the policy, the forced change, and what ends with the old one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from saas.accounts.models import User
from saas.accounts.services import user_create
from saas.core.actors import SYSTEM
from saas.core.one_time import one_time_password
from tests.accounts.conftest import PASSWORD, browser_at, make_account, sign_in

pytestmark = pytest.mark.django_db

NEW = "新的-password-2027"


def change(client: Client, new: str = NEW, *, old: str = PASSWORD, again: str | None = None) -> Any:
    again = new if again is None else again
    return client.post("/settings/password/", {"oldpassword": old, "password1": new, "password2": again})


def test_passwords_are_stored_as_argon2id(browser: Client) -> None:
    assert make_account("lijianguo").password.startswith("argon2$argon2id$")


def test_a_one_time_password_opens_only_the_change_of_password(browser: Client) -> None:
    issued = user_create(username="wangfang", name="王芳", by=SYSTEM)
    sign_in(browser, "wangfang", issued.password)
    for page in ("/settings/", "/accounts/", "/settings/sessions/"):
        answer = browser.get(page)
        assert (answer.status_code, answer["Location"]) == (302, "/settings/password/"), page
    assert "请先设置自己的密码" in browser.get("/settings/password/").content.decode()
    answer = change(browser, old=issued.password)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.get("/settings/").status_code == 200
    user = User.objects.get(pk=issued.user.pk)
    assert not user.must_change_password
    assert user.check_password(NEW)


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("short-1", "至少要有 10 个字符"),
        ("password123", "常见"),
        ("lijianguo-lijianguo", "不要有姓名或用户名"),
        ("lijiangu0-", "相似"),
        ("onlyletters", "至少两种"),
        ("aaaaaaaaaa1", "重复的字符太多"),
        (PASSWORD, "不能与当前密码相同"),
        ("x1" * 65, "128"),
        ("with\x00nul-12345", ""),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(browser: Client, new: str, says: str) -> None:
    user = make_account("lijianguo")
    sign_in(browser, "lijianguo")
    answer = change(browser, new)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert User.objects.get(pk=user.pk).password == user.password


def test_the_old_password_and_the_repetition_must_be_right(browser: Client) -> None:
    user = make_account("lijianguo")
    sign_in(browser, "lijianguo")
    assert "当前密码不正确" in change(browser, old="wrong-password-1").content.decode()
    assert "两次输入的新密码不一致" in change(browser, again="other-12345").content.decode()
    assert User.objects.get(pk=user.pk).password == user.password
    assert User.objects.get(pk=user.pk).failed_count == 1


def test_a_change_ends_the_other_sessions_and_keeps_this_one(browser: Client, in_alpha: Any) -> None:
    make_account("lijianguo")
    elsewhere = browser_at(in_alpha)
    sign_in(elsewhere, "lijianguo")
    sign_in(browser, "lijianguo")
    assert change(browser).status_code == 302
    assert browser.get("/settings/").status_code == 200
    assert elsewhere.get("/settings/").status_code == 302


def test_sessions_are_listed_and_ended_one_by_one_but_never_anothers(browser: Client, in_alpha: Any) -> None:
    from allauth.usersessions.models import UserSession

    make_account("lijianguo")
    other = make_account("other")
    elsewhere, third = browser_at(in_alpha), browser_at(in_alpha)
    sign_in(third, "other")
    sign_in(elsewhere, "lijianguo")
    sign_in(browser, "lijianguo")
    page = browser.get("/settings/sessions/").content.decode()
    assert page.count("/end/") == 1
    foreign = UserSession.objects.get(user=other)
    assert browser.post(f"/settings/sessions/{foreign.pk}/end/").status_code == 404
    assert third.get("/settings/").status_code == 200
    own = UserSession.objects.get(session_key=elsewhere.cookies["__Host-session"].value)
    assert browser.post(f"/settings/sessions/{own.pk}/end/").status_code == 302
    assert elsewhere.get("/settings/").status_code == 302
    assert browser.get("/settings/").status_code == 200


def test_one_time_passwords_meet_the_policy_and_differ() -> None:
    from saas.accounts.passwords import VarietyValidator

    made = {one_time_password() for _time in range(200)}
    assert len(made) == 200
    for password in made:
        VarietyValidator().validate(password)
        assert len(password) == 14
