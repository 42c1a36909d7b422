"""The platform's own accounts: operations and security officer, neither of whom can take the other's rights."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from saas.accounts import services
from saas.accounts.models import User
from saas.core.access import Permission, Role
from saas.core.errors import Conflict, Forbidden, Invalid
from tests.accounts.conftest import PASSWORD, acting, enrol_app, grants_of, make_account, sign_in, totp_now

pytestmark = pytest.mark.django_db


def console(name: str = "ops") -> Client:
    return Client(headers={"host": f"{name}.localhost"})


def test_a_platform_user_is_made_on_the_command_line_and_changes_the_password_first() -> None:
    out = io.StringIO()
    call_command("create_platform_user", "zhaolei", "赵雷", "operations", stdout=out)
    username, password = out.getvalue().split()
    user = User.objects.get(username=username)
    assert grants_of(user) == {"operations"}
    browser = console()
    assert sign_in(browser, username, password).status_code == 302
    assert browser.get("/accounts/")["Location"] == "/settings/password/"
    browser.post("/settings/password/", {"oldpassword": password, "password1": PASSWORD, "password2": PASSWORD})
    assert browser.get("/accounts/")["Location"] == "/settings/second-factor/"


def test_a_second_platform_user_of_the_same_name_is_refused() -> None:
    call_command("create_platform_user", "zhaolei", "赵雷", "operations", stdout=io.StringIO())
    with pytest.raises(CommandError, match="zhaolei"):
        call_command("create_platform_user", "zhaolei", "赵雷", "security_officer", stdout=io.StringIO())
    assert grants_of(User.objects.get(username="zhaolei")) == {"operations"}


def test_operations_makes_accounts_and_the_security_officer_grants_roles() -> None:
    operations, officer = make_account("op", Role.OPERATIONS), make_account("so", Role.SECURITY_OFFICER)
    plain = make_account("plain")
    with pytest.raises(Forbidden):
        services.role_grant(user_id=plain.pk, role=Role.OPERATIONS, by=acting(operations))
    with pytest.raises(Forbidden):
        services.user_create(username="x", name="x", by=acting(officer))
    with pytest.raises(Forbidden):
        services.password_reset(user_id=officer.pk, by=acting(operations))
    with pytest.raises(Invalid):
        services.role_grant(user_id=plain.pk, role=Role.SYSTEM_ADMIN, by=acting(officer))
    with pytest.raises(Conflict):
        services.role_grant(user_id=operations.pk, role=Role.PLATFORM_AUDITOR, by=acting(officer))
    services.role_grant(user_id=plain.pk, role=Role.PLATFORM_AUDITOR, by=acting(officer))
    auditor = User.objects.for_request().get(pk=plain.pk)
    assert auditor.has_permission(Permission.READ_AUDIT)
    assert not auditor.has_permission(Permission.OPERATE_PLATFORM)


@pytest.mark.parametrize(
    ("role", "accounts", "roles"),
    [(Role.OPERATIONS, 200, 403), (Role.SECURITY_OFFICER, 403, 200), (Role.PLATFORM_AUDITOR, 403, 403)],
)
def test_everybody_shows_two_factors_and_sees_only_his_own_pages(role: Role, accounts: int, roles: int) -> None:
    user = make_account("person", role)
    secret = enrol_app(user)
    browser = console("security")
    sign_in(browser, "person")
    assert browser.get("/accounts/").status_code == 302
    assert browser.post("/sign-in/second-factor/", {"code": totp_now(secret)}).status_code == 302
    assert browser.get("/accounts/").status_code == accounts
    assert browser.get("/roles/").status_code == roles
    assert browser.get("/settings/").status_code == 200
