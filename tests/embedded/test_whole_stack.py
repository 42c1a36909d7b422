"""The whole embedded stack as `make demo` starts it: killed in parts and altogether, stopped, moved, started again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from saas.embedded import state
from saas.embedded.folders import CHECKOUT, cache_folder
from saas.embedded.parts import web_answers
from saas.embedded.records import Ports, Secrets
from tests.embedded.conftest import new_open_folder
from tests.embedded.running_stack import environment, is_alive, pids, run_stack, running, until

pytestmark = pytest.mark.long

PARTS = 13


def _superuser(folder: Path) -> str:
    password = Secrets(folder / "secrets.json").get("postgres.intranet")
    return (
        f"postgresql://postgres:{password}@127.0.0.1:{Ports(folder / 'ports.json').known('postgres.intranet')}/yunshu"
    )


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
        run_stack(folder, "up")
        with psycopg.connect(_superuser(folder), autocommit=True) as connection:
            connection.execute(
                "CREATE SCHEMA probe; CREATE TABLE probe.kept (n int); INSERT INTO probe.kept VALUES (1)"
            )
        yield folder
    finally:
        run_stack(folder, "reset")


def test_every_part_comes_back_after_kill_9(stack: Path) -> None:
    before = pids(stack)
    assert len(before) == PARTS
    for name, pid in before.items():
        os.kill(pid, signal.SIGKILL)
        until(lambda name=name, pid=pid: pids(stack).get(name, pid) != pid and is_alive(pids(stack)[name]))  # type: ignore[misc]
    until(lambda: _answers(stack))
    assert _rows(stack) == 1


def test_a_second_up_on_a_running_stack_changes_nothing(stack: Path) -> None:
    before = pids(stack)
    assert "<bureau>.localhost" in run_stack(stack, "up")
    assert pids(stack) == before


def test_after_kill_9_of_everything_the_next_start_has_all_data(stack: Path) -> None:
    supervisor = state.supervisor_pid(stack)
    for pid in [supervisor, *running(stack)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    run_stack(stack, "up")
    assert state.supervisor_pid(stack) not in {0, supervisor}
    assert _rows(stack) == 1


def test_after_kill_9_of_the_supervisor_alone_nothing_stays_and_the_next_start_works(stack: Path) -> None:
    os.kill(state.supervisor_pid(stack), signal.SIGKILL)
    until(lambda: running(stack) == [])
    run_stack(stack, "up")
    assert _rows(stack) == 1


def test_stop_leaves_no_process_and_the_second_start_finds_the_same_passwords_and_data(stack: Path) -> None:
    passwords = (stack / "secrets.json").read_text()
    run_stack(stack, "stop")
    assert running(stack) == []
    assert state.supervisor_pid(stack) == 0
    run_stack(stack, "up")
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
        own = environment(folder / ".yunshu", HOME=str(home), YUNSHU_CACHE=str(home / "cache"))
        del own["YUNSHU_FOLDER"]
        done = subprocess.run(
            ["make", target, f"PYTHON={python}"],
            cwd=folder,
            env=own,
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
