"""An upload that is too large is refused by what it announces, before a byte of it is taken."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.test import RequestFactory

from saas.core.tenancy import TenantRef
from saas.core.uploads import PLAIN_LIMIT, STRANGER_LIMIT, UploadLimitMiddleware, takes_upload
from saas.env import env

TWO_GIGABYTES = 2 * 1024**3
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Site:
    """Our own gunicorn with one worker."""

    port: int
    process: subprocess.Popen[bytes]

    def peak(self) -> int:
        """The most memory its worker ever held, in bytes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        status = Path(f"/proc/{children[0]}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PROCESS": "web",
        "BIND": f"127.0.0.1:{port}",
        "WEB_WORKERS": "1",
        "METRICS_PORT": "0",
        "RUN_FOLDER": str(tmp_path_factory.mktemp("run")),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "saas/gunicorn_conf.py", "saas.wsgi:application"]
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment)
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                if client.recv(100).startswith(b"HTTP/1.1 200"):
                    break
            assert time.monotonic() < until, "gunicorn did not start"
            time.sleep(0.2)
        yield Site(port, process)
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize(
    "path",
    [
        "/documents/0f8c1f4e-1111-4222-8333-444455556666/files/",
        "/documents/incoming/new/",
        "/documents/new/",
        "/seals/check/",
    ],
)
def test_two_gigabytes_are_refused_before_they_are_sent(path: str, site: Site, alpha: TenantRef) -> None:
    stored = sorted((env.files_root / alpha.schema).rglob("*"))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: alpha.{env.host_suffix}\r\nContent-Length: {TWO_GIGABYTES}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nAccept: application/json\r\n\r\n"
    )
    before = site.peak()
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        client.sendall(head.encode())
        answer = b""
        while b"request_id" not in answer:
            piece = client.recv(65536)
            assert piece, answer
            answer += piece
        # A client that goes on sending all the same is cut off.
        with pytest.raises(OSError, match=r"reset|pipe"):
            client.sendall(bytes(200 << 20))
    told = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    assert answer.split()[1] == b"413"
    assert told["code"] == "too_large"
    assert "MB" in told["message"]
    assert site.peak() - before < 24 * 1024 * 1024
    assert sorted((env.files_root / alpha.schema).rglob("*")) == stored


def test_a_route_takes_what_it_says_and_others_little() -> None:
    middleware = UploadLimitMiddleware(lambda _request: None)  # type: ignore[arg-type,return-value]

    def view(_request: HttpRequest) -> None:
        return None

    def status(view: Any, length: int, session: dict[str, str] | None = None) -> int | None:
        request = RequestFactory(headers={"host": f"alpha.{env.host_suffix}"}).post("/", {})
        request.META["CONTENT_LENGTH"] = str(length)
        request.session = {SESSION_KEY: "1"} if session is None else session  # type: ignore[assignment]
        answer = middleware.process_view(request, view, (), {})
        return answer.status_code if answer else None

    assert status(view, PLAIN_LIMIT) is None
    assert status(view, PLAIN_LIMIT + 1) == 413
    assert status(takes_upload(200_000_000)(view), 200_000_000) is None
    assert status(takes_upload(200_000_000)(lambda _request: None), 210_000_000) == 413
    assert status(takes_upload(200_000_000)(view), STRANGER_LIMIT + 1, session={}) == 413
    assert status(view, STRANGER_LIMIT, session={}) is None


def test_a_full_disk_under_the_web_process_is_told_as_one(tmp_path: Path) -> None:
    from saas.core.middleware import refusal_of

    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OSError, match="space") as real, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    refusal = refusal_of(real.value)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (503, "storage.full")
