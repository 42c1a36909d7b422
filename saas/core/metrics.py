"""The process's own measurements; labels are bounded: route names, task names, operations, never ids or titles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram, start_http_server

from saas.env import env

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

REQUESTS = Counter("yunshu_requests_total", "Requests by route and status class.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram("yunshu_request_seconds", "Time to answer.", ["route"], buckets=_FAST)
JOBS = Counter("yunshu_jobs_total", "Jobs run, by outcome.", ["task", "outcome"])
JOB_SECONDS = Histogram("yunshu_job_seconds", "Run time of a job.", ["task"], buckets=(*_FAST, 10.0, 60.0, 300.0))
DEPENDENCY_SECONDS = Histogram(
    "yunshu_dependency_seconds", "Time of one call to a part we depend on.", ["part", "operation"], buckets=_FAST
)
DEPENDENCY_ERRORS = Counter("yunshu_dependency_errors_total", "Calls that failed.", ["part", "operation"])
APPROVAL_ACTS = Counter("yunshu_approval_acts_total", "Acts on tasks, by kind.", ["act"])
DOCUMENTS_ISSUED = Counter("yunshu_documents_issued_total", "Documents numbered, by type.", ["kind"])
AUDIT_HELD = Counter("yunshu_audit_held_total", "Times a trail was not continued because it is an older copy.")
AUDIT_LOCKED_OUT = Counter("yunshu_audit_locked_out_total", "Times the audit sealer found its lock kept by another.")
FILES_SWEPT = Counter("yunshu_files_swept_total", "Stored files no row named, removed.")
FILES_SWEPT_BYTES = Counter("yunshu_files_swept_bytes_total", "Size of the stored files that were removed.")


@contextmanager
def timed(part: str, operation: str) -> Iterator[None]:
    """Measure one call to `part` (``database``, ``vault``, ``storage``)."""
    started = time.perf_counter()
    try:
        yield
    except Exception:
        DEPENDENCY_ERRORS.labels(part=part, operation=operation).inc()
        raise
    finally:
        DEPENDENCY_SECONDS.labels(part=part, operation=operation).observe(time.perf_counter() - started)


def serve() -> None:
    """Answer this process's metrics on METRICS_PORT, when one is given; web processes do so in gunicorn's master."""
    if env.metrics_port:
        start_http_server(env.metrics_port, addr="127.0.0.1")


class MetricsMiddleware:
    """Counts and times requests by route name: the label is the route, never the address somebody typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Measure one request."""
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name if match else "unknown"
        method = request.method if request.method in _METHODS else "OTHER"
        REQUESTS.labels(route=route, method=method, status=f"{response.status_code // 100}xx").inc()
        REQUEST_SECONDS.labels(route=route).observe(time.perf_counter() - started)
        return response
