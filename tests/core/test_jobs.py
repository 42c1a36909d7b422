"""Jobs carry their tenant, commit with the act that asks for them, and one bureau cannot touch another's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from saas.core.actors import Actor
from saas.core.errors import Invalid, NotFound, Unavailable
from saas.core.jobs import enqueue, job, periodic
from saas.core.jobs.registry import JOBS, PERIODIC
from saas.core.jobs.services import failed_jobs, job_repeat
from saas.core.jobs.worker import _Retry, enqueue_for_every_tenant, run_as_tenant
from saas.core.tenancy import TenantRef, current_tenant
from saas.env import env
from tenants.context import outside_tenants, use_tenant

BY = Actor(user_id=None, user_name="系统管理员")
SEEN: list[tuple[str, str]] = []


@job(queue="tests", attempts=2)
def note(*, word: str) -> None:
    SEEN.append((current_tenant().code, word))


@periodic(every=timedelta(hours=1))
def ring() -> None:
    SEEN.append((current_tenant().code, "ring"))


def rows() -> list[dict[str, Any]]:
    with outside_tenants(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, tenant, task_name, args, status::text FROM cell.procrastinate_jobs "
            "WHERE task_name LIKE %s ORDER BY id",
            [f"{__name__}.%"],
        )
        found = [dict(zip(("id", "tenant", "task", "args", "status"), row, strict=True)) for row in cursor.fetchall()]
    for row in found:
        row["args"] = json.loads(row["args"]) if isinstance(row["args"], str) else row["args"]
    return found


def fail(job_id: int) -> None:
    with outside_tenants(), connection.cursor() as cursor:
        for status in ("doing", "failed"):
            cursor.execute(
                "UPDATE cell.procrastinate_jobs SET status = %s::cell.procrastinate_job_status, last_error = 'E: x' "
                "WHERE id = %s",
                [status, job_id],
            )


def test_a_job_carries_the_tenant_that_asked_for_it(in_alpha: TenantRef) -> None:
    enqueue(note, word="hello")
    assert [(row["tenant"], row["args"]) for row in rows()] == [
        (in_alpha.schema, {"word": "hello", "_tenant": in_alpha.schema})
    ]


def test_a_forged_tenant_is_overwritten(in_alpha: TenantRef, beta: TenantRef) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cell.enqueue(%s, %s, %s, %s::jsonb, NULL)",
            ["tests", f"{__name__}.note", "", json.dumps({"_tenant": beta.schema})],
        )
    assert rows()[0]["args"]["_tenant"] == in_alpha.schema


def test_a_job_without_a_tenant_cannot_be_enqueued(db: None) -> None:
    with pytest.raises(DatabaseError, match="without a tenant"), transaction.atomic():
        enqueue(note, word="nobody's")
    assert rows() == []


def test_a_tenant_cannot_reach_the_queue_behind_the_function(in_alpha: TenantRef) -> None:
    for statement in (
        "SELECT count(*) FROM cell.procrastinate_jobs",
        "INSERT INTO cell.procrastinate_jobs (queue_name, task_name, tenant) VALUES ('a', 'b', 'c')",
        "SELECT cell.insert_job('b_000000000000', 'a', 'b', '', '{}'::jsonb, NULL)",
        "INSERT INTO cell.suspended (tenant) VALUES ('b_000000000000')",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


def test_a_job_is_gone_when_the_act_is_rolled_back(in_alpha: TenantRef) -> None:
    def act() -> None:
        enqueue(note, word="never")
        raise Invalid("no")

    with pytest.raises(Invalid):
        transaction.atomic(act)()
    assert rows() == []


def test_one_waiting_job_a_key_for_each_tenant(in_alpha: TenantRef, beta: TenantRef) -> None:
    first = enqueue(note, key="k", word="1")
    assert first
    assert enqueue(note, key="k", word="2") == 0
    with use_tenant(beta):
        assert enqueue(note, key="k", word="3")
    assert [row["tenant"] for row in rows()] == [in_alpha.schema, beta.schema]


def test_failed_jobs_are_seen_and_repeated_by_their_own_bureau_only(in_alpha: TenantRef, beta: TenantRef) -> None:
    job_id = enqueue(note, word="x")
    fail(job_id)
    assert [(item.id, item.last_error) for item in failed_jobs()] == [(job_id, "E: x")]
    with use_tenant(beta):
        assert failed_jobs() == []
        with pytest.raises(NotFound):
            job_repeat(job_id=job_id, by=BY)
    assert rows()[0]["status"] == "failed"
    job_repeat(job_id=job_id, by=BY)
    assert rows()[0]["status"] == "todo"
    assert failed_jobs() == []


def fetch() -> str | None:
    """The tenant of the job a worker would take next."""
    with outside_tenants(), connection.cursor() as cursor:
        cursor.execute("SELECT tenant FROM cell.procrastinate_fetch_job_v2(%s::varchar[], NULL)", [["tests"]])
        tenant: str | None = cursor.fetchone()[0]
        return tenant


@pytest.mark.django_db
def test_a_suspended_bureaus_jobs_wait_and_go_on_when_it_is_resumed(alpha: TenantRef, beta: TenantRef) -> None:
    with use_tenant(alpha):
        enqueue(note, word="waits")
    with use_tenant(beta):
        enqueue(note, word="goes")
    with psycopg.connect(env.owner_database_url, autocommit=True) as owner_connection:
        owner_connection.execute(
            "INSERT INTO cell.suspended (tenant) VALUES (%s) ON CONFLICT DO NOTHING", [alpha.schema]
        )
        try:
            assert fetch() == beta.schema
            assert fetch() is None
        finally:
            owner_connection.execute("DELETE FROM cell.suspended WHERE tenant = %s", [alpha.schema])
    assert fetch() == alpha.schema


def test_a_periodic_job_is_rung_once_for_each_active_bureau(alpha: TenantRef, beta: TenantRef, db: None) -> None:
    name = f"{__name__}.ring"
    assert name in PERIODIC
    assert enqueue_for_every_tenant(name) == 2
    assert enqueue_for_every_tenant(name) == 0
    assert {row["tenant"] for row in rows()} == {alpha.schema, beta.schema}


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_as_its_tenant_and_leaves_the_thread_clean(alpha: TenantRef) -> None:
    SEEN.clear()
    run_as_tenant(JOBS[f"{__name__}.note"], job_id=0, tenant=alpha.schema, arguments={"word": "w"})
    assert SEEN == [("alpha", "w")]
    assert connection.tenant.schema_name == "public"  # type: ignore[attr-defined]


def test_refusals_are_final_and_faults_are_tried_again_with_growing_pauses() -> None:
    task = JOBS[f"{__name__}.note"]

    class Queued:
        attempts = 0

    retry = _Retry(task)
    assert retry.get_retry_decision(exception=Invalid("no"), job=Queued()) is None  # type: ignore[arg-type]
    assert retry.get_retry_decision(exception=Unavailable("later"), job=Queued()) is not None  # type: ignore[arg-type]
    Queued.attempts = 1
    assert retry.get_retry_decision(exception=Unavailable("later"), job=Queued()) is None  # type: ignore[arg-type]
    assert [task.pause(n) for n in (0, 1, 20)] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(minutes=10)]
