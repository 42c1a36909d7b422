"""Starts child processes that never outlive their starter, and drops root for those that must not have it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class StackError(RuntimeError):
    """A part of the embedded stack cannot be prepared or started; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that PostgreSQL and OpenBao run as when we were started by root."""

    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the account services drop to, or None when this process is an ordinary user already.

    Raises:
        StackError: started as root on a machine without the account `nobody`.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        message = "no account 'nobody' to run PostgreSQL as; start as an ordinary user instead"
        raise StackError(message) from error
    return Account(entry.pw_uid, entry.pw_gid)


def is_reachable(path: Path, account: Account | None) -> bool:
    """Say whether `account` may pass through every folder above `path` (root's home usually forbids it)."""
    if account is None:
        return True
    for folder in path.resolve().parents:
        status = folder.stat()
        mine = status.st_uid == account.uid and status.st_mode & stat.S_IXUSR
        groups = status.st_gid == account.gid and status.st_mode & stat.S_IXGRP
        if not (mine or groups or status.st_mode & stat.S_IXOTH):
            return False
    return True


def own(path: Path, account: Account | None) -> None:
    """Make `path` a private folder of `account` (or of ourselves)."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write `text` to `path`, for its owner alone, in one step: a reader sees the old file or the new, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if account is not None:
        os.chown(temporary, account.uid, account.gid)
    temporary.replace(path)


def _bind_to_parent(death_signal: signal.Signals, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        # Runs in the child after its credentials changed: changing them later would clear the signal again.
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; the kernel sends it `death_signal` when this process dies.

    Call from the main thread: the signal follows the death of the starting *thread*.

    Args:
        command: program and arguments.
        log: file its output is appended to.
        death_signal: what ends it cleanly.
        account: the account to drop to.
        environment: its whole environment; ours when None.
        folder: its working folder.
        descriptors: open files it inherits under the same numbers.

    Raises:
        StackError: the program cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    credentials = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    with log.open("ab") as output:
        try:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=folder,
                pass_fds=tuple(descriptors),
                start_new_session=True,
                preexec_fn=_bind_to_parent(death_signal, os.getpid()),  # noqa: PLW1509 (one thread only)
                **credentials,
            )
        except OSError as error:
            message = f"cannot start {command[0]}: {error}"
            raise StackError(message) from error


def end(process: subprocess.Popen[bytes], *, how: signal.Signals, patience: float) -> None:
    """Send `how` to `process`, wait up to `patience` seconds, then kill it."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log file, for an error message."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 8192))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-count:])


def processes_in(folder: Path) -> list[int]:
    """Return the processes (of our account, or all for root) whose working folder is `folder`."""
    wanted = str(folder.resolve())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if str((entry / "cwd").readlink()) == wanted:
                    found.append(int(entry.name))
    return found


def processes_marked(mark: str) -> list[int]:
    """Return the processes, ourselves aside, that carry `mark` (NAME=VALUE) in their environment."""
    wanted = mark.encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def require_space(folder: Path, megabytes: int) -> None:
    """Refuse to start on a disk that is nearly full, before anything is half written.

    Raises:
        StackError: says how much is free and how much is needed.
    """
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        message = (
            f"磁盘空间不足 / the disk is nearly full: {folder} has {free} MB free, at least {megabytes} MB are needed. "
            "Nothing was changed; free some space and start again."
        )
        raise StackError(message)
