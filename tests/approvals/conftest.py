"""Signing in as somebody of the office, and a bureau whose rows every connection sees."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from saas.core.tenancy import TenantRef
from tenants.context import ActiveTenant, outside_tenants, use_tenant
from tenants.provisioning.create import bureau_remove
from tests.approvals.office import Office
from tests.bureaus import create_bureau

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


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[TenantRef]:
    """Work for a bureau of the test's own, on rows that other connections see; it is gone afterwards."""
    with django_db_blocker.unblock():
        ref = create_bureau(code=f"c{uuid.uuid4().hex[:8]}", name="并发试验局")
        try:
            with use_tenant(ref):
                yield ref
        finally:
            with outside_tenants(), connection.cursor() as cursor:
                cursor.execute("DELETE FROM cell.procrastinate_jobs WHERE tenant = %s", [ref.schema])
            bureau_remove(ref)
            connection.close()
