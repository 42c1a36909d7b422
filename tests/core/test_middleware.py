"""Every answer's headers, and every refusal in the form and the language it was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation

from saas.core import errors
from saas.core.middleware import (
    ErrorMiddleware,
    RequestMiddleware,
    bad_request,
    csrf_failure,
    page_not_found,
    permission_denied,
    server_error,
)
from saas.core.tenancy import TenantRef
from tests.accounts.conftest import browser_at
from tests.organisation import makers

FAMILY = [
    (errors.BadRequest, 400),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.TooLarge, 413),
    (errors.Invalid, 422),
    (errors.Throttled, 429),
    (errors.Unavailable, 503),
]
MIDDLEWARE = ErrorMiddleware(lambda _request: HttpResponse())


def ask(language: str = "zh-Hans", **headers: str) -> HttpRequest:
    request = RequestFactory(headers={"accept-language": language, "host": "alpha.localhost", **headers}).get("/x/")
    request.id = "0123456789abcdef"  # type: ignore[attr-defined]
    return request


def refuse(exception: Exception, request: HttpRequest | None = None) -> HttpResponse:
    response = MIDDLEWARE.process_exception(request or ask(), exception)
    assert response is not None
    return response


@pytest.mark.parametrize(("kind", "status"), FAMILY)
@pytest.mark.parametrize(("language", "tag"), [("zh-Hans", "zh-hans"), ("en", "en")])
def test_a_page_has_the_status_the_message_and_the_language(
    kind: type[errors.YunshuError], status: int, language: str, tag: str
) -> None:
    answer = refuse(kind("把话说清楚"), ask(language))
    page = answer.content.decode()
    assert answer.status_code == status
    assert answer["Content-Language"] == tag
    assert f'<html lang="{"en" if tag == "en" else "zh-Hans"}"' in page
    assert "把话说清楚" in page
    assert "0123456789abcdef" in page


@pytest.mark.parametrize(("kind", "status"), FAMILY)
def test_htmx_gets_a_fragment(kind: type[errors.YunshuError], status: int) -> None:
    answer = refuse(kind("把话说清楚", fields={"title": "标题太长"}), ask(**{"hx-request": "true"}))
    assert answer.status_code == status
    assert "<html" not in answer.content.decode()
    assert "标题太长" in answer.content.decode()


def test_a_boosted_link_gets_a_page() -> None:
    answer = refuse(errors.NotFound("没有"), ask(**{"hx-request": "true", "hx-boosted": "true"}))
    assert "<html" in answer.content.decode()


@pytest.mark.parametrize(("kind", "status"), FAMILY)
def test_a_program_gets_json(kind: type[errors.YunshuError], status: int) -> None:
    answer = refuse(kind("把话说清楚", fields={"title": "太长"}), ask(accept="application/json"))
    assert answer.status_code == status
    assert json.loads(answer.content) == {
        "code": kind.code,
        "message": "把话说清楚",
        "fields": {"title": "太长"},
        "request_id": "0123456789abcdef",
    }


def test_what_a_message_quotes_is_escaped() -> None:
    page = refuse(errors.Invalid("<script>alert(1)</script>", fields={"a": "<b>"})).content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page.replace("<b>云署</b>", "")


@pytest.mark.parametrize(
    ("exception", "status"),
    [
        (Http404("x"), 404),
        (PermissionDenied("x"), 403),
        (RequestDataTooBig("x"), 413),
        (SuspiciousOperation("x"), 400),
    ],
)
def test_djangos_own_refusals_look_alike_and_hide_their_detail(exception: Exception, status: int) -> None:
    handlers = {404: page_not_found, 403: permission_denied, 413: bad_request, 400: bad_request}
    for answer in (refuse(exception), handlers[status](ask(), exception)):
        assert answer.status_code == status
        assert "编号" in answer.content.decode()


def test_a_defect_is_left_to_django_and_its_page_says_nothing_of_it() -> None:
    assert MIDDLEWARE.process_exception(ask(), KeyError("secret detail")) is None
    try:
        raise KeyError("secret detail")
    except KeyError:
        answer = server_error(ask())
    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert "没有改动任何内容" in answer.content.decode()


def test_a_refusal_from_a_middleware_keeps_its_status() -> None:
    try:
        raise errors.Unavailable("密钥服务暂不可用")
    except errors.Unavailable:
        answer = server_error(ask())
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")


def test_the_last_users_language_does_not_show_in_the_next_ones_error() -> None:
    with translation.override("en"):
        assert "没有" in refuse(Http404()).content.decode()


def test_a_form_refused_for_its_token_is_offered_again_without_passwords() -> None:
    factory = RequestFactory(headers={"host": "alpha.localhost", "origin": "http://alpha.localhost"})
    request = factory.post("/x/?a=1", {"title": '关于"春节"的通知', "password1": "geheim-12345", "tags": ["a", "b"]})
    page = csrf_failure(request, "token").content.decode()
    assert "关于&quot;春节&quot;的通知" in page
    assert 'action="/x/?a=1"' in page
    assert "geheim-12345" not in page
    assert page.count('name="tags"') == 2


def test_every_answer_is_protected_and_named() -> None:
    answer = RequestMiddleware(lambda _request: HttpResponse("x"))(ask())
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == policy["default-src"] == "'self'"
    assert (policy["object-src"], policy["base-uri"]) == ("'none'", "'none'")
    assert (policy["frame-ancestors"], policy["form-action"]) == ("'self'", "'self'")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert len(answer["X-Request-ID"]) == 16


@pytest.mark.parametrize(
    ("given", "kept"), [("abcdef-0123456789", True), ("short", False), ("a" * 65, False), ("<x>abcdefgh", False)]
)
def test_a_request_id_from_the_proxy_is_kept_when_it_is_one(given: str, kept: bool) -> None:
    answer = RequestMiddleware(lambda _request: HttpResponse("x"))(ask(**{"x-request-id": given}))
    assert (answer["X-Request-ID"] == given) is kept


# --- Through the whole stack ------------------------------------------------------------------------------------


@pytest.fixture
def browser(in_alpha: TenantRef) -> Client:
    client = browser_at(in_alpha)
    client.raise_request_exception = False
    return client


def test_an_unknown_page_is_404_in_the_readers_language(browser: Client) -> None:
    answer = browser.get("/there-is-nothing/")
    assert answer.status_code == 404
    assert "没有" in answer.content.decode()
    assert answer["Content-Security-Policy"]


def test_an_unknown_host_is_404_and_protected(db: None) -> None:
    answer = Client(headers={"host": "evil.example"}).get("/sign-in/")
    assert answer.status_code == 404
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_a_body_over_the_limit_is_413(browser: Client) -> None:
    answer = browser.post("/sign-in/", {"login": "x" * (2 * 1024 * 1024 + 1), "password": "y"})
    assert answer.status_code == 413
    assert "内容过大" in answer.content.decode()


def test_too_many_fields_are_413(browser: Client) -> None:
    answer = browser.post("/sign-in/", {f"field{number}": "x" for number in range(1100)})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=", "multipart/form-data", "multipart/form-data; boundary=\x01"]
)
def test_a_body_that_cannot_be_read_is_400(browser: Client, content_type: str) -> None:
    answer = browser.post("/sign-in/", data=b"\xff\xfe--", content_type=content_type)
    assert answer.status_code == 400


def test_a_form_in_another_encoding_is_refused(browser: Client) -> None:
    content_type = "application/x-www-form-urlencoded; charset=gbk"
    answer = browser.generic("POST", "/sign-in/", "login=李".encode("gbk"), content_type)
    assert answer.status_code == 400


def test_bytes_that_are_no_text_are_only_a_wrong_name(browser: Client) -> None:
    answer = browser.generic("POST", "/sign-in/", b"login=%ff%fe\xff&password=x", "application/x-www-form-urlencoded")
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/a%00b/", "/sign-in/?next=%00", "/%ff%fe/"])
def test_odd_addresses_never_break_a_page(browser: Client, path: str) -> None:
    assert browser.get(path).status_code in {200, 400, 404}


def test_a_post_without_a_token_is_403(in_alpha: TenantRef) -> None:
    client = browser_at(in_alpha)
    client.handler.enforce_csrf_checks = True
    headers = {"origin": "http://alpha.localhost"}
    answer = client.post("/sign-in/", {"login": "lijianguo", "password": "geheim-12345"}, headers=headers)
    assert answer.status_code == 403
    assert 'value="lijianguo"' in answer.content.decode()
    assert "geheim-12345" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/documents/drafts/", {"q": "a\0b"}),
        ("/documents/outgoing/", {"q": "\0"}),
        ("/documents/incoming/", {"q": "a\0b"}),
        ("/tasks/", {"q": "a\0b"}),
        ("/tasks/", {"kind": "\0"}),
        ("/done/", {"q": "a\0"}),
        ("/started/", {"q": "a\0"}),
        ("/regulations/", {"kind": "a\0"}),
    ],
)
def test_an_empty_character_in_an_address_is_a_bad_request(
    path: str, sent: dict[str, str], in_alpha: TenantRef, as_user: Callable[..., Client]
) -> None:
    answer = as_user(makers.staff(post=makers.post(unit=makers.unit()))).get(path, sent)
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert "空字符" in answer.content.decode()
