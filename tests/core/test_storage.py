"""Files: what a bureau stores comes back whole, to that bureau alone, or is refused with a reason."""

from __future__ import annotations

import errno
import io
import os
import re
import resource
import subprocess
import sys
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.http import FileResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.core import logs, storage
from saas.core.audit.models import AuditRecord
from saas.core.errors import NotFound, TooLarge, Unavailable
from saas.core.keys import client as vault_client
from saas.core.keys.client import VaultClient
from saas.core.storage import Damaged, backends
from saas.core.storage.backends import DiskBackend
from saas.core.tenancy import TenantRef
from saas.embedded.s3 import CannotBuild, S3Server
from saas.env import env
from tenants.context import outside_tenants, use_tenant
from tests.core.vault import acting_as

MEGABYTE = 1024 * 1024


class Stream(io.RawIOBase):
    """A long upload made of nothing."""

    def __init__(self, size: int) -> None:
        self._left, self._block = size, bytes(MEGABYTE)

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._left, MEGABYTE)
        self._left -= size
        return self._block[:size]


def keep(content: bytes, prefix: str = "tests") -> storage.StoredObject:
    return storage.store(name_prefix=prefix, stream=content, content_type="text/plain")


def place(name: str) -> Path:
    return env.files_root / name


def left_behind() -> list[Path]:
    partial = env.files_root / ".partial"
    return list(partial.iterdir()) if partial.exists() else []


def test_what_is_stored_comes_back(in_alpha: TenantRef) -> None:
    kept = keep("公文正文".encode())
    assert kept.name.startswith(f"{in_alpha.schema}/tests/")
    assert kept.size == 12
    with storage.open_object(kept.name) as file:
        assert file.read() == "公文正文".encode()
        assert file.content_type == "text/plain"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.sampled_from([0, 1, MEGABYTE - 1, MEGABYTE, MEGABYTE + 1, 2 * MEGABYTE, 2 * MEGABYTE + 5]))
def test_every_size_around_a_chunk_comes_back(in_alpha: TenantRef, size: int) -> None:
    content = os.urandom(size)
    with storage.open_object(keep(content).name) as file:
        assert file.read() == content


def test_nothing_readable_lies_on_the_disk(in_alpha: TenantRef) -> None:
    kept = keep(b"canary " * 100)
    assert b"canary" not in place(kept.name).read_bytes()
    assert place(kept.name).stat().st_mode & 0o077 == 0


def test_another_bureaus_file_is_not_there(in_alpha: TenantRef, beta: TenantRef) -> None:
    kept = keep(b"alpha's own")
    with use_tenant(beta):
        for attempt in (storage.open_object, storage.delete):
            with pytest.raises(NotFound):
                attempt(kept.name)
        assert not storage.exists(kept.name)
    assert storage.exists(kept.name)


def test_a_file_copied_to_another_bureaus_place_opens_nothing(in_alpha: TenantRef, beta: TenantRef) -> None:
    kept = keep(b"alpha's own")
    stolen = kept.name.replace(in_alpha.schema, beta.schema)
    place(stolen).parent.mkdir(parents=True, exist_ok=True)
    place(stolen).write_bytes(place(kept.name).read_bytes())
    with use_tenant(beta), pytest.raises(Damaged):
        storage.open_object(stolen)


def test_a_header_rewritten_for_another_bureau_is_refused_by_vault(in_alpha: TenantRef, beta: TenantRef) -> None:
    kept = keep(b"alpha's own")
    stolen = kept.name.replace(in_alpha.schema, beta.schema)
    place(stolen).parent.mkdir(parents=True, exist_ok=True)
    place(stolen).write_bytes(place(kept.name).read_bytes().replace(in_alpha.schema.encode(), beta.schema.encode()))
    with use_tenant(beta), pytest.raises(Damaged):
        storage.open_object(stolen)


