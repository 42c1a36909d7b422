"""Prepares a cell's (or management's) database: roles, database, schemas and what is taken from PUBLIC.

Plain psycopg, no Django: it runs before any process of the zone can have settings.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tenants.grants import app_role, group_role, owner_role

DATABASE = "yunshu"
# What a bureau's role must not run; the logins need set_config when a driver connects.
_FROM_PUBLIC = (
    "pg_catalog.set_config(text, text, boolean)",
    "pg_catalog.lo_creat(integer)",
    "pg_catalog.lo_create(oid)",
    "pg_catalog.lo_from_bytea(oid, bytea)",
)


# Locks have no owner: whoever guesses the number of the sealer's, the ticker's or the migrations' keeps them waiting.
_LOCKS = (
    "SELECT oid::regprocedure::text FROM pg_proc "
    "WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_'"
)


def _login(connection: psycopg.Connection[Any], name: str, password: str, attributes: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    statement = "ALTER ROLE {} {} PASSWORD {}" if exists else "CREATE ROLE {} {} PASSWORD {}"
    connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.SQL(attributes), sql.Literal(password)))


def initialise(superuser_conninfo: str, *, zone: str, cell: str, owner_password: str, app_password: str) -> None:
    """Create or bring up to date what a zone's processes need before migrations; may be repeated.

    Args:
        superuser_conninfo: of any database of the cluster.
        zone: the zone's name, part of the role names.
        cell: the cell's name, part of the role names.
        owner_password: of the login that owns the schemas.
        app_password: of the login of web and job processes.

    Raises:
        psycopg.Error: the server refused; a repeat goes on where it stopped.
    """
    owner, app, group = (make(zone=zone, cell=cell) for make in (owner_role, app_role, group_role))
    with psycopg.connect(superuser_conninfo, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        _login(connection, owner, owner_password, "LOGIN CREATEROLE NOSUPERUSER NOCREATEDB")
        _login(connection, app, app_password, "LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [group]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(group)))
        connection.execute(
            sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(sql.Identifier(group), sql.Identifier(owner))
        )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(owner))
            )
    with psycopg.connect(
        make_conninfo(superuser_conninfo, dbname=DATABASE), autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as connection:
        prepare_database(connection, zone=zone, cell=cell)


def prepare_database(connection: psycopg.Connection[Any], *, zone: str, cell: str) -> None:
    """Set schemas, defaults and privileges of one database; roles must exist.

    Args:
        connection: the superuser's, to the database itself.
        zone: as in `initialise`.
        cell: as in `initialise`.
    """
    owner, app, group = (sql.Identifier(make(zone=zone, cell=cell)) for make in (owner_role, app_role, group_role))
    row = connection.execute("SELECT current_database()").fetchone()
    names = {"db": sql.Identifier(row[0] if row else DATABASE), "owner": owner, "app": app, "group": group}

    def run(statement: str, **more: sql.Composable) -> None:
        connection.execute(sql.SQL(statement).format(**names, **more))

    run("REVOKE ALL ON DATABASE {db} FROM PUBLIC")
    run("GRANT CONNECT ON DATABASE {db} TO {owner}, {app}")
    run("GRANT CREATE, TEMPORARY ON DATABASE {db} TO {owner}")
    # Set as a default so a fresh session of the login stands where a reset one does.
    run("ALTER ROLE {app} IN DATABASE {db} SET search_path = public, cell")
    run("ALTER ROLE {owner} IN DATABASE {db} SET search_path = public, cell")
    run("ALTER SCHEMA public OWNER TO {owner}")
    run("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for schema in ("cell", "extensions"):
        run("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}", schema=sql.Identifier(schema))
    run("GRANT USAGE ON SCHEMA public, cell, extensions TO {app}")
    run("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT ON TABLES TO {app}")
    # What all bureaus share is read through functions that know the caller; a table is opened by its own migration.
    run("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA cell REVOKE SELECT ON TABLES FROM {app}")
    if zone == "management":
        _open_to_app(run)
    run("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    for function in _FROM_PUBLIC:
        run("REVOKE EXECUTE ON FUNCTION {f} FROM PUBLIC", f=sql.SQL(function))
        run("GRANT EXECUTE ON FUNCTION {f} TO {owner}", f=sql.SQL(function))
    run("GRANT EXECUTE ON FUNCTION {f} TO {app}", f=sql.SQL(_FROM_PUBLIC[0]))
    for (function,) in connection.execute(_LOCKS).fetchall():
        run("REVOKE EXECUTE ON FUNCTION pg_catalog.{f} FROM PUBLIC", f=sql.SQL(function))
        run("GRANT EXECUTE ON FUNCTION pg_catalog.{f} TO {owner}, {app}", f=sql.SQL(function))
    # DO blocks run any statement in any protocol; triggers and functions of the owner go on working.
    run("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
    run("GRANT USAGE ON LANGUAGE plpgsql TO {owner}")
    run("REVOKE USAGE ON LANGUAGE sql FROM PUBLIC")
    run("GRANT USAGE ON LANGUAGE sql TO {owner}")


def _open_to_app(run: Any) -> None:
    """Management has no bureaus: its own tables stand in ``public`` and its processes write them."""
    for schema in ("public", "cell"):
        name = sql.Identifier(schema)
        run(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {s} "
            "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
            s=name,
        )
        run("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {s} GRANT USAGE ON SEQUENCES TO {app}", s=name)
