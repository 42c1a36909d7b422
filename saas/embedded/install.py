"""Makes `.venv` from requirements.lock with nothing but Python 3.11 and its standard library; run as a plain script.

uv is fetched first by its own hashes from the lock, and installs the rest: several times faster than pip alone.
Where packages come from is the machine's business: pip's and uv's ordinary configuration decides.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
LOCK = CHECKOUT / "requirements.lock"
VENV = CHECKOUT / ".venv"
STAMP = VENV / "installed"
# What pip is told by its configuration, and the variable that tells uv the same.
_PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def _python() -> Path:
    return VENV / "bin" / "python"


def _wanted() -> str:
    return hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()


def _works() -> bool:
    """Say whether the environment runs; its interpreter may be gone after the checkout went to another machine."""
    if not _python().exists():
        return False
    return subprocess.run([_python(), "-c", ""], check=False, capture_output=True).returncode == 0


def _make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False, capture_output=True, text=True)
    if made.returncode == 0:
        return
    # Debian splits ensurepip off; a pip outside the environment can serve it as well.
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)
    if subprocess.run([sys.executable, "-m", "pip", "--version"], check=False, capture_output=True).returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            "这个 Python 没有 venv 或 pip / this Python has neither a working venv nor pip:\n"
            f"{made.stdout}{made.stderr}\nInstall them (Debian: apt install python3-venv) and start again."
        )


def _pip(*arguments: str) -> list[str]:
    if (VENV / "bin" / "pip").exists():
        return [str(_python()), "-m", "pip", *arguments]
    return [sys.executable, "-m", "pip", "--python", str(_python()), *arguments]


def _lock_entry(name: str) -> str:
    """Return the lock's entry of one package, hashes and all."""
    lines: list[str] = []
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}=="):
            lines = [line]
        elif lines and line.startswith("    --hash"):
            lines.append(line)
        elif lines:
            break
    return "\n".join(lines) + "\n"


def _uv_environment() -> dict[str, str]:
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV), "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "hardlink")}
    for option, variable in _PIP_TO_UV.items():
        if environment.get(variable):
            continue
        for scope in (":env:", "global"):
            asked = subprocess.run(
                _pip("config", "get", f"{scope}.{option}"), check=False, capture_output=True, text=True
            )
            if asked.returncode == 0 and asked.stdout.strip():
                environment[variable] = asked.stdout.strip()
                break
    return environment


def _install() -> None:
    entry = VENV / "uv.txt"
    entry.write_text(_lock_entry("uv"), encoding="utf-8")
    subprocess.run(_pip("install", "-q", "--require-hashes", "--no-deps", "-r", str(entry)), check=True)
    uv = VENV / "bin" / "uv"
    command = [str(uv), "pip", "sync", "-q", "--require-hashes", "--python", str(_python()), str(LOCK)]
    if subprocess.run(command, check=False, env=_uv_environment()).returncode != 0:
        print("uv could not install; trying pip alone", file=sys.stderr)  # noqa: T201
        subprocess.run(_pip("install", "-q", "--require-hashes", "-r", str(LOCK)), check=True)


def main() -> None:
    """Bring `.venv` to the state of requirements.lock; nothing when it is there already."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python is exactly whom this tells)
        sys.exit(f"需要 Python 3.11 以上 / Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    works = _works()
    if works and STAMP.exists() and STAMP.read_text(encoding="utf-8") == _wanted():
        return
    print("准备 Python 环境 / installing packages from requirements.lock", flush=True)  # noqa: T201
    if not works:
        _make_venv()
    try:
        _install()
    except subprocess.CalledProcessError as error:
        sys.exit(f"安装失败 / the packages could not be installed: {error}")
    STAMP.write_text(_wanted(), encoding="utf-8")


if __name__ == "__main__":
    main()
