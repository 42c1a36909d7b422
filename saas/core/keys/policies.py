"""Says once, in one table, what each kind of process may ask of Vault; everything else is refused by default.

Paths are prefixes because Vault matches a ``*`` only at a path's end: that is why a key's kind leads its name. Such a
prefix also covers what may be done to a key (``/rotate``, ``/config``); a ``+`` stands for one whole part and does not.
A cell's own keys (heads, requests) and marks are named whole: another cell of the zone cannot use them. Tenants' keys
carry no cell, because a bureau that moves takes its stored files along.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from saas.env import Process, Zone


class Capability(enum.StrEnum):
    """Vault's capabilities this product uses."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    LIST = "list"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rule:
    """One path and what may be done on it. `forbidden_parameters` are refused whatever their value."""

    path: str
    capabilities: tuple[Capability, ...]
    forbidden_parameters: tuple[str, ...] = field(default=())


READ = (Capability.READ,)
USE = (Capability.UPDATE,)
MAKE = (Capability.CREATE, Capability.UPDATE)
OWN = (Capability.CREATE, Capability.UPDATE, Capability.READ, Capability.DELETE)
NEVER = (Capability.DENY,)
# A key made by a process can neither be exported later nor have been known before (import).
_SECRET_FOR_EVER = ("exportable", "allow_plaintext_backup", "ciphertext", "public_key", "auto_rotate_period")

_EVERYBODY = (Rule("{transit}/export/*", NEVER), Rule("{transit}/backup/*", NEVER), Rule("sys/raw/*", NEVER))
_WRAP = (
    Rule("{transit}/datakey/plaintext/wrap-*", USE),
    Rule("{transit}/encrypt/wrap-*", USE),
    Rule("{transit}/decrypt/wrap-*", USE),
)
# Public halves, to verify with; a symmetric key shows only its versions here.
_SEALS_PUBLIC = (Rule("{transit}/keys/seal-*", READ),)
_PUBLIC = (
    Rule("{transit}/keys/sign-*", READ),
    Rule("{transit}/keys/audit-head-{cell}", READ),
    Rule("{pki}/cert/ca", READ),
    Rule("{pki}/cert/crl", READ),
    Rule("{marks}/data/books/*", READ),
)
_COMMANDS_PUBLIC = (Rule("transit-management/keys/commands", READ),)
_SIGN = (Rule("{transit}/sign/seal-*", USE), Rule("{transit}/sign/sign-*", USE))
# A seal's key is made and read, never rotated or configured: its certificate is of one version. No rule may begin with
# keys/seal-, for the longer prefix would be taken before the +; the kinds that jobs do not make are denied instead.
_SEAL_KEYS = (
    Rule("{transit}/keys/+", (*MAKE, Capability.READ), _SECRET_FOR_EVER),
    Rule("{transit}/keys/wrap-*", NEVER),
    Rule("{transit}/keys/audit-head-*", NEVER),
    Rule("{transit}/keys/cell-*", NEVER),
)
_SEAL_MAKING = (
    Rule("{pki}/sign/*", USE),
    Rule("{pki}/revoke", USE),
    Rule("{marks}/data/books/*", (*MAKE, Capability.READ)),
)
_SIGN_HEADS = (
    Rule("{transit}/sign/audit-head-{cell}", USE),
    Rule("{transit}/keys/audit-head-{cell}", READ),
    Rule("{marks}/data/heads/{cell}/*", (*MAKE, Capability.READ)),
)
_TENANT_KEYS = (
    Rule("{transit}/keys/wrap-*", OWN, _SECRET_FOR_EVER),
    Rule("{transit}/keys/sign-*", OWN, _SECRET_FOR_EVER),
    Rule("{transit}/keys/seal-*", OWN, _SECRET_FOR_EVER),
    Rule("{transit}/keys", (Capability.LIST,)),
    Rule("{pki}/roles/*", OWN),
    Rule("{transit}/keys/cell-{zone}-{cell}", READ),
    Rule("{transit}/sign/cell-{zone}-{cell}", USE),
    Rule("{marks}/metadata/books/*", (Capability.LIST, Capability.DELETE)),
    *_SIGN_HEADS,
)
_SIGN_COMMANDS = (
    Rule("transit-management/sign/commands", USE),
    Rule("transit-management/keys/commands", READ),
)
# Management verifies the requests of cells; which cells there are is decided where their keys are made.
_CELLS_PUBLIC = tuple(Rule(f"transit-{zone}/keys/cell-*", READ) for zone in (Zone.INTRANET, Zone.EXTRANET))

