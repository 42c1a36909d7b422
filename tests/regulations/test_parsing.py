"""Lines of a regulations file become articles, or say which field is wrong."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.regulations.numerals import to_int
from saas.regulations.parsing import LineRefused, parse_line, parse_text, title_key

SAMPLE = Path("saas/regulations/data/regulations.jsonl")


def to_chinese(number: int) -> str:
    """12 as 十二, for 0 to 9999."""
    if not 0 <= number <= 9999:
        raise ValueError(number)
    digits = "零一二三四五六七八九"
    if number < 10:
        return digits[number]
    parts: list[str] = []
    zero = False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            parts.append(("零" if zero and parts else "") + digits[digit] + name)
            zero = False
        elif parts:
            zero = True
    text = "".join(parts)
    return text[1:] if text.startswith("一十") else text


def line(**changes: object) -> str:
    whole = {"kind": "行政法规", "subject": "", "title": "甲条例", "history": [], "text": "第一条 甲。"}
    return json.dumps({**whole, **changes}, ensure_ascii=False)


@given(st.integers(0, 9999))
def test_every_numeral_reads_back(number: int) -> None:
    assert to_int(to_chinese(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("十", 10), ("二十一", 21), ("一百零三", 103), ("〇", 0), ("二〇二四", 2024), ("12", 12), ("１２", 12)],
)
def test_numerals_as_they_stand_in_texts(text: str, number: int) -> None:
    assert to_int(text) == number


@pytest.mark.parametrize("text", ["", "甲", "十甲", "1甲"])
def test_what_is_no_numeral_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text or None):
        to_int(text)


def test_articles_carry_label_number_chapter_section_and_paragraphs() -> None:
    preamble, articles = parse_text(
        "为了某事，制定本条例。\n\n## 第一章 总则\n\n第一条 甲。\n\n(一)子项。\n\n"
        "### 第一节 一般规定\n\n第一条之一 乙。\n\n## 第二章　罚 则\n\n第一百零三条　丙。"
    )
    assert preamble == "为了某事，制定本条例。"
    assert [(a.label, a.number, a.suffix, a.chapter, a.section) for a in articles] == [
        ("第一条", 1, 0, "第一章 总则", ""),
        ("第一条之一", 1, 1, "第一章 总则", "第一节 一般规定"),
        ("第一百零三条", 103, 0, "第二章 罚 则", ""),
    ]
    assert articles[0].text == "甲。\n\n(一)子项。"


def test_a_text_without_articles_is_cut_at_its_items_or_kept_whole() -> None:
    _, items = parse_text("一、甲。\n\n二、乙。")
    assert [(a.label, a.number, a.text) for a in items] == [("一", 1, "甲。"), ("二", 2, "乙。")]
    _, whole = parse_text("本规定自即日起施行。")
    assert [(a.label, a.number, a.text) for a in whole] == [("全文", 0, "本规定自即日起施行。")]


def test_a_reference_inside_a_sentence_opens_no_article() -> None:
    _, articles = parse_text("第一条 依照\n第二条规定的行为，处罚。\n第二条 乙。")
    assert [a.number for a in articles] == [1, 2]


def test_dates_come_from_the_history() -> None:
    parsed = parse_line(line(history=["1990年12月31日 发布", "2024年2月30日 不存在", "2011年1月8日 修订）"]))
    assert (parsed.issued_on, parsed.version_on) == (date(1990, 12, 31), date(2011, 1, 8))
    assert parse_line(line()).version_on is None


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("{", {"JSON"}),
        ("[]", {"JSON"}),
        ("[" * 100_000, {"JSON"}),
        (line(title=""), {"title"}),
        (line(title="  "), {"title"}),
        (line(title="长" * 201, text=3), {"title", "text"}),
        (line(kind=None), {"kind"}),
        (line(history="x", text=""), {"text"}),
        (line(history=[1]), {"history"}),
        ('{"title": "\\ud800", "kind": "k", "text": "t"}', {"title"}),
    ],
)
def test_a_wrong_line_names_its_fields(text: str, fields: set[str]) -> None:
    with pytest.raises(LineRefused) as refused:
        parse_line(text)
    assert {problem.field for problem in refused.value.problems} == fields


def test_titles_are_compared_without_prefix_version_and_spaces() -> None:
    assert title_key("中华人民共和国 公务员法（2018年修订）") == title_key("公务员法")
    assert title_key("某办法(试行)") == title_key("某办法（试行）") != title_key("某办法")


def test_no_article_of_the_real_texts_is_lost() -> None:
    for text in SAMPLE.read_text().splitlines():
        parsed = parse_line(text)
        labels = re.findall(r"(?m)^第[零〇一二三四五六七八九十百千]+条(?= )", json.loads(text)["text"])
        assert [a.label for a in parsed.articles if a.label.startswith("第")] == labels
        assert parsed.articles
