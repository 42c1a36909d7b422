"""The form of every stored object: a header and AES-256-GCM chunks, so nothing readable or changeable lies on disk.

Layout: magic, header length (4 bytes), header (JSON), then chunks of ciphertext with their 16-byte tags. A chunk's
nonce is the header's random prefix (7 bytes), its number (4) and whether it is the last (1): the STREAM
construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015). Every chunk authenticates the header's digest. So a chunk
that is changed, moved, repeated, left out or taken from another object is noticed before a byte of it is given out.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils.translation import gettext as _

from saas.core.errors import YunshuError
from saas.core.keys import Algorithm
from saas.core.keys.algorithms import require

MAGIC = b"YSOBJ\x00\x00\x01"
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
_LENGTH_BYTES = 4
_PREFIX_BYTES = 7
_KEY_BYTES = 32
_HEADER_LIMIT = 8192
_CHUNK_LIMITS = range(1024, 16 * 1024 * 1024 + 1)
_MOST_CHUNKS = 2**32
_ALGORITHMS = frozenset({Algorithm.AES_256_GCM})


class Damaged(YunshuError):
    """A stored object is not what was stored: cut, changed, or put under another name."""

    status = 503
    code = "file.damaged"

    def __init__(self) -> None:
        super().__init__(_("文件已损坏或被改动，不能打开。请联系系统管理员。"))


class Readable(Protocol):
    """What is to be stored: a file, an upload, a socket."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


class Source(Protocol):
    """Stored bytes that can be read from any place."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer only at the end."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in the clear before the chunks, authenticated by each of them."""

    zone: str
    tenant: str
    name: str
    content_type: str
    wrapped_key: str
    algorithm: Algorithm = Algorithm.AES_256_GCM
    chunk_bytes: int = CHUNK_BYTES
    nonce_prefix: bytes = b""

    def dump(self) -> bytes:
        """The bytes before the first chunk."""
        fields = {
            "algorithm": self.algorithm.value,
            "chunk": self.chunk_bytes,
            "key": self.wrapped_key,
            "name": self.name,
            "nonce": self.nonce_prefix.hex(),
            "tenant": self.tenant,
            "type": self.content_type,
            "zone": self.zone,
        }
        body = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        if len(body) > _HEADER_LIMIT:
            raise ValueError("the header is too long")
        return MAGIC + len(body).to_bytes(_LENGTH_BYTES, "big") + body

    @classmethod
    def load(cls, source: Source) -> tuple[Header, bytes]:
        """Read the header of a stored object and its raw bytes.

        Raises:
            Damaged: there is none.
            Invalid: it names an algorithm this system does not use.
        """
        opening = len(MAGIC) + _LENGTH_BYTES
        start = source.read_at(0, opening)
        length = int.from_bytes(start[len(MAGIC) :], "big")
        if len(start) != opening or not start.startswith(MAGIC) or length > _HEADER_LIMIT:
            raise Damaged
        body = source.read_at(opening, length)
        try:
            fields = json.loads(body)
            algorithm, prefix, chunk = str(fields["algorithm"]), bytes.fromhex(fields["nonce"]), int(fields["chunk"])
            zone, tenant, name, kind, key = (str(fields[n]) for n in ("zone", "tenant", "name", "type", "key"))
        except (ValueError, KeyError, TypeError):
            raise Damaged from None
        if len(body) != length or len(prefix) != _PREFIX_BYTES or chunk not in _CHUNK_LIMITS:
            raise Damaged
        header = cls(zone, tenant, name, kind, key, require(algorithm, among=_ALGORITHMS), chunk, prefix)
        return header, start + body


def new_nonce_prefix() -> bytes:
    """A fresh prefix; the data key is fresh too, so a repeat would do no harm."""
    return os.urandom(_PREFIX_BYTES)


def context_of(*, zone: str, tenant: str, name: str) -> bytes:
    """What a data key is bound to in Vault: the object itself, so a header moved elsewhere opens nothing."""
    return b"\x00".join((b"yunshu-object-1", zone.encode(), tenant.encode(), name.encode()))


def encrypt(stream: Readable, *, header: Header, key: bytes) -> Iterator[memoryview]:
    """Yield the stored form of `stream`, piece by piece, in constant memory.

    Args:
        stream: what is to be stored, read to its end.
        header: with a fresh nonce prefix.
        key: the plain data key (32 bytes).

    Each piece is valid only until the next is asked for: one buffer serves all.
    """
    if len(key) != _KEY_BYTES or len(header.nonce_prefix) != _PREFIX_BYTES:
        raise ValueError("a 256-bit key and a 7-byte prefix are needed")
    opening = header.dump()
    yield memoryview(opening)
    aead, about, size = AESGCM(key), hashlib.sha256(opening).digest(), header.chunk_bytes
    sealed = bytearray()
    following = _read_full(stream, size)
    number, last = 0, False
    while not last:
        chunk = following
        following = _read_full(stream, size) if len(chunk) == size else bytearray()
        last = not following
        if len(sealed) != len(chunk) + TAG_BYTES:
            sealed = bytearray(len(chunk) + TAG_BYTES)
        aead.encrypt_into(_nonce(header, number, last), chunk, about, sealed)
        yield memoryview(sealed)
        number += 1
        if number == _MOST_CHUNKS:
            raise ValueError("the object is too large")


