"""Sets a document's content as a PDF with typst: exact grid, fixed bytes, no user text ever evaluated as markup."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import typst
from django.utils.translation import gettext as _

from saas.core.errors import Invalid, Unavailable
from saas.documents.layout import fonts as font_files
from saas.documents.layout.content import (
    Align,
    Annex,
    Closing,
    DocumentContent,
    Paragraph,
    RenderedPdf,
    SealAnchor,
    chinese_date,
)
from saas.documents.layout.fonts import FontSet
from saas.documents.layout.titles import break_title

TEMPLATE_PATH = Path(__file__).with_name("redhead.typ")
TEMPLATE_VERSION = "gb9704-file-2"
KEPT_LINES = 2  # lines of text that stay with a signature
_LINES_A_PAGE = 22
_TEXT_BOTTOM_MM = 262.0
_PITCH_MM = (225 - 15.75 * 25.4 / 72) / 21
_DESCENT_MM = 0.12 * 15.75 * 25.4 / 72
_EPOCH = date(2000, 1, 1)
_local = threading.local()


@dataclass(frozen=True, slots=True)
class _Reserve:
    """Keep `lines` free at the foot of the page where paragraph `index` of the body starts."""

    index: int
    lines: int
    scope: str = "body"


@dataclass(frozen=True, slots=True)
class _Pass:
    """One compilation's choices; a later pass corrects what an earlier one showed."""

    recipients_in_imprint: bool = False
    reserve: tuple[_Reserve, ...] = ()


def render(content: DocumentContent, fonts: FontSet) -> RenderedPdf:
    """Set `content` in the 文件 form of GB/T 9704-2012.

    Args:
        content: the elements; texts are taken literally.
        fonts: which families from which folder.

    Raises:
        Invalid: some characters are in none of the fonts; they are named (code ``glyphs.missing``).
        Unavailable: a font family is absent, or the typesetter failed.
    """
    opened = font_files.require(fonts)
    fallback = check_glyphs(content, fonts)
    choice = _Pass()
    for _attempt in range(4):
        pdf, probes = _compile(_data(content, fonts, choice), opened, fonts.folder, content.issued_on)
        better = _better(content, choice, probes)
        if better is None or better == choice:
            break
        choice = better
    return RenderedPdf(
        pdf=pdf,
        pages=_of_kind(probes, "last-page")[0]["page"],
        missing_glyphs=tuple(fallback),
        seal_anchors=tuple(
            SealAnchor(page=p["page"], x_mm=round(p["x"], 2), y_mm=round(p["y"], 2)) for p in _of_kind(probes, "seal")
        ),
        recipients_moved=choice.recipients_in_imprint,
    )


def _better(content: DocumentContent, choice: _Pass, probes: list[dict[str, Any]]) -> _Pass | None:
    """What the next pass should do otherwise, or None when the rules hold.

    GB/T 9704-2012: page 1 must show body text, else the recipients move to the 版记 (7.3.2); the signature must
    share its page with text (7.3.5), so some lines are carried over.
    """
    starts = _of_kind(probes, "body-start")
    ends = _of_kind(probes, "attachments-end") or _of_kind(probes, "body-end")
    if starts and starts[0]["page"] > 1 and content.recipients and not choice.recipients_in_imprint:
        return _Pass(recipients_in_imprint=True)
    signature = _of_kind(probes, "signature-end")
    if not signature or not ends or not starts or signature[0]["page"] == ends[-1]["page"]:
        return None
    if choice.reserve:
        lines = choice.reserve[0].lines + 1
    else:
        # Keep free what is free already and the lines that are to move. A probe stands on its line's baseline.
        free = int((_TEXT_BOTTOM_MM - ends[-1]["y"] - _DESCENT_MM) / _PITCH_MM + 0.05)
        lines = free + KEPT_LINES
    if len(choice.reserve) and lines > _LINES_A_PAGE // 2:
        return None
    on_page = [p["index"] for p in starts if p["page"] == ends[-1]["page"]]
    index = on_page[0] if on_page else starts[-1]["index"]
    return _Pass(recipients_in_imprint=choice.recipients_in_imprint, reserve=(_Reserve(index, lines),))


def _of_kind(probes: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return sorted((p for p in probes if p["kind"] == kind), key=lambda p: p["index"])


def _compile(
    data: dict[str, Any], opened: typst.Fonts, folder: Path, issued_on: date | None
) -> tuple[bytes, list[dict[str, Any]]]:
    compiler = _compiler(opened, folder)
    pdf: bytes
    stamp = datetime.combine(issued_on or _EPOCH, time(), tzinfo=UTC)
    try:
        pdf = compiler.compile(  # type: ignore[assignment]
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False, sort_keys=True)},
            timestamp=int(stamp.timestamp()),
        )
        probes = json.loads(compiler.query("<probe>", field="value"))
    except typst.TypstError as error:
        _local.compiler = None
        raise Unavailable(_("公文排版失败，请稍后重试；如仍失败，请联系运维人员。"), code="layout.failed") from error
    return pdf, probes


