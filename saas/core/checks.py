"""``manage.py check --deploy``: says what a real installation lacks or has unsafe, each with what to do."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Doubt
from django.db import DatabaseError, connection

from saas.env import Environment, Process, Zone, env

_FONT_FILES = (".otf", ".ttf", ".ttc", ".otc")
_LOG_SETTINGS = (
    "log_error_verbosity",
    "log_parameter_max_length_on_error",
    "log_parameter_max_length",
    "log_statement",
    "log_min_duration_statement",
)
_SAFE_TLS = frozenset({"require", "verify-ca", "verify-full"})


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def findings(given: Environment) -> Iterator[CheckMessage]:
    """What is wrong with `given` for people's real documents."""
    yield from _reached(given)
    yield from _kept(given)
    if given.zone is not Zone.MANAGEMENT and given.process is not Process.AGENT:
        yield from _folders(given)


def _reached(given: Environment) -> Iterator[CheckMessage]:
    """How users and Vault are reached."""
    if given.debug or given.demo:
        yield Error("DEBUG or DEMO is on", hint="Unset DEBUG and DEMO.", id="yunshu.E001")
    if given.public_scheme != "https":
        yield Error(
            "users are not reached over TLS", hint="Set PUBLIC_SCHEME=https behind the load balancer.", id="yunshu.E002"
        )
    if given.host_suffix == "localhost":
        yield Error("HOST_SUFFIX is localhost", hint="Set it to the cloud's domain.", id="yunshu.E003")
    if urlsplit(given.vault_addr).scheme != "https" and not _is_local(given.vault_addr):
        yield Error("Vault is reached without TLS", hint="Give VAULT_ADDR an https address.", id="yunshu.E004")


def _kept(given: Environment) -> Iterator[CheckMessage]:
    """Where data is kept, and who may reach it."""
    for name, url in (("DATABASE_URL", given.database_url), ("OWNER_DATABASE_URL", given.owner_database_url)):
        mode = parse_qs(urlsplit(url).query).get("sslmode", [""])[0]
        if url and not _is_local(url) and mode not in _SAFE_TLS:
            yield Error(f"{name} does not ask for TLS", hint="Append ?sslmode=verify-full.", id="yunshu.E005")
    if given.owner_database_url and given.process in {Process.WEB, Process.JOBS}:
        yield Error(
            "a web or job process holds the owner's login",
            hint="Give OWNER_DATABASE_URL to the agent and to migrations alone.",
            id="yunshu.E006",
        )
    if not given.s3_endpoint_url:
        yield Doubt("files lie on this machine's disk", hint="Set S3_ENDPOINT_URL and its keys.", id="yunshu.W001")
    elif not given.s3_access_key_id or not given.s3_secret_access_key:
        yield Error("S3 has no keys", hint="Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.", id="yunshu.E007")
    if not given.metrics_port and given.process is not Process.CLI:
        yield Doubt("nothing is measured", hint="Set METRICS_PORT.", id="yunshu.W002")


def _folders(given: Environment) -> Iterator[CheckMessage]:
    """The folders that documents are set and kept with."""
    folder = given.files_root
    if not given.s3_endpoint_url and not (folder.is_absolute() and folder.is_dir() and os.access(folder, os.W_OK)):
        yield Error(
            "FILES_ROOT is no folder this process may write",
            hint="Make the folder, give it to the process's account, and name it by its whole path.",
            id="yunshu.E008",
        )
    if not any(path.suffix.lower() in _FONT_FILES for path in given.fonts_folder.rglob("*")):
        yield Error(
            "FONTS_FOLDER holds no fonts", hint="Name the folder with 仿宋, 黑体, 楷体, 宋体, 小标宋.", id="yunshu.E009"
        )


def server_findings(shown: Mapping[str, str]) -> Iterator[CheckMessage]:
    """What of people's content the database server would write into its own log.

    Args:
        shown: its settings, as SHOW tells them.
    """
    if shown["log_error_verbosity"] != "terse":
        yield Doubt(
            "the server's log quotes rows of bureaus in the DETAIL of errors",
            hint="Set log_error_verbosity = terse on the PostgreSQL server.",
            id="yunshu.W003",
        )
    statements = shown["log_statement"] in {"mod", "all"} or shown["log_min_duration_statement"] != "-1"
    if shown["log_parameter_max_length_on_error"] != "0" or (statements and shown["log_parameter_max_length"] != "0"):
        yield Doubt(
            "the server's log holds the values of statements, which are bureaus' content",
            hint="Set log_parameter_max_length = 0 and log_parameter_max_length_on_error = 0 on the PostgreSQL server.",
            id="yunshu.W004",
        )


@register(Tags.security, deploy=True)
def check_server(**_options: Any) -> list[CheckMessage]:
    """Django's hook: asks the server this process works with."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(_LOG_SETTINGS)]
            )
            shown = dict(cursor.fetchall())
    except DatabaseError:
        hint = "Run the check again where DATABASE_URL can be reached."
        return [Doubt("the database does not answer: what its log holds is unknown", hint=hint, id="yunshu.W005")]
    return list(server_findings(shown))


@register(Tags.security, deploy=True)
def check_environment(**_options: Any) -> list[CheckMessage]:
    """Django's hook: runs with ``--deploy`` only."""
    return list(findings(env))
