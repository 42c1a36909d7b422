"""The PDF is measured back against GB/T 9704-2012."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pypdfium2.raw as raw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.core.errors import Invalid, Unavailable
from saas.documents.layout import Closing, FontSet, Paragraph, RenderedPdf, parse_body, render
from saas.documents.layout.reading import expected_text, first_difference, page_png, text_of
from tests.documents.samples import FONTS, FULL_LINE, REAL, real_content, sample

MM = 25.4 / 72
PITCH = (225 - 15.75 * MM) / 21
CELL = 156 / 28


@dataclass(frozen=True)
class Glyph:
    """One character: where its cell begins and its baseline, in mm from the sheet's top left; size in points."""

    char: str
    x: float
    baseline: float
    size: float
    red: bool


def glyphs(pdf: bytes, page: int) -> list[Glyph]:
    document = pypdfium2.PdfDocument(pdf)
    sheet = document[page - 1]
    text = sheet.get_textpage()
    found = []
    for index in range(text.count_chars()):
        x, y = raw.c_double(), raw.c_double()
        raw.FPDFText_GetCharOrigin(text, index, x, y)
        colour = [raw.c_uint() for _ in range(4)]
        raw.FPDFText_GetFillColor(text, index, *colour)
        char = chr(raw.FPDFText_GetUnicode(text, index))
        if char.strip():
            size = raw.FPDFText_GetFontSize(text, index)
            red = colour[0].value > 180 and colour[1].value < 60
            found.append(Glyph(char, x.value * MM, 297 - y.value * MM, size, red))
    return found


def line_of(found: list[Glyph], text: str) -> list[Glyph]:
    for start in range(len(found)):
        if "".join(g.char for g in found[start : start + len(text)]) == text:
            return found[start : start + len(text)]
    raise AssertionError(text)


def grid_line(baseline: float) -> float:
    """Which of the 22 lines a 3号 baseline is on, from 0."""
    return (baseline - 37 - 0.88 * 15.75 * MM) / PITCH


def rules(pdf: bytes, page: int) -> Iterator[tuple[float, float, float, float]]:
    """Horizontal rules: left, right and middle in mm, and thickness in mm."""
    for shape in pypdfium2.PdfDocument(pdf)[page - 1].get_objects(filter=[raw.FPDF_PAGEOBJ_PATH]):
        left, bottom, right, top = shape.get_bounds()
        width = raw.c_float()
        raw.FPDFPageObj_GetStrokeWidth(shape, width)
        if right - left > 300:
            # Bounds are those of the stroke: wider by its width at either end.
            yield (left + width.value) * MM, (right - width.value) * MM, 297 - (bottom + top) / 2 * MM, width.value * MM


@pytest.fixture(scope="module")
def rendered() -> RenderedPdf:
    return render(sample(), FONTS)


def test_text_fills_the_grid_of_28_characters_and_22_lines(rendered: RenderedPdf) -> None:
    line = line_of(glyphs(rendered.pdf, 1), FULL_LINE[26:54])
    assert [round(g.x - 28 - i * CELL, 1) for i, g in enumerate(line)] == [0.0] * 28
    assert {round(g.size, 2) for g in line} == {15.75}
    second = glyphs(rendered.pdf, 2)
    assert round(second[0].baseline - 37 - 0.88 * 15.75 * MM, 1) == 0.0
    lines = {round(grid_line(g.baseline), 2) for g in second if g.baseline < 262 and g.size > 15}
    assert all(abs(line - round(line)) < 0.01 for line in lines)


def test_a_full_page_has_22_lines_from_37_to_262_mm() -> None:
    long = render(sample(body=parse_body("\n".join([FULL_LINE] * 20)), attachments=(), annexes=()), FONTS)
    lines = sorted({round(grid_line(g.baseline)) for g in glyphs(long.pdf, 2) if g.baseline < 262})
    assert lines == list(range(22))
    last = max(g.baseline for g in glyphs(long.pdf, 2) if g.baseline < 262)
    assert round(last + 0.12 * 15.75 * MM, 1) == 262.0


def test_the_red_head_stands_where_the_standard_puts_it(rendered: RenderedPdf) -> None:
    found = glyphs(rendered.pdf, 1)
    mark = [g for g in found if g.red]
    assert "".join(g.char for g in mark) == "云州市大数据发展管理局文件"
    picture = pypdfium2.PdfDocument(rendered.pdf)[0].render(scale=300 / 72).to_pil().convert("RGB")
    reds = picture.split()
    ink = [
        (x * 25.4 / 300, y * 25.4 / 300)
        for y in range(800, 1080)
        for x in range(0, picture.width, 3)
        if reds[0].getpixel((x, y)) > 180 and reds[1].getpixel((x, y)) < 90
    ]
    assert abs(min(y for _, y in ink) - (37 + 35)) < 0.2
    assert min(x for x, _ in ink) > 27.8
    assert max(x for x, _ in ink) < 184.2
    number = line_of(found, "云数发〔2026〕39号")
    assert abs((number[0].x + number[-1].x + CELL) / 2 - 106) < 0.7
    rule = next(rules(rendered.pdf, 1))
    assert (round(rule[0], 1), round(rule[1], 1)) == (28.0, 184.0)
    assert round(rule[2] - (number[0].baseline + 0.12 * 15.75 * MM), 1) == 4.0
    title = [g for g in found if round(g.size, 1) == 22.0]
    assert round((title[0].baseline - rule[2]) / PITCH, 0) == 3


