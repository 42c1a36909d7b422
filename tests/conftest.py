"""Fixtures of every test: the two bureaus that stand ready, their activation, jobs, and signed-in clients."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.plugin import DjangoDbBlocker

    from saas.core.tenancy import TenantRef


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """Nothing to make: `tests.stack` prepared the database before Django's settings were read."""


def _bureau(code: str, blocker: DjangoDbBlocker) -> TenantRef:
    from django.db import connection

    from tenants.selectors import bureau_by_code

    with blocker.unblock():
        try:
            return bureau_by_code(code)
        finally:
            if not connection.in_atomic_block:
                connection.close()


@pytest.fixture(scope="session")
def alpha(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> TenantRef:
    """The bureau alpha."""
    return _bureau("alpha", django_db_blocker)


@pytest.fixture(scope="session")
def beta(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> TenantRef:
    """The bureau beta."""
    return _bureau("beta", django_db_blocker)


@pytest.fixture(autouse=True)
def as_at_the_start() -> Iterator[None]:
    """A test's requests leave their bureau and their language on this thread; the next test starts without either.

    What a test rolls back must not look like a restore to the next one: each has high-water marks of its own.
    """
    from saas.core.keys import marks

    before, marks.generation = marks.generation, uuid.uuid4().hex
    yield
    marks.generation = before
    from django.db import connection
    from django.utils import translation

    if getattr(connection, "tenant", None) is not None:
        connection.set_schema_to_public()  # type: ignore[attr-defined]
    translation.deactivate()


@pytest.fixture(scope="module", autouse=True)
def no_bureau_left(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Bureaus that a file's tests made and committed are gone, with their jobs, when the next file counts bureaus."""
    yield
    from django.conf import settings
    from django.db import connection, connections

    from saas.env import Zone

    if settings.ZONE is not Zone.INTRANET:
        return
    from tenants.models import Bureau
    from tests.bureaus import remove_bureau
    from tests.stack_build import BUREAUS

    with django_db_blocker.unblock():
        for bureau in Bureau.objects.using("owner").exclude(code__in=[code for code, _name in BUREAUS]):
            remove_bureau(bureau.ref)
        connections["owner"].close()
        connection.close()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[TenantRef]:
    """Work for a bureau of the test's own, on rows that other connections see; it is gone afterwards."""
    from django.db import connection

    from tenants.context import use_tenant
    from tests.bureaus import create_bureau, remove_bureau

    with django_db_blocker.unblock():
        ref = create_bureau(code=f"own{uuid.uuid4().hex[:8]}", name="试验局")
        try:
            with use_tenant(ref):
                yield ref
        finally:
            remove_bureau(ref)
            connection.close()


@pytest.fixture
def in_alpha(alpha: TenantRef, db: None) -> Iterator[TenantRef]:
    """Work for alpha during the test; everything is rolled back at its end."""
    from tenants.context import use_tenant

    with use_tenant(alpha) as ref:
        yield ref


@pytest.fixture
def in_beta(beta: TenantRef, db: None) -> Iterator[TenantRef]:
    """Work for beta during the test; everything is rolled back at its end."""
    from tenants.context import use_tenant

    with use_tenant(beta) as ref:
        yield ref


def drain_jobs(limit: int = 1000) -> int:
    """Run every job that is due, in this thread, each as its tenant; returns how many ran."""
    from django.db import connection

    from saas.core.jobs.registry import JOBS
    from saas.core.tenancy import directory
    from tenants.context import outside_tenants

    for ran in range(limit):
        with outside_tenants(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, task_name, tenant, args FROM cell.procrastinate_jobs "
                "WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()) ORDER BY id LIMIT %s",
                [1],
            )
            row = cursor.fetchone()
            if row is None:
                return ran
            for status in ("doing", "succeeded"):
                cursor.execute(
                    "UPDATE cell.procrastinate_jobs SET status = %s::cell.procrastinate_job_status WHERE id = %s",
                    [status, row[0]],
                )
        arguments: dict[str, Any] = json.loads(row[3]) if isinstance(row[3], str) else dict(row[3])
        arguments.pop("_tenant", None)
        with directory().activate(row[2]):
            JOBS[row[1]].function(**arguments)
    message = f"jobs still come after {limit}: one keeps asking for another"
    raise AssertionError(message)


@pytest.fixture
def run_jobs() -> Callable[[], int]:
    """Run every job that is due, in this thread and transaction, each as its tenant; returns how many ran."""
    return drain_jobs


@pytest.fixture
def as_user(alpha: TenantRef) -> Callable[..., Client]:
    """Return a client signed in as a user of a bureau (alpha unless told), at that bureau's host."""

    def sign_in(user: Any, *, bureau: TenantRef = alpha) -> Client:
        from django.test import Client

        from saas.env import env
        from tenants.context import use_tenant

        client = Client(headers={"host": f"{bureau.code}.{env.host_suffix}"})
        with use_tenant(bureau):
            client.force_login(user)
        return client

    return sign_in
