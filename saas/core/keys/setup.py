"""Brings a fresh Vault to the state the product needs: engines, authorities, policies, one AppRole a process kind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import requests
from hvac import exceptions as refusals

from saas.core.keys.names import KeyName
from saas.core.keys.policies import TABLE, marks_mount, pki_mount, render, role_name, transit_mount
from saas.core.tenancy import MANAGEMENT_SCHEMA
from saas.env import Process, Zone

_SESSION_LIFE = "1h"
_SESSION_LONGEST = "24h"
_AUTHORITY_LIFE = "87600h"


@dataclass(frozen=True, slots=True)
class AppRole:
    """What a process signs in to Vault with."""

    role_id: str
    secret_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetUp:
    """The result: AppRoles by name (``intranet-c1-web``) and the public keys other zones must know, PEM by key name."""

    approles: Mapping[str, AppRole]
    public_keys: Mapping[str, str]

    def as_json(self) -> str:
        """What `--credentials-file` holds."""
        approles = {name: {"role_id": r.role_id, "secret_id": r.secret_id} for name, r in self.approles.items()}
        return json.dumps({"approles": approles, "public_keys": dict(self.public_keys)}, indent=1, sort_keys=True)


def read_credentials(path: Path) -> Mapping[str, AppRole]:
    """AppRoles of an earlier run, or none."""
    try:
        kept = json.loads(path.read_text("utf-8"))["approles"]
    except (OSError, ValueError, KeyError):
        return {}
    return {name: AppRole(entry["role_id"], entry["secret_id"]) for name, entry in kept.items()}


def write_credentials(path: Path, done: SetUp) -> None:
    """Write the credentials for their owner alone; a reader sees the old file or the new one."""
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(done.as_json())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


class SetupFailed(Exception):
    """Vault could not be set up; the message says why, in both languages."""


class VaultSetup:
    """Applies the set-up with a bootstrap token; each step looks first, so it can be run again at any time.

    Args:
        address: ``http(s)://host:port``.
        token: a token that may mount engines and write policies.
    """

    def __init__(self, *, address: str, token: str) -> None:
        session = requests.Session()
        session.trust_env = False
        self._vault = hvac.Client(url=address, token=token, session=session, timeout=30)

    def apply(self, *, zones: Iterable[Zone], cell: str, known: Mapping[str, AppRole]) -> SetUp:
        """Set everything up for `zones`.

        Args:
            zones: the security domains this Vault serves.
            cell: the cell whose keys and AppRoles are made.
            known: AppRoles handed out before; kept while their secret is still valid, those of other cells as they are.

        Raises:
            SetupFailed: Vault is away, sealed, or the token may not do this; run it again when that is mended.
        """
        try:
            return self._apply(list(zones), cell, known)
        except requests.RequestException:
            raise SetupFailed("密钥服务连不上 / Vault does not answer at VAULT_ADDR") from None
        except refusals.VaultDown:
            raise SetupFailed("密钥服务已封存 / Vault is sealed") from None
        except refusals.Forbidden:
            raise SetupFailed("VAULT_TOKEN 权限不足 / VAULT_TOKEN may not do this") from None

    def _apply(self, zones: list[Zone], cell: str, known: Mapping[str, AppRole]) -> SetUp:
        self._enable_approle()
        approles = dict(known)
        public: dict[str, str] = {}
        for zone in zones:
            self._mount(transit_mount(zone), "transit")
            self._mount(marks_mount(zone), "kv")
            own = [KeyName.audit_head(zone, cell)]
            if zone is Zone.MANAGEMENT:
                own.append(KeyName.commands())
                wrap = f"wrap-{MANAGEMENT_SCHEMA}"
                self._write(f"{transit_mount(zone)}/keys/{wrap}", {"type": "aes256-gcm96", "derived": True})
            else:
                own.append(KeyName.cell(zone, cell))
                self._authority(zone)
            for key in own:
                self._write(f"{key.mount}/keys/{key.text}", {"type": "ecdsa-p256"})
                versions = self._read(f"{key.mount}/keys/{key.text}")["keys"]
                public[f"{zone}/{key.text}"] = versions[max(versions, key=int)]["public_key"]
        for zone in zones:
            for process in TABLE[zone]:
                name = role_name(zone, cell, process)
                approles[name] = self._approle(zone, cell, process, known.get(name))
        return SetUp(approles, public)

    def _enable_approle(self) -> None:
        if "approle/" not in self._read("sys/auth"):
            self._write("sys/auth/approle", {"type": "approle"})

    def _mount(self, mount: str, kind: str) -> None:
        if f"{mount}/" not in self._read("sys/mounts"):
            config = {"max_lease_ttl": _AUTHORITY_LIFE} if kind == "pki" else {}
            options = {"version": "2"} if kind == "kv" else {}
            self._write(f"sys/mounts/{mount}", {"type": kind, "config": config, "options": options})

    def _authority(self, zone: Zone) -> None:
        mount = pki_mount(zone)
        self._mount(mount, "pki")
        try:
            present = bool(self._read(f"{mount}/cert/ca").get("certificate"))
        except (refusals.InvalidRequest, refusals.InvalidPath):
            present = False
        if not present:
            root = {
                "common_name": f"云署电子印章根证书（{zone}）",
                "organization": "云署",
                "country": "CN",
                "key_type": "ec",
                "key_bits": 256,
                "ttl": _AUTHORITY_LIFE,
                "exclude_cn_from_sans": True,
                "max_path_length": 0,
            }
            self._write(f"{mount}/root/generate/internal", root)

    def _approle(self, zone: Zone, cell: str, process: Process, known: AppRole | None) -> AppRole:
        name = role_name(zone, cell, process)
        self._write(f"sys/policies/acl/{name}", {"policy": render(zone, cell, process)})
        role = {
            "token_policies": [name],
            "token_ttl": _SESSION_LIFE,
            "token_max_ttl": _SESSION_LONGEST,
            "bind_secret_id": True,
            "secret_id_ttl": "0",
            "secret_id_num_uses": 0,
        }
        self._write(f"auth/approle/role/{name}", role)
        role_id = str(self._read(f"auth/approle/role/{name}/role-id")["role_id"])
        if known is not None and known.role_id == role_id and self._secret_valid(name, known.secret_id):
            return known
        made = self._write(f"auth/approle/role/{name}/secret-id", {})
        return AppRole(role_id, str(made["secret_id"]))

    def _secret_valid(self, name: str, secret_id: str) -> bool:
        try:
            return bool(self._write(f"auth/approle/role/{name}/secret-id/lookup", {"secret_id": secret_id}))
        except refusals.VaultError:
            return False

    def _read(self, path: str) -> dict[str, Any]:
        return self._data(self._vault.adapter.get(f"/v1/{path}"))

    def _write(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._data(self._vault.adapter.post(f"/v1/{path}", json=dict(body)))

    def _data(self, answer: Any) -> dict[str, Any]:
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else {}