def test_two_files_exchanged_on_the_disk_are_noticed(in_alpha: TenantRef) -> None:
    one, two = keep(b"one"), keep(b"two")
    first, second = place(one.name).read_bytes(), place(two.name).read_bytes()
    place(one.name).write_bytes(second)
    place(two.name).write_bytes(first)
    for kept in (one, two):
        with pytest.raises(Damaged):
            storage.open_object(kept.name)


def test_a_file_of_another_zone_is_noticed(in_alpha: TenantRef) -> None:
    kept = keep(b"intranet")
    place(kept.name).write_bytes(place(kept.name).read_bytes().replace(b'"zone":"intranet"', b'"zone":"extranet"'))
    with pytest.raises(Damaged):
        storage.open_object(kept.name)


def test_a_changed_file_is_noticed_and_the_reader_gets_none_of_the_change(in_alpha: TenantRef) -> None:
    kept = keep(os.urandom(2 * MEGABYTE))
    raw = bytearray(place(kept.name).read_bytes())
    raw[-5] ^= 1
    place(kept.name).write_bytes(raw)
    with storage.open_object(kept.name) as file:
        assert len(file.read(MEGABYTE)) == MEGABYTE
        with pytest.raises(Damaged):
            file.read()


def cut(raw: bytearray) -> None:
    del raw[-1:]


def changed_first(raw: bytearray) -> None:
    raw[-20] ^= 1


def emptied(raw: bytearray) -> None:
    raw.clear()


def damages_of(name: str) -> list[tuple[str, str]]:
    found = AuditRecord.objects.filter(event="file.damaged", target_id=name)
    return list(found.values_list("user_name", "request_id"))


@pytest.mark.parametrize("damage", [cut, changed_first, emptied])
def test_a_damaged_file_is_refused_as_it_is_opened_and_the_trail_keeps_it(
    in_alpha: TenantRef, damage: Callable[[bytearray], None]
) -> None:
    kept = keep(b"sealed")
    raw = bytearray(place(kept.name).read_bytes())
    damage(raw)
    place(kept.name).write_bytes(raw)
    token = logs.request_id.set("0123456789")
    try:
        # The reader's own transaction is undone; what it found is not.
        with pytest.raises(Damaged) as refused, transaction.atomic():
            storage.open_object(kept.name)
    finally:
        logs.request_id.reset(token)
    assert (refused.value.status, refused.value.code) == (503, "file.damaged")
    assert damages_of(kept.name) == [("系统", "0123456789")]


def test_damage_met_while_an_answer_is_streamed_is_kept_in_the_trail_too(in_alpha: TenantRef) -> None:
    kept = keep(os.urandom(2 * MEGABYTE))
    raw = bytearray(place(kept.name).read_bytes())
    changed_first(raw)
    place(kept.name).write_bytes(raw)
    response = FileResponse(storage.open_object(kept.name))
    with outside_tenants(), pytest.raises(Damaged):
        b"".join(response)
    assert damages_of(kept.name) == [("系统", "")]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "{own}/tests/../../x",
        "{own}/tests/",
        "{own}/../{own}/tests/00000000-0000-0000-0000-000000000000",
        "public/tests/00000000-0000-0000-0000-000000000000",
        "{own}/tests/00000000-0000-0000-0000-000000000000\n",
    ],
)
def test_names_that_are_no_names_are_not_there(in_alpha: TenantRef, name: str) -> None:
    name = name.format(own=in_alpha.schema)
    with pytest.raises(NotFound):
        storage.open_object(name)
    with pytest.raises(NotFound):
        storage.delete(name)
    assert not storage.exists(name)


def test_a_deleted_file_is_gone_and_deleting_again_is_no_error(in_alpha: TenantRef) -> None:
    kept = keep(b"x")
    storage.delete(kept.name)
    storage.delete(kept.name)
    with pytest.raises(NotFound):
        storage.open_object(kept.name)


