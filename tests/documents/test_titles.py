"""Titles are broken by sense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.documents.layout.titles import LINE_EMS, break_title, width_of, words_of

CORPUS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "official_documents.jsonl").read_text("utf-8").splitlines()
]
TITLES = [record["title"] for record in CORPUS]
PIECES = st.sampled_from(
    [
        "云州市人民政府",
        "关于",
        "印发",
        "开展",
        "政务数据",
        "安全检查",
        "《信息系统管理办法》",
        "的",
        "通知",
        "2026年",
        "（试行）",
        "、",
        "和",
        "工作",
    ]
)


def cuts(title: str, lines: tuple[str, ...]) -> set[int]:
    places, at = set(), 0
    for line in lines[:-1]:
        at += len(line)
        places.add(at)
    return places


def word_ends(title: str) -> set[int]:
    places, at = set(), 0
    for word, _tag in words_of(title):
        at += len(word)
        places.add(at)
    return places


@pytest.mark.parametrize("title", TITLES)
def test_a_real_title_is_never_broken_inside_a_word(title: str) -> None:
    lines = break_title(title)
    assert "".join(lines) == title
    assert all(width_of(line) <= LINE_EMS for line in lines)
    assert cuts(title, lines) <= word_ends(title)


@given(st.lists(PIECES, min_size=1, max_size=25).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_title_joins_back_and_no_line_begins_with_a_particle_or_closing_mark(title: str) -> None:
    lines = break_title(title)
    assert "".join(lines) == title
    assert cuts(title, lines) <= word_ends(title)
    assert all(width_of(line) <= LINE_EMS for line in lines)
    assert all(line[0] not in "的、）》，。" for line in lines[1:])
    assert all(line[-1] not in "《（" for line in lines[:-1])


def test_the_issuer_and_the_matter_part_before_about() -> None:
    assert (
        break_title("云州市大数据发展管理局关于开展政务信息系统安全隔离检查工作的通知")[0] == "云州市大数据发展管理局"
    )


def test_a_middle_line_is_not_the_shortest() -> None:
    for title in TITLES:
        lines = [width_of(line) for line in break_title(title)]
        for before, middle, after in zip(lines, lines[1:], lines[2:], strict=False):
            assert not (middle < before - 4 and middle < after - 4), title


def test_the_authors_own_lines_are_kept_when_they_fit() -> None:
    assert break_title("关于甲的\n通知") == ("关于甲的", "通知")


def test_a_title_of_latin_letters_longer_than_a_line_still_fits() -> None:
    assert all(width_of(line) <= LINE_EMS for line in break_title("A" * 200))
