"""Cutting, normal forms and queries: pure functions, for any text whatever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.core.errors import Invalid
from saas.search import words
from saas.search.highlights import excerpt, mark
from saas.search.numbers import number_key, recognise
from saas.search.query import parse

SAFE = re.compile(r"[0-9a-z]+|_?[^\x00-\x7f]+")


@pytest.mark.parametrize(
    "number",
    [
        "国发〔2004〕18号",
        "国发[2004]18号",
        "国发（2004）第18号",
        "国发 〔２００４〕 １８ 号",
        "国发【2004】018号",
        "国发2004年18号",
        "国发〔2004年〕18号",
    ],
)
def test_one_number_has_one_key_however_it_is_written(number: str) -> None:
    assert number_key(number) == "2004-18-国发"


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("", ""),
        ("国务院令第72号", "-72-国务院令"),
        ("京政办发〔2019〕5号", "2019-5-京政办发"),
        ("无号", "无号"),
        ("国发〔2004〕", "国发〔2004〕"),
    ],
)
def test_other_numbers(number: str, key: str) -> None:
    assert number_key(number) == key


@pytest.mark.parametrize("text", ["2019年1月24日", "国发", "第十二条", "13800000000"])
def test_what_is_no_document_number_is_none(text: str) -> None:
    assert recognise(text) is None


def test_a_year_in_brackets_is_a_number_without_its_serial() -> None:
    found = recognise("国发（2019）")
    assert found is not None
    assert (found.prefix, found.year, found.serial) == ("国发", "2019", "")


@given(st.text(max_size=200))
def test_any_text_gives_words_that_need_no_quoting(text: str) -> None:
    for found in (
        words.body_words(words.tidy(text)),
        words.bigrams(text),
        words.query_words(text),
        words.phrase_words(text),
    ):
        assert all(SAFE.fullmatch(word) and "'" not in word and "\\" not in word for word in found)


@given(st.text(max_size=200))
def test_any_query_is_read(text: str) -> None:
    asked = parse(text)
    assert all(SAFE.fullmatch(word) for word in (*asked.body_lexemes, *asked.title_lexemes))


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=5), max_size=4))
def test_marking_never_changes_the_text(text: str, marks: list[str]) -> None:
    segments = mark(text, [(one,) for one in marks])
    assert "".join(segment.text for segment in segments) == text
    assert all(segment.text for segment in segments)
    assert len("".join(segment.text for segment in excerpt(text, [(one,) for one in marks]))) <= 132


@given(st.text(alphabet="国务院办公厅 A1。\u3000", max_size=80))
def test_a_text_always_has_the_words_of_its_own_characters(text: str) -> None:
    found = words.body_words(words.tidy(text))
    assert all(ch in found for ch in words.tidy(text) if ch in "国务院办公厅")


def test_quotes_make_phrases_and_nothing_else_is_an_operator() -> None:
    asked = parse("NOT 机密 “绝密 文件” -秘密 | & !a:* (b)")
    assert asked.phrases == ("绝密文件",)
    assert asked.words == ("not", "机密", "-秘密", "!a:*", "(b)")
    assert asked.body_lexemes[:2] == ["not", "机密"]


def test_a_number_is_taken_out_of_the_query() -> None:
    asked = parse("国发〔2004〕18号 工作规则")
    assert asked.number is not None
    assert (asked.number.key, asked.words) == ("2004-18-国发", ("工作规则",))


def test_a_query_of_two_hundred_characters_is_read_and_a_longer_one_refused() -> None:
    assert parse("长" * 200).words
    for length in (201, 10_000):
        with pytest.raises(Invalid) as refused:
            parse("长" * length)
        assert set(refused.value.fields) == {"q"}


def test_stray_spaces_and_full_width_are_folded() -> None:
    assert words.tidy("国 务 院　工　作  ＡＢ１２ a b\x00") == "国务院工作 AB12 a b"


def test_long_texts_overlap_at_their_seams() -> None:
    text = "".join(chr(0x4E00 + n % 5000) for n in range(150_000))
    pieces = words.chunks(text)
    assert all(len(piece) <= words.CHUNK_CHARACTERS for piece in pieces)
    assert pieces[0][-words.CHUNK_OVERLAP :] == pieces[1][: words.CHUNK_OVERLAP]
    assert pieces[0] + "".join(piece[words.CHUNK_OVERLAP :] for piece in pieces[1:]) == text
