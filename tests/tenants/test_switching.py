"""Many threads switch bureaus at random, with errors, and each only ever sees its own bureau's canary."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.bureaus import create_bureau

THREADS = 64


class _Planned(Exception):
    """Thrown at random places, as a view would."""


def _canary_seen(ref: TenantRef) -> None:
    from saas.accounts.models import User

    way = random.randrange(4)
    if way == 0:
        names = list(User.objects.filter(username__startswith="canary-").values_list("username", flat=True))
    elif way == 1:
        with connection.cursor() as cursor:
            cursor.execute("SELECT username FROM accounts_user WHERE username LIKE 'canary-%%'", [])
            names = [row[0] for row in cursor.fetchall()]
    elif way == 2:
        connection.ensure_connection()
        rows = connection.connection.execute("SELECT username FROM accounts_user WHERE username LIKE 'canary-%'")
        names = [row[0] for row in rows.fetchall()]
    else:
        with transaction.atomic():
            names = [user.username for user in User.objects.filter(username__startswith="canary-").iterator()]
    assert names == [f"canary-{ref.code}"], (ref.code, names)


def _swallowed_error() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
    except DatabaseError:
        pass


def _one_turn(refs: list[TenantRef]) -> None:
    ref, other = random.sample(refs, 2)
    with use_tenant(ref):
        what = random.randrange(6)
        if what == 0:
            with transaction.atomic():
                _canary_seen(ref)
                with use_tenant(other):
                    _canary_seen(other)
                _canary_seen(ref)
        elif what == 1:
            try:
                with transaction.atomic():
                    with use_tenant(other):
                        _canary_seen(other)
                        _swallowed_error()
                    connection.cursor().execute("SELECT 1")
            except DatabaseError:
                pass
        elif what == 2:
            with transaction.atomic():
                _canary_seen(ref)
                raise _Planned
        elif what == 3:
            with transaction.atomic():
                try:
                    with transaction.atomic(), use_tenant(other):
                        _canary_seen(other)
                        raise _Planned
                except _Planned:
                    pass
                _canary_seen(ref)
        elif what == 4:
            connection.close()
        _canary_seen(ref)


def _battery(refs: list[TenantRef], seconds: float) -> Counter[str]:
    until = time.monotonic() + seconds
    seen: Counter[str] = Counter()
    failures: list[BaseException] = []

    def work() -> None:
        turns = 0
        while time.monotonic() < until and not failures:
            try:
                _one_turn(refs)
            except _Planned:
                pass
            except BaseException as error:
                failures.append(error)
            turns += 1
            if turns % 7 == 0:
                connections.close_all()
        connections.close_all()
        seen["turns"] += turns

    threads = [threading.Thread(target=work) for _number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return seen


@pytest.fixture
def canaries(alpha: TenantRef, beta: TenantRef, django_db_blocker: Any) -> Any:
    from saas.accounts.models import User
    from tenants.provisioning.create import bureau_remove

    with django_db_blocker.unblock():
        connection.close()
        gamma = create_bureau(code="gamma", name="丙县人民政府")
        refs = [alpha, beta, gamma]
        for ref in refs:
            with use_tenant(ref):
                User.objects.create(username=f"canary-{ref.code}", name="x", password="x")
        yield refs
        for ref in refs[:2]:
            with use_tenant(ref):
                User.objects.filter(username=f"canary-{ref.code}").delete()
        bureau_remove(gamma)
        connections.close_all()


def test_64_threads_see_only_their_own_bureau(canaries: list[TenantRef]) -> None:
    assert _battery(canaries, 8)["turns"] > 500


@pytest.mark.long
def test_64_threads_see_only_their_own_bureau_for_a_minute(canaries: list[TenantRef]) -> None:
    assert _battery(canaries, 60)["turns"] > 5000


@pytest.mark.django_db
def test_nothing_is_prepared_on_the_server_whatever_is_asked_how_often(alpha: TenantRef, beta: TenantRef) -> None:
    for ref in (alpha, beta, alpha):
        with use_tenant(ref), connection.cursor() as cursor:
            # psycopg prepares what it sends in bulk at once, unless it is told never to.
            cursor.executemany("SELECT %s::int", [(number,) for number in range(12)])
            for _turn in range(8):
                cursor.execute("SELECT current_schema() WHERE %s <> ''", ["x"])
                assert cursor.fetchone() == (ref.schema,)
            cursor.execute("SELECT count(*) FROM pg_prepared_statements")
            assert cursor.fetchone() == (0,)