def test_too_large_is_413_and_leaves_nothing(in_alpha: TenantRef) -> None:
    with pytest.raises(TooLarge) as refusal:
        storage.store(name_prefix="tests", stream=Stream(30 * MEGABYTE), content_type="text/plain", limit=20 * MEGABYTE)
    assert refusal.value.status == 413
    assert left_behind() == []


def test_two_gigabytes_are_refused(in_alpha: TenantRef) -> None:
    assert storage.LIMIT_BYTES == 2_000_000_000


def test_a_connection_lost_in_the_middle_of_an_upload_leaves_nothing(in_alpha: TenantRef) -> None:
    class Broken(Stream):
        def read(self, size: int = -1) -> bytes:
            if self._left < 2 * MEGABYTE:
                raise ConnectionResetError
            return super().read(size)

    with pytest.raises((ConnectionResetError, Unavailable)):
        storage.store(name_prefix="broken", stream=Broken(9 * MEGABYTE), content_type="text/plain")
    assert left_behind() == []
    assert not list((env.files_root / in_alpha.schema).glob("broken/*"))


def test_memory_stays_constant_both_ways(in_alpha: TenantRef) -> None:
    size = 200 * MEGABYTE
    keep(b"warm")
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        kept = storage.store(name_prefix="tests", stream=Stream(size), content_type="text/plain")
        with storage.open_object(kept.name) as file:
            assert sum(map(len, file.chunks())) == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    storage.delete(kept.name)
    assert kept.size == size
    assert peak < 8 * MEGABYTE
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident) * 1024 < 24 * MEGABYTE


_FULL_DISK = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(USE_TZ=True, USE_I18N=False)
import django
django.setup()
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
from saas.core.errors import Unavailable
from saas.core.storage.backends import DiskBackend
folder = Path(sys.argv[1])
try:
    DiskBackend(folder).put("b_0123456789ab/x/y", iter([memoryview(bytes(1 << 20)), memoryview(b"more")]))
except Unavailable as refusal:
    print(refusal.code, [p for p in folder.rglob("*") if p.is_file()])
"""


def test_a_disk_that_takes_no_more_is_a_clear_refusal_and_leaves_nothing(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert answer.stdout.strip() == "storage.full []"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_the_real_error_of_a_full_disk_is_recognised() -> None:
    with pytest.raises(OSError, match="space") as real, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    assert real.value.errno == errno.ENOSPC
    assert backends._unavailable(real.value).code == "storage.full"


def test_a_writer_killed_in_the_middle_leaves_no_object_and_its_rest_is_cleared(tmp_path: Path) -> None:
    partial = tmp_path / ".partial"
    partial.mkdir()
    old, new = partial / "old", partial / "new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (1, 1))
    DiskBackend(tmp_path)
    assert not old.exists()
    assert new.exists()


def test_without_vault_nothing_is_stored(in_alpha: TenantRef) -> None:
    before = sorted((env.files_root / in_alpha.schema).rglob("*"))
    with (
        acting_as(VaultClient(address="http://127.0.0.1:9", role_id="x", secret_id="x")),
        pytest.raises(Unavailable) as refusal,
    ):
        keep(b"x")
    assert refusal.value.status == 503
    assert sorted((env.files_root / in_alpha.schema).rglob("*")) == before
    assert vault_client.client().health() == "ready"


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 service; where it cannot be built, the tests say why they are skipped."""
    server = S3Server(folder=tmp_path_factory.mktemp("s3"))
    try:
        server.start()
    except CannotBuild as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> backends.S3Backend:
    made = backends.S3Backend(
        endpoint_url=s3_server.endpoint,
        bucket=f"yunshu-{uuid.uuid4().hex[:12]}",
        access_key=s3_server.access_key,
        secret_key=s3_server.secret_key,
        region="us-east-1",
    )
    made.make_bucket()
    monkeypatch.setattr("saas.core.storage.services.backend", lambda: made)
    return made


