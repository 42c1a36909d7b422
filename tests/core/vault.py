"""Vault as tests need it: clients of each AppRole, and a server of one's own that may be sealed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from saas.core.keys import client as connection
from saas.core.keys.client import VaultClient
from saas.core.keys.policies import role_name
from saas.core.keys.services import forget_cached_keys
from saas.core.keys.setup import VaultSetup
from saas.embedded.openbao import program
from saas.env import Process, Zone, env


def approle_client(zone: Zone, process: Process) -> VaultClient:
    """A client signed in as one kind of process."""
    entry = json.loads((Path(os.environ["YUNSHU_TEST_FOLDER"]) / "vault.json").read_text())["approles"]
    role = entry[role_name(zone, "c1", process)]
    return VaultClient(address=env.vault_addr, role_id=role["role_id"], secret_id=role["secret_id"])


@contextlib.contextmanager
def acting_as(client: VaultClient) -> Iterator[VaultClient]:
    """Have the product's functions use `client` inside the block."""
    before = connection._clients.copy()
    connection._clients[os.getpid()] = client
    try:
        yield client
    finally:
        connection._clients.clear()
        connection._clients.update(before)


@dataclass(frozen=True, slots=True)
class OwnVault:
    """A development server that only one test knows."""

    address: str
    token: str

    def seal(self) -> None:
        answer = requests.put(f"{self.address}/v1/sys/seal", headers={"X-Vault-Token": self.token}, timeout=10)
        answer.raise_for_status()


@contextlib.contextmanager
def own_vault() -> Iterator[OwnVault]:
    """Run an OpenBao in memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [
                program(account=None),
                "server",
                "-dev",
                "-dev-no-store-token",
                f"-dev-root-token-id={token}",
                f"-dev-listen-address=127.0.0.1:{port}",
            ],
            env={"HOME": home, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 60
            while True:
                with contextlib.suppress(requests.RequestException):
                    if requests.get(f"{address}/v1/sys/health", timeout=2).ok:
                        break
                assert time.monotonic() < until, "OpenBao did not start"
                time.sleep(0.1)
            yield OwnVault(address, token)
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def sealed_vault() -> Iterator[None]:
    """Have the product meet a Vault that an operator has just sealed."""
    with own_vault() as vault:
        done = VaultSetup(address=vault.address, token=vault.token).apply(zones=[Zone.INTRANET], cell="c1", known={})
        role = done.approles[role_name(Zone.INTRANET, "c1", Process.WEB)]
        client = VaultClient(address=vault.address, role_id=role.role_id, secret_id=role.secret_id)
        vault.seal()
        with acting_as(client):
            forget_cached_keys()
            yield