_IN_CELL: Mapping[Process, tuple[Rule, ...]] = {
    Process.WEB: (*_EVERYBODY, *_WRAP, *_PUBLIC, *_SEALS_PUBLIC),
    Process.JOBS: (*_EVERYBODY, *_WRAP, *_PUBLIC, *_SIGN, *_SEAL_KEYS, *_SEAL_MAKING),
    Process.AGENT: (*_EVERYBODY, *_TENANT_KEYS, *_COMMANDS_PUBLIC),
    # An operator at the cell's own machine: loads documents, sets a demo up, verifies trails.
    Process.CLI: (*_EVERYBODY, *_WRAP, *_PUBLIC, *_SIGN, *_SEAL_MAKING, *_TENANT_KEYS, *_COMMANDS_PUBLIC),
}
_IN_MANAGEMENT: Mapping[Process, tuple[Rule, ...]] = {
    Process.WEB: (*_EVERYBODY, *_WRAP, *_SIGN_COMMANDS, *_CELLS_PUBLIC),
    Process.JOBS: (*_EVERYBODY, *_WRAP),
    Process.AGENT: (*_EVERYBODY, *_SIGN_HEADS),
    Process.CLI: (*_EVERYBODY, *_WRAP, *_SIGN_COMMANDS, *_SIGN_HEADS, *_CELLS_PUBLIC),
}
TABLE: Mapping[Zone, Mapping[Process, tuple[Rule, ...]]] = {
    Zone.INTRANET: _IN_CELL,
    Zone.EXTRANET: _IN_CELL,
    Zone.MANAGEMENT: _IN_MANAGEMENT,
}


def transit_mount(zone: Zone) -> str:
    """The transit engine of a zone."""
    return f"transit-{zone}"


def pki_mount(zone: Zone) -> str:
    """The authority that issues the seal certificates of a zone."""
    return f"pki-seals-{zone}"


def marks_mount(zone: Zone) -> str:
    """The versioned store of a zone's high-water marks."""
    return f"marks-{zone}"


def role_name(zone: Zone, cell: str, process: Process) -> str:
    """The AppRole, and policy, of a kind of process of a cell."""
    return f"{zone}-{cell}-{process}"


def rules(zone: Zone, cell: str, process: Process) -> dict[str, Rule]:
    """The table's rules for a cell, by path; one path's capabilities are united, its refusals kept."""
    places = {"transit": transit_mount(zone), "pki": pki_mount(zone), "marks": marks_mount(zone)}
    united: dict[str, Rule] = {}
    for rule in TABLE[zone][process]:
        path = rule.path.format(zone=zone, cell=cell, **places)
        before = united.get(path, Rule(path, ()))
        capabilities = sorted({*before.capabilities, *rule.capabilities})
        forbidden = sorted({*before.forbidden_parameters, *rule.forbidden_parameters})
        united[path] = Rule(path, tuple(capabilities), tuple(forbidden))
    return united


def render(zone: Zone, cell: str, process: Process) -> str:
    """The Vault policy of a kind of process of a cell, as the JSON that Vault reads beside HCL."""
    paths: dict[str, dict[str, object]] = {}
    for path, rule in rules(zone, cell, process).items():
        paths[path] = {"capabilities": list(rule.capabilities)}
        if rule.forbidden_parameters:
            paths[path]["denied_parameters"] = {name: [] for name in rule.forbidden_parameters}
    return json.dumps({"path": paths}, indent=1, sort_keys=True)
