"""Twenty people sign in and store files while every process of the stack is killed in turn; cookies stay at home."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from saas.embedded import state
from saas.embedded.parts import web_answers
from saas.embedded.records import Ports
from tests.embedded.conftest import new_open_folder
from tests.embedded.fire_ground import PASSWORD
from tests.embedded.running_stack import Browser, children, is_alive, pids, run, run_stack, until

pytestmark = pytest.mark.long

CLIENTS = 20
PACE_SECONDS = 1.0
# A person signs in anew after so many files, and goes to the next draft before this one is full.
FILES_A_SESSION = 8
FILES_A_DRAFT = 25
# As many people must have stored something that they began after the kill.
SERVED_AGAIN = 5


@dataclass
class Person:
    """One client: what they were told is stored, by the file's id."""

    browser: Browser
    username: str
    drafts: list[str]
    acknowledged: dict[str, str] = field(default_factory=dict)
    sign_ins: int = 0
    # When the latest acknowledged storing was begun.
    served_at: float = 0.0

    def work(self, stop: threading.Event) -> None:
        """Sign in and store until told to stop; what fails is tried again, what is acknowledged is written down."""
        random_bytes = random.Random(self.username)
        token, stored = "", 0
        while not stop.wait(random_bytes.uniform(0.5, 1.5) * PACE_SECONDS):
            draft = self.drafts[len(self.acknowledged) // FILES_A_DRAFT]
            try:
                if not token:
                    if not self.browser.sign_in(self.username, PASSWORD):
                        continue
                    self.sign_ins += 1
                    token, stored = self.browser.token(self.browser.ask("GET", f"/documents/{draft}/edit/")), 0
                    if not token:
                        continue
                content = b"%PDF-1.7\n" + random_bytes.randbytes(random_bytes.randrange(1_000, 200_000))
                begun = time.monotonic()
                name = f"{self.username}-{len(self.acknowledged)}.pdf"
                file_id = self.browser.store(f"/documents/{draft}/files/", name=name, content=content, token=token)
            except OSError:
                token = ""
                continue
            if not file_id:
                token = ""
                continue
            self.acknowledged[file_id] = hashlib.sha256(content).hexdigest()
            self.served_at = begun
            stored += 1
            if stored >= FILES_A_SESSION:
                token = ""


@pytest.fixture(scope="module")
def stack() -> Iterator[Path]:
    """A started stack with two bureaus, in the intranet and the extranet."""
    folder = new_open_folder()
    try:
        run_stack(folder, "up")
        for code, name in (("fire", "值守局"), ("calm", "平安局")):
            run(folder, "manage.py", "tenant", "create", code, name, ZONE="management")
        yield folder
    finally:
        run_stack(folder, "reset")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def people(stack: Path) -> list[Person]:
    """Everybody, each at an address of their own."""
    made = json.loads(run(stack, "-m", "tests.embedded.fire_ground", "make", "fire", str(CLIENTS), ZONE="intranet"))
    return [
        Person(
            Browser(stack, "fire.localhost", address=f"127.0.1.{number + 1}"),
            username=str(one["username"]),
            drafts=list(one["drafts"]),
        )
        for number, one in enumerate(made)
    ]


# --- One bureau's and zone's cookie is worth nothing at any other host of the running cloud --------------------------
OTHER_DOORS = [
    ("intranet", "calm.localhost"),
    ("intranet", "nobody.localhost"),
    ("intranet", "localhost"),
    ("intranet", "fire.ext.localhost"),
    ("intranet", "fire.localhost.evil.example"),
    ("intranet", "fire.localhost."),
    ("intranet", "fire.localhost, calm.localhost"),
    ("intranet", "ops.localhost"),
    ("extranet", "fire.ext.localhost"),
    ("extranet", "calm.ext.localhost"),
    ("extranet", "fire.localhost"),
    ("management", "ops.localhost"),
    ("management", "security.localhost"),
    ("management", "cells.localhost"),
    ("management", "fire.localhost"),
]


def test_a_cookie_opens_its_own_host_of_its_own_zone_alone(stack: Path, people: list[Person]) -> None:
    mine = people[0].browser
    assert mine.sign_in(people[0].username, PASSWORD)
    assert mine.is_signed_in()
    assert mine.is_signed_in(host="FIRE.localhost:12345")
    opened = []
    for zone, host in OTHER_DOORS:
        other = Browser(stack, host, zone=zone, address=mine.address, cookies=dict(mine.cookies))
        answer = other.ask("GET", "/settings/", host=host)
        if answer.status not in {400, 404} and not (
            answer.status == 302 and answer.headers["location"].startswith("/sign-in/")
        ):
            opened.append((zone, host, answer.status))
        assert people[0].username not in answer.text
    assert opened == []
    assert mine.is_signed_in()


def test_an_address_in_the_request_line_or_a_proxys_header_does_not_lead_elsewhere(
    stack: Path, people: list[Person]
) -> None:
    mine = people[0].browser
    assert mine.sign_in(people[0].username, PASSWORD)
    other = Browser(stack, "calm.localhost", address=mine.address, cookies=dict(mine.cookies))
    assert not other.is_signed_in(path="http://fire.localhost/settings/")
    for header in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Server"):
        value = "host=fire.localhost" if header == "Forwarded" else "fire.localhost"
        assert not other.is_signed_in(headers={header: value}), header
        assert not Browser(stack, "evil.example", cookies=dict(mine.cookies)).is_signed_in(headers={header: value})


def test_a_forged_host_is_told_so_in_the_readers_language(stack: Path) -> None:
    for host in ("nobody.localhost", "evil.example", "fire.localhost@evil.example", "fire.localhost:80:80", "a" * 300):
        answer = Browser(stack, host).ask("GET", "/", host=host)
        assert answer.status in {400, 404}, host
        assert "值守局" not in answer.text
        assert answer.status == 400 or "没有对应的单位" in answer.text


# --- Under fire ------------------------------------------------------------------------------------------------------
def _victims(folder: Path) -> list[tuple[str, int]]:
    """One process of every part in turn, with the children of web masters and a back end of the database."""
    found = []
    for name, pid in pids(folder).items():
        if name.startswith("web-"):
            found += [(f"a worker of {name}", child) for child in children(pid)[:1]]
        if name == "postgres-intranet":
            ends = [child for child in children(pid) if b"yunshu_intranet" in _command(child)]
            found += [("a back end", child) for child in ends[:1]]
        found.append((name, pid))
    return found


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _everything_answers(folder: Path) -> bool:
    ports = Ports(folder / "ports.json")
    zones = ("intranet", "extranet", "management")
    return all(web_answers(ports.known(f"web.{zone}")) for zone in zones) and all(map(is_alive, pids(folder).values()))


def _served_since(people: list[Person], moment: float) -> int:
    return sum(one.served_at > moment for one in people)


def test_nothing_acknowledged_is_lost_while_every_process_is_killed_in_turn(stack: Path, people: list[Person]) -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=one.work, args=(stop,)) for one in people]
    killed = []
    for thread in threads:
        thread.start()
    try:
        until(lambda: _served_since(people, 0) == CLIENTS, what="nobody could begin")
        for name in [name for name, _pid in _victims(stack)]:
            pid = dict(_victims(stack)).get(name, 0)
            if not pid:
                continue  # A worker that its master is just replacing.
            os.kill(pid, signal.SIGKILL)
            moment = time.monotonic()
            killed.append(name)
            until(lambda pid=pid: not is_alive(pid), what=name)  # type: ignore[misc]
            until(lambda: _everything_answers(stack), what=f"{name} did not come back")
            until(
                lambda moment=moment: _served_since(people, moment) >= SERVED_AGAIN,  # type: ignore[misc]
                what=f"nobody was served after {name}",
            )
        os.kill(state.supervisor_pid(stack), signal.SIGKILL)
        until(lambda: state.supervisor_pid(stack) == 0)
        run_stack(stack, "up")
        moment = time.monotonic()
        until(lambda: _served_since(people, moment) >= SERVED_AGAIN, what="nobody was served after the supervisor")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {name.partition("-")[0] for name in killed} >= {"postgres", "openbao", "web", "jobs", "agent", "a back end"}
    kept = json.loads(run(stack, "-m", "tests.embedded.fire_ground", "kept", "fire", ZONE="intranet"))
    told = {file_id: digest for one in people for file_id, digest in one.acknowledged.items()}
    assert len(told) > CLIENTS * 5
    assert {file_id: kept.get(file_id, "lost") for file_id in told} == told
    assert [digest for digest in kept.values() if digest.startswith("damaged")] == []
    assert all(one.sign_ins >= 2 for one in people)
    shown = [one for one in people if one.browser.sign_in(one.username, PASSWORD)]
    assert shown == people
    for one in people:
        file_id, digest = next(iter(one.acknowledged.items()))
        answer = one.browser.ask("GET", f"/documents/{one.drafts[0]}/files/{file_id}/")
        assert hashlib.sha256(answer.body).hexdigest() == digest
    run(stack, "manage.py", "audit_verify", "--tenant", "fire", ZONE="intranet")
