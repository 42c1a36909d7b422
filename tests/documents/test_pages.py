"""Pages of documents: what they show, to whom, at what cost, and how they refuse."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from saas.documents import services
from saas.documents.kinds import State
from saas.documents.models import Document, NumberBook, NumberEntry
from tests.documents.conftest import Office, draft_input
from tests.documents.test_services import numbered, scan, sign, signed_off

FORM = {
    "kind": "notice",
    "urgency": "",
    "sensitivity": "internal",
    "mark": "云州市大数据发展管理局文件",
    "title": "云州市大数据发展管理局关于开展安全检查工作的通知",
    "recipients": "各县（市、区）大数据局",
    "body": "为切实防范风险，现通知如下：\n一、检查范围\n全市各单位。",
    "signatures": "云州市大数据发展管理局",
    "attachments": "",
    "note": "",
    "cc": "",
    "printer": "",
    "flow": "outgoing",
}


@pytest.fixture
def drafter(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["drafter"])


@pytest.fixture
def clerk(office: Office, as_user: Callable[..., Client]) -> Client:
    return as_user(office.users["clerk"])


def cost(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(url)
    assert answer.status_code == 200, url
    asked = [q["sql"] for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "SET "))]
    return len(asked)


def test_a_drafter_writes_submits_and_sees_the_way(drafter: Client, office: Office) -> None:
    assert drafter.get("/documents/new/").status_code == 200
    made = drafter.post("/documents/new/", FORM)
    assert made.status_code == 302
    document = Document.objects.get()
    assert made["location"] == f"/documents/{document.id}/edit/"
    sent = drafter.post(made["location"], FORM | {"version": "1", "then": "submit"})
    assert sent.status_code == 302
    document.refresh_from_db()
    assert document.state == State.IN_APPROVAL
    assert "签发" in drafter.get(f"/documents/{document.id}/way/").content.decode()
    assert drafter.get(f"/documents/{document.id}/sheets/1.png").content.startswith(b"\x89PNG")


def test_a_submission_against_the_rules_keeps_the_form_and_names_the_clause(drafter: Client) -> None:
    answer = drafter.post("/documents/new/", FORM | {"title": "   ", "then": "submit"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "第九条" in text
    assert "全市各单位。" in text


def test_a_state_secret_is_refused_with_the_reason(drafter: Client) -> None:
    answer = drafter.post("/documents/new/", FORM | {"sensitivity": "机密"})
    assert answer.status_code == 422
    assert "国家秘密" in answer.content.decode()
    assert not Document.objects.exists()


def test_an_oversized_title_is_422_and_the_text_stays(drafter: Client) -> None:
    answer = drafter.post("/documents/new/", FORM | {"title": "题" * 151})
    assert answer.status_code == 422
    assert "全市各单位。" in answer.content.decode()


def test_autosave_answers_version_then_409_with_the_other_text(drafter: Client, office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    url = f"/documents/{document.id}/autosave/"
    first = drafter.post(url, FORM | {"version": "1", "body": "甲的文字"})
    assert (first.status_code, first.json()["version"]) == (200, 2)
    second = drafter.post(url, FORM | {"version": "1", "body": "乙的文字"})
    assert second.status_code == 409
    assert second.json()["theirs"]["body"] == "甲的文字"
    assert second.json()["by"] == "周敏"
    page = drafter.post(f"/documents/{document.id}/edit/", FORM | {"version": "1", "body": "乙的文字"})
    text = page.content.decode()
    assert page.status_code == 409
    assert "甲的文字" in text
    assert "乙的文字" in text


def test_the_preview_shows_pages_and_what_the_rules_say(drafter: Client) -> None:
    answer = drafter.post("/documents/preview/", FORM | {"recipients": ""})
    text = answer.content.decode()
    assert "data:image/png;base64," in text
    assert "缺少主送机关" in text
    lacking = drafter.post("/documents/preview/", FORM | {"body": "祝贺😀"})
    assert lacking.status_code == 422
    assert "U+1F600" in lacking.content.decode()


def test_the_preview_is_limited_to_what_a_person_needs(drafter: Client) -> None:
    codes = {drafter.post("/documents/preview/", FORM | {"kind": "none"}).status_code for _ in range(45)}
    assert codes == {422, 429}


def test_a_clerk_numbers_from_the_page_once(clerk: Client, office: Office) -> None:
    document = signed_off(office)
    year = timezone.localdate().year
    book = services.book_create(mark="云数发", year=year, kinds=[], first=1, by=office.clerk)
    assert "编号" in clerk.get(f"/documents/{document.id}/").content.decode()
    for _click in range(2):
        assert clerk.post(f"/documents/{document.id}/number/", {"book": str(book.id)}).status_code == 302
    document.refresh_from_db()
    assert document.number == f"云数发〔{year}〕1号"
    assert NumberEntry.objects.count() == 1
    entry = NumberEntry.objects.get()
    assert clerk.post(f"/documents/numbers/{entry.id}/void/", {"reason": " "}).status_code == 422
    assert clerk.post(f"/documents/numbers/{entry.id}/void/", {"reason": "印错"}).status_code == 302
    assert "印错" in clerk.get(f"/documents/books/{book.id}/").content.decode()


def test_a_drafter_may_not_number(drafter: Client, office: Office) -> None:
    document = signed_off(office)
    assert drafter.post(f"/documents/{document.id}/number/", {"book": "x"}).status_code == 403
    assert drafter.get("/documents/books/").status_code == 403
    document.refresh_from_db()
    assert document.number == ""


def test_a_scan_is_registered_and_a_wrong_file_is_not(clerk: Client, office: Office) -> None:
    fields = {
        "from_name": "云州市人民政府",
        "number": "云政发〔2026〕3号",
        "title": "云州市人民政府关于做好防汛工作的通知",
        "kind": "notice",
        "sensitivity": "internal",
        "received_on": timezone.localdate().isoformat(),
    }
    wrong = io.BytesIO(b"MZ\x90\x00not a scan")
    wrong.name = "scan.pdf"
    answer = clerk.post("/documents/incoming/new/", fields | {"scan": wrong})
    assert answer.status_code == 422
    assert "云政发〔2026〕3号" in answer.content.decode()
    assert not Document.objects.exists()
    right = io.BytesIO(scan())
    right.name = "scan.pdf"
    answer = clerk.post("/documents/incoming/new/", fields | {"scan": right})
    assert answer.status_code == 302
    page = clerk.get(answer["location"]).content.decode()
    assert "收文〔" in page
    bad_date = clerk.post("/documents/incoming/new/", fields | {"received_on": "2026-13-01"})
    assert bad_date.status_code == 422


def test_another_persons_draft_is_404_on_every_route(office: Office, as_user: Callable[..., Client]) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    leader = as_user(office.users["leader"])
    for path in ("", "way/", "sheets/1.png", "document.pdf", "edit/"):
        assert leader.get(f"/documents/{document.id}/{path}").status_code == 404, path
    for path in ("edit/", "autosave/", "discard/", "files/"):
        upload = io.BytesIO(b"text")
        upload.name = "a.txt"
        answer = leader.post(f"/documents/{document.id}/{path}", FORM | {"version": "1", "file": upload})
        assert answer.status_code == 404, path
    assert leader.get(f"/documents/{uuid.uuid4()}/").status_code == 404
    document.refresh_from_db()
    assert document.content_version == 1


def test_files_are_added_read_and_removed(drafter: Client, office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    upload = io.BytesIO("附件内容".encode())
    upload.name = "说明.txt"
    answer = drafter.post(f"/documents/{document.id}/files/", {"file": upload}, headers={"accept": "application/json"})
    file_id = answer.json()["id"]
    got = drafter.get(f"/documents/{document.id}/files/{file_id}/")
    assert got.getvalue().decode() == "附件内容"
    assert "attachment" in got["Content-Disposition"]
    assert drafter.post(f"/documents/{document.id}/files/{file_id}/remove/").status_code == 302
    assert not document.files.exists()


def test_pages_keep_to_their_queries(drafter: Client, clerk: Client, office: Office, run_jobs: Any) -> None:
    document = numbered(office)
    run_jobs()
    for _ in range(40):
        services.document_draft(draft=draft_input(), by=office.drafter)
    other = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=other.id, flow_key="outgoing", by=office.drafter)
    sign(other, office)
    book = NumberBook.objects.get(mark="云数发")
    for client in (drafter, clerk):
        client.get("/documents/books/")  # a session's very first answer writes the session
    lists = ["/documents/drafts/", "/documents/outgoing/", "/documents/incoming/"]
    spent = {url: cost(drafter, url) for url in lists}
    spent |= {f"clerk {url}": cost(clerk, url) for url in (*lists, "/documents/books/")}
    assert {url: n for url, n in spent.items() if n > 8} == {}
    single = ["", "way/", "sheets/1.png"]
    pages = {path: cost(drafter, f"/documents/{document.id}/{path}") for path in single}
    pages["book"] = cost(clerk, f"/documents/books/{book.id}/")
    pages["new"] = cost(drafter, "/documents/new/")
    draft = Document.objects.filter(state=State.DRAFTING)[0]
    pages["edit"] = cost(drafter, f"/documents/{draft.id}/edit/")
    pages["number"] = cost(clerk, f"/documents/{other.id}/number/")
    assert {path: n for path, n in pages.items() if n > 12} == {}


def test_a_list_goes_on_to_the_next_page_without_losing_a_row(drafter: Client, office: Office) -> None:
    made = {services.document_draft(draft=draft_input(), by=office.drafter).id for _ in range(35)}
    seen: set[str] = set()
    url = "/documents/drafts/"
    while url:
        page = drafter.get(url).context["page"]
        seen |= {row.id for row in page.rows}
        url = f"/documents/drafts/?after={page.after.replace('+', '%2B')}" if page.after else ""
    assert seen == made
