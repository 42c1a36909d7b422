"""What one bureau's sign-in is worth at another: nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from saas.accounts.models import User
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.accounts.conftest import browser_at, make_account, sign_in

pytestmark = pytest.mark.django_db


def test_a_cookie_of_one_bureau_opens_nothing_at_another(browser: Client, beta: TenantRef) -> None:
    make_account("lijianguo")
    sign_in(browser, "lijianguo")
    assert browser.get("/settings/").status_code == 200
    elsewhere = browser_at(beta)
    elsewhere.cookies = browser.cookies
    assert elsewhere.get("/settings/").status_code == 302


def test_a_session_row_copied_into_another_bureau_opens_nothing(
    browser: Client, in_alpha: TenantRef, beta: TenantRef
) -> None:
    user = make_account("lijianguo")
    sign_in(browser, "lijianguo")
    row = Session.objects.get(session_key=browser.cookies["__Host-session"].value)
    with use_tenant(beta):
        # The same account, id and password included, and the session's row: as after a restore into a wrong schema.
        User(id=user.pk, username="lijianguo", name="x", password=user.password).save(force_insert=True)
        Session(session_key=row.session_key, session_data=row.session_data, expire_date=row.expire_date).save(
            force_insert=True
        )
    elsewhere = browser_at(beta)
    elsewhere.cookies = browser.cookies
    assert elsewhere.get("/settings/").status_code == 302
    with use_tenant(beta):
        assert Session(session_data=row.session_data).get_decoded() == {}


def test_a_session_of_one_zone_opens_nothing_in_another(browser: Client, settings: Any) -> None:
    make_account("lijianguo")
    sign_in(browser, "lijianguo")
    settings.ZONE = "extranet"
    assert browser.get("/settings/").status_code == 302


def test_the_same_user_name_is_another_account_elsewhere(browser: Client, beta: TenantRef) -> None:
    make_account("lijianguo")
    assert sign_in(browser_at(beta), "lijianguo").status_code == 422


def test_an_authenticators_secret_does_not_open_in_another_bureau(in_alpha: TenantRef, beta: TenantRef) -> None:
    from saas.accounts.adapters import SecondFactorAdapter

    sealed = SecondFactorAdapter().encrypt("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DP" not in sealed
    assert SecondFactorAdapter().decrypt(sealed) == "JBSWY3DPEHPK3PXP"
    with use_tenant(beta), pytest.raises(ValueError, match="does not open"):
        SecondFactorAdapter().decrypt(sealed)
