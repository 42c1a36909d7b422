"""Asks for jobs, and repeats failed ones, always as the current tenant."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import NotFound
from saas.core.jobs.registry import JobFunction, registered

JsonValue = str | int | float | bool | None | list[str]


def enqueue(function: JobFunction, *, delay: timedelta = timedelta(0), key: str = "", **arguments: JsonValue) -> int:
    """Ask for a job in the current transaction: it exists if and only if the transaction commits.

    Args:
        function: registered with `job`.
        delay: earliest start, counted from now.
        key: while a job of the same tenant and key is waiting, no second one is added.
        arguments: keyword arguments of the function; ids, never contents or secrets.

    Returns:
        the job's id, 0 when one with the same key was already waiting.
    """
    task = registered(function)
    at = timezone.now() + delay if delay else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cell.enqueue(%s, %s, %s, %s::jsonb, %s::timestamptz)",
            [task.queue, task.name, key, json.dumps(arguments), at],
        )
        row = cursor.fetchone()
    return int(row[0] or 0)


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that used up its tries."""

    id: int
    task_name: str
    attempts: int
    last_error: str
    enqueued_at: datetime


def failed_jobs() -> list[FailedJob]:
    """The current tenant's failed jobs, newest first, at most 200."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, task_name, attempts, last_error, enqueued_at FROM cell.my_failed_jobs()")
        return [FailedJob(*row) for row in cursor.fetchall()]


@transaction.atomic
def job_repeat(*, job_id: int, by: Actor) -> None:
    """Put a failed job of the current tenant back into the queue with all its tries.

    Raises:
        NotFound: no failed job of that id belongs to the tenant.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT cell.repeat_my_job(%s)", [job_id])
        row = cursor.fetchone()
    if not row[0]:
        raise NotFound(_("没有这个失败的任务，可能已被重新执行。"))
    record(Event.JOB_REPEATED, by=by, target=Target("job", str(job_id)))
