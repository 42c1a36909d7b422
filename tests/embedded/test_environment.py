"""What a process is told: wrong variables are named at start, and each process gets its own logins only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from saas.embedded import environment, state
from saas.embedded.records import Ports, Secrets, write_json
from saas.env import EnvironmentInvalid, read


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack's folder with passwords and ports, and somebody who holds the supervisor's lock."""
    monkeypatch.setenv("YUNSHU_FOLDER", str(tmp_path))
    Secrets(tmp_path / "secrets.json").get("stack")
    approles = {
        f"{zone}-c1-{process}": {"role_id": f"role of {zone} {process}", "secret_id": f"secret of {zone} {process}"}
        for zone in ("intranet", "extranet", "management")
        for process in ("web", "jobs", "agent", "cli")
    }
    write_json(tmp_path / "vault.json", {"approles": approles})
    return tmp_path


def test_without_a_running_stack_the_message_says_make_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNSHU_FOLDER", str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="make demo"):
        environment.complete({"ZONE": "intranet"})
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("process", ["web", "jobs", "agent", "cli"])
def test_each_process_signs_in_as_itself_and_only_agent_and_cli_own_schemas(
    stack: Path, process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "supervisor_pid", lambda folder: 1)
    found = environment.complete({"ZONE": "extranet", "PROCESS": process})
    assert found["VAULT_ROLE_ID"] == f"role of extranet {process}"
    assert found["DATABASE_URL"].startswith("postgresql://yunshu_extranet_c1_app:")
    assert ("OWNER_DATABASE_URL" in found) == (process in {"agent", "cli"})
    read(found)


def test_what_the_environment_names_itself_is_kept(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "supervisor_pid", lambda folder: 1)
    found = environment.complete({"ZONE": "intranet", "PUBLIC_PORT": "9000"})
    assert found["PUBLIC_PORT"] == "9000"


def test_every_wrong_variable_is_named_at_once_and_no_value_is_repeated() -> None:
    wrong = {"ZONE": "internet", "SECRET_KEY": "short-secret", "DATABASE_URL": "mysql://x", "VAULT_ADDR": "http://v"}
    with pytest.raises(EnvironmentInvalid) as caught:
        read(wrong)
    text = str(caught.value)
    for name in ("ZONE", "SECRET_KEY", "DATABASE_URL", "VAULT_ROLE_ID", "VAULT_SECRET_ID"):
        assert name in text
    assert "one of intranet, extranet, management" in text
    assert "short-secret" not in text
    assert "VAULT_ADDR" not in text


def test_a_wrong_zone_is_left_for_the_environment_to_name(stack: Path) -> None:
    assert environment.complete({"ZONE": "internet"}) == {"ZONE": "internet"}


def test_passwords_are_made_once_differ_and_are_their_owners_alone(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.json")
    one, two = secrets.get("one"), secrets.get("two")
    assert one != two
    assert len(one) == 43
    assert Secrets(tmp_path / "secrets.json").get("one") == one
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_ports_are_remembered_and_differ(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    one, two = ports.choose("one"), ports.choose("two")
    assert one != two
    assert Ports(tmp_path / "ports.json").choose("one") == one


def test_a_killed_supervisors_number_is_not_taken_for_a_living_one(tmp_path: Path) -> None:
    (tmp_path / state.LOCK).write_text("1")
    assert state.supervisor_pid(tmp_path) == 0
    with state.hold_lock(tmp_path):
        assert state.supervisor_pid(tmp_path) > 1
    assert state.supervisor_pid(tmp_path) == 0
