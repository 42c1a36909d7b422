"""The one statement that locks and reads an instance, when somebody else holds the lock."""

from __future__ import annotations

import threading
import time

from django.db import connection, transaction

from saas.approvals import store
from saas.approvals.engine import Act
from saas.approvals.services import act
from saas.core.errors import Conflict
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tests.approvals.office import Office


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_who_waited_for_the_lock_sees_what_its_owner_wrote(committed: TenantRef) -> None:
    """Read at the statement's start, the task would still be open and be agreed to a second time."""
    with use_tenant(committed):
        office = Office()
        instance = office.start(office.approve("one", "a"), office.approve("two", "b"))
        task_id = office.task("a", instance)
        actor = office.actor("a")
        answers: list[object] = []

        def second(key: str) -> None:
            with use_tenant(committed):
                try:
                    answers.append(act(task_id=task_id, act=Act.AGREE, by=actor, idempotency_key=key).repeated)
                except Conflict as refusal:
                    answers.append(str(refusal.message))
                finally:
                    connection.close()

        waiting = [threading.Thread(target=second, args=(key,)) for key in ("first", "other")]
        with transaction.atomic():
            act(task_id=task_id, act=Act.AGREE, by=actor, idempotency_key="first")
            for thread in waiting:
                thread.start()
            until = time.monotonic() + 20
            while not _waits_for_a_lock() and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(0.2)
        for thread in waiting:
            thread.join()
        assert True in answers
        assert any("人a" in answer for answer in answers if isinstance(answer, str))
        loaded = store.read(instance)
        assert loaded is not None
        assert loaded.state.acts == 2
        assert [task.node for task in loaded.state.live_tasks()] == ["two"]
