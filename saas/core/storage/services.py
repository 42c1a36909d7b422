"""Stores and opens a tenant's files: always enveloped, always under the tenant's own name, never another's."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.errors import BadRequest, TooLarge
from saas.core.keys import WrongKey, data_key, unwrap
from saas.core.metrics import timed
from saas.core.storage.backends import backend, no_such_object
from saas.core.storage.damage import note_damage
from saas.core.storage.envelope import Damaged, Header, OpenedObject, Readable, context_of, encrypt, new_nonce_prefix
from saas.core.tenancy import TenantRef, current_tenant

# Refused from here on: what is larger goes by secure transfer.
LIMIT_BYTES = 2_000_000_000
_PREFIX = re.compile(r"[a-z][a-z0-9_-]*(/[a-z0-9_-]+)*")
_NAME = re.compile(r"(?P<tenant>b_[0-9a-f]{12}|public)/(?P<prefix>[a-z][a-z0-9_/-]*)/(?P<id>[0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a service keeps of a file: its name in the storage, plain size in bytes, SHA-256 (hex) and media type."""

    name: str
    size: int
    sha256: str
    content_type: str


def store(
    *, name_prefix: str, stream: Readable | bytes, content_type: str, by: Actor | None = None, limit: int = LIMIT_BYTES
) -> StoredObject:
    """Store a file of the current tenant under a new name, in constant memory.

    Storing first and writing the name in the transaction after it, an act that fails leaves at most a file nobody
    knows; nothing that was acknowledged is ever without its file.

    Args:
        name_prefix: what it belongs to, e.g. ``documents`` or ``archive/records``.
        stream: the content, read to its end, or the content itself.
        content_type: its media type, as sniffed (`sniff_content_type`), not as claimed.
        by: who stores it, where that is an act of its own in the audit trail.
        limit: the first size in bytes that is too large.

    Raises:
        TooLarge: the content reaches `limit`.
        Unavailable: Vault or the storage is away, or the disk is full; nothing is kept.
    """
    stored = _put(current_tenant(), name_prefix=name_prefix, stream=stream, content_type=content_type, limit=limit)
    if by is not None:
        from saas.core.audit import Event, record
        from saas.core.audit.services import Target

        target = Target("file", stored.name)
        record(Event.FILE_STORED, by=by, target=target, detail={"size": stored.size, "sha256": stored.sha256})
    return stored


def deliver(*, name: str, to: TenantRef, name_prefix: str) -> StoredObject:
    """Put a copy of a file of the current tenant among another bureau's files, under that bureau's key.

    The giver can name the copy in a package but not open it again; only `saas.exchange` may call this.

    Args:
        name: a file of the current tenant.
        to: the bureau that receives it.
        name_prefix: where it lands there.

    Raises:
        NotFound: there is no such file of the current tenant.
        Unavailable: Vault or the storage is away; nothing is kept.
    """
    with open_object(name) as source:
        return _put(to, name_prefix=name_prefix, stream=source, content_type=source.content_type, limit=LIMIT_BYTES)


def _put(ref: TenantRef, *, name_prefix: str, stream: Readable | bytes, content_type: str, limit: int) -> StoredObject:
    if not _PREFIX.fullmatch(name_prefix):
        raise ValueError("not a prefix of object names")
    name = f"{ref.schema}/{name_prefix}/{uuid.uuid4()}"
    content = _Measured(io.BytesIO(stream) if isinstance(stream, bytes) else stream, limit)
    key = data_key(ref, _context(ref, name))
    header = Header(
        zone=str(settings.ZONE),
        tenant=ref.schema,
        name=name,
        content_type=content_type,
        wrapped_key=key.wrapped,
        nonce_prefix=new_nonce_prefix(),
    )
    with timed("storage", "put"):
        backend().put(name, encrypt(content, header=header, key=key.plaintext))
    return StoredObject(name, content.size, content.sha256, content_type)


def open_object(name: str) -> OpenedObject:
    """Open a file of the current tenant for reading; close it, or use ``with``.

    Raises:
        NotFound: it is not there, or is another tenant's.
        Damaged: it is not what was stored; also while reading.
        Unavailable: Vault or the storage is away.
    """
    ref = _owned(name)

    def damaged() -> Damaged:
        note_damage(ref, name)
        return Damaged()

    with timed("storage", "open"):
        source = backend().open(name)
    try:
        try:
            header, opening = Header.load(source)
        except Damaged:
            raise damaged() from None
        if (header.zone, header.tenant, header.name) != (str(settings.ZONE), ref.schema, name):
            raise damaged()
        try:
            key = unwrap(ref, header.wrapped_key, _context(ref, name))
        except WrongKey:
            raise damaged() from None
        opened = OpenedObject(source, header=header, opening=opening, key=key, damaged=damaged)
        opened.check_start()
    except BaseException:
        source.close()
        raise
    return opened


def delete(name: str) -> None:
    """Remove a file of the current tenant; call it on commit. A file that is not there is no error.

    Raises:
        NotFound: the name is another tenant's.
        Unavailable: the storage is away.
    """
    _owned(name)
    with timed("storage", "delete"):
        backend().delete(name)


def exists(name: str) -> bool:
    """Whether the current tenant has a file of that name; another tenant's is not there.

    Raises:
        Unavailable: the storage is away.
    """
    matched = _NAME.fullmatch(name)
    return matched is not None and matched["tenant"] == current_tenant().schema and backend().exists(name)


def _owned(name: str) -> TenantRef:
    ref = current_tenant()
    matched = _NAME.fullmatch(name)
    if matched is None or matched["tenant"] != ref.schema:
        raise no_such_object()
    return ref


def _context(ref: TenantRef, name: str) -> bytes:
    return context_of(zone=str(settings.ZONE), tenant=ref.schema, name=name)


class _Measured:
    """Counts and digests what is read, and stops at the limit."""

    def __init__(self, stream: Readable, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def read(self, length: int, /) -> bytes:
        data = self._stream.read(length)
        if not isinstance(data, bytes):
            raise BadRequest(_("上传的内容无法读取，请重新上传。"))
        self.size += len(data)
        if self.size >= self._limit:
            megabytes = self._limit // 1_000_000
            message = _("文件过大，应小于 %(megabytes)s MB。请压缩或拆分后再上传。") % {"megabytes": megabytes}
            raise TooLarge(message)
        self._digest.update(data)
        return data
