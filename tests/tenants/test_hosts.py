"""Which host leads to which bureau, and what every forged one gets."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from saas.core.tenancy import TenantRef
from tenants import services
from tenants.database.current import application_connection
from tenants.middleware import HostMiddleware, console_of, host_names
from tenants.registry import hosts


def _bureau(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return HttpResponse(cursor.fetchone()[0])


def _ask(host: str | None, view: Any = _bureau, **headers: str) -> HttpResponse:
    request = RequestFactory().get("/", headers=headers or None)
    request.META.pop("SERVER_NAME", None)
    if host is not None:
        request.META["HTTP_HOST"] = host
    response = HostMiddleware(view)(request)
    assert application_connection().schema_name == "public"
    return response


@pytest.mark.parametrize("host", ["alpha.localhost", "ALPHA.localhost", "alpha.localhost:8443", "alpha.localhost:1"])
def test_a_bureaus_host_leads_to_its_role(host: str, outside: None, alpha: TenantRef) -> None:
    response = _ask(host)
    assert (response.status_code, response.content.decode()) == (200, alpha.schema)


FORGED = [
    "gamma-does-not-exist.localhost",
    "localhost",
    "127.0.0.1",
    "alpha.localhost.evil.example",
    "evil.example",
    "alpha",
    "alpha.localhost@evil.example",
    "evil.example#alpha.localhost",
    "alpha.localhost,beta.localhost",
    "alpha.localhost beta.localhost",
    "alpha.localhost\\beta.localhost",
    "alpha.localhost/",
    "alpha.localhost:",
    "alpha.localhost:80:80",
    "alpha.localhost:99999999",
    "alpha.localhost.",
    ".alpha.localhost",
    "alpha..localhost",
    "xn--alpha.localhost",
    "аlpha.localhost",
    "alpha.localhost%00",
    "alpha.ext.localhost",
    "ops.localhost",
    "security.localhost",
    "cells.localhost",
    "[::1]",
    "' OR 1=1 --.localhost",
    "a" * 400,
    "",
]


@pytest.mark.parametrize("host", FORGED)
def test_a_forged_host_is_404_and_names_nobody(host: str, outside: None, alpha: TenantRef) -> None:
    response = _ask(host)
    assert response.status_code == 404
    assert alpha.name not in response.content.decode()


def test_no_host_at_all_is_404(outside: None) -> None:
    assert _ask(None).status_code == 404


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "Forwarded", "X-Original-Host", "X-Rewrite-URL"]
)
def test_what_a_proxy_header_says_does_not_count(header: str, outside: None, alpha: TenantRef, beta: TenantRef) -> None:
    assert _ask("alpha.localhost", **{header: "beta.localhost"}).content.decode() == alpha.schema
    assert _ask("evil.example", **{header: "beta.localhost"}).status_code == 404


def test_a_suspended_bureau_is_refused_with_a_clear_sentence_at_once_and_served_again(
    outside: None, alpha: TenantRef
) -> None:
    assert _ask("alpha.localhost").status_code == 200
    try:
        services.suspend("alpha")
        _until(lambda: _ask("alpha.localhost").status_code == 403)
        assert "已停用" in _ask("alpha.localhost", **{"Accept-Language": "zh-hans"}).content.decode()
        assert _ask("beta.localhost").status_code == 200
    finally:
        services.resume("alpha")
    _until(lambda: _ask("alpha.localhost").status_code == 200)


def _until(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_known_host_is_looked_up_once(outside: None, alpha: TenantRef, django_assert_num_queries: Any) -> None:
    _ask("alpha.localhost")
    _until(lambda: hosts.listening)
    _ask("alpha.localhost")
    with django_assert_num_queries(1):
        _ask("alpha.localhost")


def test_unknown_hosts_do_not_fill_the_memory(outside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.registry.MOST_UNKNOWN", 10)
    for number in range(50):
        _ask(f"nobody-{number}.localhost")
    assert 0 < len(hosts._unknown) <= 10


def test_made_up_hosts_do_not_drive_out_a_known_one(
    outside: None, alpha: TenantRef, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr("tenants.registry.MOST_UNKNOWN", 10)
    _ask("alpha.localhost")
    _until(lambda: hosts.listening)
    _ask("alpha.localhost")
    for number in range(50):
        _ask(f"nobody-{number}.localhost")
    with django_assert_num_queries(1):
        assert _ask("alpha.localhost").status_code == 200


def test_an_unknown_host_is_looked_up_once(outside: None, django_assert_num_queries: Any) -> None:
    _ask("nobody.localhost")
    _until(lambda: hosts.listening)
    _ask("nobody.localhost")
    with django_assert_num_queries(0):
        _ask("nobody.localhost")


def test_a_streamed_answer_is_made_under_its_bureau(outside: None, alpha: TenantRef, beta: TenantRef) -> None:
    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(_bureau(request).content for _piece in range(3))

    response = _ask("alpha.localhost", view)
    other = _ask("beta.localhost", view)
    pieces = [piece.decode() for pair in zip(response, other, strict=True) for piece in pair]
    assert pieces == [alpha.schema, beta.schema] * 3
    assert application_connection().schema_name == "public"


def test_a_view_that_fails_leaves_no_bureau_behind(outside: None) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    request = RequestFactory().get("/", headers={"host": "alpha.localhost"})
    with pytest.raises(ZeroDivisionError):
        HostMiddleware(view)(request)
    assert application_connection().schema_name == "public"


def test_the_whole_stack_answers_an_unknown_host_with_a_page_of_its_own(outside: None) -> None:
    response = Client(headers={"host": "nobody.localhost"}).get("/", headers={"accept-language": "zh-hans"})
    assert response.status_code == 404
    assert "没有对应的单位" in response.content.decode()


def test_the_page_that_refuses_a_host_finds_its_style_sheet(outside: None, settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = True
    browser = Client(headers={"host": "nobody.localhost"})
    page = browser.get("/").content.decode()
    assert 'href="/static/portal/css/tokens.css"' in page
    sheet = browser.get("/static/portal/css/tokens.css")
    assert (sheet.status_code, sheet["X-Content-Type-Options"]) == (200, "nosniff")


def test_hosts_follow_the_zone(settings: Any) -> None:
    from saas.env import Zone

    assert host_names("fgw") == ["fgw.localhost"]
    settings.ZONE = Zone.EXTRANET
    assert host_names("fgw") == ["fgw.ext.localhost"]


@pytest.mark.parametrize(
    ("host", "path", "console"),
    [
        ("ops.localhost", "/", "ops"),
        ("security.localhost", "/x", "security"),
        ("cells.localhost", "/cell/v1/x", "cells"),
    ],
)
def test_management_has_three_doors(host: str, path: str, console: str) -> None:
    assert console_of(host, path) == console


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("alpha.localhost", "/"),
        ("localhost", "/"),
        ("ops", "/"),
        ("ops.localhost.evil.example", "/"),
        ("ops.localhost", "/cell/v1/commands"),
        ("cells.localhost", "/"),
        ("x.ops.localhost", "/"),
        ("", "/"),
    ],
)
def test_every_other_door_of_management_is_closed(host: str, path: str) -> None:
    from saas.core.errors import NotFound

    with pytest.raises(NotFound):
        console_of(host, path)
