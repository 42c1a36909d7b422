"""`check --deploy` names what is missing or unsafe, and is content with a sound installation."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from django.core.checks import run_checks
from django.db import connection
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from saas.core.checks import findings, server_findings
from saas.env import EnvironmentInvalid, env, read
from tests.stack import SUPERUSER_VARIABLE

SOUND = {
    "ZONE": "intranet",
    "PROCESS": "web",
    "DATABASE_URL": "postgresql://app:x@db.example:5432/yunshu?sslmode=verify-full",
    "SECRET_KEY": "k" * 40,
    "VAULT_ADDR": "https://vault.example:8200",
    "VAULT_ROLE_ID": "r",
    "VAULT_SECRET_ID": "s",
    "S3_ENDPOINT_URL": "https://s3.example",
    "S3_ACCESS_KEY_ID": "a",
    "S3_SECRET_ACCESS_KEY": "b",
    "HOST_SUFFIX": "gov.example",
    "METRICS_PORT": "9100",
    "FONTS_FOLDER": str(env.fonts_folder),
}
QUIET = {
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_parameter_max_length": "-1",
    "log_statement": "ddl",
    "log_min_duration_statement": "-1",
}


def test_a_sound_installation_has_no_finding() -> None:
    assert list(findings(read(SOUND))) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"DEMO": "true"}, "yunshu.E001"),
        ({"PUBLIC_SCHEME": "http"}, "yunshu.E002"),
        ({"HOST_SUFFIX": "localhost"}, "yunshu.E003"),
        ({"VAULT_ADDR": "http://vault.example:8200"}, "yunshu.E004"),
        ({"DATABASE_URL": "postgresql://app:x@db.example/yunshu"}, "yunshu.E005"),
        ({"OWNER_DATABASE_URL": "postgresql://o:x@db.example/yunshu?sslmode=require"}, "yunshu.E006"),
        ({"S3_ENDPOINT_URL": "", "FILES_ROOT": str(env.files_root)}, "yunshu.W001"),
        ({"S3_ACCESS_KEY_ID": ""}, "yunshu.E007"),
        ({"METRICS_PORT": ""}, "yunshu.W002"),
        ({"FONTS_FOLDER": "/nowhere"}, "yunshu.E009"),
    ],
)
def test_what_is_unsafe_is_named(change: dict[str, str], expected: str) -> None:
    assert [found.id for found in findings(read({**SOUND, **change}))] == [expected]


def test_wrong_variables_are_named_all_at_once_and_never_repeated() -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read({**SOUND, "ZONE": "internet", "SECRET_KEY": "canary-short", "VAULT_ADDR": ""})
    assert len(refused.value.problems) == 3
    assert "canary-short" not in str(refused.value)


@pytest.mark.parametrize("folder", ["/nowhere", "", "files"])
def test_a_folder_for_files_that_is_not_there_is_named(folder: str) -> None:
    given = read({**SOUND, "S3_ENDPOINT_URL": "", "FILES_ROOT": folder})
    assert [found.id for found in findings(given)] == ["yunshu.W001", "yunshu.E008"]


def test_a_folder_without_fonts_is_named_where_documents_are_set(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("no font")
    empty = {**SOUND, "FONTS_FOLDER": str(tmp_path)}
    assert [found.id for found in findings(read(empty))] == ["yunshu.E009"]
    assert list(findings(read({**empty, "PROCESS": "agent"}))) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_SCHEME", "gopher"),
        ("DATABASE_URL", "postgresql://app:x@db.example:99999/yunshu"),
        ("DATABASE_URL", "postgresql://app:x@db.example:canary/yunshu"),
        ("VAULT_ADDR", "https://vault.example:99999"),
        ("METRICS_PORT", "65536"),
        ("PUBLIC_PORT", "99999"),
    ],
)
def test_a_scheme_or_port_that_is_none_is_named_at_start(name: str, value: str) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read({**SOUND, name: value})
    assert [problem.split()[0] for problem in refused.value.problems] == [name]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"log_error_verbosity": "default"}, ["yunshu.W003"]),
        ({"log_error_verbosity": "verbose"}, ["yunshu.W003"]),
        ({"log_parameter_max_length_on_error": "-1"}, ["yunshu.W004"]),
        ({"log_statement": "mod"}, ["yunshu.W004"]),
        ({"log_min_duration_statement": "250ms"}, ["yunshu.W004"]),
        ({"log_min_duration_statement": "250ms", "log_parameter_max_length": "0"}, []),
    ],
)
def test_a_servers_log_that_would_hold_content_is_named(change: dict[str, str], expected: list[str]) -> None:
    assert [found.id for found in server_findings({**QUIET, **change})] == expected


def logged() -> set[str]:
    """What the deployment check says of the server this process really works with."""
    found = {message.id for message in run_checks(tags=["security"], include_deployment_checks=True) if message.id}
    return found & {"yunshu.W003", "yunshu.W004", "yunshu.W005"}


def test_the_real_server_is_asked(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    app = sql.Identifier("yunshu_intranet_c1_app")
    with (
        django_db_blocker.unblock(),
        psycopg.connect(os.environ[SUPERUSER_VARIABLE], autocommit=True) as server,
    ):
        assert logged() == set()
        server.execute(sql.SQL("ALTER ROLE {} SET log_error_verbosity = 'default'").format(app))
        try:
            fresh_session()
            assert logged() == {"yunshu.W003"}
        finally:
            server.execute(sql.SQL("ALTER ROLE {} RESET log_error_verbosity").format(app))
            fresh_session()


def test_a_server_that_does_not_answer_is_one_doubt(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with django_db_blocker.unblock():
        fresh_session()
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")
        try:
            assert logged() == {"yunshu.W005"}
        finally:
            monkeypatch.undo()
            fresh_session()


def fresh_session() -> None:
    """A role's settings are taken at the beginning of a session."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
