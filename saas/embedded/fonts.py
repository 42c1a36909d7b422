"""Brings the fonts official documents are set in, without root: from the distribution's packages into a cache.

Fandol (仿宋, 楷体, 黑体, 宋体; texlive-lang-chinese) sets the text; Noto CJK stands in for characters it lacks.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saas.embedded.folders import cache_folder
from saas.embedded.processes import StackError

SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/usr/share/texlive/texmf-dist/fonts/opentype/public/fandol"),
    Path("/usr/share/texmf/fonts/opentype/public/fandol"),
)


@dataclass(frozen=True, slots=True)
class _Package:
    """A Debian package and the font files wanted of it, each with its SHA-256 where the font never changes."""

    name: str
    files: dict[str, str]


PACKAGES = (
    _Package(
        "texlive-lang-chinese",
        {
            "FandolFang-Regular.otf": "d838ad32ce2244d8144f408c37fe71065aba6fbbc80759a4d2aa2033948d5bc9",
            "FandolHei-Bold.otf": "42ca2de27b45e16a284768673b6205a5add9e17871ee0e7db9c0d03f061d96fd",
            "FandolHei-Regular.otf": "4afa97aa8751e0118617df88272b58d43691b5cffb7ea024c4580496e9f34d28",
            "FandolKai-Regular.otf": "ea7e7fb4f9b3ac694a68d43946e04d21deed6e8c29a7c2d3081e1a4138f2f827",
            "FandolSong-Bold.otf": "ffa76a70e128947a4dd22151d5ee829b23e24ce3cb6fe8ad49891cd1c2d9e9b9",
            "FandolSong-Regular.otf": "a3820003227d4abe31fe28b493200d94a849ccfd078b50a019264f70353020b0",
        },
    ),
    _Package(
        "fonts-noto-cjk",
        {
            "NotoSansCJK-Bold.ttc": "",
            "NotoSansCJK-Regular.ttc": "",
            "NotoSerifCJK-Bold.ttc": "",
            "NotoSerifCJK-Regular.ttc": "",
        },
    ),
)


def fonts_folder() -> Path:
    """Return a folder with the document fonts, fetching them at the first call.

    Order: FONTS_FOLDER, the cache, the distribution's packages, fonts the system already has.

    Raises:
        StackError: the fonts are nowhere; the message says what to install.
    """
    named = os.environ.get("FONTS_FOLDER")
    if named:
        return Path(named)
    folder = cache_folder() / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_name("fonts.lock")):
        for package in PACKAGES:
            if not all((folder / name).exists() for name in package.files):
                _obtain(package, folder)
    return folder


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _obtain(package: _Package, folder: Path) -> None:
    if _from_system(package, folder):
        return
    reason = "apt-get or dpkg-deb is not there"
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            reason = _from_package(package, folder, Path(work))
    if reason:
        message = (
            f"缺少公文字体 / the document fonts are missing: {', '.join(package.files)}.\n"
            f"Install the package {package.name} (or your system's Fandol and Noto CJK fonts), "
            f"or set FONTS_FOLDER to a folder that has them. Fetching them failed: {reason}"
        )
        raise StackError(message)


def _from_system(package: _Package, folder: Path) -> bool:
    found = {
        path.name: path
        for root in SYSTEM_FOLDERS
        if root.is_dir()
        for path in root.rglob("*.[ot]t[fc]")
        if path.name in package.files
    }
    if set(found) != set(package.files) or not all(_fits(path, package.files[path.name]) for path in found.values()):
        return False
    for path in found.values():
        _keep(path, folder, package.files[path.name])
    return True


def _from_package(package: _Package, folder: Path, work: Path) -> str:
    """Fetch and unpack one package; return "" or the reason it could not be done."""
    problem = _download(package.name, work)
    if problem:
        return problem
    archive = next(work.glob("*.deb"), None)
    if archive is None:
        return "apt-get fetched nothing"
    unpacked = subprocess.run(
        ["dpkg-deb", "-x", archive, work / "tree"], check=False, capture_output=True, text=True, timeout=300
    )
    if unpacked.returncode != 0:
        return unpacked.stderr.strip()[-400:]
    found = {path.name: path for path in (work / "tree").rglob("*") if path.name in package.files and path.is_file()}
    missing = set(package.files) - set(found)
    if missing:
        return f"the package lacks {', '.join(sorted(missing))}"
    for path in found.values():
        _keep(path, folder, package.files[path.name])
    return ""


def _download(name: str, work: Path) -> str:
    """Download with the system's package lists, or, where there are none, with lists of our own."""
    first = _apt(["download", name], work)
    if not first:
        return ""
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    own = ["-o", f"Dir::State::Lists={work / 'lists'}", "-o", f"Dir::Cache={work / 'cache'}"]
    return _apt([*own, "update"], work) or _apt([*own, "download", name], work)


def _apt(arguments: list[str], work: Path) -> str:
    # As root apt would drop to its own account, which cannot write into our private folder.
    sandbox = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    try:
        done = subprocess.run(
            ["apt-get", "-q", *sandbox, *arguments], cwd=work, check=False, capture_output=True, text=True, timeout=900
        )
    except subprocess.TimeoutExpired:
        return "apt-get did not end within 15 minutes"
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-400:]


def _fits(font: Path, digest: str) -> bool:
    return not digest or hashlib.sha256(font.read_bytes()).hexdigest() == digest


def _keep(source: Path, folder: Path, digest: str) -> None:
    if not _fits(source, digest):
        message = f"the font {source.name} is not the one that was tried (SHA-256 differs); it is not used"
        raise StackError(message)
    temporary = folder / f".{source.name}"
    shutil.copyfile(source, temporary)
    temporary.chmod(0o644)
    temporary.replace(folder / source.name)


if __name__ == "__main__":
    try:
        print(fonts_folder())  # noqa: T201
    except StackError as error:
        sys.exit(str(error))
