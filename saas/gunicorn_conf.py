"""How gunicorn serves one zone: threads, graceful ends, and metrics that are right under several workers.

Metrics of all workers are summed by the master and answered on a port of their own (METRICS_PORT), never on the
port users reach. The embedded stack and the Ansible role give workers, bind and METRICS_PORT by environment.
"""

import os
import shutil
from pathlib import Path
from typing import Any

_metrics_folder = Path(os.environ.get("RUN_FOLDER", "/tmp")) / f"metrics-{os.environ.get('ZONE', 'zone')}"  # noqa: S108
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_metrics_folder))

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
# A backend keeps memory for every schema it has touched, and so does a worker: both are renewed now and then.
max_requests = 20_000
max_requests_jitter = 2_000
timeout = 60
graceful_timeout = 20
keepalive = 5
control_socket_disable = True
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
limit_request_line = 8190
accesslog = None


def on_starting(server: Any) -> None:
    """Empty the folder of per-worker metric files: those of a former run would be counted again."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def when_ready(server: Any) -> None:
    """Serve the sum of all workers' metrics from the master."""
    port = int(os.environ.get("METRICS_PORT", "0") or 0)
    if not port:
        return
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    start_http_server(port, addr=os.environ.get("METRICS_ADDRESS", "127.0.0.1"), registry=registry)


def child_exit(server: Any, worker: Any) -> None:
    """Drop the live gauges of a worker that is gone; its counters stay in the sum."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)
