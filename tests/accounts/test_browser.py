"""The journey in a real browser: password, authenticator app, a passkey added and then used alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, sync_playwright

from saas.accounts.models import RoleGrant, User
from saas.core.access import Role
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.accounts.conftest import PASSWORD, enrol_app, make_account, totp_now

pytestmark = pytest.mark.browser

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture
def server(alpha: TenantRef, django_db_blocker: Any) -> Iterator[str]:
    """Alpha's address, served by threads of this process, with one account in it."""
    from django.db import connection

    thread = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={}, port=0)
    with django_db_blocker.unblock():
        with use_tenant(alpha):
            make_account("browser-user", name="欧阳静")
            for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
                enrol_app(make_account(f"browser-{role.value.partition('_')[0]}", role, name="管理员"), SECRET)
        thread.start()
        thread.is_ready.wait()
        try:
            yield f"http://alpha.localhost:{thread.port}"
        finally:
            thread.terminate()
            with use_tenant(alpha):
                RoleGrant.objects.filter(user__username__startswith="browser-").delete()
                User.objects.filter(username__startswith="browser-").delete()
            connection.close()


@pytest.fixture(params=list(SIZES))
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a headless browser with a built-in authenticator, desktop and phone."""
    width, height = SIZES[request.param]
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield page
        browser.close()


def test_password_then_app_then_passkey_alone(server: str, page: Page, tmp_path: Path) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{server}/settings/")
    page.screenshot(path=tmp_path / "sign-in.png")
    page.get_by_label("用户名").fill("browser-user")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(f"{server}/settings/")
    page.screenshot(path=tmp_path / "settings.png")

    page.goto(f"{server}/settings/second-factor/app/")
    secret = re.search(r"[A-Z2-7]{32}", page.content())
    assert secret
    assert page.get_by_role("img", name=re.compile("二维码")).evaluate("image => image.naturalWidth") > 0
    page.screenshot(path=tmp_path / "app.png")
    page.get_by_label("验证码").fill(totp_now(secret[0]))
    page.get_by_role("button", name="启用").click()
    page.wait_for_url("**/recovery/")
    page.screenshot(path=tmp_path / "recovery.png")

    page.goto(f"{server}/settings/second-factor/passkeys/add/")
    page.get_by_label("名称").fill("办公电脑")
    page.get_by_label("也用于免密码登录").check()
    page.get_by_role("button", name="添加").click()
    page.wait_for_url(f"{server}/settings/second-factor/")
    assert page.get_by_text("办公电脑").is_visible()
    page.screenshot(path=tmp_path / "second-factor.png")

    page.goto(f"{server}/sign-out/")
    page.locator("main").get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/sign-in/")
    page.goto(f"{server}/sign-in/?next=/settings/sessions/")
    page.get_by_role("button", name="用通行密钥登录").click()
    page.wait_for_url(f"{server}/settings/sessions/")
    page.screenshot(path=tmp_path / "sessions.png")

    page.goto(f"{server}/sign-out/")
    page.locator("main").get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/sign-in/")
    page.get_by_label("用户名").fill("browser-user")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/second-factor/")
    page.screenshot(path=tmp_path / "code.png")
    page.get_by_role("button", name="使用通行密钥").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    assert refused == []


def _enter(page: Page, server: str, username: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{server}/sign-in/")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_label("验证码").fill(totp_now(SECRET))
    page.get_by_role("button", name="验证并登录").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def test_the_administrators_pages_fit_the_screen(server: str, page: Page, tmp_path: Path) -> None:
    def look(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than the screen"

    _enter(page, server, "browser-system")
    page.goto(f"{server}/accounts/?q=browser")
    look("accounts")
    page.goto(f"{server}/accounts/new/")
    page.get_by_label("用户名").fill("Bad Name")
    page.get_by_label("姓名").fill("王芳")
    page.get_by_role("button", name="建立账号").click()
    assert page.get_by_label("姓名").input_value() == "王芳"
    look("account-refused")
    page.get_by_label("用户名").fill("browser-new")
    page.get_by_role("button", name="建立账号").click()
    page.locator("#one-time-password").wait_for()
    look("one-time-password")
    page.goto(f"{server}/accounts/?q=browser-new")
    page.get_by_role("link", name="王芳").click()
    page.get_by_role("button", name="重置密码").wait_for()
    look("account")
    page.goto(f"{server}/roles/")
    look("denied")
    _enter(page, server, "browser-security")
    page.goto(f"{server}/roles/?q=browser-new")
    look("roles")
    page.get_by_role("link", name="王芳").click()
    page.locator("tr", has_text="文书").get_by_role("button", name="授予").click()
    page.locator("tr", has_text="文书").get_by_role("button", name="收回").wait_for()
    look("account-roles")
