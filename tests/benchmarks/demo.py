"""``demo_start``: seconds of ``make demo`` on a bare clone with a warm package cache, and of the start after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figure import Benchmark, Figure

_CLUSTERS = 4
_SECONDS = 1800
_KEPT = ("PATH", "HOME", "LANG", "USER", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_KEPT_BEGINNINGS = ("PIP_", "UV_", "XDG_", "HTTP", "NO_PROXY", "http", "no_proxy")


def _environment() -> dict[str, str]:
    """The machine's settings for packages and nothing of this run: neither its servers nor its virtual environment."""
    own = str(Path(sys.executable).parent)
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}
    kept["PATH"] = ":".join(part for part in kept["PATH"].split(":") if part != own)
    return kept


def _timed(*command: str | Path, folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode != 0:
        message = f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise RuntimeError(message)
    return time.perf_counter() - started


def _servers(folder: Path, *, clusters: int) -> float:
    """Seconds to start bare PostgreSQL servers in a folder, one after the other, made when they are not there."""
    from saas.embedded.postgres import Cluster

    spent = 0.0
    for number in range(clusters):
        place = folder / f"c{number}"
        place.mkdir(mode=0o711, parents=True, exist_ok=True)
        cluster = Cluster(name=f"bare{number}", folder=place, log=folder / f"c{number}.log", password="bare-floor")
        started = time.perf_counter()
        cluster.start()
        spent += time.perf_counter() - started
        cluster.stop()
    return spent


def _split(clone: Path, kind: str) -> str:
    steps = json.loads((clone / ".yunshu" / "timings.json").read_text())[kind]
    return ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.items() if step != "total")


def demo_start() -> list[Figure]:
    """First start of a bare clone and second start of the same, beside installing and starting what they stand on."""
    checkout = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="yunshu-demo-", ignore_cleanup_errors=True) as name:
        base = Path(name)
        base.chmod(0o755)
        clone, bare = base / "clone", base / "bare"
        subprocess.run(["git", "clone", "-q", checkout, clone], check=True, env=_environment())
        try:
            packages = _timed("make", "venv", folder=clone)
            first = packages + _timed("make", "demo", folder=clone)
            first_split = _split(clone, "first")
            _timed("make", "stop", folder=clone)
            again = _timed("make", "demo", folder=clone)
            again_split = _split(clone, "again")
            _timed("make", "stop", folder=clone)
            python = clone / ".venv" / "bin" / "python"
            # The same wheels into an empty environment from the same cache, then bare servers.
            venv = _timed(python, "-m", "venv", "--without-pip", str(bare / "venv"), folder=base)
            sync = ("pip", "sync", "-q", "--require-hashes", "--python", str(bare / "venv" / "bin" / "python"))
            installed = _timed(clone / ".venv" / "bin" / "uv", *sync, "requirements.lock", folder=clone)
            made = _servers(bare / "servers", clusters=_CLUSTERS)
            started = _servers(bare / "servers", clusters=_CLUSTERS)
            imported = _timed(
                python, "-c", "import django.core.management, allauth, procrastinate, typst", folder=clone
            )
        finally:
            if (clone / ".yunshu").exists():
                subprocess.run(["make", "reset"], cwd=clone, env=_environment(), capture_output=True, check=False)
            shutil.rmtree(clone, ignore_errors=True)
    return [
        Figure(
            name="demo_start",
            value=first,
            unit="s",
            floor=venv + installed + made,
            note=f"bare clone, warm package cache: packages {packages:.1f}, {first_split}; floor: the same wheels"
            f" into an empty environment {venv + installed:.1f} + {_CLUSTERS} bare PostgreSQL made and started"
            f" {made:.1f}",
        ),
        Figure(
            name="demo_start_again",
            value=again,
            unit="s",
            floor=started + imported,
            note=f"with demo data, limit 10: {again_split}; floor: {_CLUSTERS} bare PostgreSQL started {started:.1f} +"
            f" one import of the libraries {imported:.1f}",
        ),
    ]


FIGURES: dict[str, Benchmark] = {"demo_start": demo_start}
