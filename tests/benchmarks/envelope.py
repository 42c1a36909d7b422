"""``envelope``: sealing and opening files beside bare AES-GCM of the same library over the same bytes."""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.benchmarks.figure import Benchmark, Figure

_CHUNK = 1024 * 1024
_CHUNKS = 128
_ROUNDS = 9
_MEGABYTES = _CHUNK * _CHUNKS / 1e6
_KEY = os.urandom(32)
_BLOCK = os.urandom(_CHUNK)
_NONCE = bytes(12)


class _Stream:
    """The same megabyte again and again: the figure is about cryptography, not about a disk."""

    def __init__(self) -> None:
        self._left = _CHUNKS

    def read(self, size: int) -> bytes:
        if not self._left:
            return b""
        self._left -= 1
        return _BLOCK[:size]


class _Held:
    """Stored bytes in memory; a copy at each read, as the operating system makes one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def close(self) -> None:
        pass


def _figure(name: str, note: str, *, ours: Callable[[], object], bare: Callable[[], object]) -> Figure:
    """MB/s of both, rounds interleaved so that a busy machine slows both alike."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for times, run in zip(taken, (ours, bare), strict=True):
            started = time.perf_counter()
            run()
            times.append(time.perf_counter() - started)
    speed, floor = (_MEGABYTES / statistics.median(times) for times in taken)
    return Figure(name=name, value=speed, unit="MB/s", floor=floor, note=note)


def _bare_seal() -> None:
    aead = AESGCM(_KEY)
    for _number in range(_CHUNKS):
        aead.encrypt(_NONCE, _BLOCK, None)


def _bare_store() -> None:
    aead, digest = AESGCM(_KEY), hashlib.sha256()
    for _number in range(_CHUNKS):
        digest.update(_BLOCK)
        aead.encrypt(_NONCE, _BLOCK, None)


def _bare_open() -> Callable[[], None]:
    """Reads its ciphertext the way the envelope does, so that both pay for memory alike."""
    aead = AESGCM(_KEY)
    sealed = aead.encrypt(_NONCE, _BLOCK, None)
    held = _Held(sealed * _CHUNKS)

    def run() -> None:
        for number in range(_CHUNKS):
            aead.decrypt(_NONCE, held.read_at(number * len(sealed), len(sealed)), None)

    return run


def envelope() -> list[Figure]:
    """Sealing, opening, and sealing with the digest that `store` keeps; floors: `AESGCM` over one-megabyte blocks."""
    from saas.core.storage.envelope import Header, OpenedObject, encrypt, new_nonce_prefix
    from saas.core.storage.services import _Measured

    name = "b_0123456789ab/documents/0"
    header = Header("intranet", "b_0123456789ab", name, "text/plain", "x", nonce_prefix=new_nonce_prefix())
    stored = b"".join(bytes(piece) for piece in encrypt(_Stream(), header=header, key=_KEY))

    def seal(stream: Any) -> None:
        for _piece in encrypt(stream, header=header, key=_KEY):
            pass

    def open_() -> None:
        source = _Held(stored)
        found, opening = Header.load(source)
        with OpenedObject(source, header=found, opening=opening, key=_KEY) as file:
            for _piece in file.chunks():
                pass

    return [
        _figure("envelope", "sealing 134 MB in 1 MiB chunks", ours=lambda: seal(_Stream()), bare=_bare_seal),
        _figure("envelope_open", "opening and verifying the same", ours=open_, bare=_bare_open()),
        _figure(
            "envelope_store",
            "sealing with the content's SHA-256; floor: bare AES-GCM and bare SHA-256",
            ours=lambda: seal(_Measured(_Stream(), 1 << 40)),
            bare=_bare_store,
        ),
    ]


FIGURES: dict[str, Benchmark] = {"envelope": envelope}
