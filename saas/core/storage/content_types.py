"""Tells what a file is from its first bytes, because its name and its sender may say anything."""

from __future__ import annotations

import codecs
import enum
from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from saas.core.errors import Invalid

SNIFF_BYTES = 8192


class ContentType(enum.StrEnum):
    """The closed table of what bureaus may store; the value is the media type."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    OFD = "application/ofd"
    ZIP = "application/zip"
    TXT = "text/plain"

    @property
    def label(self) -> str:
        """What people call it."""
        return _("纯文本") if self is ContentType.TXT else self.name


_MAGIC = (
    (b"%PDF-", ContentType.PDF),
    (b"\x89PNG\r\n\x1a\n", ContentType.PNG),
    (b"\xff\xd8\xff", ContentType.JPEG),
)
# Names inside the archive that make a ZIP something more; the first that is seen decides.
_IN_ZIP = ((b"OFD.xml", ContentType.OFD), (b"word/", ContentType.DOCX), (b"xl/", ContentType.XLSX))
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_SUFFIXES: Mapping[ContentType, frozenset[str]] = {
    ContentType.PDF: frozenset({"pdf"}),
    ContentType.PNG: frozenset({"png"}),
    ContentType.JPEG: frozenset({"jpg", "jpeg"}),
    ContentType.DOCX: frozenset({"docx"}),
    ContentType.XLSX: frozenset({"xlsx"}),
    ContentType.OFD: frozenset({"ofd"}),
    ContentType.ZIP: frozenset({"zip"}),
    ContentType.TXT: frozenset({"txt", "csv", "md", "json", "jsonl", "xml", "log"}),
}
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def sniff_content_type(head: bytes) -> ContentType | None:
    """What a file is.

    Args:
        head: its first `SNIFF_BYTES` bytes, or all of a shorter one.

    Returns:
        the type, or None when it is none of the table.
    """
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head.startswith(_ZIP_STARTS):
        return _kind_of_zip(head)
    return ContentType.TXT if _is_text(head) else None


def require_content_type(head: bytes, *, allowed: Collection[ContentType]) -> ContentType:
    """What a file is, when that is allowed.

    Raises:
        Invalid: it is something else; code ``file.wrong_type``.
    """
    found = sniff_content_type(head)
    if found is not None and found in allowed:
        return found
    names = "、".join(kind.label for kind in ContentType if kind in allowed)
    if found is None:
        message = _("文件的实际内容无法识别，这里只接受 %(allowed)s。请检查文件后重新上传。") % {"allowed": names}
    else:
        values = {"found": found.label, "allowed": names}
        message = _("文件的实际内容是 %(found)s，这里只接受 %(allowed)s。请检查文件后重新上传。") % values
    raise Invalid(message, code="file.wrong_type")


def require_honest_name(name: str, found: ContentType) -> None:
    """Refuse a file whose name says it is something else: whoever opens it later goes by the name.

    Args:
        name: as the sender called it; one without a suffix claims nothing.
        found: what it is.

    Raises:
        Invalid: code ``file.wrong_name``.
    """
    suffix = name.rpartition(".")[2].strip().lower() if "." in name else ""
    if suffix and suffix not in _SUFFIXES[found]:
        values = {"name": name[-60:], "found": found.label}
        message = _("文件“%(name)s”的实际内容是 %(found)s，与后缀不符。请改正后缀，或重新选择文件。") % values
        raise Invalid(message, code="file.wrong_name")


def _kind_of_zip(head: bytes) -> ContentType:
    """Walk the local file headers; only names count, not what a stored text happens to contain."""
    at = head.find(b"PK\x03\x04")
    while 0 <= at <= len(head) - 30:
        length = int.from_bytes(head[at + 26 : at + 28], "little")
        name = head[at + 30 : at + 30 + length]
        for start, found in _IN_ZIP:
            if name.startswith(start):
                return found
        # The size may stand after the content, so the next header is looked for, not computed.
        at = head.find(b"PK\x03\x04", at + 30)
    return ContentType.ZIP


def _is_text(head: bytes) -> bool:
    if not head or any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in head):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            # The head may end inside a character.
            codecs.getincrementaldecoder(encoding)().decode(head, final=False)
        except UnicodeDecodeError:
            continue
        return True
    return False
