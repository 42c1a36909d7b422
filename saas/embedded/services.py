"""The services the product stands on, as one unit: PostgreSQL clusters by zone, and OpenBao on one of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from saas.embedded.openbao import OpenBao
from saas.embedded.postgres import Cluster
from saas.embedded.processes import is_reachable, service_account
from saas.embedded.records import Ports, Secrets
from tenants.cell_database import initialise

ZONES = ("intranet", "extranet", "management")
VAULT = "vault"
CELL = "c1"
_SMALL = {"shared_buffers": "16MB", "max_connections": "40", "max_wal_size": "128MB"}


@dataclass(slots=True)
class Services:
    """PostgreSQL and OpenBao of one stack in one folder.

    Args:
        folder: the stack's folder.
        zones: the zones that get a cluster.
        settings: PostgreSQL settings for every cluster.
    """

    folder: Path
    zones: tuple[str, ...] = ZONES
    settings: dict[str, str] = field(default_factory=dict)
    secrets: Secrets = field(init=False)
    ports: Ports = field(init=False)
    clusters: dict[str, Cluster] = field(init=False)
    vault: OpenBao = field(init=False)

    def __post_init__(self) -> None:
        prepare(self.folder)
        self.secrets = Secrets(self.folder / "secrets.json")
        self.ports = Ports(self.folder / "ports.json")
        # Resolved: the services' account could not follow the link out of a closed folder.
        root = (self.folder / "services").resolve()
        self.clusters = {
            name: Cluster(
                name=name,
                folder=root / f"postgres-{name}",
                log=self.folder / "log" / f"postgres-{name}.log",
                password=self.secrets.get(f"postgres.{name}"),
                settings=self.settings if name in self.zones else {**_SMALL, **self.settings},
            )
            for name in (*self.zones, VAULT)
        }
        self.vault = OpenBao(
            folder=root / "openbao",
            log=self.folder / "log" / "openbao.log",
            database_url="",
            seal_secret=self.secrets.get("vault.seal"),
            bootstrap_secret=self.secrets.get("vault.bootstrap"),
        )

    def start_databases(self) -> None:
        """Start every cluster; make OpenBao's database where it is missing."""
        for name, cluster in self.clusters.items():
            cluster.port = self.ports.choose(f"postgres.{name}")
            cluster.start()
        self._vault_database()

    def initialise_cells(self) -> None:
        """Make each zone's database, roles and privileges where they are missing."""
        for zone in self.zones:
            initialise(
                self.clusters[zone].url(),
                zone=zone,
                cell=CELL,
                owner_password=self.secrets.get(f"database.{zone}.{CELL}.owner"),
                app_password=self.secrets.get(f"database.{zone}.{CELL}.app"),
            )

    def start_vault(self) -> None:
        """Start OpenBao; the first time it initialises itself."""
        storage = self.clusters[VAULT]
        self.vault.database_url = storage.url(database=VAULT, user=VAULT, password=self.secrets.get("vault.storage"))
        self.vault.port = self.ports.choose("vault")
        self.vault.start()

    def stop(self) -> None:
        """End OpenBao, then the clusters it and the product stand on."""
        self.vault.stop()
        for cluster in self.clusters.values():
            cluster.stop()

    def _vault_database(self) -> None:
        password = self.secrets.get("vault.storage")
        with psycopg.connect(self.clusters[VAULT].url(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [VAULT]).fetchone():
                statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(VAULT), sql.Literal(password)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [VAULT]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(VAULT)))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(VAULT)))


def prepare(folder: Path) -> None:
    """Make the stack's folder; its services live inside, or, where their account could not reach it, beside it.

    As root the services run as another account. Below a closed folder (root's home) that account cannot work,
    so the services' data goes to /var/lib/yunshu and a link stands in its place.
    """
    account = service_account()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700 if account is None else 0o711)
    (folder / "log").mkdir(exist_ok=True)
    (folder / "log").chmod(0o700)
    services = folder / "services"
    if services.is_symlink():
        services.resolve().mkdir(parents=True, exist_ok=True)
        return
    if is_reachable(services, account):
        services.mkdir(exist_ok=True)
        services.chmod(0o700 if account is None else 0o711)
        return
    _place_outside(services)


def _place_outside(services: Path) -> None:
    from secrets import token_hex

    target = Path("/var/lib/yunshu") / f"stack-{token_hex(6)}"
    target.parent.mkdir(parents=True, exist_ok=True)
    if services.exists():
        shutil.move(services, target)
    else:
        target.mkdir()
    target.chmod(0o711)
    services.symlink_to(target)


def remove(folder: Path) -> None:
    """Delete a stopped stack, wherever its services' data is."""
    services = folder / "services"
    if services.is_symlink():
        shutil.rmtree(services.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=False)
