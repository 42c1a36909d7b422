"""Gives a process its environment from the running embedded stack: the variables a real site would set itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from saas.embedded import state
from saas.embedded.folders import cache_folder, stack_folder
from saas.embedded.processes import StackError
from saas.embedded.records import Ports, Secrets, read_json
from saas.embedded.services import CELL, ZONES
from tenants.cell_database import DATABASE
from tenants.grants import app_role, owner_role

VAULT_FILE = "vault.json"
PREFERRED_WEB_PORTS = {"intranet": 8000, "extranet": 8001, "management": 8002}
NOT_RUNNING = (
    "没有配置真实的服务器，自带的演示环境也没有运行：请先运行 make demo，或设置 DATABASE_URL、VAULT_ADDR 等变量。\n"
    "No real servers are named, and the embedded stack is not running: run `make demo` first, "
    "or set DATABASE_URL, VAULT_ADDR and the others."
)


def complete(source: Mapping[str, str]) -> dict[str, str]:
    """Return `source` with every variable it leaves open taken from the running stack.

    ZONE, CELL and PROCESS in `source` choose the logins; the owner's login is given to agent and cli alone.

    Raises:
        SystemExit: the stack does not run, or its passwords are another account's.
    """
    folder = stack_folder()
    zone, process = source.get("ZONE", ""), source.get("PROCESS") or "cli"
    if zone not in ZONES:
        return dict(source)  # saas.env names what is wrong with it.
    try:
        if not state.supervisor_pid(folder) or not Secrets(folder / "secrets.json").path.exists():
            sys.exit(NOT_RUNNING)
        found = variables(folder, zone=zone, cell=source.get("CELL") or CELL, process=process)
    except StackError as error:
        sys.exit(f"{NOT_RUNNING}\n{error}")
    return {**found, **{name: value for name, value in source.items() if value}}


def variables(folder: Path, *, zone: str, cell: str, process: str) -> dict[str, str]:
    """Return the environment of one process of a stack.

    Args:
        folder: the stack's folder.
        zone: intranet, extranet or management.
        cell: the cell's name.
        process: web, jobs, agent or cli.
    """
    secrets, ports = Secrets(folder / "secrets.json"), Ports(folder / "ports.json")
    host = f"127.0.0.1:{ports.known(f'postgres.{zone}')}"

    def login(role: str, kind: str) -> str:
        password = quote(secrets.get(f"database.{zone}.{cell}.{kind}"), safe="")
        return f"postgresql://{role}:{password}@{host}/{DATABASE}"

    # Before vault_setup has made the AppRoles nobody can sign in; the variables must be there all the same.
    approle = read_json(folder / VAULT_FILE).get("approles", {}).get(f"{zone}-{cell}-{process}", {})

    files, run = folder / "files" / zone, folder / "run" / zone
    for needed in (files, run):
        needed.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = {
        "ZONE": zone,
        "CELL": cell,
        "PROCESS": process,
        "DATABASE_URL": login(app_role(zone=zone, cell=cell), "app"),
        "SECRET_KEY": secrets.get(f"django.{zone}"),
        "VAULT_ADDR": f"http://127.0.0.1:{ports.known('vault')}",
        "VAULT_ROLE_ID": approle.get("role_id", "none-yet"),
        "VAULT_SECRET_ID": approle.get("secret_id", "none-yet"),
        "FILES_ROOT": str(files),
        "RUN_FOLDER": str(run),
        "HOST_SUFFIX": "localhost",
        "PUBLIC_SCHEME": "http",
        "PUBLIC_PORT": str(ports.known(f"web.{zone}")),
        "MANAGEMENT_URL": f"http://127.0.0.1:{ports.known('web.management')}",
        "DEMO": "true",
    }
    fonts = cache_folder() / "fonts"
    if fonts.is_dir():
        found["FONTS_FOLDER"] = str(fonts)
    if process in {"agent", "cli"}:
        found["OWNER_DATABASE_URL"] = login(owner_role(zone=zone, cell=cell), "owner")
    return found
