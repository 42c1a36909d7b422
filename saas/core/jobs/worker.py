"""Runs jobs: fetches through procrastinate, works as the job's tenant, keeps the reason of a failure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import procrastinate
from django.conf import settings
from django.db import DatabaseError, connection, connections
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job as QueuedJob
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from saas.core import metrics
from saas.core.errors import YunshuError
from saas.core.jobs.registry import JOBS, PERIODIC, Job
from saas.core.logs import without_rows
from saas.core.tenancy import directory
from saas.env import env

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
STALLED_SECONDS = 20.0
KEEP_DONE_HOURS = 24 * 7


def is_final(error: BaseException) -> bool:
    """Whether trying again cannot help: the job was refused by a rule, not by a passing fault."""
    return isinstance(error, YunshuError) and error.status < 500


class _Retry(BaseRetryStrategy):
    def __init__(self, task: Job) -> None:
        self.task = task

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        if is_final(exception) or job.attempts + 1 >= self.task.attempts:
            return None
        pause = self.task.pause(job.attempts)
        return RetryDecision(retry_in={"seconds": int(pause.total_seconds())})


def _note_error(job_id: int, error: BaseException) -> None:
    """Keep why a job failed where a person sees it: its class and what of it is the product's own word.

    The table is the cell's and operators read it, so nothing a bureau wrote may come there: of a refusal its code
    (the message may name people), of the database's errors the sentence without the row it quotes.
    """
    if isinstance(error, YunshuError):
        reason = error.code
    elif isinstance(error, DatabaseError):
        reason = without_rows(str(error))
    else:
        reason = "see the log"
    text = f"{type(error).__name__}: {reason}"[:500]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cell.procrastinate_jobs SET last_error = %s WHERE id = %s", [text, job_id])


def run_as_tenant(task: Job, *, job_id: int, tenant: str, arguments: dict[str, Any]) -> None:
    """Run one job under its tenant's role; whatever happens the thread's connections end clean."""
    started = time.perf_counter()
    outcome = "failed"
    try:
        try:
            with directory().activate(tenant):
                task.function(**arguments)
            outcome = "succeeded"
        except Exception as error:
            _note_error(job_id, error)
            raise
    finally:
        metrics.JOBS.labels(task=task.name, outcome=outcome).inc()
        metrics.JOB_SECONDS.labels(task=task.name).observe(time.perf_counter() - started)
        connections.close_all()


def _wrapped(task: Job) -> Callable[..., None]:
    def run(context: procrastinate.JobContext, *, _tenant: str, **arguments: Any) -> None:
        run_as_tenant(task, job_id=context.job.id or 0, tenant=_tenant, arguments=arguments)

    return run


def make_app() -> procrastinate.App:
    """The procrastinate application over this cell's database, with every registered job."""
    connector = procrastinate.PsycopgConnector(
        conninfo=env.database_url,
        kwargs={"options": "-c search_path=cell -c TimeZone=UTC"},
        min_size=1,
        max_size=4,
    )
    app = procrastinate.App(connector=connector)
    for task in JOBS.values():
        app.task(name=task.name, queue=task.queue, pass_context=True, retry=_Retry(task))(_wrapped(task))
    return app


def enqueue_for_every_tenant(name: str) -> int:
    """Enqueue a periodic job for each active tenant that has none waiting; returns how many were added."""
    task = PERIODIC[name].job
    added = 0
    with connection.cursor() as cursor:
        for tenant in directory().active():
            cursor.execute(
                "SELECT cell.insert_job(%s, %s, %s, %s, '{}'::jsonb, NULL)",
                [tenant.schema, task.queue, task.name, f"periodic:{task.name}"],
            )
            added += cursor.fetchone()[0] is not None
    return added


def _only_ticker_of_the_cell() -> bool:
    """Whether this worker holds the cell's ticker lock (one worker rings for all)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [0x59554E, 1])
        return bool(cursor.fetchone()[0])


def tick_forever(stop: Callable[[], bool]) -> None:
    """Ring periodic jobs by the clock until told to stop; survives a database that comes and goes."""
    due = dict.fromkeys(PERIODIC, 0.0)
    holder = False
    while not stop():
        try:
            holder = holder or _only_ticker_of_the_cell()
            for name, at in due.items():
                if holder and time.monotonic() >= at:
                    enqueue_for_every_tenant(name)
                    due[name] = time.monotonic() + PERIODIC[name].every.total_seconds()
        except Exception:
            logger.exception("the ticker of periodic jobs lost its database; it tries again")
            connections.close_all()
            holder = False
        time.sleep(1)
    connections.close_all()


async def _rescue_stalled(app: procrastinate.App) -> None:
    """Take back jobs whose worker died: they are tried again, or fail when their tries are used up."""
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        try:
            stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
            for job in stalled:
                task = JOBS.get(job.task_name)
                if task is not None and job.attempts + 1 < task.attempts:
                    await app.job_manager.retry_job(job)
                else:
                    await app.job_manager.finish_job(job, status=procrastinate.jobs.Status.FAILED, delete_job=False)
            await app.job_manager.delete_old_jobs(nb_hours=KEEP_DONE_HOURS)
        except ProcrastinateException:
            logger.exception("stalled jobs could not be looked at; trying again")


async def work(*, concurrency: int) -> None:
    """Serve all queues until SIGTERM.

    Args:
        concurrency: jobs at a time, each on its own thread and database connection.
    """
    app = make_app()
    stopping = False
    async with app.open_async():
        ticker = asyncio.create_task(asyncio.to_thread(tick_forever, lambda: stopping))
        rescuer = asyncio.create_task(_rescue_stalled(app))
        try:
            await app.run_worker_async(
                concurrency=concurrency,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                fetch_job_polling_interval=2.0,
                shutdown_graceful_timeout=20.0,
                name=f"{settings.ZONE}-{settings.CELL}",
            )
        finally:
            stopping = True
            rescuer.cancel()
            await ticker
