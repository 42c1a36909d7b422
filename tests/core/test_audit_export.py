"""An exported trail is proved from its file alone, and every line of it matters."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.plugin import DjangoDbBlocker

from saas.core.audit import bundle, trails
from saas.core.audit.sealer import Sealer
from saas.core.audit.verify import Fault
from saas.core.keys.client import VaultClient
from saas.core.tenancy import TenantRef
from tests.core.test_audit import committed, note
from tests.core.vault import acting_as

__all__ = ["committed"]


@pytest.fixture
def exported(committed: TenantRef, tmp_path: Path) -> Path:
    for _ in range(3):
        note(reason="原因")
    Sealer(sign_every_seconds=0).tick()
    path = tmp_path / "trail.jsonl"
    call_command("audit_verify", "--tenant", "alpha", "--export", str(path))
    return path


def faults_of(path: Path) -> set[Fault]:
    return {finding.fault for finding in bundle.verify_file(path)[1].findings}


def test_an_exported_trail_is_sound_without_database_and_vault(
    exported: Path, django_db_blocker: DjangoDbBlocker, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        django_db_blocker.block(),
        acting_as(VaultClient(address="http://127.0.0.1:9", role_id="x", secret_id="x")),
    ):
        call_command("audit_verify", "--offline", str(exported))
    assert "sound" in capsys.readouterr().out


def test_every_line_of_an_export_matters(exported: Path, tmp_path: Path) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    entries = [n for n, line in enumerate(lines) if b'"type":"entry"' in line]
    changed = tmp_path / "changed.jsonl"

    def with_lines(new: list[bytes]) -> set[Fault]:
        changed.write_bytes(b"".join(new))
        return faults_of(changed)

    assert with_lines(lines) == set()
    last = entries[-1]
    forged = lines[last].replace("李建国".encode(), "王五".encode())
    assert with_lines([*lines[:last], forged, *lines[last + 1 :]]) == {Fault.CHANGED}
    without = [*lines[:last], *lines[last + 1 :]]
    assert with_lines(without) == {Fault.HEAD_BEYOND_CHAIN, Fault.INCOMPLETE_BUNDLE}
    assert Fault.GAP in with_lines([*lines[: entries[0]], *lines[entries[0] + 1 :]])
    swapped = [*lines]
    swapped[entries[0]], swapped[entries[1]] = swapped[entries[1]], swapped[entries[0]]
    assert Fault.GAP in with_lines(swapped)
    assert Fault.INCOMPLETE_BUNDLE in with_lines(lines[:-1])


def test_the_command_exits_1_for_a_changed_export(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exported.write_bytes(exported.read_bytes().replace("李建国".encode(), "王五".encode()))
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", "--offline", str(exported))
    assert ended.value.code == 1
    assert "changed: link" in capsys.readouterr().out


def test_a_key_from_elsewhere_is_believed_before_the_files_own(exported: Path, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    (versions,) = trails.believed_keys().values()
    right.write_text(versions[1])
    from saas.core.keys import KeyName, public_key_pem
    from saas.env import Zone

    wrong.write_text(public_key_pem(KeyName.cell(Zone.INTRANET, "c1")))
    call_command("audit_verify", "--offline", str(exported), "--public-key", str(right))
    with pytest.raises(SystemExit):
        call_command("audit_verify", "--offline", str(exported), "--public-key", str(wrong))


@pytest.mark.parametrize("junk", [b"", b"{}", b"\xff\xfe", b"[]\n", b'{"type":"bundle","version":1}\n'])
def test_a_file_that_is_no_export_is_refused_in_words(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk"
    path.write_bytes(junk)
    with pytest.raises(CommandError, match="not an exported trail"):
        call_command("audit_verify", "--offline", str(path))


def test_an_unknown_bureau_is_named(committed: TenantRef) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("audit_verify", "--tenant", "nowhere")
