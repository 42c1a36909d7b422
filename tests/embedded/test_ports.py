"""Ports of the stack: held from the moment they are chosen, so two stacks that start at once never meet."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from saas.embedded.folders import CHECKOUT
from saas.embedded.ports import listen_on
from saas.embedded.records import Ports
from tests.embedded.running_stack import environment


def _number(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def test_two_stacks_that_prefer_one_port_get_two(tmp_path: Path) -> None:
    with listen_on(0) as probe:
        preferred = _number(probe)
    with (
        Ports(tmp_path / "a.json").listen("web.intranet", preferred=preferred) as first,
        Ports(tmp_path / "b.json").listen("web.intranet", preferred=preferred) as second,
    ):
        assert _number(first) == preferred != _number(second)
        # The number is taken by a listener, not only remembered: whoever connects is heard.
        for listener in (first, second):
            with socket.create_connection(listener.getsockname(), timeout=5):
                listener.accept()[0].close()


def test_a_port_is_remembered_and_never_another_parts(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    with listen_on(0) as taken:
        first = ports.listen("web.intranet", preferred=_number(taken))
        number = _number(first)
        first.close()
        with ports.listen("web.intranet", preferred=_number(taken)) as again:
            assert _number(again) == number == ports.known("web.intranet")
            with ports.listen("web.extranet", preferred=number) as other:
                assert _number(other) not in {number, _number(taken)}


@pytest.mark.parametrize("name", ["DATABASE_URL", "VAULT_ADDR", "S3_ENDPOINT_URL"])
def test_nothing_embedded_starts_when_real_servers_are_named(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "saas.embedded", "up"],
        cwd=CHECKOUT,
        env=environment(tmp_path / "stack") | {name: "mysql://x"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert name in done.stderr
    assert "Unset" in done.stderr
    assert not (tmp_path / "stack").exists()