def test_headings_are_in_their_fonts(rendered: RenderedPdf) -> None:
    with pikepdf.open(__import__("io").BytesIO(rendered.pdf)) as pdf:
        names = {str(f.BaseFont).split("+")[-1] for page in pdf.pages for f in page.Resources.Font.values()}
    assert {n.split("-")[0] for n in names} == {"FandolFang", "FandolHei", "FandolKai", "FandolSong", "NotoSerifCJKsc"}


def test_page_numbers_alternate_outside_the_text_area(rendered: RenderedPdf) -> None:
    for page in range(1, rendered.pages + 1):
        number = [g for g in glyphs(rendered.pdf, page) if g.baseline > 265]
        assert "".join(g.char for g in number) == f"—{page}—"
        if page % 2:
            assert round(number[-1].x + 14 * MM, 1) == round(184 - 14 * MM, 1)
        else:
            assert round(number[0].x, 1) == round(28 + 14 * MM, 1)


def test_the_imprint_stands_at_the_foot_of_the_last_even_page(rendered: RenderedPdf) -> None:
    assert rendered.pages % 2 == 0
    found = sorted(rules(rendered.pdf, rendered.pages), key=lambda rule: rule[2])
    assert [round(rule[3], 2) for rule in found] == [0.35, 0.25, 0.35]
    assert abs(found[-1][2] - 262) < 0.2
    assert "抄送：市委各部门，市人大常委会办公室。" in text_of(rendered.pdf).replace(":", "：").replace(",", "，")


def test_the_imprint_after_a_full_even_page_leaves_two_pages_without_number() -> None:
    for lines in range(20, 45):
        result = render(sample(body=parse_body("\n".join(["短句。"] * lines)), attachments=(), annexes=()), FONTS)
        last = glyphs(result.pdf, result.pages)
        assert result.pages % 2 == 0
        assert any(g.char == "抄" for g in last)
        if result.pages == 4 and not glyphs(result.pdf, 3):
            assert not [g for g in last if g.baseline > 265]
            return
    pytest.fail("no length met the case")


def test_the_seal_is_centred_over_name_and_date(rendered: RenderedPdf) -> None:
    anchor = rendered.seal_anchor
    assert anchor is not None
    found = glyphs(rendered.pdf, anchor.page)
    day = line_of(found, "2026年11月2日")
    assert abs((day[0].x + day[-1].x + CELL) / 2 - anchor.x_mm) < 0.3
    assert round(184 - (day[-1].x + CELL), 1) == round(4 * CELL, 1)
    name = line_of(found, "云州市大数据发展管理局")
    middle = (name[0].baseline + day[0].baseline) / 2 - 0.38 * 15.75 * MM
    assert abs(middle - anchor.y_mm) < 0.3


@pytest.mark.parametrize("lines", range(2, 26))
def test_a_signature_never_stands_alone_on_a_page(lines: int) -> None:
    body = parse_body("\n".join(["各单位要高度重视，认真抓好贯彻落实。"] * lines))
    result = render(sample(body=body, attachments=(), annexes=()), FONTS)
    anchor = result.seal_anchor
    assert anchor is not None
    above = [g for g in glyphs(result.pdf, anchor.page) if g.baseline < anchor.y_mm - 12]
    assert len(above) >= 15


def last_line(pdf: bytes, page: int) -> float:
    """Which grid line the last text on a page is on, page number aside."""
    return max(grid_line(g.baseline) for g in glyphs(pdf, page) if g.baseline < 263)


@pytest.mark.parametrize("name", ["某某{}。", "第{}个单位"])
def test_a_long_numbered_list_fills_its_pages(name: str) -> None:
    lines = "\n".join(f"{n}.{name.format(n)}" for n in range(1, 61))
    made = render(sample(body=parse_body(f"具体名单如下：\n{lines}"), attachments=(), annexes=()), FONTS)
    assert [round(last_line(made.pdf, page)) for page in (1, 2)] == [21, 21]
    assert made.pages == 4


