"""The elements a drafter writes, as one value: stored with the document, kept in its versions, pinned at 签发."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any

from saas.documents.kinds import PRINTED_URGENCY, Urgency
from saas.documents.layout import Align, Annex, Closing, DocumentContent, Paragraph, parse_body
from saas.documents.layout.body import clean_line, paragraph_of
from saas.documents.layout.rendering import TEMPLATE_VERSION


@dataclass(frozen=True, slots=True)
class AnnexText:
    """An attachment's own text: a label (附件1), a title, and lines with their alignment."""

    title: str
    lines: tuple[tuple[str, str], ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """Everything of a document that is written, not given by its way (number, dates and signer are).

    Attributes:
        mark: 发文机关标志.
        title: 标题.
        recipients: 主送机关, without the colon.
        body: 正文 as plain text, one paragraph a line.
        signatures: 署名.
        note: 附注 without brackets.
        cc: 抄送.
        printer: 印发机关.
        copy_number: 份号.
        attachments: names for 附件说明.
        annexes: attachments' texts that are printed with the document.
        recipient_codes: codes of bureaus on the cloud picked as recipients.
        closing: with or without a seal.
    """

    title: str = ""
    mark: str = ""
    recipients: str = ""
    body: str = ""
    signatures: tuple[str, ...] = ()
    note: str = ""
    cc: str = ""
    printer: str = ""
    copy_number: str = ""
    attachments: tuple[str, ...] = ()
    annexes: tuple[AnnexText, ...] = ()
    recipient_codes: tuple[str, ...] = ()
    closing: str = Closing.SEALED.value

    def as_json(self) -> dict[str, Any]:
        """As stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Elements:
        """From what `as_json` stored; fields of later versions that are absent take their defaults."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        for name in ("signatures", "attachments", "recipient_codes"):
            values[name] = tuple(values.get(name) or ())
        values["annexes"] = tuple(
            AnnexText(a["title"], tuple((align, text) for align, text in a["lines"]), a["label"])
            for a in values.get("annexes") or ()
        )
        return cls(**values)

    def full_text(self) -> str:
        """All words of the document, for the index and for comparing two versions."""
        annexes = (line for a in self.annexes for line in (a.label + a.title, *(text for _, text in a.lines)))
        return "\n".join(part for part in (self.body, *self.attachments, self.note, *annexes) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What its way gives a document: number, signer and dates."""

    number: str = ""
    signed_by: str = ""
    upward: tuple[str, ...] = ()
    issued_on: date | None = None
    printed_on: date | None = None


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes with the document: its name and what it holds, by digest."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What 签发 fixes: elements, kind, urgency, signer, date, files and the template; never number or print date.

    《条例》 article 25: after 签发 only number and print date are added; anything else goes back to the signer.
    """

    kind: str
    urgency: str
    elements: Elements
    signed_by: str
    issued_on: date
    files: tuple[AttachedFile, ...] = ()
    template: str = TEMPLATE_VERSION
    algorithm: str = field(default="sha256")

    def as_json(self) -> dict[str, Any]:
        """As stored beside the digest."""
        return {
            "kind": self.kind,
            "urgency": self.urgency,
            "elements": self.elements.as_json(),
            "signed_by": self.signed_by,
            "issued_on": self.issued_on.isoformat(),
            "files": [asdict(f) for f in self.files],
            "template": self.template,
            "algorithm": self.algorithm,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Pinned:
        """From what `as_json` stored."""
        return cls(
            kind=stored["kind"],
            urgency=stored["urgency"],
            elements=Elements.from_json(stored["elements"]),
            signed_by=stored["signed_by"],
            issued_on=date.fromisoformat(stored["issued_on"]),
            files=tuple(AttachedFile(f["name"], f["sha256"]) for f in stored["files"]),
            template=stored["template"],
            algorithm=stored["algorithm"],
        )

    def digest(self) -> str:
        """SHA-256 over the canonical form: JSON with sorted keys, no blanks, UTF-8."""
        text = json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def annex_of(text: AnnexText) -> Annex:
    """An attachment's text as it is laid out."""
    lines = ((Align(align), clean_line(line)) for align, line in text.lines)
    return Annex(
        title=text.title, body=tuple(paragraph_of(line, align) for align, line in lines if line), label=text.label
    )


def annex_text(annex: Annex) -> AnnexText:
    """The other way round, for texts that were recognised."""
    return AnnexText(annex.title, tuple((p.align.value, p.whole) for p in annex.body), annex.label)


def body_text(paragraphs: tuple[Paragraph, ...]) -> str:
    """Recognised paragraphs as the plain text a drafter would see."""
    return "\n".join(p.whole for p in paragraphs)


def content_of(elements: Elements, *, urgency: str, issue: Issue) -> DocumentContent:
    """The content to lay out: what was written together with what its way gave it."""
    return DocumentContent(
        mark=elements.mark,
        number=issue.number,
        signers=issue.upward,
        urgency=PRINTED_URGENCY[Urgency(urgency)],
        copy_number=elements.copy_number,
        title=elements.title,
        recipients=elements.recipients,
        body=parse_body(elements.body),
        attachments=elements.attachments,
        annexes=tuple(annex_of(a) for a in elements.annexes),
        signatures=elements.signatures,
        issued_on=issue.issued_on,
        closing=Closing(elements.closing),
        note=elements.note,
        cc=elements.cc,
        printer=elements.printer,
        printed_on=issue.printed_on,
    )
