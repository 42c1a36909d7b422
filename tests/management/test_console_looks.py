"""The consoles in a browser, desktop and phone: nothing too wide, no accessibility violation, progress that moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from saas.core.access import Role
from saas.env import env
from tests.portal.browsing import DESKTOP, PHONE, SCREENSHOTS, Site, axe, browser, opened, served, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django.plugin import DjangoDbBlocker

__all__ = ["axe", "browser"]
pytestmark = pytest.mark.browser
OPERATIONS = ["/bureaus/", "/bureaus/new/", "/bureaus/dsj/", "/health/", "/jobs/"]


@pytest.fixture(scope="module")
def consoles(django_db_blocker: DjangoDbBlocker) -> Iterator[dict[Role, Site]]:
    """Both consoles served, with two cells and three bureaus in the directory."""
    from saas.accounts.models import User
    from tenants.directory.models import BureauState, Cell, Command, DirectoryBureau, Fact
    from tests.accounts.conftest import enrol_app, make_account

    now = timezone.now()
    with django_db_blocker.unblock():
        cells = [
            Cell.objects.create(zone="intranet", name="c1", last_seen_at=now),
            Cell.objects.create(zone="extranet", name="c1", last_seen_at=now - timedelta(minutes=9)),
        ]
        names = [
            ("zfb", "云州市人民政府办公室", BureauState.ACTIVE),
            ("dsj", "云州市大数据发展管理局", BureauState.ACTIVE),
            ("fgw", "云州市发展和改革委员会", BureauState.SUSPENDED),
        ]
        for number, (code, name, state) in enumerate(names):
            found = DirectoryBureau.objects.create(
                code=code,
                name=name,
                division_code="110101",
                level="city",
                state=state,
                schema_name=f"b_00000000000{number}",
            )
            value = {"state": state.value, "users": 61 + number, "migration_error": "", "migrated_at": now.isoformat()}
            Fact.objects.create(cell=cells[0], kind="bureau", bureau_code=code, at=now, value=value)
            for cell, command_state in zip(cells, ("done", "refused"), strict=True):
                Command.objects.create(
                    cell=cell,
                    bureau=found,
                    sequence=number + 1,
                    kind="create",
                    text="",
                    signature=b"",
                    algorithm="",
                    state=command_state,
                    progress=100,
                    issued_at=now,
                    expires_at=now,
                    finished_at=now,
                    error="指令的签名不符，没有执行。" if command_state == "refused" else "",
                )
        health = {"database_ms": 0.41, "vault": "ready", "vault_ms": 3.12, "storage_ms": 312.5}
        Fact.objects.create(cell=cells[0], kind="health", at=now, value=health)
        Fact.objects.create(cell=cells[0], kind="jobs", at=now, value={"todo": 17, "doing": 2, "failed": 1})
        failed = {"id": 41, "task": "documents.render", "error": "Unavailable", "attempts": 5, "bureau": "dsj"}
        Fact.objects.create(cell=cells[0], kind="failed_jobs", at=now, value=[failed])
        users = {}
        for role in (Role.OPERATIONS, Role.SECURITY_OFFICER):
            user = make_account(f"looks-{role.value.replace('_', '-')}", role)
            enrol_app(user)
            users[role] = user
        with (
            served(f"ops.{env.host_suffix}", users[Role.OPERATIONS]) as operations,
            served(f"security.{env.host_suffix}", users[Role.SECURITY_OFFICER]) as security,
        ):
            yield {Role.OPERATIONS: operations, Role.SECURITY_OFFICER: security}
        Command.objects.all().delete()
        Fact.objects.all().delete()
        DirectoryBureau.objects.all().delete()
        Cell.objects.all().delete()
        User.objects.filter(pk__in=[user.pk for user in users.values()]).delete()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("path", [*OPERATIONS, "/security/"])
def test_every_console_page_is_accessible_and_fits(
    browser: Browser, consoles: dict[Role, Site], axe: str, path: str, size: tuple[int, int]
) -> None:
    site = consoles[Role.SECURITY_OFFICER if path == "/security/" else Role.OPERATIONS]
    with opened(browser, site, path, size) as page:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"console-{path.strip('/').replace('/', '-')}-{size[0]}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert violations(page, axe) == []


def test_suspending_in_the_dialog_wants_the_code_typed(browser: Browser, consoles: dict[Role, Site]) -> None:
    with opened(browser, consoles[Role.OPERATIONS], "/bureaus/dsj/", DESKTOP) as page:
        page.get_by_role("button", name="停用").click()
        button = page.locator("#suspend [data-typed-button]")
        assert button.is_disabled()
        page.locator("#typed-dsj").fill("dsj")
        assert button.is_enabled()


def test_health_is_refreshed_in_place(browser: Browser, consoles: dict[Role, Site]) -> None:
    with opened(browser, consoles[Role.OPERATIONS], "/health/", PHONE) as page:
        with page.expect_response(lambda answer: answer.url.endswith("/health/"), timeout=15_000):
            pass
        page.wait_for_selector("#cells")
        assert page.locator("#cells").count() == 1
