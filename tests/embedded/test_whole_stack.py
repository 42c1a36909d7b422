"""The whole embedded stack as `make demo` starts it: killed in parts and altogether, stopped, moved, started again."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from saas.embedded import state
from saas.embedded.folders import CHECKOUT, cache_folder
from saas.embedded.parts import STACK_MARK, web_answers
from saas.embedded.processes import processes_in, processes_marked
from saas.embedded.records import Ports, Secrets
from tests.embedded.conftest import new_open_folder

pytestmark = pytest.mark.long

PARTS = 13
_OURS = (
    "YUNSHU_",
    "DATABASE_URL",
    "OWNER_DATABASE_URL",
    "VAULT_",
    "ZONE",
    "PROCESS",
    "CELL",
    "FONTS_FOLDER",
    "SECRET_KEY",
)


def _environment(folder: Path, **more: str) -> dict[str, str]:
    """Ours without what the test run's own stack has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "YUNSHU_FOLDER": str(folder), "YUNSHU_DEMO_DATA": "none", **more}


def _stack(folder: Path, command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "saas.embedded", command],
        cwd=CHECKOUT,
        env=_environment(folder),
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _running(folder: Path) -> list[int]:
    """Every process of a stack, the supervisor aside."""
    mark = Secrets(folder / "secrets.json").get("stack")[:16]
    services = [place for place in (folder / "services").resolve().rglob("*") if place.name in {"data", "openbao"}]
    return processes_marked(f"{STACK_MARK}={mark}") + [pid for place in services for pid in processes_in(place)]


def _superuser(folder: Path) -> str:
    password = Secrets(folder / "secrets.json").get("postgres.intranet")
    return (
        f"postgresql://postgres:{password}@127.0.0.1:{Ports(folder / 'ports.json').known('postgres.intranet')}/yunshu"
    )


def _pids(folder: Path) -> dict[str, int]:
    found = {name: re.match(r"pid (\d+)", text) for name, text in (state.read(folder).parts or {}).items()}
    return {name: int(match[1]) for name, match in found.items() if match}


def _until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come back"
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists() and bool(Path(f"/proc/{pid}/cmdline").read_bytes())


def _rows(folder: Path) -> int:
    with psycopg.connect(_superuser(folder)) as connection:
        found = connection.execute("SELECT count(*) FROM probe.kept").fetchone()
    return found[0] if found else -1


def _answers(folder: Path) -> bool:
    ports = Ports(folder / "ports.json")
    with contextlib.suppress(psycopg.OperationalError):
        return all(web_answers(ports.known(f"web.{zone}")) for zone in ("intranet", "extranet", "management")) and (
            _rows(folder) >= 0
        )
    return False


@pytest.fixture(scope="module")
def stack() -> Iterator[Path]:
    """A started stack with one row of data that must never get lost."""
    folder = new_open_folder()
    try:
        _stack(folder, "up")
        with psycopg.connect(_superuser(folder), autocommit=True) as connection:
            connection.execute(
                "CREATE SCHEMA probe; CREATE TABLE probe.kept (n int); INSERT INTO probe.kept VALUES (1)"
            )
        yield folder
    finally:
        _stack(folder, "reset")


def test_every_part_comes_back_after_kill_9(stack: Path) -> None:
    before = _pids(stack)
    assert len(before) == PARTS
    for name, pid in before.items():
        os.kill(pid, signal.SIGKILL)
        _until(lambda name=name, pid=pid: _pids(stack).get(name, pid) != pid and _alive(_pids(stack)[name]))  # type: ignore[misc]
    _until(lambda: _answers(stack))
    assert _rows(stack) == 1


def test_a_second_up_on_a_running_stack_changes_nothing(stack: Path) -> None:
    before = _pids(stack)
    assert "<bureau>.localhost" in _stack(stack, "up")
    assert _pids(stack) == before


def test_after_kill_9_of_everything_the_next_start_has_all_data(stack: Path) -> None:
    supervisor = state.supervisor_pid(stack)
    for pid in [supervisor, *_running(stack)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _stack(stack, "up")
    assert state.supervisor_pid(stack) not in {0, supervisor}
    assert _rows(stack) == 1


def test_after_kill_9_of_the_supervisor_alone_nothing_stays_and_the_next_start_works(stack: Path) -> None:
    os.kill(state.supervisor_pid(stack), signal.SIGKILL)
    _until(lambda: _running(stack) == [])
    _stack(stack, "up")
    assert _rows(stack) == 1


def test_stop_leaves_no_process_and_the_second_start_finds_the_same_passwords_and_data(stack: Path) -> None:
    passwords = (stack / "secrets.json").read_text()
    _stack(stack, "stop")
    assert _running(stack) == []
    assert state.supervisor_pid(stack) == 0
    _stack(stack, "up")
    assert (stack / "secrets.json").read_text() == passwords
    assert _rows(stack) == 1


def _ordinary_python() -> str:
    for place in ("/usr/bin/python3", "/usr/local/bin/python3"):
        if Path(place).exists():
            code = "import sys; sys.exit(sys.version_info < (3, 11))"
            if subprocess.run([place, "-c", code], check=False).returncode == 0:
                return place
    pytest.skip("no Python 3.11 that an ordinary user of this machine can run")


def test_an_ordinary_user_starts_it_from_a_bare_copy_and_again_after_moving_the_checkout() -> None:
    python = _ordinary_python()
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    home = new_open_folder()
    checkout, moved = home / "checkout", home / "moved"
    ignored = shutil.ignore_patterns(".venv", ".yunshu*", ".git", "__pycache__", ".*_cache", "static_collected")
    shutil.copytree(CHECKOUT, checkout, ignore=ignored)
    fonts = shutil.copytree(cache_folder() / "fonts", home / "cache" / "fonts")
    assert fonts.exists()
    subprocess.run(["chown", "-R", f"{account.pw_uid}:{account.pw_gid}", str(home)], check=True)

    def make(target: str, folder: Path) -> str:
        environment = _environment(folder / ".yunshu", HOME=str(home), YUNSHU_CACHE=str(home / "cache"))
        del environment["YUNSHU_FOLDER"]
        done = subprocess.run(
            ["make", target, f"PYTHON={python}"],
            cwd=folder,
            env=environment,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            check=False,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        make("demo", checkout)
        assert Path(f"/proc/{state.supervisor_pid(checkout / '.yunshu')}").stat().st_uid == account.pw_uid
        passwords = (checkout / ".yunshu" / "secrets.json").read_text()
        make("stop", checkout)
        checkout.rename(moved)
        make("demo", moved)
        assert (moved / ".yunshu" / "secrets.json").read_text() == passwords
    finally:
        for folder in (checkout, moved):
            if folder.exists():
                make("reset", folder)
        shutil.rmtree(home)
