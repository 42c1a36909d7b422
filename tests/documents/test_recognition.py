"""Past documents are read into their elements, and what is unclear is said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from saas.documents.kinds import Kind, kind_of_title
from saas.documents.numbering import DocumentNumber, parse_date, parse_number
from saas.documents.recognition import Refused, recognise
from tests.documents.samples import REAL


@pytest.mark.parametrize("record", REAL, ids=lambda r: r["document_number"])
def test_every_real_document_is_recognised(record: dict[str, Any]) -> None:
    found = recognise(record)
    assert found.title == record["title"]
    assert found.body
    assert found.issued_on.year == int(record["written_on"][:4])
    if record["document_number"].startswith("国令"):
        assert found.kind is Kind.ORDER
    else:
        assert found.recipients
        assert found.signatures == (record["issuer"],)


def test_only_true_departures_are_reported() -> None:
    reported = {r["document_number"]: [f.field for f in recognise(r).findings] for r in REAL}
    assert {number: fields for number, fields in reported.items() if fields} == {
        "国办函〔2004〕36号": ["written_on"],
        "国办函〔2006〕82号": ["paragraphs"],
        "国令第706号": ["recipients"],
        "国令第707号": ["recipients"],
    }


def test_elements_of_a_document_with_everything() -> None:
    found = recognise(next(r for r in REAL if r["document_number"] == "国函〔2018〕144号"))
    assert found.recipients == "教育部"
    assert found.attachments == ("国务院职业教育工作部际联席会议制度",)
    assert found.note == "此件公开发布"
    assert [(a.label, a.title) for a in found.annexes] == [("附件", "国务院职业教育工作部际联席会议制度")]
    assert found.issued_on == date(2018, 11, 20)
    assert found.kind is Kind.REPLY


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "题" * 151}, "title"),
        ({"title": 7}, "title"),
        ({"written_on": "2018-13-40"}, "written_on"),
        ({"paragraphs": []}, "paragraphs"),
        ({"paragraphs": ["文字"]}, "paragraphs"),
        ({"document_number": None}, "document_number"),
    ],
)
def test_a_line_that_cannot_be_a_document_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        recognise(REAL[0] | change)
    assert field in {finding.field for finding in refused.value.findings}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("国发〔2004〕18号", DocumentNumber("国发", 2004, 18)),
        ("国发[2004]018号", DocumentNumber("国发", 2004, 18)),
        ("国发（2004）第18号", DocumentNumber("国发", 2004, 18)),
        ("国令第707号", DocumentNumber("国令", None, 707)),
        ("二〇〇四", None),
    ],
)
def test_numbers_are_normalised(text: str, expected: DocumentNumber | None) -> None:
    assert parse_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("二〇〇四年六月二十六日", date(2004, 6, 26)),
        ("二○○四年十二月三十一日", date(2004, 12, 31)),
        ("一九八一年五月十日", date(1981, 5, 10)),
        ("2018年12月4日", date(2018, 12, 4)),
        ("2018年2月30日", None),
        ("国务院办公厅", None),
    ],
)
def test_dates_are_read_in_both_digits(text: str, expected: date | None) -> None:
    assert parse_date(text) == expected


def test_the_type_is_what_the_title_ends_with() -> None:
    assert kind_of_title("甲关于乙的复函") is Kind.LETTER
    assert kind_of_title("甲关于乙的若干意见（试行）") is Kind.OPINION
    assert kind_of_title("甲对第1号建议的答复", "国办函〔2006〕69号") is Kind.LETTER
    assert kind_of_title("甲的办法") is None
