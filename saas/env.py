"""Reads the process's environment once, typed, and names every wrong variable at start."""

from __future__ import annotations

import enum
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

_LAST_PORT = 65_535


class Zone(enum.StrEnum):
    """A security domain; a process belongs to exactly one."""

    INTRANET = "intranet"
    EXTRANET = "extranet"
    MANAGEMENT = "management"


class Process(enum.StrEnum):
    """What a process does; its database login and Vault role follow from it."""

    WEB = "web"
    JOBS = "jobs"
    AGENT = "agent"
    CLI = "cli"


class EnvironmentInvalid(SystemExit):
    """One or more environment variables are missing or wrong; the message names each and what it should be."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("环境变量有误 / wrong environment:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


def _zone(value: str) -> Zone:
    return Zone(value)


def _process(value: str) -> Process:
    return Process(value)


def _cell(value: str) -> str:
    if not value.replace("-", "").isalnum() or not value.isascii() or len(value) > 20:
        raise ValueError
    return value


def _port_holds(parts: SplitResult) -> bool:
    """Whether an address has no port or one that can be; it is read only when asked for."""
    return parts.port is None or parts.port <= _LAST_PORT


def _postgres(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ValueError
    if not parts.username or not _port_holds(parts):
        raise ValueError
    return value


def _http(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _port_holds(parts):
        raise ValueError
    return value.rstrip("/")


def _scheme(value: str) -> str:
    if value not in {"http", "https"}:
        raise ValueError
    return value


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError
    return value


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError
    return value.strip()


def _flag(value: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[value.lower()]


def _whole(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def _port(value: str) -> int:
    number = _whole(value)
    if number > _LAST_PORT:
        raise ValueError
    return number


def _host_suffix(value: str) -> str:
    if not value or value.startswith(".") or "/" in value or ":" in value:
        raise ValueError
    return value.lower()


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(item.strip()) for item in value.split(","))


def _variable(parse: Callable[[str], Any], expects: str, default: Any = ...) -> Any:
    metadata = {"parse": parse, "expects": expects, "default": default}
    return field(metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Everything the process is told from outside. The attribute is the variable's name in lower case."""

    zone: Zone = _variable(_zone, "one of intranet, extranet, management")
    cell: str = _variable(_cell, "letters, digits and dashes, at most 20", "c1")
    process: Process = _variable(_process, "one of web, jobs, agent, cli", Process.CLI)
    database_url: str = _variable(_postgres, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    owner_database_url: str = _variable(
        _postgres, "postgresql://OWNER:PASSWORD@HOST:PORT/DATABASE (agent and migrations only)", ""
    )
    secret_key: str = _variable(_secret, "a random text of at least 32 characters")
    vault_addr: str = _variable(_http, "http(s)://HOST:PORT of a Vault or OpenBao")
    vault_role_id: str = _variable(_text, "the role id of this process kind's AppRole")
    vault_secret_id: str = _variable(_text, "the secret id of this process kind's AppRole")
    s3_endpoint_url: str = _variable(_http, "http(s)://HOST:PORT of an S3 service, or unset for files on disk", "")
    s3_bucket: str = _variable(_text, "the bucket of this zone", "yunshu")
    s3_access_key_id: str = _variable(_text, "an S3 access key id", "")
    s3_secret_access_key: str = _variable(_text, "an S3 secret access key", "")
    s3_region: str = _variable(_text, "an S3 region name", "us-east-1")
    files_root: Path = _variable(Path, "a folder this process may write, when S3 is not used", Path())
    host_suffix: str = _variable(_host_suffix, "a host name without port, e.g. gov.example.cn", "localhost")
    public_port: int = _variable(_port, "the port users reach this zone at (0 for the scheme's own)", 0)
    public_scheme: str = _variable(_scheme, "http (demo on localhost only) or https", "https")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _variable(
        _networks, "addresses or networks of our own load balancers, separated by commas", ()
    )
    management_url: str = _variable(_http, "http(s)://HOST:PORT of the management zone", "")
    fonts_folder: Path = _variable(
        Path, "the folder with the document fonts (仿宋, 黑体, 楷体, 宋体, 小标宋)", Path("/usr/share/fonts")
    )
    metrics_port: int = _variable(_port, "a port for metrics, 0 for none", 0)
    run_folder: Path = _variable(Path, "a folder for sockets, metrics files and logs", Path(tempfile.gettempdir()))
    debug: bool = _variable(_flag, "true or false", False)
    demo: bool = _variable(_flag, "true or false", False)


def read(source: Mapping[str, str]) -> Environment:
    """Parse `source`.

    Raises:
        EnvironmentInvalid: names every missing or malformed variable at once.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in fields(Environment):
        name = item.name.upper()
        raw = source.get(name, "")
        if not raw:
            if item.metadata["default"] is ...:
                problems.append(f"{name} 未设置，应为 / is not set; it should be: {item.metadata['expects']}")
            else:
                values[item.name] = item.metadata["default"]
            continue
        try:
            values[item.name] = item.metadata["parse"](raw)
        except (ValueError, KeyError):
            # The value itself may be a secret: it is not repeated.
            problems.append(f"{name} 的值无效，应为 / is wrong; it should be: {item.metadata['expects']}")
    if problems:
        raise EnvironmentInvalid(problems)
    return Environment(**values)


def load() -> Environment:
    """Read this process's environment, completed from the embedded stack when no real server is named."""
    source = dict(os.environ)
    if not source.get("DATABASE_URL") and not source.get("VAULT_ADDR"):
        from saas.embedded.environment import complete

        source = complete(source)
    return read(source)


env = load()
