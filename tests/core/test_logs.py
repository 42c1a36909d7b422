"""Log lines: one JSON object each, named by tenant and request, without any secret."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client

from saas.accounts.services import user_create
from saas.core import logs
from saas.core.actors import SYSTEM
from saas.core.tenancy import TenantRef
from tests.accounts.conftest import browser_at, enrol_app, make_account, sign_in, totp_now

CANARY = "Kanarienvogel-4711"


def written(*arguments: Any, **more: Any) -> dict[str, object]:
    """What our handler writes for one logging call."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    handler.addFilter(logs.TenantFilter())
    handler.addFilter(logs.SecretFilter())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.error(*arguments, **more)
    line = stream.getvalue()
    assert line.count("\n") == 1
    parsed = json.loads(line)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize(
    "text",
    [
        f"password={CANARY}",
        f"'password': '{CANARY}'",
        f'{{"oldpassword": "{CANARY}"}}',
        f"PASSWORD: {CANARY} is wrong",
        f"Authorization: Bearer {CANARY}",
        f"X-Vault-Token: {CANARY}",
        f"secret_id={CANARY}&role=x",
        f"Cookie: __Host-session={CANARY}; __Host-csrf={CANARY}",
        f"postgresql://app:{CANARY}@127.0.0.1:5432/yunshu",
        f"otpauth://totp/x?secret={CANARY}",
        f"csrfmiddlewaretoken={CANARY}",
        f"hvs.{CANARY.replace('-', '')}abcdefghijklmnop",
        f"client_token={CANARY}",
        f"密码：{CANARY}",
        f"S3_SECRET_ACCESS_KEY={CANARY}",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    ],
)
def test_secrets_are_taken_out_of_a_message(text: str) -> None:
    line = json.dumps(written("before %s after", text), ensure_ascii=False)
    assert CANARY.replace("-", "") not in line.replace("-", "")
    assert "before" in line


def test_secrets_are_taken_out_of_arguments_fields_and_tracebacks() -> None:
    try:
        message = f"login failed for password={CANARY}"
        raise RuntimeError(message)
    except RuntimeError:
        line = written("x %(password)s", {"password": CANARY}, exc_info=True, extra={"token": CANARY, "n": 3})
    assert CANARY not in json.dumps(line)
    assert (line["n"], line["token"]) == (3, "***")
    assert "RuntimeError" in str(line["traceback"])


def test_hashes_of_passwords_are_secrets() -> None:
    encoded = make_password(CANARY)
    assert encoded.split("$")[-1] not in json.dumps(written("user %s", encoded))


def test_ordinary_text_stays() -> None:
    line = written("文号 %s 已编：%d 件，code %s", "云政发〔2026〕1号", 3, "number.taken")
    assert line["message"] == "文号 云政发〔2026〕1号 已编：3 件，code number.taken"


def test_a_broken_format_still_makes_a_line() -> None:
    assert "%d" in str(written("%d pieces", "three")["message"])


def test_a_line_break_cannot_forge_a_line() -> None:
    assert written('x\n{"level": "INFO"}')["level"] == "ERROR"


def test_a_line_names_its_tenant_zone_and_request(in_alpha: TenantRef) -> None:
    token = logs.request_id.set("0123456789")
    try:
        line = written("x")
    finally:
        logs.request_id.reset(token)
    assert (line["tenant"], line["zone"], line["cell"], line["request_id"]) == (
        in_alpha.schema,
        "intranet",
        settings.CELL,
        "0123456789",
    )


def test_signing_in_leaves_no_secret_in_the_log(in_alpha: TenantRef) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    handler.addFilter(logs.TenantFilter())
    handler.addFilter(logs.SecretFilter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        client: Client = browser_at(in_alpha)
        client.raise_request_exception = False
        user = make_account("lijianguo")
        secret = enrol_app(user)
        issued = user_create(username="wangfang", name="王芳", by=SYSTEM)
        sign_in(client, "lijianguo", CANARY)
        sign_in(client, "lijianguo")
        code = totp_now(secret)
        client.post("/sign-in/second-factor/", {"code": code})
        client.get("/settings/")
        client.post("/settings/password/", {"oldpassword": CANARY, "password1": CANARY, "password2": CANARY})
        client.get(f"/nowhere/?token={CANARY}")
        cookie = client.cookies["__Host-session"].value
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = stream.getvalue()
    assert text
    for hidden in (CANARY, secret, issued.password, cookie, user.password.split("$")[-1]):
        assert hidden not in text


def test_codes_of_refusals_and_answers_are_read_and_one_time_codes_are_not() -> None:
    line = written('refused with code: not_running, {"code": "exchange.held"}, code=123456 and {"code": "87654321"}')
    assert line["message"] == 'refused with code: not_running, {"code": "exchange.held"}, code=*** and {"code": "***"}'


def test_the_line_django_writes_on_an_answer_names_the_bureau_and_the_request(alpha: TenantRef, db: None) -> None:
    records: list[logging.LogRecord] = []

    class Watcher(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    watcher = Watcher()
    watcher.addFilter(logs.TenantFilter())
    logger = logging.getLogger("django.request")
    logger.addHandler(watcher)
    try:
        browser_at(alpha).get("/there/is/no/such/page/", headers={"x-request-id": "abcdef0123456789"})
    finally:
        logger.removeHandler(watcher)
    assert [(r.tenant, r.request_id) for r in records] == [(alpha.schema, "abcdef0123456789")]  # type: ignore[attr-defined]
