"""Finds loopback ports that nobody uses."""

from __future__ import annotations

import socket

_BACKLOG = 512


def is_free(port: int) -> bool:
    """Say whether `port` can be bound on 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections left in TIME_WAIT by the last run do not count as "in use".
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0, *, taken: frozenset[int] = frozenset()) -> int:
    """Return `preferred` when it is free, else a port the system picks; never one of `taken`."""
    if preferred and preferred not in taken and is_free(preferred):
        return preferred
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def listen_on(preferred: int, *, taken: frozenset[int] = frozenset()) -> socket.socket:
    """Return a socket listening at `preferred` when nobody has it, else at a port the system picks; never at `taken`.

    Who holds the socket cannot lose the port: a number found free a moment ago may be another's by the time a
    server binds it.
    """
    for port in (preferred, *[0] * 100):
        if port and port in taken:
            continue
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            continue
        if listener.getsockname()[1] not in taken:
            return listener
        listener.close()
    message = "no loopback port can be bound"
    raise OSError(message)
