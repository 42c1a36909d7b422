"""Starts the whole stack in order, keeps every part of it running, and ends it so that nothing is left."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from saas.embedded import state
from saas.embedded.environment import PREFERRED_WEB_PORTS, VAULT_FILE
from saas.embedded.folders import CHECKOUT
from saas.embedded.fonts import fonts_folder
from saas.embedded.parts import STACK_MARK, Part, manage, process_environment, product_parts, web_answers
from saas.embedded.processes import StackError, last_lines, processes_marked, require_space, spawn
from saas.embedded.records import read_json, write_json
from saas.embedded.services import ZONES, Services
from saas.embedded.state import State

_FIRST_START_MB = 1000
_LATER_START_MB = 200
_WATCH_SECONDS = 0.2
_END_SECONDS = 25.0
_WEB_SECONDS = 90.0


class _Stop(BaseException):
    """SIGTERM or SIGINT arrived."""


def _raise_stop(number: int, frame: FrameType | None) -> None:
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_IGN)
    raise _Stop


def digest_of(*patterns: str) -> str:
    """Return one digest of all files of the checkout that match, by which a finished step is known as still done."""
    found = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in CHECKOUT.glob(pattern)}):
        found.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@dataclass(slots=True)
class Supervisor:
    """The running stack of one folder."""

    folder: Path
    services: Services = field(init=False)
    parts: list[Part] = field(default_factory=list)
    doors: dict[str, socket.socket] = field(default_factory=dict)
    mark: str = ""
    steps: dict[str, float] = field(default_factory=dict)
    present: State = field(default_factory=lambda: State(step=""))

    def run(self) -> int:
        """Supervise until told to stop; return the exit status."""
        signal.signal(signal.SIGTERM, _raise_stop)
        signal.signal(signal.SIGINT, _raise_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        status = 0
        try:
            self._start()
            self._watch()
        except _Stop:
            pass
        except (StackError, OSError) as error:
            self._say(f"gave up: {error}")
            self._publish(error=str(error))
            status = 1
        finally:
            for ending in (signal.SIGTERM, signal.SIGINT):
                signal.signal(ending, signal.SIG_IGN)
            self._end()
        if status == 0:
            (self.folder / state.STATE).unlink(missing_ok=True)
        return status

    # --- starting ---------------------------------------------------------------------------------------------
    def _start(self) -> None:
        done = read_json(self.folder / "done.json")
        require_space(self.folder, _LATER_START_MB if done else _FIRST_START_MB)
        with self._step("leftovers"):
            self.services = Services(self.folder)
            self.mark = self.services.secrets.get("stack")[:16]
            self._end_leftovers()
        with self._step("fonts"):
            fonts_folder()
        with self._step("postgresql"):
            self.services.start_databases()
            self.services.initialise_cells()
        with self._step("openbao"):
            self.services.start_vault()
        self._adopt_services()
        self._choose_ports()
        self._set_up_vault(done)
        first = "migrations" not in done
        migrated = self._migrate(done)
        self._publish(services=True)
        with self._step("processes"):
            self._start_product()
        if migrated and not first:
            with self._step("bureaus"):
                self._run("tenant", "migrate", zone="management")
        if "demo" not in done and _demo_wanted():
            with self._step("demo"):
                self._run("demo", zone="intranet")
            self._remember("demo", "done")
        self._keep_timings("first" if first else "upgrade" if migrated else "again")
        self._publish(services=True, ready=True)

    def _adopt_services(self) -> None:
        for name, cluster in self.services.clusters.items():
            part = Part(f"postgres-{name}", cluster.launch, goodbye=signal.SIGINT, process=cluster.process)
            self.parts.append(part)
        self.parts.append(Part("openbao", self.services.vault.launch, process=self.services.vault.process))

    def _choose_ports(self) -> None:
        for zone in ZONES:
            self.doors[zone] = self.services.ports.listen(f"web.{zone}", preferred=PREFERRED_WEB_PORTS[zone])
            for process in ("web", "jobs", "agent"):
                self.services.ports.choose(f"metrics.{zone}-{process}")

    def _set_up_vault(self, done: dict[str, object]) -> None:
        wanted = digest_of("saas/core/keys/*.py", "saas/core/management/commands/vault_setup.py")
        if done.get("vault") == wanted and (self.folder / VAULT_FILE).exists():
            return
        with self._step("vault_setup"):
            token = self.services.vault.bootstrap_token()
            file = str(self.folder / VAULT_FILE)
            self._run("vault_setup", "--credentials-file", file, zone="management", more={"VAULT_TOKEN": token})
        self._remember("vault", wanted)

    def _migrate(self, done: dict[str, object]) -> bool:
        wanted = digest_of("*/**/migrations/*.py", "tenants/provisioning/*.py", "tenants/grants.py", "saas/settings.py")
        if done.get("migrations") == wanted:
            return False
        with self._step("migrations"):
            self._run_everywhere("migrate")
        self._remember("migrations", wanted)
        return True

    def _start_product(self) -> None:
        parts = product_parts(self.folder, ports=self.services.ports.known, doors=self.doors, mark=self.mark)
        for part in parts:
            part.start()
            self.parts.append(part)
        until = time.monotonic() + _WEB_SECONDS
        waiting = {zone: self.services.ports.known(f"web.{zone}") for zone in ZONES}
        while waiting:
            waiting = {zone: port for zone, port in waiting.items() if not web_answers(port)}
            if waiting and time.monotonic() > until:
                zone = next(iter(waiting))
                message = f"the web process of {zone} does not answer:\n{last_lines(self._log(f'web-{zone}'))}"
                raise StackError(message)
            self._look_after()
            time.sleep(0.1)

    def _run(self, *arguments: str, zone: str, more: dict[str, str] | None = None) -> None:
        self._finish(arguments, {zone: self._begin(arguments, zone=zone, more=more or {})})

    def _run_everywhere(self, *arguments: str) -> None:
        self._finish(arguments, {zone: self._begin(arguments, zone=zone, more={}) for zone in ZONES})

    def _begin(self, arguments: tuple[str, ...], *, zone: str, more: dict[str, str]) -> Part:
        environment = process_environment(self.folder, zone=zone, process="cli", mark=self.mark) | more
        log = self._log(f"{arguments[0]}-{zone}")
        part = Part(arguments[0], lambda: spawn(manage(*arguments), log=log, environment=environment, folder=CHECKOUT))
        part.start()
        return part

    def _finish(self, arguments: tuple[str, ...], parts: dict[str, Part]) -> None:
        failed = []
        for zone, part in parts.items():
            while part.process is not None and part.process.poll() is None:
                self._look_after()
                time.sleep(0.05)
            if part.process is None or part.process.returncode != 0:
                failed.append(zone)
        if failed:
            log = self._log(f"{arguments[0]}-{failed[0]}")
            message = f"manage.py {arguments[0]} failed in {', '.join(failed)}; the end of {log}:\n{last_lines(log)}"
            raise StackError(message)

    # --- keeping ----------------------------------------------------------------------------------------------
    def _watch(self) -> None:
        while True:
            self._look_after()
            time.sleep(_WATCH_SECONDS)

    def _look_after(self) -> None:
        for part in self.parts:
            try:
                seen = part.watch()
            except (StackError, OSError) as error:
                seen = f"{part.name} cannot be started: {error}"
            if seen:
                self._say(seen)
                self._publish(services=self.present.services, ready=self.present.ready)

    def _end_leftovers(self) -> None:
        """End what a killed supervisor left: PostgreSQL is waited for where it is started, all else here."""
        mark = f"{STACK_MARK}={self.mark}"
        for how, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            _signal_all(processes_marked(mark), how)
            until = time.monotonic() + seconds
            while processes_marked(mark) and time.monotonic() < until:
                time.sleep(0.05)

    # --- ending -----------------------------------------------------------------------------------------------
    def _end(self) -> None:
        self._say("stopping")
        # What uses a service ends before it does.
        for group in ("jobs-", "agent-"), ("web-",), ("openbao",), ("postgres-",):
            members = [part for part in self.parts if part.name.startswith(group)]
            for part in members:
                part.signal_end()
            until = time.monotonic() + _END_SECONDS
            for part in members:
                part.wait_end(until)
        for door in self.doors.values():
            door.close()
        with contextlib.suppress(AttributeError):
            self.services.stop()
        if self.mark:
            self._end_leftovers()

    # --- telling ----------------------------------------------------------------------------------------------
    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._publish(step=name, services=self.present.services)
        before = time.monotonic()
        yield
        self.steps[name] = round(time.monotonic() - before, 2)
        self._say(f"{name}: {self.steps[name]} s")

    def _publish(self, *, step: str = "", services: bool = False, ready: bool = False, error: str = "") -> None:
        parts = {
            part.name: f"pid {part.process.pid if part.process else '-'}, restarted {part.restarts} times"
            for part in self.parts
        }
        self.present = State(step=step or self.present.step, services=services, ready=ready, error=error, parts=parts)
        state.write(self.folder, self.present)

    def _keep_timings(self, kind: str) -> None:
        file = self.folder / "timings.json"
        total = round(sum(self.steps.values()), 2)
        kept = read_json(file) | {kind: {**self.steps, "total": total}}
        write_json(file, kept)

    def _remember(self, name: str, value: str) -> None:
        write_json(self.folder / "done.json", {**read_json(self.folder / "done.json"), name: value})

    def _log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):
            print(time.strftime("%Y-%m-%dT%H:%M:%S"), text, flush=True)  # noqa: T201


def _signal_all(pids: Iterable[int], how: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, how)


def _demo_wanted() -> bool:
    """Say whether the demo bureaus are to be made; YUNSHU_DEMO_DATA=none leaves the cloud empty."""
    if os.environ.get("YUNSHU_DEMO_DATA") == "none":
        return False
    return any(CHECKOUT.glob("*/**/management/commands/demo.py"))


def main(folder: Path) -> None:
    """Be the supervisor of `folder` until told to stop."""
    try:
        with state.hold_lock(folder):
            sys.exit(Supervisor(folder).run())
    except StackError as error:
        sys.exit(str(error))
