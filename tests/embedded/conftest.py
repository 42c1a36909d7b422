"""Folders the servers' account can reach, and clusters that end with their test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from saas.embedded.postgres import Cluster

PASSWORD = "secret word"


def new_open_folder() -> Path:
    """Make a folder every account may pass through; the caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix="yunshu-embedded-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every account may pass through (pytest's own are private, and under root the servers are not root)."""
    folder = new_open_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_cluster() -> Iterator[Path]:
    """The folder of a cluster that was started and stopped once: copying it is quicker than initdb."""
    folder = new_open_folder()
    cluster = Cluster(name="empty", folder=folder / "empty", log=folder / "empty.log", password=PASSWORD)
    cluster.start()
    cluster.stop()
    yield cluster.folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_cluster(open_folder: Path, empty_cluster: Path) -> Iterator[Callable[..., Cluster]]:
    """Make clusters in `open_folder`; they are stopped at the end."""
    made: list[Cluster] = []

    def make(name: str = "one", *, folder: Path | None = None, **more: Any) -> Cluster:
        place = folder or open_folder
        cluster = Cluster(name=name, folder=place / name, log=place / f"{name}.log", password=PASSWORD, **more)
        if not cluster.folder.exists():
            subprocess.run(["cp", "-a", empty_cluster, cluster.folder], check=True)
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.stop()
