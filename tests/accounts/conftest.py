"""Accounts of every kind in alpha, and browsers that sign in the way people do."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Callable
from hmac import digest
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from saas.accounts.models import RoleGrant, User
from saas.accounts.services import role_grant, user_create
from saas.core.access import Role
from saas.core.actors import SYSTEM, Actor
from saas.core.tenancy import TenantRef

PASSWORD = "泉城-office-2026"
# One slow hash for all accounts of a test run.
_HASH: list[str] = []


def encoded_password() -> str:
    """The hash of `PASSWORD`."""
    if not _HASH:
        _HASH.append(make_password(PASSWORD))
    return _HASH[0]


def make_account(username: str, *roles: Role, name: str = "李建国") -> User:
    """An account that has set its own password, with roles."""
    user = user_create(username=username, name=name, by=SYSTEM, password_hash=encoded_password()).user
    for role in roles:
        role_grant(user_id=user.pk, role=role, by=SYSTEM)
    return User.objects.for_request().get(pk=user.pk)


def acting(user: User) -> Actor:
    """The user as an actor without a post."""
    return Actor(user_id=user.pk, user_name=user.name)


def totp_now(secret: str, *, steps: int = 0) -> str:
    """The code an authenticator app shows now (RFC 6238, SHA-1, 30 s, 6 digits), or `steps` periods from now."""
    counter = int(time.time()) // 30 + steps
    mac = digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def enrol_app(user: User, secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") -> str:
    """Give the account an authenticator app; returns its secret."""
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(user, secret)
    return secret


@pytest.fixture
def browser(in_alpha: TenantRef) -> Client:
    """A browser at alpha's host, not signed in."""
    return browser_at(in_alpha)


class HostClient(Client):
    """A browser that gives the test its own bureau back after each request."""

    def request(self, **request: Any) -> Any:
        before = connection.tenant  # type: ignore[attr-defined]
        try:
            return super().request(**request)
        finally:
            connection.set_tenant(before)  # type: ignore[attr-defined]


def browser_at(bureau: TenantRef) -> HostClient:
    """A browser at a bureau's host."""
    return HostClient(headers={"host": f"{bureau.code}.localhost"})


def sign_in(client: Client, username: str, password: str = PASSWORD, **more: str) -> Any:
    """Send the sign-in form."""
    return client.post("/sign-in/", {"login": username, "password": password, **more})


@pytest.fixture
def three_administrators(in_alpha: TenantRef) -> dict[Role, User]:
    """A system, a security and an audit administrator beside those the bureau was made with."""
    return {
        role: make_account(role.value.replace("_", "."), role)
        for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
    }


def grants_of(user: User) -> set[str]:
    """The roles in the database."""
    return set(RoleGrant.objects.filter(user=user).values_list("role", flat=True))


Browser = Callable[[], Client]
