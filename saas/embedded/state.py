"""What a supervisor tells the world: a lock that says it lives, and a file that says how far it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saas.embedded.processes import StackError
from saas.embedded.records import read_json, write_json

LOCK = "supervisor.lock"
STATE = "state.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a supervisor is.

    Args:
        step: what it does now.
        services: databases and Vault answer.
        ready: everything answers.
        error: why it gave up, "" while it did not.
        parts: state of each part, by name.
    """

    step: str
    services: bool = False
    ready: bool = False
    error: str = ""
    parts: dict[str, str] | None = None


def write(folder: Path, state: State) -> None:
    """Publish `state`; a full disk must not stop the supervisor from supervising."""
    with contextlib.suppress(OSError):
        content = {"step": state.step, "services": state.services, "ready": state.ready, "error": state.error}
        write_json(folder / STATE, {**content, "parts": state.parts or {}})


def read(folder: Path) -> State:
    """Return the state last published."""
    found = read_json(folder / STATE)
    return State(
        step=str(found.get("step", "")),
        services=bool(found.get("services")),
        ready=bool(found.get("ready")),
        error=str(found.get("error", "")),
        parts={str(name): str(value) for name, value in found.get("parts", {}).items()},
    )


def supervisor_pid(folder: Path) -> int:
    """Return the process id of the living supervisor of `folder`, 0 when there is none.

    The kernel drops the lock with its process, however that ends: a stale number cannot be taken for a live one.
    """
    try:
        with (folder / LOCK).open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0)
    except FileNotFoundError:
        return 0
    except PermissionError as error:
        message = f"{folder} belongs to another account: use the stack as the account that started it"
        raise StackError(message) from error
    return 0


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Be the one supervisor of `folder`.

    Raises:
        StackError: there is one already.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "the stack is being started or runs already"
            raise StackError(message) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
