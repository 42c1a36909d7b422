"""The extranet: two factors for everybody, its own first page, nothing of the office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches

from saas.env import Zone
from tests.accounts.conftest import enrol_app, make_account, sign_in, totp_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def outside(browser: Client, settings: Any) -> Client:
    """A browser at alpha as the extranet's processes serve it."""
    settings.ZONE, settings.ROOT_URLCONF = Zone.EXTRANET, "saas.urls_extranet"
    clear_url_caches()
    return browser


def test_its_first_page_says_what_will_be_there(outside: Client) -> None:
    secret = enrol_app(make_account("partner"))
    assert outside.get("/")["Location"] == "/sign-in/?next=%2F"
    sign_in(outside, "partner")
    assert outside.get("/").status_code == 302
    outside.post("/sign-in/second-factor/", {"code": totp_now(secret)})
    page = outside.get("/", follow=True)
    assert page.redirect_chain == [("/services/", 302)]
    for promised in ("安全传输", "已发布文件", "印章验证"):
        assert promised in page.content.decode()


def test_everybody_must_enrol_a_second_factor(outside: Client) -> None:
    make_account("partner")
    sign_in(outside, "partner")
    assert outside.get("/")["Location"] == "/settings/second-factor/"


def test_office_pages_are_not_served(outside: Client) -> None:
    secret = enrol_app(make_account("partner"))
    sign_in(outside, "partner")
    outside.post("/sign-in/second-factor/", {"code": totp_now(secret)})
    assert outside.get("/organisation/").status_code == 404
