"""The second factor: authenticator app, recovery codes, who must have one, and what cannot be done without."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from saas.accounts import services
from saas.accounts.models import User
from saas.core.access import Role
from saas.core.audit.models import AuditRecord
from tests.accounts.conftest import PASSWORD, acting, enrol_app, make_account, sign_in, totp_now

pytestmark = pytest.mark.django_db

CODE = "/sign-in/second-factor/"


def test_a_code_completes_the_sign_in_and_the_password_alone_does_not(browser: Client) -> None:
    user = make_account("lijianguo")
    secret = enrol_app(user)
    answer = sign_in(browser, "lijianguo", next="/settings/")
    assert (answer.status_code, answer["Location"]) == (302, CODE)
    assert browser.get("/settings/").status_code == 302
    assert browser.get(CODE).status_code == 200
    answer = browser.post(CODE, {"code": totp_now(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    assert browser.get("/settings/").status_code == 200
    record = AuditRecord.objects.filter(event="account.signed_in").latest("id")
    assert record.detail == {"methods": ["password", "totp"]}


def test_the_second_step_without_the_first_leads_to_the_first(browser: Client) -> None:
    assert browser.get(CODE)["Location"] == "/sign-in/"
    assert browser.post(CODE, {"code": "000000"})["Location"] == "/sign-in/"


def test_a_code_opens_once(browser: Client) -> None:
    user = make_account("lijianguo")
    code = totp_now(enrol_app(user))
    sign_in(browser, "lijianguo")
    assert browser.post(CODE, {"code": code}).status_code == 302
    browser.post("/sign-out/")
    sign_in(browser, "lijianguo")
    answer = browser.post(CODE, {"code": code})
    assert answer.status_code == 422
    assert "验证码不正确或已用过" in answer.content.decode()


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_clocks_may_differ_by_one_period(browser: Client, steps: int) -> None:
    secret = enrol_app(make_account("lijianguo"))
    sign_in(browser, "lijianguo")
    assert browser.post(CODE, {"code": totp_now(secret, steps=steps)}).status_code == 302


@pytest.mark.parametrize("code", ["", "000000", "12", "x" * 17, "١٢٣٤٥٦", "1\x002345"])
def test_a_wrong_code_is_refused(browser: Client, code: str) -> None:
    enrol_app(make_account("lijianguo"))
    sign_in(browser, "lijianguo")
    assert browser.post(CODE, {"code": code}).status_code == 422
    assert browser.get("/settings/").status_code == 302


def test_wrong_codes_lock_the_account_as_wrong_passwords_do(browser: Client) -> None:
    user = make_account("lijianguo")
    secret = enrol_app(user)
    sign_in(browser, "lijianguo")
    statuses = [browser.post(CODE, {"code": "000000"}).status_code for _try in range(5)]
    assert statuses == [422, 422, 422, 422, 302]
    assert User.objects.get(pk=user.pk).is_locked
    assert browser.post(CODE, {"code": totp_now(secret)})["Location"] == "/sign-in/"
    assert sign_in(browser, "lijianguo").status_code == 422


def test_an_administrator_must_enrol_before_anything_else(browser: Client) -> None:
    user = make_account("admin2", Role.SYSTEM_ADMIN)
    sign_in(browser, "admin2")
    for page in ("/accounts/", "/settings/", "/settings/sessions/"):
        answer = browser.get(page)
        assert (answer.status_code, answer["Location"]) == (302, "/settings/second-factor/"), page
    assert "必须使用双重验证" in browser.get("/settings/second-factor/").content.decode()
    page = browser.get("/settings/second-factor/app/").content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    secret = re.findall(r">([A-Z2-7]{32})</code>", page)[0]
    wrong = browser.post("/settings/second-factor/app/", {"code": "000000"})
    assert wrong.status_code == 422
    assert secret in wrong.content.decode()
    answer = browser.post("/settings/second-factor/app/", {"code": totp_now(secret)})
    assert (answer.status_code, answer["Location"]) == (302, "/settings/second-factor/recovery/")
    first = browser.get("/settings/second-factor/recovery/").content.decode()
    codes = re.findall(r"<code>(\d{8})</code>", first)
    assert len(codes) == 10
    assert not re.findall(r"<code>\d{8}</code>", browser.get("/settings/second-factor/recovery/").content.decode())
    assert browser.get("/accounts/").status_code == 200
    stored = str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))
    assert secret not in stored
    browser.post("/sign-out/")
    sign_in(browser, "admin2")
    assert browser.post(CODE, {"code": codes[3]}).status_code == 302
    browser.post("/sign-out/")
    sign_in(browser, "admin2")
    assert browser.post(CODE, {"code": codes[3]}).status_code == 422


def test_an_administrator_cannot_give_up_the_last_factor(browser: Client) -> None:
    user = make_account("admin2", Role.SYSTEM_ADMIN)
    secret = enrol_app(user)
    sign_in(browser, "admin2")
    browser.post(CODE, {"code": totp_now(secret)})
    page = browser.post("/settings/second-factor/app/remove/")
    assert page.status_code == 422
    assert "必须保留一种" in page.content.decode()
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_staff_may_give_theirs_up_and_it_is_recorded(browser: Client) -> None:
    user = make_account("lijianguo")
    secret = enrol_app(user)
    sign_in(browser, "lijianguo")
    browser.post(CODE, {"code": totp_now(secret)})
    assert browser.post("/settings/second-factor/app/remove/").status_code == 302
    assert not Authenticator.objects.filter(user=user).exists()
    record = AuditRecord.objects.latest("id")
    assert (record.event, record.detail) == ("account.second_factor_removed", {"kind": "totp"})


def test_staff_named_by_the_policy_must_enrol_too(browser: Client) -> None:
    user = make_account("lijianguo")
    by = acting(make_account("security2", Role.SECURITY_ADMIN))
    services.second_factor_require(user_id=user.pk, required=True, by=by)
    sign_in(browser, "lijianguo")
    assert browser.get("/settings/")["Location"] == "/settings/second-factor/"


def test_changing_factors_long_after_signing_in_asks_for_the_password_again(browser: Client) -> None:
    from saas.accounts.signing_in import STARTED

    make_account("lijianguo")
    sign_in(browser, "lijianguo")
    session = browser.session
    session[STARTED] -= 3600
    session.save()
    answer = browser.get("/settings/second-factor/app/")
    assert answer["Location"].startswith("/settings/proof/?next=")
    wrong = browser.post(answer["Location"], {"password": "wrong-password-1"})
    assert wrong.status_code == 422
    assert browser.post(answer["Location"], {"password": PASSWORD}).status_code == 302
    assert browser.get("/settings/second-factor/app/").status_code == 200


def test_a_lost_factor_is_cleared_by_the_security_administrator(browser: Client) -> None:
    user = make_account("lijianguo")
    secret = enrol_app(user)
    sign_in(browser, "lijianguo")
    browser.post(CODE, {"code": totp_now(secret)})
    services.second_factor_reset(user_id=user.pk, by=acting(make_account("security2", Role.SECURITY_ADMIN)))
    assert not Authenticator.objects.filter(user=user).exists()
    assert browser.get("/settings/").status_code == 302
    assert sign_in(browser, "lijianguo")["Location"] == "/"


@pytest.mark.parametrize("payload", ["", "{}", "[]", "null", '{"id": "x"}', "not json", "1", '{"response": {}}'])
def test_a_broken_passkey_answer_is_refused(browser: Client, payload: str) -> None:
    make_account("lijianguo")
    challenge = browser.get("/sign-in/passkey/", headers={"accept": "application/json"})
    assert challenge.json()["request_options"]["publicKey"]["rpId"] == "alpha.localhost"
    answer = browser.post("/sign-in/passkey/", {"credential": payload})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
    assert browser.get("/settings/").status_code == 302
