"""Upper layers import lower ones, never back; each outside system has one importer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source import ROOT


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_layers_are_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("saas/core/errors.py", "import saas.portal.forms"),
        ("saas/documents/kinds.py", "import hvac"),
        ("saas/core/jobs/services.py", "import boto3"),
        ("tenants/context.py", "import saas.embedded.environment"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, module: str, line: str) -> None:
    for name in ("saas", "tenants", "billing", "monitoring"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("static", "locale", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    broken = tmp_path / module
    broken.write_text(f"{broken.read_text()}\n{line}\n")
    assert lint_imports(tmp_path).returncode == 1
