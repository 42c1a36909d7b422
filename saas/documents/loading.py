"""Brings a bureau's past documents in, line by line: each wholly or not at all, and what was unclear is said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.errors import Conflict, Invalid
from saas.core.storage import ContentType, store
from saas.core.tenancy import current_tenant
from saas.documents import hooks
from saas.documents.elements import Elements, Issue, annex_text, body_text, content_of
from saas.documents.kinds import Direction, Kind, Sensitivity, State
from saas.documents.models import Document
from saas.documents.recognition import Finding, Recognised, Refused, recognise
from saas.documents.secrecy import bears_secret_mark
from saas.documents.services.moves import add_readers, reindex, target
from saas.documents.services.production import render_and_compare
from saas.search.entries import EVERYONE

LONGEST_LINE_BYTES = 5_000_000


@dataclass(slots=True)
class LoadReport:
    """What became of the lines: numbers count from 1."""

    added: int = 0
    unchanged: int = 0
    refused: dict[int, tuple[Finding, ...]] = field(default_factory=dict)
    unclear: dict[int, tuple[Finding, ...]] = field(default_factory=dict)

    @property
    def loaded(self) -> int:
        """Lines that stand in the bureau now."""
        return self.added + self.unchanged


def documents_load(*, lines: Iterable[bytes], by: Actor) -> LoadReport:
    """Load past documents, one JSON object a line; running twice adds nothing.

    A line that is refused leaves nothing behind and does not stop the others. A document is known by its number
    and title.

    Args:
        lines: the file's lines as bytes, so that a wrongly encoded one is that line's trouble alone.
        by: who loads them.
    """
    report = LoadReport()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = recognise(_decoded(line))
            _refuse_secrets(found)
            if _load(found, by=by):
                report.added += 1
            else:
                report.unchanged += 1
            if found.findings:
                report.unclear[number] = found.findings
        except Refused as refusal:
            report.refused[number] = refusal.findings
        except (Invalid, Conflict) as error:
            report.refused[number] = (Finding("paragraphs", str(error)),)
    return report


def _decoded(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE_BYTES:
        raise Refused([Finding("line", f"一行{len(line)}字节，超过{LONGEST_LINE_BYTES}字节")])
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused([Finding("line", f"不是UTF-8编码（第{error.start + 1}字节起）")]) from None
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"第{error.colno}字" if isinstance(error, json.JSONDecodeError) else "嵌套过深"
        raise Refused([Finding("line", f"不是完整的JSON（{where}）")]) from None
    if not isinstance(value, dict):
        raise Refused([Finding("line", "应为一个JSON对象")])
    if "\x00" in text or "\\u0000" in text:
        raise Refused([Finding("line", "含有空字符")])
    return value


def _refuse_secrets(found: Recognised) -> None:
    """国家秘密 may not enter, by whatever door."""
    for name, text in (("title", found.title), ("paragraphs", elements_of(found).full_text())):
        if bears_secret_mark(text):
            raise Refused([Finding(name, "带有国家秘密标志，不得进入本系统")])


def elements_of(found: Recognised) -> Elements:
    """A recognised document's elements as a draft's would be."""
    order = found.kind is Kind.ORDER
    return Elements(
        title=found.title,
        mark="中华人民共和国国务院令"
        if order and found.issuer == "国务院"
        else f"{found.issuer}{'令' if order else '文件'}",
        recipients=found.recipients,
        body=body_text(found.body),
        signatures=found.signatures,
        note=found.note,
        attachments=found.attachments,
        annexes=tuple(annex_text(annex) for annex in found.annexes),
    )


def _load(found: Recognised, *, by: Actor) -> bool:
    """Store one document with its PDF, unless it is there. True when it was added."""
    if Document.objects.filter(number=found.number, title=found.title).exists():
        return False
    elements = elements_of(found)
    issue = Issue(number=found.number, issued_on=found.issued_on)
    rendered, text_digest = render_and_compare(content_of(elements, urgency="", issue=issue))
    stored = store(name_prefix="documents/pdf", stream=rendered.pdf, content_type=ContentType.PDF.value)
    own = found.issuer == current_tenant().name
    with transaction.atomic():
        document = Document(
            direction=Direction.OUTGOING if own else Direction.INCOMING,
            kind=found.kind,
            state=State.SENT if own else State.HANDLED,
            sensitivity=Sensitivity.OPEN,
            title=found.title,
            elements=elements.as_json(),
            number=found.number,
            issued_on=found.issued_on,
            printed_on=found.issued_on,
            from_name="" if own else found.issuer,
            received_on=None if own else (found.published_on or found.issued_on),
            topic=found.topic[:120],
            pdf_name=stored.name,
            pdf_sha256=stored.sha256,
            pdf_pages=rendered.pages,
            pdf_text_sha256=text_digest,
            seal_anchors=[asdict(anchor) for anchor in rendered.seal_anchors],
        )
        add_readers(document, EVERYONE)
        document.save(force_insert=True)
        reindex(document)
        detail: dict[str, str | int | bool | list[str] | None] = {
            "number": found.number,
            "findings": len(found.findings),
        }
        record(Event.DOCUMENT_LOADED, by=by, target=target(document), detail=detail)
        hooks.loaded(document, by)
    return True
