"""A real S3 server for the tests: versitygw, built from source through Go's module proxy and kept in the cache."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from saas.embedded.folders import cache_folder
from saas.embedded.ports import free_port
from saas.embedded.processes import StackError, end, last_lines, spawn

MODULE = "github.com/versity/versitygw"
VERSION = "v1.8.0"
# The module's tree as Go's checksum database knows it; another tree is refused.
SUM = "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc="
_BUILD_SECONDS = 900
_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")


class CannotBuild(StackError):
    """versitygw cannot be built on this machine; the message says why."""


def _go() -> str:
    found = shutil.which("go") or next((place for place in _PLACES if Path(place).exists()), None)
    if found is None:
        message = "versitygw cannot be built here: no Go"
        raise CannotBuild(message)
    return found


def program() -> Path:
    """Return the server's program, building it at the first call (about two minutes).

    Raises:
        CannotBuild: there is no Go, no module proxy, or the source is not the one that was tried.
    """
    folder = cache_folder() / "versitygw"
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / f"versitygw-{VERSION}"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            with tempfile.TemporaryDirectory(dir=folder) as work:
                _build(_go(), Path(work), binary)
    return binary


def _run(command: list[str], *, folder: Path, environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=_BUILD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        message = f"versitygw cannot be built here: {command[1]} took more than {_BUILD_SECONDS} s"
        raise CannotBuild(message) from error
    if done.returncode != 0:
        message = f"versitygw cannot be built here: {(done.stderr or done.stdout).strip()[-500:]}"
        raise CannotBuild(message)
    return done.stdout


def _build(go: str, work: Path, binary: Path) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    found = json.loads(
        _run([go, "mod", "download", "-json", f"{MODULE}@{VERSION}"], folder=work, environment=environment)
    )
    if found["Sum"] != SUM:
        message = f"versitygw cannot be built here: the source of {VERSION} has the sum {found['Sum']}, not {SUM}"
        raise CannotBuild(message)
    # The module cache is read-only and shared: built in a copy.
    tree = work / "tree"
    shutil.copytree(found["Dir"], tree, copy_function=shutil.copyfile)
    for path in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
        path.chmod(0o755)
    out = work / "versitygw"
    command = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(out), "./cmd/versitygw"]
    _run(command, folder=tree, environment=environment)
    out.replace(binary)


@dataclass(slots=True, kw_only=True)
class S3Server:
    """One versitygw on the loopback address with versioning, its files in `folder`."""

    folder: Path
    access_key: str = "yunshu-test"
    secret_key: str = hashlib.sha256(b"only for tests, on the loopback address").hexdigest()
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The URL for boto3."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, patience: float = 30) -> None:
        """Start it and wait until it answers.

        Raises:
            CannotBuild: there is no program.
            StackError: it did not start.
        """
        binary = program()
        data, versions = self.folder / "data", self.folder / "versions"
        for needed in (data, versions):
            needed.mkdir(parents=True, exist_ok=True)
        self.port = free_port(self.port)
        log = self.folder / "versitygw.log"
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "ROOT_ACCESS_KEY": self.access_key,
            "ROOT_SECRET_KEY": self.secret_key,
        }
        command: list[str | Path] = [binary, "--port", f"127.0.0.1:{self.port}", "posix"]
        self.process = spawn([*command, "--versioning-dir", versions, data], log=log, environment=environment)
        until = time.monotonic() + patience
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                message = f"versitygw did not start:\n{last_lines(log)}"
                raise StackError(message)
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether it takes requests."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/")
            return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
        return False

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            end(self.process, how=signal.SIGTERM, patience=10)
            self.process = None


if __name__ == "__main__":
    try:
        print(program())  # noqa: T201
    except CannotBuild as error:
        sys.exit(str(error))
