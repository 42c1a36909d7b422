"""Uploading regulations: every format, what is refused and how it is told, and who may."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from html import escape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from saas.accounts.services import role_grant
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.errors import Invalid
from saas.core.tenancy import TenantRef
from saas.regulations.models import Article, Regulation
from saas.regulations.uploads import About, lines_of
from tests.documents.conftest import as_user
from tests.organisation import makers
from tests.regulations.test_parsing import line

__all__ = ["as_user"]

ABOUT = About(title="", kind="规章制度", subject="值班", history="2026年1月5日 局务会通过")
TEXT = "云州市数据局值班管理办法\r\n第一章 总则\r\n第一条 为规范值班，制定本办法。\r\n　　第二条　值班实行轮流。\r\n"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def word(*paragraphs: str, head: str = "") -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "word/document.xml", f'{head}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
        )
    return out.getvalue()


@pytest.fixture
def archivist(in_alpha: TenantRef, as_user: Callable[..., Client]) -> Client:
    unit = makers.unit("文电科")
    user = makers.staff("周婷婷", post=makers.post("档案管理员", unit=unit, kind="staff"))
    role_grant(user_id=user.id, role=Role.ARCHIVIST, by=SYSTEM)
    return as_user(user)


def send(client: Client, name: str, content: bytes, **fields: str) -> object:
    form = {"kind": "规章制度", "title": "", "subject": "", "history": "2026年1月5日 局务会通过"} | fields
    return client.post("/regulations/upload/", form | {"file": SimpleUploadedFile(name, content)})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("办法.txt", TEXT.encode()),
        ("办法.TXT", TEXT.encode("gb18030")),
        ("办法.txt", b"\xef\xbb\xbf" + TEXT.encode()),
        ("办法.docx", word(*TEXT.split("\r\n"))),
    ],
)
def test_a_text_becomes_its_chapter_and_articles(archivist: Client, name: str, content: bytes) -> None:
    answer = send(archivist, name, content)
    assert answer.status_code == 302  # type: ignore[attr-defined]
    kept = Regulation.objects.get(title="云州市数据局值班管理办法")
    assert (kept.kind, str(kept.version_on)) == ("规章制度", "2026-01-05")
    assert list(Article.objects.order_by("position").values_list("label", "chapter", "text")) == [
        ("第一条", "第一章 总则", "为规范值班，制定本办法。"),
        ("第二条", "第一章 总则", "值班实行轮流。"),
    ]
    page = archivist.get("/regulations/").content.decode()
    assert "已导入 1 部制度，共 2 条。" in page


def test_a_title_that_is_given_stands_in_place_of_the_first_line(archivist: Client) -> None:
    send(archivist, "办法.txt", "第一条 甲。\n第二条 乙。".encode(), title="值班管理办法")
    assert Regulation.objects.get().title == "值班管理办法"
    assert Article.objects.count() == 2


def test_wrong_lines_are_named_and_the_others_are_loaded(archivist: Client) -> None:
    answer = send(archivist, "库.jsonl", "\n".join([line(), "{", line(title="")]).encode())
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert Regulation.objects.count() == 1
    assert "不是有效的 JSON" in page
    assert "不能为空" in page
    assert "2 行没有导入" in page


def test_a_file_of_which_no_line_is_right_is_refused(archivist: Client) -> None:
    assert send(archivist, "库.jsonl", b"{").status_code == 422  # type: ignore[attr-defined]
    assert not Regulation.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("办法.pdf", b"%PDF-1.7", "只接受"),
        ("办法.txt", b"\x00\x01", "不是文本"),
        ("办法.txt", b"  \n\n", "没有文字"),
        ("办法.txt", b"\xff\xff\xff", "编码"),
        ("库.jsonl", TEXT.encode("gb18030"), "编码"),
        ("办法.docx", b"PK\x03\x04broken", "不是 Word"),
        ("办法.docx", word("x", head="<!DOCTYPE a>"), "不是 Word"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        lines_of(name=name, content=content, about=ABOUT)
    assert reason in str(refusal.value.fields["file"])


def test_a_refusal_keeps_what_was_typed(archivist: Client) -> None:
    answer = send(archivist, "办法.txt", TEXT.encode(), kind="", subject="值班")
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "请填写类别" in page
    assert 'value="值班"' in page
    assert not Regulation.objects.exists()


def test_only_who_keeps_the_base_may_upload_and_is_offered_it(
    archivist: Client, in_alpha: TenantRef, as_user: Callable[..., Client]
) -> None:
    other = as_user(makers.staff("周敏", post=makers.post("科员", unit=makers.unit("综合科"), kind="staff")))
    assert "/regulations/upload/" in archivist.get("/regulations/").content.decode()
    assert "/regulations/upload/" not in other.get("/regulations/").content.decode()
    assert other.get("/regulations/upload/").status_code == 403
    assert send(other, "办法.txt", TEXT.encode()).status_code == 403  # type: ignore[attr-defined]
    assert not Regulation.objects.exists()
