"""Pytest plugin, loaded before Django's settings: gives the run real PostgreSQL and OpenBao with two bureaus in them.

The prepared state is built once per state of the migrations and provisioning code, kept stopped in the system's
temporary folder, and each run works on a copy of it: runs cannot see each other, and a start takes a second.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from saas.embedded.environment import VAULT_FILE, variables
from saas.embedded.folders import cache_folder
from saas.embedded.processes import spawn
from saas.embedded.services import CELL, Services, remove
from tenants.cell_database import DATABASE, prepare_database

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER_VARIABLE = "YUNSHU_TEST_FOLDER"
SUPERUSER_VARIABLE = "YUNSHU_TEST_SUPERUSER_URL"
# Nothing here must survive a power cut, and the machine is shared with others.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "32MB"}
# Figures are taken with the product's own settings; whoever wants them sets this before importing this module.
AS_SHIPPED_VARIABLE = "YUNSHU_TEST_AS_SHIPPED"
_SOURCES = (
    "**/migrations/*.py",
    "tenants/**/*.py",
    "saas/core/cell/*.py",
    "saas/core/keys/*.py",
    "saas/embedded/*.py",
    "saas/settings.py",
    "saas/env.py",
    "tests/stack*.py",
)
_KEPT_STATES = 4


def zone() -> str:
    """The zone this run is about: management only when ZONE says so."""
    return "management" if os.environ.get("ZONE") == "management" else "intranet"


def _base() -> Path:
    base = Path(tempfile.gettempdir()) / f"yunshu-test-{os.geteuid()}"
    base.mkdir(mode=0o711, exist_ok=True)
    status = base.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        message = f"{base} belongs to somebody else"
        raise RuntimeError(message)
    return base


def _digest() -> str:
    state = hashlib.sha256(zone().encode())
    files = {
        path
        for top in ("saas", "tenants", "tests", "billing")
        for pattern in _SOURCES
        for path in (CHECKOUT / top).glob(pattern.removeprefix(f"{top}/"))
        if pattern.startswith(("**", f"{top}/"))
    }
    for path in sorted(files):
        state.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes())
    return state.hexdigest()[:16]


def _services(folder: Path) -> Services:
    settings = {} if os.environ.get(AS_SHIPPED_VARIABLE) else FAST
    return Services(folder, zones=(zone(),), settings=settings)


def _environment(folder: Path, process: str) -> dict[str, str]:
    found = variables(folder, zone=zone(), cell=CELL, process=process)
    operator = variables(folder, zone=zone(), cell=CELL, process="cli")
    # Tests call services of web, jobs and agent alike, so the operator's login and Vault role are there too.
    shared = {name: operator[name] for name in ("OWNER_DATABASE_URL", "VAULT_ROLE_ID", "VAULT_SECRET_ID")}
    return {**found, **shared, "FONTS_FOLDER": str(cache_folder() / "fonts")}


def _run(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    process = spawn([sys.executable, *arguments], log=log, environment={**os.environ, **environment}, folder=CHECKOUT)
    if process.wait() != 0:
        message = f"the test stack could not be prepared: {' '.join(arguments)}\n{log.read_text(errors='replace')}"
        raise SystemExit(message[-6000:])


def _build(folder: Path) -> None:
    """Start an empty stack, bring it to the state every run begins with, stop it."""
    services = _services(folder)
    log = folder / "log" / "build.log"
    try:
        services.start_databases()
        services.initialise_cells()
        services.start_vault()
        setup = _environment(folder, "cli") | {"VAULT_TOKEN": services.vault.bootstrap_token()}
        credentials = str(folder / VAULT_FILE)
        _run(["manage.py", "vault_setup", "--zones", zone(), "--credentials-file", credentials], setup, log)
        _run(["-m", "tests.stack_build"], _environment(folder, "cli"), log)
    finally:
        services.stop()
    (folder / "ports.json").unlink(missing_ok=True)


def _prepared() -> Path:
    """Return the stopped, prepared stack for the present code, building it if need be."""
    base = _base()
    wanted = base / f"{zone()}-{_digest()}"
    with (base / f"{zone()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            making = base / f"{zone()}-making-{os.getpid()}"
            try:
                _build(making)
                making.rename(wanted)
            finally:
                if making.exists():
                    remove(making)
        os.utime(wanted)
        states = sorted(base.glob(f"{zone()}-{'[0-9a-f]' * 16}"), key=lambda path: path.stat().st_mtime)
        for old in states[:-_KEPT_STATES]:
            remove(old)
        _forget_dead_runs(base)
        run = base / f"run-{os.getpid()}"
        # cp keeps owners, which Python's copy does not: the servers' files belong to another account under root.
        subprocess.run(["cp", "-a", "--reflink=auto", wanted, run], check=True)
    return run


def _forget_dead_runs(base: Path) -> None:
    for folder in [*base.glob("run-*"), *base.glob("*-making-*")]:
        pid = folder.name.rpartition("-")[2]
        if not Path(f"/proc/{pid}").exists():
            with contextlib.suppress(OSError):
                remove(folder)


def _start() -> None:
    folder = _prepared()
    services = _services(folder)
    atexit.register(_end, services, os.getpid())
    services.start_databases()
    services.start_vault()
    os.environ.update(_environment(folder, "web"))
    os.environ[FOLDER_VARIABLE] = str(folder)
    os.environ[SUPERUSER_VARIABLE] = services.clusters[zone()].url()


def _end(services: Services, starter: int) -> None:
    if os.getpid() == starter:  # A forked child must not take the stack with it.
        services.stop()
        shutil.rmtree(services.folder, ignore_errors=True)


def _own_database(worker: str) -> None:
    """Give an xdist worker a database of its own, copied from the prepared one."""
    name = f"{DATABASE}_{worker}"
    owner = urlsplit(os.environ["OWNER_DATABASE_URL"]).username or ""
    superuser = os.environ[SUPERUSER_VARIABLE]
    with psycopg.connect(superuser, autocommit=True) as connection:
        # One copy at a time: nobody may be connected to the original meanwhile.
        connection.execute("SELECT pg_advisory_lock(1)")
        names = [sql.Identifier(part) for part in (name, DATABASE, owner)]
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*names))
    with psycopg.connect(_with_database(superuser, name), autocommit=True) as connection:
        prepare_database(connection, zone=zone(), cell=CELL)
    for variable in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        os.environ[variable] = _with_database(os.environ[variable], name)


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def start_for_benchmarks() -> None:
    """Make Django ready on the stack that importing this module has started."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
    django.setup()


os.environ["ZONE"] = zone()
if "PYTEST_XDIST_WORKER" in os.environ:
    _own_database(os.environ["PYTEST_XDIST_WORKER"])
elif FOLDER_VARIABLE not in os.environ:
    _start()