@pytest.mark.parametrize("before", range(6, 10))
def test_a_heading_is_never_the_last_line_of_a_page(before: int) -> None:
    body = "\n".join([FULL_LINE[:20]] * before + ["一、总体要求", "（一）检查范围", FULL_LINE] + [FULL_LINE] * 9)
    made = render(sample(body=parse_body(body), attachments=(), annexes=()), FONTS)
    found = glyphs(made.pdf, 1)
    end = last_line(made.pdf, 1)
    last = "".join(g.char for g in found if abs(grid_line(g.baseline) - end) < 0.3)
    assert not last.startswith(("一、", "（一）"))


def test_page_one_shows_text_even_when_the_recipients_are_many() -> None:
    result = render(sample(recipients="、".join(["各县（市、区）人民政府"] * 40)), FONTS)
    assert result.recipients_moved
    line_of(glyphs(result.pdf, 1), FULL_LINE[:10])
    assert "主送" in text_of(result.pdf)


def test_an_upward_document_names_its_signers_level_with_the_number() -> None:
    found = glyphs(render(sample(signers=("李建国", "王芳", "赵明远")), FONTS).pdf, 1)
    assert line_of(found, "赵明远")[0].baseline == pytest.approx(line_of(found, "云数发")[0].baseline, abs=0.05)
    assert line_of(found, "云数发")[0].x == pytest.approx(28 + CELL, abs=0.05)
    assert line_of(found, "李建国")[0].baseline < line_of(found, "赵明远")[0].baseline


def test_without_a_seal_the_date_begins_two_characters_right_of_the_name() -> None:
    result = render(sample(closing=Closing.UNSEALED), FONTS)
    found = glyphs(result.pdf, 2)
    name, day = line_of(found, "云州市大数据发展管理局"), line_of(found, "2026年11月2日")
    assert day[0].x - name[0].x == pytest.approx(2 * CELL, abs=0.1)
    assert name[-1].x + CELL == pytest.approx(184 - 2 * CELL, abs=0.1)


def test_the_same_content_gives_the_same_bytes_in_every_thread(rendered: RenderedPdf) -> None:
    with ThreadPoolExecutor(4) as pool:
        digests = {hashlib.sha256(r.pdf).hexdigest() for r in pool.map(lambda _: render(sample(), FONTS), range(8))}
    assert digests == {hashlib.sha256(rendered.pdf).hexdigest()}


@pytest.mark.parametrize("record", REAL, ids=lambda r: r["document_number"])
def test_a_real_document_reads_back_as_it_was_written(record: dict[str, Any]) -> None:
    content = real_content(record)
    result = render(content, FONTS)
    expected = expected_text(content, recipients_moved=result.recipients_moved)
    assert first_difference(expected, text_of(result.pdf)) == ""


def test_markup_in_a_text_is_printed_not_evaluated() -> None:
    text = '#panic("x") $a$ *b* _c_ `d` <e> @f \\ #import "g": h // i [j] = k'
    content = sample(body=(Paragraph(text),), note="#sys")
    result = render(content, FONTS)
    assert first_difference(expected_text(content, recipients_moved=False), text_of(result.pdf)) == ""


@given(
    st.text(
        alphabet=st.sampled_from("云州市通知，。（）《》“”：；、1234年月日abcXYZ#$*_\\[]{}-—… 　"),
        min_size=1,
        max_size=200,
    )
)
@settings(max_examples=30, deadline=None)
def test_any_text_reads_back(text: str) -> None:
    content = sample(body=parse_body(text) or (Paragraph("空"),), annexes=(), attachments=())
    result = render(content, FONTS)
    assert first_difference(expected_text(content, recipients_moved=False), text_of(result.pdf)) == ""


def test_a_character_the_font_lacks_is_set_in_the_fallback_and_named() -> None:
    content = sample(signatures=("宁吉喆",))
    result = render(content, FONTS)
    assert result.missing_glyphs == ("喆",)
    assert "宁吉喆" in text_of(result.pdf)


def test_a_character_no_font_has_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        render(sample(body=parse_body("祝贺😀顺利")), FONTS)
    assert "U+1F600" in str(refused.value)


def test_without_its_fonts_a_document_is_not_set_at_all(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        render(sample(), FontSet(folder=tmp_path))


def test_a_page_is_shown_as_a_picture(rendered: RenderedPdf) -> None:
    picture = page_png(rendered.pdf, page=1, width_px=400)
    assert picture.startswith(b"\x89PNG")


def test_dates_have_no_leading_zeros() -> None:
    assert "2026年1月2日" in text_of(render(sample(issued_on=date(2026, 1, 2)), FONTS).pdf)


def test_the_longest_mark_still_fits_between_the_margins() -> None:
    mark = "云州市大数据发展管理局和云州市经济和信息化局以及云州市发展和改革局文件"
    red = [glyph for glyph in glyphs(render(sample(mark=mark), FONTS).pdf, 1) if glyph.red]
    assert "".join(glyph.char for glyph in red).startswith(mark)
    assert min(glyph.x for glyph in red) >= 27.9
    assert max(glyph.x for glyph in red) <= 28 + 156
