"""The bureau alpha served to a browser, with one signed-in account."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.portal.browsing import Site, axe, browser, served

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

    from saas.core.tenancy import TenantRef

__all__ = ["axe", "browser", "site"]


@pytest.fixture(scope="session")
def site(alpha: TenantRef, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """Serve alpha on a free port with one signed-in account, which is gone again afterwards."""
    from saas.accounts.models import User
    from saas.env import env
    from tenants.context import use_tenant

    with django_db_blocker.unblock():
        with use_tenant(alpha):
            user = User.objects.create(username=f"look-{uuid.uuid4().hex[:8]}", name="李建国")
            running = ExitStack()
            found = running.enter_context(served(f"{alpha.code}.{env.host_suffix}", user))
        with running:
            yield found
        with use_tenant(alpha):
            user.delete()
