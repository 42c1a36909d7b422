"""Numbered headings are found in plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.documents.layout import Paragraph, parse_body, plain_text
from saas.documents.layout.body import clean_line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("一、检查范围", Paragraph("", 1, "一、检查范围")),
        ("（二）强化协同联动。各部门要分工负责。", Paragraph("各部门要分工负责。", 2, "（二）强化协同联动。")),
        ("（一）指导思想。", Paragraph("", 2, "（一）指导思想。")),
        ("1.建立台账。逐项登记。", Paragraph("逐项登记。", 3, "1.建立台账。")),
        ("（1）立即整改", Paragraph("", 4, "（1）立即整改")),
        (
            "二、春节：2月4日至10日放假调休，共7天。2月2日上班。",
            Paragraph("二、春节：2月4日至10日放假调休，共7天。2月2日上班。", 1, ""),
        ),
        ("1.5万人参加。", Paragraph("1.5万人参加。")),
        ("第一条　为了规范行为，制定本办法。", Paragraph("第一条　为了规范行为，制定本办法。")),
    ],
)
def test_a_line_is_read_as_heading_and_text(line: str, expected: Paragraph) -> None:
    assert parse_body(line) == (expected,)


def test_a_numbered_paragraph_that_is_one_long_sentence_is_text() -> None:
    line = "（三）" + "将建筑工程施工许可" * 8 + "。（负责部门：住房城乡建设部）"
    assert parse_body(line) == (Paragraph(line, 2, ""),)


@given(st.text())
def test_no_text_is_lost(text: str) -> None:
    lines = [line for raw in text.splitlines() if (line := clean_line(raw))]
    assert plain_text(parse_body(text)) == "\n".join(lines)
