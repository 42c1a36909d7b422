"""Where stored bytes lie: files on disk, or an S3 service when one is named. Both see only envelopes."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import boto3.s3.transfer
import botocore.config
import botocore.exceptions
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.utils.translation import gettext as _

from saas.core.errors import NotFound, Unavailable
from saas.core.storage.envelope import Pieces, Source

_PART_BYTES = 8 * 1024 * 1024
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_STALE_SECONDS = 24 * 3600
_PARTIAL = ".partial"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored object: its name, its size as it lies there in bytes, and when it was last written."""

    name: str
    size: int
    changed_at: datetime


class Backend(Protocol):
    """What the storage layer needs of a place for bytes."""

    def put(self, name: str, pieces: Iterator[memoryview]) -> None:
        """Store all pieces under a new name, or nothing at all."""
        ...

    def open(self, name: str) -> Source:
        """Open what is stored under a name; raises NotFound."""
        ...

    def delete(self, name: str) -> None:
        """Remove it; nothing happens when it is not there."""
        ...

    def exists(self, name: str) -> bool:
        """Whether something is stored under the name."""
        ...

    def listed(self, root: str) -> Iterator[Listed]:
        """Everything whose name begins with ``root/``, in no order."""
        ...


def no_such_object() -> NotFound:
    """The answer for a name that is not there or is another tenant's: the two must not differ."""
    return NotFound(_("没有这个文件，或者它不属于本单位。"), code="file.not_found")


def _unavailable(error: OSError | None = None) -> Unavailable:
    if error is not None and error.errno in _NO_SPACE:
        message = _("存储空间已满，文件没有保存，其他内容未受影响。请联系系统管理员扩容后再试。")
        return Unavailable(message, code="storage.full")
    return Unavailable(_("文件存储暂时不可用，没有做任何改动。请稍后再试。"), code="storage.unavailable")


class _FileSource:
    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self.size = os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise _unavailable(error) from None

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DiskBackend(FileSystemStorage):
    """Files under one folder, readable by this account alone; each appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(location=folder, file_permissions_mode=0o600, directory_permissions_mode=0o700)
        self._folder = folder
        self._forget_partials()

    def put(self, name: str, pieces: Iterator[memoryview]) -> None:
        """Write beside the final place, flush to the disk, then rename.

        Raises:
            Unavailable: the disk is full or fails; nothing is left behind.
        """
        target = Path(self.path(name))
        partial = self._folder / _PARTIAL / uuid.uuid4().hex
        try:
            for folder in (partial.parent, target.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                for piece in pieces:
                    _write_all(descriptor, piece)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            partial.rename(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise _unavailable(error) from None
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def open(self, name: str) -> Source:  # type: ignore[override]
        """Open a stored file."""
        try:
            return _FileSource(Path(self.path(name)))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise no_such_object() from None
        except OSError as error:
            raise _unavailable(error) from None

    def delete(self, name: str) -> None:
        """Remove a stored file."""
        try:
            super().delete(name)
        except OSError as error:
            raise _unavailable(error) from None

    def listed(self, root: str) -> Iterator[Listed]:
        """Walk the folder; what vanishes meanwhile is passed over."""
        for folder, _folders, files in os.walk(self.path(root)):
            for file in files:
                path = Path(folder) / file
                with contextlib.suppress(FileNotFoundError):
                    found = path.stat()
                    changed = datetime.fromtimestamp(found.st_mtime, tz=UTC)
                    yield Listed(path.relative_to(self._folder).as_posix(), found.st_size, changed)

    def _forget_partials(self) -> None:
        """Remove what writers that were killed left behind; a living upload is never a day old."""
        oldest = time.time() - _STALE_SECONDS
        with contextlib.suppress(OSError):
            for path in (self._folder / _PARTIAL).iterdir():
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()


def _write_all(descriptor: int, piece: memoryview) -> None:
    while piece:
        written = os.write(descriptor, piece)
        piece = piece[written:]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _s3_errors() -> Iterator[None]:
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            raise no_such_object() from None
        raise _unavailable() from None
    except (botocore.exceptions.BotoCoreError, boto3.exceptions.Boto3Error):
        raise _unavailable() from None


class _S3Source:
    """Reads an object by ranges, keeping the answer open while it is read in order."""

    def __init__(self, s3_object: Any) -> None:
        self._object = s3_object
        self._body: Any = None
        self._at = 0
        self.size = 0
        self._start(0)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset >= self.size:
            return b""
        if offset != self._at or self._body is None:
            self._start(offset)
        with _s3_errors():
            data: bytes = self._body.read(length)
        self._at += len(data)
        return data

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def _start(self, offset: int) -> None:
        self.close()
        with _s3_errors():
            answer = self._object.get(Range=f"bytes={offset}-") if offset else self._object.get()
        self._body, self._at = answer["Body"], offset
        if not offset:
            self.size = answer["ContentLength"]


class S3Backend:
    """Objects in one bucket through django-storages."""

    def __init__(self, *, endpoint_url: str, bucket: str, access_key: str, secret_key: str, region: str) -> None:
        from storages.backends.s3 import S3Storage

        self._storage = S3Storage(
            endpoint_url=endpoint_url,
            bucket_name=bucket,
            access_key=access_key,
            secret_key=secret_key,
            region_name=region,
            file_overwrite=True,
            default_acl=None,
            transfer_config=boto3.s3.transfer.TransferConfig(
                multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, use_threads=False
            ),
            client_config=botocore.config.Config(
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"max_attempts": 2, "mode": "standard"},
                # The envelope authenticates every byte; older services refuse the newer checksum headers.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, name: str, pieces: Iterator[memoryview]) -> None:
        """Upload in parts; a failed upload is aborted and leaves no object.

        Raises:
            Unavailable: the service refused or is away.
        """
        stream = _Upload(Pieces(pieces), _PART_BYTES)
        with _s3_errors():
            self._storage.save(name, stream)

    def open(self, name: str) -> Source:
        """Open a stored object."""
        return _S3Source(self._storage.bucket.Object(name))

    def delete(self, name: str) -> None:
        """Remove a stored object."""
        with _s3_errors():
            self._storage.delete(name)

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        with _s3_errors():
            return bool(self._storage.exists(name))

    def listed(self, root: str) -> Iterator[Listed]:
        """Page through the bucket."""
        with _s3_errors():
            for found in self._storage.bucket.objects.filter(Prefix=f"{root}/"):
                yield Listed(found.key, found.size, found.last_modified)

    def make_bucket(self) -> None:
        """Create the bucket; for a new installation and for tests."""
        with _s3_errors():
            self._storage.connection.create_bucket(Bucket=self._storage.bucket_name)


class _Upload(io.BufferedReader):
    """Full parts for the uploader, however the pieces fall. `chunks` keeps Django from wrapping it in a File."""

    name = ""
    content_type = "application/octet-stream"

    def chunks(self, chunk_size: int = _PART_BYTES) -> Iterator[bytes]:
        return iter(lambda: self.read(chunk_size), b"")


_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def _made(process: int) -> Backend:
    from saas.env import env

    if env.s3_endpoint_url:
        return S3Backend(
            endpoint_url=env.s3_endpoint_url,
            bucket=env.s3_bucket,
            access_key=env.s3_access_key_id,
            secret_key=env.s3_secret_access_key,
            region=env.s3_region,
        )
    return DiskBackend(Path(getattr(settings, "FILES_ROOT", "") or env.files_root))


def backend() -> Backend:
    """This process's place for bytes."""
    with _lock:
        return _made(os.getpid())
