"""Keeps what the embedded stack must remember: generated passwords, chosen ports, finished steps, present state."""

from __future__ import annotations

import json
import secrets as random
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saas.embedded.ports import free_port, is_free, listen_on
from saas.embedded.processes import StackError, write_private


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in `path`, empty when there is no file.

    Raises:
        StackError: the file is there but cannot be read; it is never overwritten then.
    """
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        message = f"cannot read {path}: {error}"
        raise StackError(message) from error
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace `path` by `value` in one step, readable by its owner alone."""
    write_private(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


@dataclass(slots=True)
class Secrets:
    """The generated passwords of one stack, in one file of mode 0600; each is made when first asked for."""

    path: Path

    def get(self, name: str) -> str:
        """Return the secret called `name`: 43 characters safe in URLs."""
        known = read_json(self.path)
        if name not in known:
            known[name] = random.token_urlsafe(32)
            write_json(self.path, known)
        return str(known[name])


@dataclass(slots=True)
class Ports:
    """The loopback ports of one stack: chosen once, remembered, chosen again when somebody else took one."""

    path: Path

    def known(self, name: str) -> int:
        """Return the remembered port of `name`, 0 when none was chosen yet."""
        return int(read_json(self.path).get(name, 0))

    def choose(self, name: str) -> int:
        """Return a port that is free now: the remembered one, else any; and remember it."""
        port = free_port(self.known(name), taken=self._others(name))
        self._keep(name, port)
        return port

    def listen(self, name: str, *, preferred: int) -> socket.socket:
        """Return a socket that listens at `preferred`, else at the remembered port, else at any; and remember it."""
        others = self._others(name)
        wanted = preferred if is_free(preferred) else self.known(name)
        listener = listen_on(wanted, taken=others)
        self._keep(name, int(listener.getsockname()[1]))
        return listener

    def _others(self, name: str) -> frozenset[int]:
        return frozenset(int(value) for key, value in read_json(self.path).items() if key != name)

    def _keep(self, name: str, port: int) -> None:
        if self.known(name) != port:
            write_json(self.path, {**read_json(self.path), name: port})
