"""What the figures of tenancy are measured on: many bureaus in the cell, and the peer's own database and process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql as compose

PEER_DATABASE = "yunshu_peer"
PEER_TENANTS = 10


def median_seconds(action: Callable[[], object], *, rounds: int) -> float:
    """The median time of `action` in seconds."""
    taken = []
    for _round in range(rounds):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return sorted(taken)[len(taken) // 2]


@contextmanager
def many_bureaus(count: int) -> Iterator[list[str]]:
    """`count` more schemas in the registry, made from the script alone: no keys, no accounts; removed at the end."""
    import uuid

    from tenants.database.base import OWNER_ALIAS
    from tenants.database.owner import owner_connection
    from tenants.models import Bureau, State
    from tenants.provisioning import create, scripts, sql

    _digest, script = scripts.whole_schema()
    schemas = [create.new_schema_name() for _number in range(count)]
    try:
        for number, schema in enumerate(schemas):
            create._make_schema(schema, script)
            Bureau.objects.using(OWNER_ALIAS).create(
                id=uuid.uuid4(),
                code=f"bench-{number}",
                name=f"第{number}单位",
                division_code="110101",
                level="county",
                state=State.ACTIVE,
                schema_name=schema,
            )
        yield schemas
    finally:
        with owner_connection() as owner:
            for schema in schemas:
                owner.execute(sql.drop(schema))
                owner.execute("DELETE FROM tenants_bureau WHERE schema_name = %s", [schema])


def superuser(database: str) -> psycopg.Connection[Any]:
    """The run's superuser in one of its databases."""
    from tests.stack import SUPERUSER_VARIABLE

    url = psycopg.conninfo.make_conninfo(os.environ[SUPERUSER_VARIABLE], dbname=database)
    return psycopg.connect(url, autocommit=True)


@contextmanager
def peer_database() -> Iterator[dict[str, str]]:
    """An empty database of the same cluster for stock django-tenants; gives the environment of its process."""
    from urllib.parse import urlsplit, urlunsplit

    from saas.embedded.services import CELL
    from tenants.cell_database import prepare_database
    from tests.stack import zone

    owner = urlsplit(os.environ["OWNER_DATABASE_URL"])
    names = compose.Identifier(PEER_DATABASE), compose.Identifier(owner.username or "")
    with superuser("postgres") as connection:
        connection.execute(compose.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
        connection.execute(compose.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    with superuser(PEER_DATABASE) as connection:
        prepare_database(connection, zone=zone(), cell=CELL)
    url = urlunsplit(owner._replace(path=f"/{PEER_DATABASE}"))
    try:
        yield {
            **os.environ,
            "DATABASE_URL": url,
            "OWNER_DATABASE_URL": "",
            "PROCESS": "cli",
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.tenancy_peer_settings",
        }
    finally:
        with superuser("postgres") as connection:
            connection.execute(compose.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))


@contextmanager
def stock_schemas() -> Iterator[tuple[str, list[str]]]:
    """The peer's database with a few bureaus made by its own command, and with the apps a stock project installs."""
    with peer_database() as environment:
        made = _peer_process(["weigh"], {**environment, "PEER_APPS": "stock"})
        yield PEER_DATABASE, list(made["weigh"])


def peer(actions: Sequence[str]) -> dict[str, float]:
    """Run `actions` of `tenancy_peer` one after the other in a process of stock django-tenants; seconds by name."""
    with peer_database() as environment:
        return {name: float(seconds) for name, seconds in _peer_process(actions, environment).items()}


def _peer_process(actions: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.tenancy_peer", *actions],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        message = f"the peer failed:\n{done.stderr[-3000:]}"
        raise RuntimeError(message)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
