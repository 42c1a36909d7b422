"""The four-nature check (四性检测, DA/T 70-2018) at filing. A check that was not run says so; it is never a pass."""

from __future__ import annotations

import enum
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from saas.archive.packing import MANIFEST, PIECE_BYTES
from saas.core.errors import Invalid
from saas.core.pdfium import opened
from saas.core.storage import OpenedObject
from saas.documents.services.drafting import ATTACHMENT_TYPES
from saas.documents.services.incoming import SCAN_TYPES

ARCHIVE_NUMBER = re.compile(r"[A-Z0-9]{1,20}-WS·\d{4}-(Y|D30|D10)-[A-Z0-9]{1,20}-\d{4,6}")
MANDATORY = ("title", "issuer", "document_date", "retention", "archive_number", "direction")
ALLOWED_FORMATS = frozenset({"application/json", *ATTACHMENT_TYPES, *SCAN_TYPES})
LONGEST_TITLE = 500


class Nature(enum.StrEnum):
    """The four natures."""

    AUTHENTICITY = gettext_noop("真实性")
    COMPLETENESS = gettext_noop("完整性")
    USABILITY = gettext_noop("可用性")
    SAFETY = gettext_noop("安全性")


class Outcome(enum.StrEnum):
    """What a check found."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the package."""

    nature: str
    name: str
    outcome: str
    note: str

    def as_json(self) -> dict[str, str]:
        """As kept with the record."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What is checked: the package as stored, and what it must match.

    Args:
        items: what is in the package, as its builder listed it.
        content: the package as it lies in the storage.
        metadata: its metadata.
        frozen_sha256: digest of the final PDF as the documents app knows it.
        attachment_digests: digests of the document's attachments, as they were at 签发 where there was one.
        attached_as_signed: whether the attachments are those of 签发, by name and digest.
        has_process: whether the document went through a flow here, so that its records must be there.
        number_taken: whether another record already has this 档号.
    """

    items: Sequence[Mapping[str, str | int]]
    content: IO[bytes] | OpenedObject
    metadata: Mapping[str, object]
    frozen_sha256: str
    attachment_digests: frozenset[str]
    attached_as_signed: bool
    has_process: bool
    number_taken: bool


def _result(nature: Nature, name: str, problem: str) -> Check:
    return Check(nature.value, name, Outcome.FAILED if problem else Outcome.PASSED, problem)


def _not_run(nature: Nature, name: str, why: str) -> Check:
    return Check(nature.value, name, Outcome.NOT_RUN, why)


def _authenticity(filing: Filing) -> Iterator[Check]:
    nature = Nature.AUTHENTICITY
    digests = {str(item["digest"]) for item in filing.items}
    fixed = "" if filing.frozen_sha256 in digests else _("包内没有与定稿逐字节一致的正文文件")
    yield _result(nature, _("正文固化"), fixed)
    title = filing.metadata.get("title")
    right = isinstance(title, str) and 0 < len(title) <= LONGEST_TITLE
    yield _result(nature, _("元数据长度与类型"), "" if right else _("题名缺失或超长"))
    number = str(filing.metadata.get("archive_number", ""))
    yield _result(nature, _("档号规则（DA/T 22-2015）"), "" if ARCHIVE_NUMBER.fullmatch(number) else number)
    yield _result(nature, _("档号不重复"), _("档号已被使用") if filing.number_taken else "")


def _completeness(filing: Filing) -> Iterator[Check]:
    nature = Nature.COMPLETENESS
    missing = [name for name in MANDATORY if not filing.metadata.get(name)]
    yield _result(nature, _("必填元数据"), "、".join(missing))
    names = {str(item["name"]) for item in filing.items}
    process = not filing.has_process or "process.json" in names
    yield _result(nature, _("过程记录"), "" if process else _("缺少办理过程"))
    digests = {str(item["digest"]) for item in filing.items}
    lost = filing.attachment_digests - digests
    problem = "" if filing.attached_as_signed else _("附件与签发时不一致")
    yield _result(nature, _("附件齐全"), _("缺少 %(n)s 个附件") % {"n": len(lost)} if lost else problem)


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as source:
        while piece := source.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _opened(filing: Filing) -> Iterator[Check]:
    nature = Nature.USABILITY
    with zipfile.ZipFile(filing.content) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        wrong = [item["name"] for item in manifest["items"] if _digest(archive, item["name"]) != item["digest"]]
        yield _result(Nature.COMPLETENESS, _("件数与字节数"), "、".join(wrong))
        formats = sorted({i["content_type"] for i in manifest["items"]} - ALLOWED_FORMATS)
        yield _result(nature, _("格式允许长期保存"), "、".join(formats))
        broken = []
        for item in manifest["items"]:
            if item["content_type"] == "application/pdf":
                try:
                    with opened(archive.read(item["name"])):
                        pass
                except Invalid:
                    broken.append(item["name"])
        yield _result(nature, _("文件可以打开"), "、".join(broken))
        surplus = set(archive.namelist()) - {i["name"] for i in manifest["items"]} - {MANIFEST}
        yield _result(Nature.SAFETY, _("没有多余文件"), "、".join(sorted(surplus)))


def _safety(filing: Filing) -> Iterator[Check]:
    del filing
    yield _not_run(Nature.SAFETY, _("病毒扫描"), _("本系统未配置病毒扫描服务"))
    yield _not_run(Nature.SAFETY, _("载体"), _("在线归档，无离线载体"))


_ALL: tuple[Callable[[Filing], Iterator[Check]], ...] = (_authenticity, _completeness, _opened, _safety)


def run(filing: Filing) -> list[Check]:
    """Run every check of the filing stage, in the standard's order of natures."""
    found = [check for part in _ALL for check in part(filing)]
    order = [nature.value for nature in Nature]
    return sorted(found, key=lambda check: order.index(check.nature))


def passed(checks: list[Check]) -> bool:
    """Whether nothing failed; what was not run neither passes nor fails."""
    return all(check.outcome != Outcome.FAILED for check in checks)