def _read_full(stream: Readable, size: int) -> bytearray | bytes:
    """`size` bytes, fewer only at the end: sockets and uploads give less than asked for."""
    first = stream.read(size)
    if len(first) == size or not first:
        return first
    gathered = bytearray(first)
    while len(gathered) < size:
        more = stream.read(size - len(gathered))
        if not more:
            break
        gathered += more
    return gathered


def _nonce(header: Header, number: int, last: bool) -> bytes:
    return header.nonce_prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


class OpenedObject(io.RawIOBase):
    """The plain content of a stored object: verified chunk by chunk, seekable, one chunk in memory.

    Args:
        source: the stored bytes; closed with this.
        header: from `Header.load`, already checked to be the object asked for.
        opening: the header's raw bytes.
        key: the plain data key.
        damaged: makes the error for a chunk that is not what was stored, and notes it where it must be known.
    """

    def __init__(
        self,
        source: Source,
        *,
        header: Header,
        opening: bytes,
        key: bytes,
        damaged: Callable[[], Damaged] = Damaged,
    ) -> None:
        super().__init__()
        self._damaged = damaged
        self.content_type = header.content_type
        self._source = source
        self._header = header
        self._about = hashlib.sha256(opening).digest()
        self._start = len(opening)
        self._aead = AESGCM(key)
        self._position = 0
        self._held = -1
        self._plain = memoryview(b"")
        sealed = source.size - self._start
        full = header.chunk_bytes + TAG_BYTES
        self._chunks = max(1, -(-sealed // full))
        self.size = sealed - self._chunks * TAG_BYTES
        if self.size < 0 or (self._chunks > 1 and sealed - (self._chunks - 1) * full <= TAG_BYTES):
            source.close()
            raise damaged()

    def check_start(self) -> None:
        """Verify the first chunk, so that what begins to be given out is not refused at its first byte.

        Raises:
            Damaged: the chunk is not what was stored.
            Unavailable: the storage does not answer.
        """
        self._load(0)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True: chunks are found by their number."""
        return True

    def tell(self) -> int:
        """The position in the plain content."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in the plain content."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` from the current chunk.

        Raises:
            Damaged: the chunk is not what was stored.
            Unavailable: the storage does not answer.
        """
        if self._position >= self.size:
            # An empty object has one empty chunk, whose tag says that nothing was cut off.
            self._load(self._chunks - 1)
            return 0
        number, within = divmod(self._position, self._header.chunk_bytes)
        self._load(number)
        piece = self._plain[within : within + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer only at the end: libraries that parse files take a short read for one."""
        wanted = self.size - self._position if size < 0 else min(size, self.size - self._position)
        buffer = bytearray(max(wanted, 0))
        view, filled = memoryview(buffer), 0
        while True:
            got = self.readinto(view[filled:])
            filled += got
            if not got or filled == len(buffer):
                return bytes(buffer)

    def readall(self) -> bytes:
        """The rest, in one piece."""
        return self.read()

    def chunks(self) -> Iterator[memoryview]:
        """The rest in large pieces, for streaming answers, without copying."""
        while self._position < self.size:
            number, within = divmod(self._position, self._header.chunk_bytes)
            self._load(number)
            piece = self._plain[within:]
            self._position += len(piece)
            yield piece
        self._load(self._chunks - 1)

    def close(self) -> None:
        """Close the stored object too."""
        if not self.closed:
            self._source.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._held:
            return
        full = self._header.chunk_bytes + TAG_BYTES
        last = number == self._chunks - 1
        length = self._source.size - self._start - number * full if last else full
        sealed = self._source.read_at(self._start + number * full, length)
        if len(sealed) != length:
            raise self._damaged()
        # A fresh buffer each time: pieces that were given out stay what they are.
        plain = bytearray(length - TAG_BYTES)
        try:
            self._aead.decrypt_into(_nonce(self._header, number, last), sealed, self._about, plain)
        except InvalidTag:
            raise self._damaged() from None
        self._plain, self._held = memoryview(plain).toreadonly(), number


class Pieces(io.RawIOBase):
    """Makes an iterator of pieces a file that an uploader can read; remembers no more than one piece."""

    def __init__(self, pieces: Iterator[memoryview]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` from the current piece."""
        if not self._rest:
            self._rest = next(self._pieces, memoryview(b""))
        piece = self._rest[: len(buffer)]
        buffer[: len(piece)] = piece
        self._rest = self._rest[len(piece) :]
        return len(piece)
