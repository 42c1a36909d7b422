"""The parts a running stack is made of, each startable again on its own: services, web, jobs, agents."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from saas.embedded.environment import variables
from saas.embedded.folders import CHECKOUT
from saas.embedded.processes import spawn
from saas.embedded.services import CELL, ZONES

STACK_MARK = "YUNSHU_STACK"
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 15.0
_STEADY_SECONDS = 30.0


@dataclass(slots=True)
class Part:
    """One supervised process: how it is launched, and when it may be launched again after it died.

    Args:
        name: what it is called in messages.
        launch: starts it and returns the process.
        goodbye: the signal that ends it cleanly.
        process: the process that runs now.
    """

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    goodbye: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    _since: float = field(default=0.0)
    _pause: float = field(default=_FIRST_PAUSE)
    _not_before: float = field(default=0.0)

    def start(self) -> None:
        """Launch it now."""
        self.process = self.launch()
        self._since = time.monotonic()

    def watch(self) -> str:
        """Launch it again when it died, after a pause that grows while it keeps dying; return what was seen."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            if now - self._since > _STEADY_SECONDS:
                self._pause = _FIRST_PAUSE
            return ""
        if self.process is not None:
            seen = f"{self.name} ended with status {self.process.returncode}; again in {self._pause:.1f} s"
            self.process, self._not_before = None, now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return seen
        if now >= self._not_before:
            self.restarts += 1
            self.start()
            return f"{self.name} started again"
        return ""

    def signal_end(self) -> None:
        """Ask it to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.goodbye)

    def wait_end(self, until: float) -> None:
        """Wait for its end until the monotonic clock shows `until`, then kill it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def manage(*arguments: str) -> list[str]:
    """Return the command that runs one of Django's commands."""
    return [sys.executable, str(CHECKOUT / "manage.py"), *arguments]


def process_environment(folder: Path, *, zone: str, process: str, mark: str) -> dict[str, str]:
    """Return the whole environment of one of our processes, with the mark by which leftovers are found."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}}
    found = variables(folder, zone=zone, cell=CELL, process=process)
    # A command that starts another one (demo) must mean this stack, wherever it stands.
    place = {"YUNSHU_FOLDER": str(folder), STACK_MARK: mark}
    return {**kept, **found, **place, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(CHECKOUT)}


def product_parts(
    folder: Path, *, ports: Callable[[str], int], doors: Mapping[str, socket.socket], mark: str
) -> list[Part]:
    """Return web, jobs and agent processes of every zone.

    Args:
        folder: the stack's folder.
        ports: chosen port by name (metrics.<zone>-<process>).
        doors: the listening socket of each zone's web process; it stays open while that process is away, so a
            browser waits a moment instead of being refused.
        mark: see `process_environment`.
    """
    return [
        *(_web(folder, zone=zone, ports=ports, door=doors[zone], mark=mark) for zone in ZONES),
        *(_command(folder, "work", zone=zone, process="jobs", ports=ports, mark=mark) for zone in ZONES),
        # Management has no cell to obey, but its own audit trail to seal.
        *(_command(folder, "agent", zone=zone, process="agent", ports=ports, mark=mark) for zone in ZONES),
    ]


def _web(folder: Path, *, zone: str, ports: Callable[[str], int], door: socket.socket, mark: str) -> Part:
    def launch() -> subprocess.Popen[bytes]:
        environment = process_environment(folder, zone=zone, process="web", mark=mark) | {
            "DJANGO_SETTINGS_MODULE": "saas.settings",
            "BIND": f"fd://{door.fileno()}",
            "WEB_WORKERS": "2" if zone == "intranet" else "1",
            "METRICS_PORT": str(ports(f"metrics.{zone}-web")),
        }
        command = [sys.executable, "-m", "gunicorn", "-c", str(CHECKOUT / "saas" / "gunicorn_conf.py")]
        command += ["--no-control-socket", "saas.wsgi:application"]
        log = folder / "log" / f"web-{zone}.log"
        return spawn(command, log=log, environment=environment, folder=CHECKOUT, descriptors=[door.fileno()])

    return Part(f"web-{zone}", launch)


def _command(folder: Path, command: str, *, zone: str, process: str, ports: Callable[[str], int], mark: str) -> Part:
    name = f"{process}-{zone}"

    def launch() -> subprocess.Popen[bytes]:
        environment = process_environment(folder, zone=zone, process=process, mark=mark)
        environment["METRICS_PORT"] = str(ports(f"metrics.{zone}-{process}"))
        return spawn(manage(command), log=folder / "log" / f"{name}.log", environment=environment, folder=CHECKOUT)

    return Part(name, launch)


def web_answers(port: int) -> bool:
    """Say whether a web process answers requests at `port` (any answer but a server error)."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