def _compiler(opened: typst.Fonts, folder: Path) -> typst.Compiler:
    """This thread's compiler: a `Compiler` is not thread-safe, `Fonts` are shared."""
    held = getattr(_local, "compiler", None)
    if held is None or held[0] != folder:
        root = TEMPLATE_PATH.parent
        held = (
            folder,
            typst.Compiler(input=TEMPLATE_PATH, root=root, font_paths=opened, ignore_system_fonts=True),
        )
        _local.compiler = held
    compiler: typst.Compiler = held[1]
    return compiler


def _data(content: DocumentContent, fonts: FontSet, choice: _Pass) -> dict[str, Any]:
    corner = [{"text": content.copy_number, "heavy": False}] if content.copy_number else []
    corner += [{"text": content.urgency, "heavy": True}] if content.urgency else []
    signers = [list(content.signers[i : i + 2]) for i in range(0, len(content.signers), 2)]
    return {
        "fonts": fonts.roles(),
        "author": content.signatures[0] if content.signatures else "",
        "mark": content.mark,
        "number": content.number,
        "signers": signers,
        "corner": corner,
        "title": "".join(content.title.split("\n")),
        "title_lines": break_title(content.title),
        "recipients": content.recipients,
        "recipients_in_imprint": choice.recipients_in_imprint,
        "body": _paragraphs(content.body),
        "attachments": content.attachments,
        "signatures": content.signatures,
        "date": chinese_date(content.issued_on),
        "sealed": content.closing is Closing.SEALED,
        "note": content.note,
        "annexes": [_annex(a) for a in content.annexes],
        "cc": content.cc,
        "printer": content.printer,
        "print_date": chinese_date(content.printed_on),
        "reserve": [asdict(r) for r in choice.reserve],
    }


def _paragraphs(body: tuple[Paragraph, ...]) -> list[dict[str, Any]]:
    return [
        {"text": p.text, "heading": p.heading, "level": p.level, "align": p.align.value, "keep": _leads(p, following)}
        for p, following in itertools.zip_longest(body, body[1:])
    ]


def _leads(p: Paragraph, following: Paragraph | None) -> bool:
    """Whether a heading shares its page with what follows: its text or a lower heading, never the next of a list."""
    if following is None or not _is_heading(p):
        return False
    return not _is_heading(following) or _rank(following) > _rank(p)


def _is_heading(p: Paragraph) -> bool:
    return p.align is Align.CENTER or (p.heading != "" and not p.text)


def _rank(p: Paragraph) -> int:
    return 0 if p.align is Align.CENTER else p.level


def _annex(a: Annex) -> dict[str, Any]:
    title = break_title(a.title) if a.title else ()
    return {"label": a.label, "title": title, "body": _paragraphs(a.body)}


def check_glyphs(content: DocumentContent, fonts: FontSet) -> list[str]:
    """Characters set in a fallback font.

    Raises:
        Invalid: characters no font shows, named.
    """
    font_files.require(fonts)
    fallback: list[str] = []
    nowhere: list[str] = []
    for families, text in _texts_by_font(content, fonts):
        some, none = font_files.lacking(text, families, fonts.folder)
        fallback += [ch for ch in some if ch not in fallback]
        nowhere += [ch for ch in none if ch not in nowhere]
    if nowhere:
        named = "、".join(f"{ch if ch.isprintable() else '·'}（U+{ord(ch):04X}）" for ch in nowhere[:20])
        message = _("下列字符在公文字体中都没有，无法印制：%(named)s。请改用规范字，或联系管理员安装字体。")
        raise Invalid(message % {"named": named}, code="glyphs.missing")
    return fallback


def _texts_by_font(content: DocumentContent, fonts: FontSet) -> Iterator[tuple[tuple[str, ...], str]]:
    yield fonts.mark, content.mark
    yield fonts.title, content.title.replace("\n", "") + "".join(a.title.replace("\n", "") for a in content.annexes)
    yield fonts.kai, "".join(content.signers)
    yield fonts.hei, content.urgency + "".join(a.label for a in content.annexes)
    plain = [content.number, content.recipients, *content.attachments, *content.signatures, content.note]
    plain += [content.cc, content.printer, content.copy_number]
    for paragraph in (*content.body, *(p for a in content.annexes for p in a.body)):
        plain.append(paragraph.text)
        by_level = {1: fonts.hei, 2: fonts.kai}
        yield by_level.get(paragraph.level, fonts.fang), paragraph.heading
    yield fonts.fang, "".join(plain)
