"""Differences between versions: word by word, nothing lost on either side, and a page that shows them."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.documents import services
from saas.documents.differences import Change, Line, compare, differences, words
from saas.documents.elements import Elements
from saas.documents.models import DocumentVersion
from tests.documents.conftest import Office, draft_input

LINES = st.lists(st.text(alphabet="关于开展安全检查工作的通知，。一二 a1", max_size=12), max_size=6).map("\n".join)


def side(lines: tuple[Line, ...], without: Change) -> list[str]:
    """The text of one side: paragraphs that hold nothing but the other side's are not there."""
    kept = [[piece for piece in line.pieces if piece.change is not without] for line in lines]
    return ["".join(piece.text for piece in pieces) for pieces in kept if pieces]


@settings(max_examples=200)
@given(LINES, LINES)
def test_both_versions_can_be_read_from_the_difference(before: str, after: str) -> None:
    lines = compare(before, after)
    assert side(lines, Change.ADDED) == before.split("\n")
    assert side(lines, Change.REMOVED) == after.split("\n")
    assert any(line.changed for line in lines) is (before != after)


def test_a_changed_word_is_marked_as_a_word_not_as_a_paragraph() -> None:
    (line,) = compare("请于3月1日前将检查情况报送办公室。", "请于3月15日前将整改情况报送办公室。")
    marked = [(piece.change, piece.text) for piece in line.pieces if piece.change is not Change.SAME]
    assert (Change.REMOVED, "检查") in marked
    assert (Change.ADDED, "整改") in marked
    assert "报送办公室。" in line.pieces[-1].text


def test_a_new_paragraph_is_added_whole_and_its_neighbours_stay() -> None:
    lines = compare("一、范围\n三、要求", "一、范围\n二、时间\n三、要求")
    assert [(line.pieces[0].change, line.pieces[0].text) for line in lines] == [
        (Change.SAME, "一、范围"),
        (Change.ADDED, "二、时间"),
        (Change.SAME, "三、要求"),
    ]


def test_words_are_chinese_words_and_join_to_the_text() -> None:
    assert "".join(words("大数据发展管理局")) == "大数据发展管理局"
    assert len(words("大数据发展管理局")) < 8
    assert "".join(words("😀 a\u3000b")) == "😀 a\u3000b"


def test_only_elements_with_text_are_shown() -> None:
    found = differences(Elements(title="甲", body="同"), Elements(title="乙", body="同"))
    assert [(str(item.label), item.changed, item.clean) for item in found] == [
        ("标题", True, "乙"),
        ("正文", False, "同"),
    ]


def test_the_page_shows_who_changed_what_and_a_clean_copy(office: Office, as_user: Callable[..., Client]) -> None:
    document = services.document_draft(draft=draft_input(body="请于3月1日前报送。"), by=office.drafter)
    services.document_autosave(
        document_id=document.id, draft=draft_input(body="请于3月15日前报送<办公室>。"), version=1, by=office.drafter
    )
    drafter, clerk = as_user(office.users["drafter"]), as_user(office.users["clerk"])
    answer = drafter.get(f"/documents/{document.id}/versions/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<ins>" in page
    assert "<del>" in page
    assert "&lt;办公室&gt;" in page
    assert '<div class="doc-clean">请于3月15日前报送&lt;办公室&gt;。</div>' in page
    assert "第 2 稿由周敏保存" in page
    first = drafter.get(f"/documents/{document.id}/versions/?from=1&to=1").content.decode()
    assert "这是第一稿" in first
    for nonsense in ("?from=9&to=x", "?from=-1", "?to=99999999999999999999"):
        assert drafter.get(f"/documents/{document.id}/versions/{nonsense}").status_code == 200
    assert "versions/" in drafter.get(f"/documents/{document.id}/way/").content.decode()
    assert clerk.get(f"/documents/{document.id}/versions/").status_code == 404
    DocumentVersion.objects.filter(document=document).delete()
    assert drafter.get(f"/documents/{document.id}/versions/").status_code == 404