def test_s3_keeps_what_is_stored_and_gives_any_part_of_it(in_alpha: TenantRef, s3: backends.S3Backend) -> None:
    content = os.urandom(20 * MEGABYTE + 3)
    kept = keep(content)
    with storage.open_object(kept.name) as file:
        assert file.read() == content
        file.seek(5 * MEGABYTE + 7)
        assert file.read(100) == content[5 * MEGABYTE + 7 :][:100]
    assert storage.exists(kept.name)
    storage.delete(kept.name)
    assert not storage.exists(kept.name)
    with pytest.raises(NotFound):
        storage.open_object(kept.name)


@pytest.mark.parametrize("size", [0, 1, MEGABYTE, 8 * MEGABYTE, 9 * MEGABYTE])
def test_s3_gives_back_every_size(in_alpha: TenantRef, s3: backends.S3Backend, size: int) -> None:
    content = os.urandom(size)
    with storage.open_object(keep(content).name) as file:
        assert file.read() == content


def test_s3_holds_only_envelopes_and_never_another_bureaus(
    in_alpha: TenantRef, beta: TenantRef, s3: backends.S3Backend
) -> None:
    kept = keep(b"canary " * 100)
    source = s3.open(kept.name)
    raw = source.read_at(0, source.size)
    source.close()
    assert b"canary" not in raw
    stolen = kept.name.replace(in_alpha.schema, beta.schema)
    s3.put(stolen, iter([memoryview(raw)]))
    with use_tenant(beta):
        with pytest.raises(NotFound):
            storage.open_object(kept.name)
        with pytest.raises(Damaged):
            storage.open_object(stolen)


def test_an_upload_to_s3_that_breaks_off_leaves_no_object(in_alpha: TenantRef, s3: backends.S3Backend) -> None:
    name = f"{in_alpha.schema}/tests/{uuid.uuid4()}"

    def pieces() -> Iterator[memoryview]:
        for _ in range(20):
            yield memoryview(bytes(MEGABYTE))
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, Unavailable)):
        s3.put(name, pieces())
    assert not s3.exists(name)


def test_s3_that_does_not_answer_is_unavailable() -> None:
    away = backends.S3Backend(
        endpoint_url="http://127.0.0.1:9", bucket="b", access_key="k", secret_key="s", region="us-east-1"
    )
    with pytest.raises(Unavailable) as refusal:
        away.put("b_0123456789ab/x/y", iter([memoryview(b"x")]))
    assert refusal.value.code == "storage.unavailable"


def test_what_is_delivered_is_the_receivers_and_no_longer_the_senders(in_alpha: TenantRef, beta: TenantRef) -> None:
    kept = keep("公文正文".encode())
    copy = storage.deliver(name=kept.name, to=beta, name_prefix="exchange")
    assert copy.sha256 == kept.sha256
    with pytest.raises(NotFound):
        storage.open_object(copy.name)
    with use_tenant(beta):
        with storage.open_object(copy.name) as file:
            assert file.read() == "公文正文".encode()
        with pytest.raises(NotFound):
            storage.deliver(name=kept.name, to=beta, name_prefix="exchange")


def test_only_the_exchange_delivers_into_another_bureau() -> None:
    root = Path(storage.__file__).parents[3]
    callers = {
        path.relative_to(root).parts[:2]
        for top in ("saas", "tenants", "billing", "monitoring")
        for path in (root / top).rglob("*.py")
        if re.search(r"\bstorage\.deliver\b|import .*\bdeliver\b", path.read_text("utf-8"))
    }
    assert callers <= {("saas", "core"), ("saas", "exchange")}


def test_s3_lists_what_lies_under_a_name(in_alpha: TenantRef, s3: backends.S3Backend) -> None:
    kept = [keep(bytes(size)) for size in (0, 10)]
    found = {item.name: item for item in s3.listed(in_alpha.schema)}
    assert set(found) == {item.name for item in kept}
    assert all(item.size > 0 and item.changed_at.tzinfo is not None for item in found.values())
    assert list(s3.listed("b_000000000000")) == []
