"""The one list of what a bureau's role may touch outside its own schema, and of what it may not inside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege of the group every bureau's role belongs to; skipped while its object does not exist."""

    privilege: str
    on: str
    why: str


# Everything a bureau's role reaches in common schemas. Nothing else is granted to it there.
COMMON: tuple[Grant, ...] = (
    Grant("USAGE", "SCHEMA cell", "to name what follows"),
    Grant("USAGE", "SCHEMA extensions", "operators and functions of extensions"),
    Grant("EXECUTE", "FUNCTION cell.enqueue(text, text, text, jsonb, timestamptz)", "ask for a job as itself"),
    Grant("EXECUTE", "FUNCTION cell.my_failed_jobs()", "see its own failed jobs"),
    Grant("EXECUTE", "FUNCTION cell.repeat_my_job(bigint)", "repeat its own failed jobs"),
    Grant("EXECUTE", "FUNCTION cell.calendar()", "count limits in working days"),
    Grant("EXECUTE", "FUNCTION cell.change_my_appearance(text, text, text)", "say how its own pages look"),
    Grant("EXECUTE", "FUNCTION cell.exchange_bureaus()", "know whom it can write to"),
    Grant("EXECUTE", "FUNCTION cell.exchange_post(uuid, text, text, text, text, text)", "send as itself"),
    Grant("EXECUTE", "FUNCTION cell.exchange_package(uuid)", "read a package addressed to it"),
    Grant("EXECUTE", "FUNCTION cell.exchange_taken(uuid, text, text)", "say that it has the package"),
    Grant("EXECUTE", "FUNCTION cell.exchange_waiting()", "know which files are on their way to it"),
)
# Inside its schema a role has SELECT, INSERT, UPDATE, DELETE on every table, but for these.
READ_ONLY_TABLES = ("django_migrations", "audit_link", "audit_head")
APPEND_ONLY_TABLES: tuple[str, ...] = ("audit_record", "seals_impression")


def group_role(*, zone: str, cell: str) -> str:
    """The role whose privileges every bureau's role inherits."""
    return f"yunshu_{zone}_{cell}_tenants"


def app_role(*, zone: str, cell: str) -> str:
    """The login of web and job processes."""
    return f"yunshu_{zone}_{cell}_app"


def owner_role(*, zone: str, cell: str) -> str:
    """The login that owns every schema and table; the agent's and the migrations', never a web process's."""
    return f"yunshu_{zone}_{cell}_owner"
