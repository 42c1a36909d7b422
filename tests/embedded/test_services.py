"""PostgreSQL and OpenBao as one unit, wherever the checkout stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from saas.embedded.services import Services, remove


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's services run as another account")
def test_below_a_closed_folder_root_keeps_the_services_data_where_their_account_can_reach_it(open_folder: Path) -> None:
    closed = open_folder / "home"
    closed.mkdir(mode=0o700)
    services = Services(closed / ".yunshu", zones=("intranet",))
    outside = (services.folder / "services").resolve()
    try:
        services.start_databases()
        services.start_vault()
        assert services.vault.bootstrap_token()
        assert closed not in outside.parents
    finally:
        services.stop()
        remove(services.folder)
    assert not outside.exists()
