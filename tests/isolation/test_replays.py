"""What one bureau's host has given a browser is worth nothing at any other host of the zone.

The same at the other zones' hosts of a running cloud is in `tests/embedded/test_under_fire.py`.
"""

from __future__ import annotations

import copy
import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver

from saas.accounts.models import User
from saas.core.audit.models import AuditRecord
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.accounts.conftest import HostClient, browser_at, enrol_app, make_account, sign_in, totp_now
from tests.contracts.routes import walk

NAME = "lijianguo"
PAGES = ("/", "/settings/", "/tasks/", "/search/?q=x", "/documents/new/", "/settings/sessions/")
OTHER_HOSTS = [
    "beta.localhost",
    "beta.localhost:8000",
    "BETA.localhost",
    "nobody.localhost",
    "localhost",
    "127.0.0.1",
    "alpha.localhost.",
    "alpha.localhost.evil.example",
    "alpha.localhost@beta.localhost",
    "alpha.localhost,beta.localhost",
    "alpha.localhost\\beta.localhost",
    "alpha.localhost%00.beta.localhost",
    "beta.localhost/alpha.localhost",
    "alpha.ext.localhost",
    "ops.localhost",
    "security.localhost",
    "cells.localhost",
    "xn--alpha.localhost",
    "",
]
FORGED_HEADERS = ["X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "X-Original-Host", "X-Original-URL", "Forwarded"]


@pytest.fixture
def signed_in(in_alpha: TenantRef) -> Client:
    """A browser signed in at alpha, with every cookie it got there."""
    make_account(NAME)
    client = browser_at(in_alpha)
    sign_in(client, NAME)
    assert client.get("/settings/").status_code == 200
    return client


def elsewhere(client: Client, host: str, **headers: str) -> HostClient:
    """A browser at another host that sends the cookies of `client`."""
    other = HostClient(headers={"host": host, **headers})
    other.cookies = copy.deepcopy(client.cookies)
    return other


def refused(other: Client, page: str) -> bool:
    """Whether the page is not opened: no such place, or sign in first."""
    answer = other.get(page)
    if answer.status_code in {400, 404}:
        return NAME not in answer.content.decode()
    return answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("host", OTHER_HOSTS, ids=lambda host: host or "none")
def test_a_session_of_alpha_opens_no_page_at_another_host(host: str, signed_in: Client, beta: TenantRef) -> None:
    other = elsewhere(signed_in, host)
    assert [page for page in PAGES if not refused(other, page)] == []
    assert signed_in.get("/settings/").status_code == 200


@pytest.mark.parametrize("host", ["alpha.localhost:8443", "ALPHA.LOCALHOST", "Alpha.localhost:80"])
def test_another_spelling_of_the_same_host_is_the_same_host(host: str, signed_in: Client) -> None:
    assert elsewhere(signed_in, host).get("/settings/").status_code == 200


@pytest.mark.parametrize("header", FORGED_HEADERS)
def test_a_proxys_header_does_not_lead_to_the_bureau_of_the_cookie(
    header: str, signed_in: Client, beta: TenantRef
) -> None:
    value = "host=alpha.localhost" if header == "Forwarded" else "alpha.localhost"
    for host in ("beta.localhost", "evil.example"):
        assert refused(elsewhere(signed_in, host, **{header.lower(): value}), "/settings/")


def test_an_absolute_address_in_the_request_line_does_not_count(signed_in: Client, beta: TenantRef) -> None:
    other = elsewhere(signed_in, "beta.localhost")
    answer = other.get("/settings/", RAW_URI="http://alpha.localhost/settings/", REQUEST_URI="http://alpha.localhost/")
    assert answer.status_code == 302
    assert refused(other, "http://alpha.localhost/settings/")


def test_a_forged_host_gets_a_clear_sentence_and_names_no_bureau(signed_in: Client, alpha: TenantRef) -> None:
    for host in ("nobody.localhost", "alpha.localhost.", "alpha.localhost@beta.localhost"):
        answer = elsewhere(signed_in, host, **{"accept-language": "zh-hans"}).get("/settings/")
        assert answer.status_code == 404
        assert "没有对应的单位" in answer.content.decode()
        assert alpha.name not in answer.content.decode()


def test_a_csrf_token_of_alpha_is_none_of_betas(in_alpha: TenantRef, beta: TenantRef) -> None:
    at_alpha = HostClient(headers={"host": "alpha.localhost"}, enforce_csrf_checks=True)
    at_beta = HostClient(headers={"host": "beta.localhost"}, enforce_csrf_checks=True)
    tokens = []
    for client in (at_alpha, at_beta):
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/sign-in/").content.decode())
        assert found
        tokens.append(found[1])
    form = {"login": "nobody", "password": "x", "csrfmiddlewaretoken": tokens[0]}
    assert at_beta.post("/sign-in/", form).status_code == 403
    assert at_beta.post("/sign-in/", {**form, "csrfmiddlewaretoken": tokens[1]}).status_code == 422


def test_all_cookies_and_the_token_together_change_nothing_at_beta(signed_in: Client, beta: TenantRef) -> None:
    page = signed_in.get("/settings/password/").content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found
    with use_tenant(beta):
        make_account(NAME)
        before = User.objects.get(username=NAME).password
        records = AuditRecord.objects.count()
    other = elsewhere(signed_in, "beta.localhost")
    form = {"oldpassword": "x", "password1": "y", "password2": "y", "csrfmiddlewaretoken": found[1]}
    for path in ("/settings/password/", "/settings/sessions/", "/settings/second-factor/app/", "/desk/star/"):
        answer = other.post(path, form)
        assert answer.status_code in {302, 403, 405}, path
        assert answer.status_code != 302 or answer.headers["Location"].startswith("/sign-in/")
    other.post("/sign-out/")
    with use_tenant(beta):
        assert User.objects.get(username=NAME).password == before
        assert AuditRecord.objects.count() == records
    assert Session.objects.filter(session_key=signed_in.cookies["__Host-session"].value).exists()


def test_a_half_done_sign_in_is_not_finished_at_another_host(in_alpha: TenantRef, beta: TenantRef) -> None:
    secret = enrol_app(make_account(NAME))
    client = browser_at(in_alpha)
    assert sign_in(client, NAME).headers["Location"].startswith("/sign-in/second-factor/")
    with use_tenant(beta):
        enrol_app(make_account(NAME), secret)
    other = elsewhere(client, "beta.localhost")
    other.post("/sign-in/second-factor/", {"code": totp_now(secret)})
    assert refused(other, "/settings/")
    assert client.post("/sign-in/second-factor/", {"code": totp_now(secret)}).status_code == 302
    assert client.get("/settings/").status_code == 200


def test_cookies_are_bound_to_their_host(signed_in: Client) -> None:
    names = {name: morsel for name, morsel in signed_in.cookies.items() if morsel.value}
    assert "__Host-session" in names
    for name, morsel in names.items():
        assert name.startswith("__Host-")
        assert (morsel["domain"], morsel["path"], morsel["secure"]) == ("", "/", True)


def test_no_route_takes_a_signed_link() -> None:
    """Nothing is sent out that signs somebody in: a forgotten password is set anew by an administrator."""
    patterns = [route.pattern for route in walk(get_resolver("saas.urls_intranet").url_patterns)]
    assert patterns
    words = re.compile(r"<(?:\w+:)?(?:token|key|uidb64|signature|ticket)>|confirm-email|password/reset")
    assert [pattern for pattern in patterns if words.search(pattern)] == []
