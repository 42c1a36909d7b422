"""Signing in as somebody of the office."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from saas.core.tenancy import TenantRef
from tenants.context import ActiveTenant
from tests.approvals.office import Office

Enter = Callable[[Office, str], Client]


@pytest.fixture
def enter(in_alpha: TenantRef, as_user: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Sign in whoever has that name in the office."""
    answered = Client.request

    def request(client: Client, **more: Any) -> Any:
        answer = answered(client, **more)
        connection.set_tenant(ActiveTenant(in_alpha))  # type: ignore[attr-defined]
        return answer

    monkeypatch.setattr(Client, "request", request)

    def sign_in(office: Office, name: str) -> Client:
        office.post(name)
        return as_user(office.person(name, account=True).user)

    return sign_in
