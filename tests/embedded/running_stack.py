"""A whole stack as `make demo` starts it, driven from outside: its commands, its processes, browsers at its ports."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from saas.embedded import state
from saas.embedded.folders import CHECKOUT
from saas.embedded.parts import STACK_MARK
from saas.embedded.processes import processes_in, processes_marked
from saas.embedded.records import Ports, Secrets

_OURS = (
    "YUNSHU_",
    "DATABASE_URL",
    "OWNER_DATABASE_URL",
    "VAULT_",
    "ZONE",
    "PROCESS",
    "CELL",
    "FONTS_FOLDER",
    "FILES_ROOT",
    "RUN_FOLDER",
    "HOST_SUFFIX",
    "PUBLIC_",
    "MANAGEMENT_URL",
    "DEMO",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Ours without what the test run's own stack has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "YUNSHU_FOLDER": str(folder), "YUNSHU_DEMO_DATA": "none", **more}


def run(folder: Path, *arguments: str, timeout: float = 240, **more: str) -> str:
    """What a Python command prints that means the stack of `folder`; it must succeed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env=environment(folder, **more),
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_stack(folder: Path, command: str) -> str:
    """``up``, ``stop``, ``reset``: what it prints."""
    return run(folder, "-m", "saas.embedded", command)


def running(folder: Path) -> list[int]:
    """Every process of a stack, the supervisor aside."""
    mark = Secrets(folder / "secrets.json").get("stack")[:16]
    services = [place for place in (folder / "services").resolve().rglob("*") if place.name in {"data", "openbao"}]
    return processes_marked(f"{STACK_MARK}={mark}") + [pid for place in services for pid in processes_in(place)]


def pids(folder: Path) -> dict[str, int]:
    """The process of each part, by its name."""
    found = {name: re.match(r"pid (\d+)", text) for name, text in (state.read(folder).parts or {}).items()}
    return {name: int(match[1]) for name, match in found.items() if match}


def children(pid: int) -> list[int]:
    """The processes a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(path.parent.name))
    return found


def is_alive(pid: int) -> bool:
    """Whether the process runs (one that ended and was not waited for does not)."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def until(condition: Callable[[], bool], *, seconds: float = 60, what: str = "it did not come back") -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass
class Browser:
    """Cookies and connections of one person at one host, from an address of the loopback network of their own.

    Args:
        folder: the stack's.
        host: the Host header.
        zone: which of the stack's ports.
        address: where it calls from; throttling is by address.
    """

    folder: Path
    host: str
    zone: str = "intranet"
    address: str = "127.0.0.1"
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None, host: str = ""
    ) -> Answer:
        """Send one request and keep the cookies of its answer.

        Raises:
            OSError: nothing answers.
        """
        port = Ports(self.folder / "ports.json").known(f"web.{self.zone}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(self.address, 0))
        sent = {"Host": host or f"{self.host}:{port}", "Connection": "close", "Accept-Language": "zh-hans"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body=body or None, headers={**sent, **(headers or {})})
            answer = connection.getresponse()
            got = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self._keep(value)
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        return got

    def _keep(self, header: str) -> None:
        for name, morsel in SimpleCookie(header).items():
            if morsel.value:
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)

    def token(self, page: Answer) -> str:
        """The CSRF token of a page."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        return found[1] if found else ""

    def sign_in(self, username: str, password: str) -> bool:
        """Whether the sign-in was accepted."""
        self.cookies.clear()
        page = self.ask("GET", "/sign-in/")
        form = {"login": username, "password": password, "csrfmiddlewaretoken": self.token(page)}
        answer = self.ask(
            "POST",
            "/sign-in/",
            body=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        return answer.status == 302 and "__Host-session" in self.cookies

    def is_signed_in(self, *, host: str = "", headers: dict[str, str] | None = None, path: str = "/settings/") -> bool:
        """Whether the settings page opens."""
        return self.ask("GET", path, host=host, headers=headers).status == 200

    def store(self, path: str, *, name: str, content: bytes, token: str) -> str:
        """Put a file with a draft; its id when that was acknowledged, else empty."""
        mark = secrets.token_hex(16)
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: application/pdf\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Accept": "application/json"}
        answer = self.ask("POST", path, body=body, headers=headers)
        return str(json.loads(answer.body)["id"]) if answer.status == 200 else ""
