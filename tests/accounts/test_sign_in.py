"""Signing in: password, lock-out, throttle, time-outs, and words that tell a stranger nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from saas.accounts.models import User
from saas.accounts.services import user_disable
from saas.accounts.signing_in import SEEN, STARTED
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.audit.models import AuditRecord
from tests.accounts.conftest import PASSWORD, acting, make_account, sign_in

pytestmark = pytest.mark.django_db

REFUSED = "用户名或密码不正确，或者账号因多次输错已被暂时锁定"


def events(user: User | None = None) -> list[str]:
    """What the audit trail says about an account (or about nobody), oldest first."""
    found = AuditRecord.objects.filter(target_id=str(user.pk) if user else "").order_by("id")
    return list(found.values_list("event", flat=True))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_sign_in_page_opens_in_chinese_and_in_english(browser: Client) -> None:
    page = browser.get("/sign-in/")
    assert page.status_code == 200
    assert "用户名" in text_of(page)
    assert "User name" in text_of(browser.get("/sign-in/", headers={"accept-language": "en"}))


def test_a_right_password_signs_in_whatever_the_capitals_and_goes_on_to_next(browser: Client) -> None:
    user = make_account("lijianguo")
    answer = sign_in(browser, "LiJianGuo", next="/settings/")
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    page = browser.get("/settings/")
    assert page.status_code == 200
    assert "李建国" in text_of(page)
    assert events(user)[-1] == "account.signed_in"


def test_cookies_belong_to_the_host_alone(browser: Client) -> None:
    make_account("lijianguo")
    answer = sign_in(browser, "lijianguo")
    cookie = answer.cookies["__Host-session"]
    assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "https:evil.example", "javascript:alert(1)", "/\\evil"]
)
def test_next_never_leads_away(browser: Client, target: str) -> None:
    make_account("lijianguo")
    answer = sign_in(browser, "lijianguo", next=target)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_unknown_wrong_disabled_and_locked_read_the_same(browser: Client) -> None:
    make_account("wrong")
    disabled, locked = make_account("disabled"), make_account("locked")
    user_disable(user_id=disabled.pk, by=SYSTEM)
    User.objects.filter(pk=locked.pk).update(locked_until=timezone.now() + timedelta(minutes=5))
    pages = [
        sign_in(browser, "nobody-here"),
        sign_in(browser, "wrong", "wrong-password-1"),
        sign_in(browser, "disabled"),
        sign_in(browser, "locked"),
    ]
    assert [page.status_code for page in pages] == [422] * 4
    assert all(REFUSED in text_of(page) for page in pages)


def test_an_unknown_name_is_recorded_without_the_name(browser: Client) -> None:
    sign_in(browser, "my-secret-typed-here", "x")
    record = AuditRecord.objects.latest("id")
    assert (record.event, record.target_label, record.detail) == ("account.sign_in_failed", "", {"reason": "unknown"})
    assert "my-secret" not in str(vars(record))


def test_the_fifth_failure_locks_for_a_quarter_of_an_hour_and_is_recorded(browser: Client) -> None:
    user = make_account("lijianguo")
    for _try in range(4):
        sign_in(browser, "lijianguo", "wrong-password-1")
    user.refresh_from_db()
    assert (user.failed_count, user.is_locked) == (4, False)
    sign_in(browser, "lijianguo", "wrong-password-1")
    user.refresh_from_db()
    assert user.is_locked
    assert user.locked_until is not None
    assert timedelta(minutes=14) < user.locked_until - timezone.now() <= timedelta(minutes=15)
    assert sign_in(browser, "lijianguo").status_code == 422
    assert events(user).count("account.locked") == 1
    assert browser.get("/settings/").status_code == 302


def test_a_lock_ends_by_itself_and_success_clears_the_count(browser: Client) -> None:
    user = make_account("lijianguo")
    User.objects.filter(pk=user.pk).update(locked_until=timezone.now() - timedelta(seconds=1), failed_count=3)
    assert sign_in(browser, "lijianguo").status_code == 302
    user.refresh_from_db()
    assert (user.failed_count, user.locked_until) == (0, None)


def test_too_many_tries_from_one_address_are_429_and_counted_per_bureau(browser: Client, settings: Any) -> None:
    settings.SIGN_IN_TRIES_PER_MINUTE = 3
    statuses = [sign_in(browser, f"nobody-{number}").status_code for number in range(5)]
    assert statuses == [422, 422, 422, 429, 429]
    answer = sign_in(browser, "nobody")
    assert answer["Retry-After"] == "30"
    assert "尝试次数过多" in text_of(answer)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("a\x00b", "x"),
        ("李" * 65, "x"),
        ("", ""),
        ("lijianguo", "x" * 129),
        ("lijianguo", "a\x00b"),
        ("' OR 1=1 --", "x"),
    ],
)
def test_odd_input_is_refused_and_the_user_name_kept(browser: Client, name: str, password: str) -> None:
    make_account("lijianguo")
    answer = sign_in(browser, name, password)
    assert answer.status_code == 422
    if name == "lijianguo":
        assert 'value="lijianguo"' in text_of(answer)
    assert password not in {"x" * 129} or password not in text_of(answer)


def test_signing_out_needs_a_post_and_ends_the_session(browser: Client) -> None:
    user = make_account("lijianguo")
    sign_in(browser, "lijianguo")
    assert browser.get("/sign-out/").status_code == 200
    assert browser.get("/settings/").status_code == 200
    old = browser.cookies["__Host-session"].value
    assert browser.post("/sign-out/").status_code == 302
    browser.cookies["__Host-session"] = old
    assert browser.get("/settings/").status_code == 302
    assert events(user)[-1] == "account.signed_out"


@pytest.mark.parametrize(
    ("key", "age"), [(SEEN, timedelta(minutes=31)), (STARTED, timedelta(hours=8, minutes=1))], ids=["idle", "too old"]
)
def test_a_session_ends_when_idle_or_too_old(browser: Client, key: str, age: timedelta) -> None:
    make_account("lijianguo")
    sign_in(browser, "lijianguo")
    session = browser.session
    session[key] = session[key] - int(age.total_seconds())
    session.save()
    answer = browser.get("/settings/?a=1&b=2")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=%2Fsettings%2F%3Fa%3D1%26b%3D2")


def test_an_expired_session_keeps_what_was_being_submitted(browser: Client) -> None:
    headers = {"origin": "http://alpha.localhost"}
    answer = browser.post("/accounts/new/", {"username": "wangfang", "name": "王芳"}, headers=headers)
    page = text_of(answer)
    assert answer.status_code == 403
    assert "您的登录已过期" in page
    assert 'name="name" value="王芳"' in page
    assert 'action="/accounts/new/"' in page


def test_what_another_site_made_the_browser_send_is_not_offered_again(browser: Client) -> None:
    headers = {"origin": "https://evil.example"}
    answer = browser.post("/accounts/new/", {"username": "evil", "name": "王芳"}, headers=headers)
    assert answer.status_code == 403
    assert "王芳" not in text_of(answer)


def test_a_disabled_account_is_out_at_once(browser: Client) -> None:
    user = make_account("lijianguo")
    sign_in(browser, "lijianguo")
    user_disable(user_id=user.pk, by=acting(make_account("admin", Role.SYSTEM_ADMIN)))
    assert browser.get("/settings/").status_code == 302


def test_the_sign_in_and_settings_pages_stay_within_eight_queries(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    make_account("lijianguo")
    with django_assert_max_num_queries(8):
        browser.get("/sign-in/")
    sign_in(browser, "lijianguo", PASSWORD)
    for page in ("/settings/", "/settings/password/", "/settings/second-factor/", "/settings/sessions/"):
        with django_assert_max_num_queries(8):
            assert browser.get(page).status_code == 200, page


def test_a_session_and_its_user_with_roles_cost_two_queries(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    make_account("lijianguo", Role.CLERK)
    sign_in(browser, "lijianguo")
    browser.get("/settings/")
    with django_assert_max_num_queries(8) as captured:
        browser.get("/settings/")
    asked = [query["sql"] for query in captured.captured_queries]
    assert sum("django_session" in sql or "accounts_" in sql or "mfa_" in sql for sql in asked) == 2
