"""The figures of a cell, read when Prometheus asks: bureaus, jobs, to-dos, flows, and how its parts answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import psycopg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import sql

from saas.core import keys
from saas.env import Zone, env

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 5

_BUREAUS = "SELECT state, count(*) FROM public.tenants_bureau GROUP BY state"
_JOBS = "SELECT status::text, count(*) FROM cell.procrastinate_jobs WHERE status <> 'succeeded' GROUP BY 1"
_OLDEST = (
    "SELECT coalesce(extract(epoch FROM now() - min(coalesce(scheduled_at, enqueued_at))), 0) "
    "FROM cell.procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, enqueued_at) <= now()"
)
_PENDING = "SELECT count(*) FROM cell.audit_pending"
_SCHEMAS = "SELECT code, schema_name FROM public.tenants_bureau WHERE state = 'active' ORDER BY code"
_WORK = (
    "SELECT {code}, (SELECT count(*) FROM {schema}.approvals_task WHERE state = 'open'), "
    "(SELECT count(*) FROM {schema}.approvals_instance WHERE status = 'running')"
)


class CellCollector(Collector):
    """Reads the cell's database once a scrape, on a connection of its own with a time limit."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: registering must not read the database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families; when the database is away, only that."""
        up = GaugeMetricFamily("yunshu_part_up", "Whether a part answers.", labels=["part"])
        seconds = GaugeMetricFamily("yunshu_part_seconds", "How long it took to answer.", labels=["part"])
        started = time.perf_counter()
        found: list[GaugeMetricFamily] = []
        try:
            with psycopg.connect(
                env.owner_database_url,
                autocommit=True,
                connect_timeout=TIMEOUT_SECONDS,
                options=f"-c statement_timeout={TIMEOUT_SECONDS}s",
            ) as connection:
                found = list(_families(connection))
            up.add_metric(["database"], 1)
        except psycopg.OperationalError:
            logger.exception("the cell's figures could not be read")
            up.add_metric(["database"], 0)
        seconds.add_metric(["database"], time.perf_counter() - started)
        started = time.perf_counter()
        up.add_metric(["vault"], 1 if keys.health() is keys.Health.READY else 0)
        seconds.add_metric(["vault"], time.perf_counter() - started)
        yield from (up, seconds, *found)


def _families(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[GaugeMetricFamily]:
    bureaus = GaugeMetricFamily("yunshu_bureaus", "Bureaus of the cell by state.", labels=["state"])
    for state, count in connection.execute(_BUREAUS):
        bureaus.add_metric([str(state)], float(str(count)))
    yield bureaus
    jobs = GaugeMetricFamily("yunshu_jobs", "Jobs by status.", labels=["status"])
    for status, count in connection.execute(_JOBS):
        jobs.add_metric([str(status)], float(str(count)))
    yield jobs
    yield _single(connection, "yunshu_jobs_oldest_seconds", "How long the oldest due job waits.", _OLDEST)
    yield _single(connection, "yunshu_audit_pending", "Audit records that are not chained yet.", _PENDING)
    if env.zone is Zone.INTRANET:
        yield from _work(connection)


def _single(connection: psycopg.Connection[tuple[object, ...]], name: str, text: str, query: str) -> GaugeMetricFamily:
    row = connection.execute(query.encode()).fetchone()
    return GaugeMetricFamily(name, text, value=float(str(row[0])) if row else 0.0)


def _work(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[GaugeMetricFamily]:
    todos = GaugeMetricFamily("yunshu_todos_open", "Open to-dos of a bureau.", labels=["bureau"])
    running = GaugeMetricFamily("yunshu_flows_running", "Running flows of a bureau.", labels=["bureau"])
    parts = [
        sql.SQL(_WORK).format(code=sql.Literal(code), schema=sql.Identifier(str(schema)))
        for code, schema in connection.execute(_SCHEMAS).fetchall()
    ]
    if parts:
        for code, open_todos, flows in connection.execute(sql.SQL(" UNION ALL ").join(parts)):
            todos.add_metric([str(code)], float(str(open_todos)))
            running.add_metric([str(code)], float(str(flows)))
    yield from (todos, running)
