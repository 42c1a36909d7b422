"""A lock shuts out guessers, and not the owner at a browser of his; addresses are those our own proxies tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password as matches
from django.core import signing
from django.test import Client, RequestFactory
from django.utils import timezone

from saas.accounts import actors, signing_in
from saas.accounts.known_browsers import COOKIE
from saas.accounts.models import User
from saas.core.tenancy import TenantRef
from saas.env import env
from tests.accounts.conftest import PASSWORD, browser_at, make_account, sign_in

pytestmark = pytest.mark.django_db


def _lock(user: User) -> None:
    User.objects.filter(pk=user.pk).update(locked_until=timezone.now() + timedelta(minutes=10), failed_count=0)


def _known(browser: Client, username: str) -> str:
    assert sign_in(browser, username).status_code == 302
    cookie = browser.cookies[COOKIE]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert not cookie["domain"]
    browser.post("/sign-out/")
    return str(cookie.value)


def test_strangers_lock_an_account_and_its_owner_signs_in_where_he_did(browser: Client, alpha: TenantRef) -> None:
    user = make_account("lijianguo")
    _known(browser, "lijianguo")
    stranger = browser_at(alpha)
    for _try in range(5):
        sign_in(stranger, "lijianguo", "wrong-password-1")
    assert User.objects.get(pk=user.pk).is_locked
    assert sign_in(stranger, "lijianguo").status_code == 422
    assert sign_in(browser, "lijianguo").status_code == 302


def test_a_known_browser_has_few_tries_of_its_own(browser: Client) -> None:
    user = make_account("lijianguo")
    _known(browser, "lijianguo")
    _lock(user)
    for _try in range(5):
        assert sign_in(browser, "lijianguo", "wrong-password-1").status_code == 422
    assert sign_in(browser, "lijianguo").status_code == 422


@pytest.mark.parametrize("forgery", ["", "x", "of another", "of another bureau"])
def test_no_other_cookie_helps(forgery: str, browser: Client, alpha: TenantRef) -> None:
    user = make_account("lijianguo")
    make_account("wangfang")
    value = {"of another": _known(browser, "wangfang")}.get(forgery, forgery)
    if forgery == "of another bureau":
        value = signing.dumps(["b_000000000000", str(user.pk), "0"], salt="accounts.known_browser")
    _lock(user)
    stranger = browser_at(alpha)
    stranger.cookies[COOKIE] = value
    assert sign_in(stranger, "lijianguo").status_code == 422


def test_a_try_that_began_before_the_lock_does_not_slip_through_behind_it(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_account("lijianguo")

    def slow(self: User, raw: str) -> bool:
        # While this password was being hashed, others were counted and closed the account.
        _lock(user)
        return matches(raw, self.password)

    monkeypatch.setattr(User, "check_password", slow)
    assert signing_in.check_password(username="lijianguo", password=PASSWORD, request=None) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "1.2.3.4, 198.51.100.1, 10.0.0.6", "198.51.100.1"),
        ("10.0.0.5", "198.51.100.1, <script>", "10.0.0.5"),
        ("10.0.0.5", "2001:db8::7", "2001:db8::7"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_our_own_proxies_are_believed(
    peer: str, forwarded: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors, "env", replace(env, trusted_proxies=(ip_network("10.0.0.0/24"),)))
    headers: Any = {"x-forwarded-for": forwarded} if forwarded else {}
    assert actors.client_ip(RequestFactory(headers=headers).get("/", REMOTE_ADDR=peer)) == address
