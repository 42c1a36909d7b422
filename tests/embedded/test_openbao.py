"""OpenBao under our supervision: unseals itself, keeps no root token, and bootstraps with no more than it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from saas.embedded.openbao import OpenBao
from saas.embedded.postgres import Cluster
from saas.embedded.processes import StackError

Start = Callable[[], OpenBao]


@pytest.fixture
def vault(make_cluster: Callable[..., Cluster], open_folder: Path) -> Iterator[OpenBao]:
    cluster = make_cluster()
    cluster.start()
    server = _server(open_folder / "bao", cluster)
    server.start()
    yield server
    server.stop()


def _server(folder: Path, cluster: Cluster) -> OpenBao:
    return OpenBao(
        folder=folder,
        log=folder.parent / "bao.log",
        database_url=cluster.url(),
        seal_secret="a sealing secret",
        bootstrap_secret="a bootstrap secret of some length",
    )


def test_it_unseals_itself_after_kill_9_and_keeps_its_mounts(vault: OpenBao) -> None:
    vault.call("POST", "sys/mounts/transit-x", {"type": "transit"}, token=vault.bootstrap_token())
    assert vault.process is not None
    vault.process.kill()
    vault.process.wait()
    vault.start()
    assert "transit-x/" in vault.call("GET", "sys/mounts", token=vault.bootstrap_token())["data"]


def test_no_root_token_is_written_anywhere(vault: OpenBao) -> None:
    assert "root_token" not in vault.log.read_text()
    assert vault.call("GET", "auth/token/lookup-self", token=vault.bootstrap_token())["data"]["policies"] == [
        "bootstrap",
        "default",
    ]


def test_bootstrap_may_make_keys_but_not_use_or_export_them(vault: OpenBao) -> None:
    token = vault.bootstrap_token()
    vault.call("POST", "sys/mounts/transit-x", {"type": "transit"}, token=token)
    vault.call("POST", "transit-x/keys/wrap-one", {"type": "aes256-gcm96"}, token=token)
    for method, path in (
        ("POST", "transit-x/encrypt/wrap-one"),
        ("POST", "transit-x/datakey/plaintext/wrap-one"),
        ("GET", "transit-x/export/encryption-key/wrap-one"),
    ):
        with pytest.raises(StackError, match="403"):
            vault.call(method, path, {} if method == "POST" else None, token=token)


def test_every_request_is_audited_without_its_secrets(vault: OpenBao) -> None:
    token = vault.bootstrap_token()
    written = (vault.folder / "audit.log").read_text()
    assert "auth/approle/login" in written
    assert token not in written
    assert "a bootstrap secret of some length" not in written


def test_it_still_serves_after_its_folder_was_moved(
    vault: OpenBao, make_cluster: Callable[..., Cluster], open_folder: Path
) -> None:
    vault.stop()
    moved = vault.folder.rename(open_folder / "moved")
    vault.folder = moved
    vault.start()
    assert vault.bootstrap_token()
    assert (moved / "audit.log").stat().st_size > 0
