"""The stored form: what was stored comes back, and nothing else ever does."""

from __future__ import annotations

import io
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.core.errors import Invalid
from saas.core.keys import Algorithm
from saas.core.storage.envelope import (
    TAG_BYTES,
    Damaged,
    Header,
    OpenedObject,
    Pieces,
    encrypt,
    new_nonce_prefix,
)

KEY = bytes(range(32))
CHUNK = 1024


class Held:
    """Stored bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def close(self) -> None:
        pass


class Dribble(io.RawIOBase):
    """A stream that gives less than it is asked for, as sockets do."""

    def __init__(self, data: bytes, step: int) -> None:
        self._inner, self._step = io.BytesIO(data), step

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, self._step))


def header(name: str = "b_0123456789ab/documents/x", **changes: object) -> Header:
    made = Header("intranet", "b_0123456789ab", name, "text/plain", "vault:v1:x", chunk_bytes=CHUNK)
    return replace(made, nonce_prefix=new_nonce_prefix(), **changes)  # type: ignore[arg-type]


def sealed(content: bytes, made: Header | None = None) -> bytes:
    return b"".join(bytes(piece) for piece in encrypt(io.BytesIO(content), header=made or header(), key=KEY))


def opened(data: bytes, key: bytes = KEY) -> OpenedObject:
    source = Held(data)
    made, opening = Header.load(source)
    return OpenedObject(source, header=made, opening=opening, key=key)


def body_at(data: bytes) -> int:
    return len(Header.load(Held(data))[1])


sizes = st.one_of(
    st.integers(0, 4 * CHUNK),
    st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 3 * CHUNK]),
)


@given(size=sizes, step=st.integers(1, 2 * CHUNK))
def test_what_is_sealed_opens_to_the_same_bytes_however_they_arrive(size: int, step: int) -> None:
    content = os.urandom(size)
    stored = b"".join(bytes(p) for p in encrypt(Dribble(content, step), header=header(), key=KEY))
    with opened(stored) as file:
        assert file.size == size
        assert file.read() == content


@given(size=st.integers(1, 4 * CHUNK), data=st.data())
def test_any_place_can_be_read_without_the_rest(size: int, data: st.DataObject) -> None:
    content = os.urandom(size)
    file = opened(sealed(content))
    for _ in range(4):
        at, length = data.draw(st.integers(0, size)), data.draw(st.integers(0, size))
        file.seek(at)
        assert file.read(length) == content[at : at + length]


@given(size=sizes, data=st.data())
def test_one_flipped_bit_anywhere_is_noticed(size: int, data: st.DataObject) -> None:
    stored = bytearray(sealed(os.urandom(size)))
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Damaged, Invalid)):
        opened(bytes(stored)).read()


@given(size=sizes, data=st.data())
def test_a_cut_anywhere_is_noticed(size: int, data: st.DataObject) -> None:
    stored = sealed(os.urandom(size))
    kept = data.draw(st.integers(0, len(stored) - 1))
    with pytest.raises((Damaged, Invalid)):
        opened(stored[:kept]).read()


def test_a_cut_between_chunks_is_noticed() -> None:
    stored = sealed(os.urandom(3 * CHUNK))
    with pytest.raises(Damaged):
        opened(stored[: -(CHUNK + TAG_BYTES)]).read()


def test_bytes_added_at_the_end_are_noticed() -> None:
    for extra in (b"x", bytes(TAG_BYTES), bytes(CHUNK + TAG_BYTES)):
        with pytest.raises(Damaged):
            opened(sealed(os.urandom(2 * CHUNK)) + extra).read()


def test_exchanged_chunks_are_noticed() -> None:
    stored = sealed(os.urandom(3 * CHUNK))
    at, full = body_at(stored), CHUNK + TAG_BYTES
    first, second, rest = stored[at : at + full], stored[at + full : at + 2 * full], stored[at + 2 * full :]
    with pytest.raises(Damaged):
        opened(stored[:at] + second + first + rest).read()


def test_a_chunk_of_another_object_under_the_same_key_is_noticed() -> None:
    made = header()
    one, two = sealed(os.urandom(2 * CHUNK), made), sealed(os.urandom(2 * CHUNK), replace(made, name="other"))
    full = CHUNK + TAG_BYTES
    with pytest.raises(Damaged):
        opened(one[: body_at(one)] + two[body_at(two) : body_at(two) + full] + one[body_at(one) + full :]).read()


def test_a_header_rewritten_for_another_tenant_zone_or_name_opens_nothing() -> None:
    made = header()
    stored = sealed(b"secret", made)
    for change in ({"tenant": "b_ffffffffffff"}, {"zone": "extranet"}, {"name": "n"}, {"content_type": "text/html"}):
        forged = replace(made, **change).dump() + stored[body_at(stored) :]  # type: ignore[arg-type]
        with pytest.raises(Damaged):
            opened(forged).read()


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Damaged):
        opened(sealed(b"secret"), bytes(32)).read()


def test_an_empty_object_is_authenticated_too() -> None:
    stored = sealed(b"")
    assert opened(stored).read() == b""
    with pytest.raises(Damaged):
        opened(stored[:-1] + bytes([stored[-1] ^ 1])).read()


@pytest.mark.parametrize("name", [Algorithm.SM4_GCM, Algorithm.SM3, Algorithm.SM2_SM3])
def test_a_reserved_algorithm_is_refused_by_name(name: Algorithm) -> None:
    stored = sealed(b"secret", header(algorithm=name))
    with pytest.raises(Invalid) as refusal:
        opened(stored)
    assert refusal.value.code == "algorithm.reserved"


def test_every_envelope_names_its_algorithm() -> None:
    assert Header.load(Held(sealed(b"x")))[0].algorithm is Algorithm.AES_256_GCM


@given(junk=st.binary(max_size=200))
def test_junk_is_refused_and_never_crashes(junk: bytes) -> None:
    with pytest.raises((Damaged, Invalid)):
        opened(junk).read()
    with pytest.raises((Damaged, Invalid)):
        opened(b"YSOBJ\x00\x00\x01" + junk).read()


@given(size=sizes, step=st.integers(1, 3 * CHUNK))
def test_an_uploader_reads_the_same_bytes(size: int, step: int) -> None:
    made, content = header(), os.urandom(size)
    file = io.BufferedReader(Pieces(encrypt(io.BytesIO(content), header=made, key=KEY)))
    assert b"".join(iter(lambda: file.read(step), b"")) == sealed(content, made)
