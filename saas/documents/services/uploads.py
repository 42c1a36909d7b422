"""Attachments that arrive in pieces: what has arrived stays, and an upload that broke off goes on where it stopped.

Chosen: a protocol of our own of four requests (begin, piece, finish, give up), each piece an enveloped object of its
own. Turned down: the tus libraries for Django keep pieces as plain files on one machine's disk.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.errors import Conflict, Invalid, NotFound, TooLarge
from saas.core.storage import delete, open_object, store
from saas.documents.access import can_edit, is_drafter
from saas.documents.layout.body import clean_line
from saas.documents.models import Attachment, Document, DocumentUpload
from saas.documents.services.drafting import ATTACHMENT_LIMIT, attachment_add

PIECE_BYTES = 1024 * 1024
MOST_AT_ONCE = 10
KEPT = timedelta(days=2)


class WrongOffset(Conflict):
    """The piece does not begin where what has arrived ends; `offset` says where that is."""

    code = "upload.offset"

    def __init__(self, offset: int) -> None:
        super().__init__(_("上传的位置不对，请从已收到的位置继续。"))
        self.offset = offset


def upload_begin(*, document_id: UUID, name: str, size: int, fingerprint: str, by: Actor) -> DocumentUpload:
    """Begin an upload, or find the one of the same file that broke off.

    Args:
        document_id: a draft of `by`.
        name: the file's name.
        size: in bytes.
        fingerprint: what tells this file from others of the same name and size (its date), as the browser says.
        by: the drafter.

    Raises:
        NotFound: no such document, or `by` does not draft it.
        Conflict: it is no longer a draft.
        TooLarge: more than an attachment may have.
        Invalid: an empty file, or too many uploads at once.
    """
    _draft_of(document_id, by)
    person = _person(by)
    if size >= ATTACHMENT_LIMIT:
        message = _("文件过大，应小于 %(megabytes)s MB。请压缩或拆分后再上传。")
        raise TooLarge(message % {"megabytes": ATTACHMENT_LIMIT // 1_000_000})
    name = clean_line(name)[:200]
    if size < 1 or not name:
        raise Invalid(_("这个文件是空的，或没有名称。"), code="upload.empty")
    mine = DocumentUpload.objects.filter(document_id=document_id, person_id=person)
    found = mine.filter(name=name, size=size, fingerprint=fingerprint[:100]).first()
    if found is not None:
        return found
    if mine.count() >= MOST_AT_ONCE:
        raise Invalid(_("同时上传的文件过多，请等已选的文件传完。"), code="upload.many")
    return DocumentUpload.objects.create(
        document_id=document_id, person_id=person, name=name, size=size, fingerprint=fingerprint[:100]
    )


def upload_piece(*, upload_id: UUID, offset: int, data: bytes, by: Actor) -> DocumentUpload:
    """Keep the next piece.

    Args:
        upload_id: an upload of `by`.
        offset: where the piece begins; it must be where the last one ended.
        data: at most `PIECE_BYTES`.
        by: the drafter.

    Raises:
        NotFound: no such upload of `by`.
        WrongOffset: a piece was lost or came twice; nothing was kept.
        TooLarge: the piece, or all together, is more than was said.
        Unavailable: Vault or the storage is away or full; what arrived before stays.
    """
    upload = _own(upload_id, by)
    if offset != upload.received:
        raise WrongOffset(upload.received)
    if not data or len(data) > PIECE_BYTES or offset + len(data) > upload.size:
        raise TooLarge(_("收到的内容比所说的多，请重新上传。"), code="upload.piece")
    kept = store(name_prefix="documents/parts", stream=data, content_type="application/octet-stream")
    with transaction.atomic():
        upload = _own(upload_id, by, for_update=True)
        if offset != upload.received:
            raise WrongOffset(upload.received)
        upload.parts = [*upload.parts, kept.name]
        upload.received += len(data)
        upload.save(update_fields=["parts", "received", "changed_at"])
    return upload


def upload_finish(*, upload_id: UUID, sha256: str, by: Actor) -> Attachment:
    """Put the pieces together and keep them as an attachment of the draft.

    Args:
        upload_id: an upload of `by`, wholly received.
        sha256: of the whole file, hex, as the browser computed it.
        by: the drafter.

    Raises:
        NotFound: no such upload of `by`.
        WrongOffset: something is still missing.
        Invalid: the digest differs, or the file is refused as any attachment is; the upload is given up.
        Conflict: the document is no longer a draft.
        Unavailable: Vault or the storage is away or full; finishing can be tried again.
    """
    upload = _own(upload_id, by)
    if upload.received != upload.size:
        raise WrongOffset(upload.received)
    try:
        if _digest(upload.parts) != sha256.strip().lower():
            raise Invalid(_("文件在传输中有损坏，没有保存。请重新上传。"), code="upload.digest")
        whole = io.BufferedReader(_Parts(upload.parts), PIECE_BYTES)
        made = attachment_add(
            document_id=upload.document_id, name=upload.name, stream=whole, by=by, upload_id=upload.id
        )
    except Invalid:
        _give_up(upload)
        raise
    _forget(upload.parts)
    return made


def upload_cancel(*, upload_id: UUID, by: Actor) -> None:
    """Give an upload up; its pieces go.

    Raises:
        NotFound: no such upload of `by`.
    """
    _give_up(_own(upload_id, by))


def uploads_forget() -> int:
    """Give up uploads that nobody has gone on with for two days; returns how many."""
    stale = list(DocumentUpload.objects.filter(changed_at__lt=timezone.now() - KEPT))
    for upload in stale:
        _give_up(upload)
    return len(stale)


def _draft_of(document_id: UUID, by: Actor) -> Document:
    document = Document.objects.filter(id=document_id).first()
    if document is None or not is_drafter(document, by):
        raise NotFound(_("没有这份公文。"))
    if not can_edit(document, by):
        raise Conflict(_("公文已提交审批，不能再修改。请联系当前办理人退回。"), code="document.state")
    return document


def _person(by: Actor) -> UUID:
    if by.person_id is None:
        raise NotFound(_("没有这份公文。"))
    return by.person_id


def _own(upload_id: UUID, by: Actor, *, for_update: bool = False) -> DocumentUpload:
    uploads = DocumentUpload.objects.select_for_update() if for_update else DocumentUpload.objects.all()
    upload = uploads.filter(id=upload_id, person_id=_person(by)).first()
    if upload is None:
        raise NotFound(_("没有这次上传，可能已经完成或放弃。"))
    return upload


def _give_up(upload: DocumentUpload) -> None:
    """The row goes first: a piece without a row is swept, a row without its pieces would be a lie."""
    with transaction.atomic():
        upload.delete()
        _forget(upload.parts)


def _forget(parts: list[str]) -> None:
    for name in parts:
        transaction.on_commit(functools.partial(delete, name))


def _digest(parts: list[str]) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(parts):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(parts: list[str]) -> Iterator[bytes]:
    for name in parts:
        with open_object(name) as part:
            yield part.read()


class _Parts(io.RawIOBase):
    """The pieces as one file, one of them in memory at a time; `seek` goes to the beginning only."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        self._start()

    def _start(self) -> None:
        self._left = _pieces(self._parts)
        self._held = b""
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation
        self._start()
        return 0

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        while not self._held:
            following = next(self._left, None)
            if following is None:
                return 0
            self._held = following
        taken = self._held[: len(buffer)]
        buffer[: len(taken)] = taken
        self._held = self._held[len(taken) :]
        self._at += len(taken)
        return len(taken)
