"""A document's way: drafted, guarded, signed off, numbered, rendered; and what refuses on the way."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.accounts.services import role_grant
from saas.approvals.models import Instance, Task
from saas.approvals.services import Act, act, terminate
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.metrics import DOCUMENTS_ISSUED
from saas.core.storage import open_object, store
from saas.documents import services
from saas.documents.access import documents_visible_to, reader_for
from saas.documents.elements import AnnexText, Elements
from saas.documents.handlers import FIELDS
from saas.documents.kinds import Kind, Sensitivity, State, Urgency
from saas.documents.layout.reading import text_of
from saas.documents.models import Document, DocumentVersion, NumberEntry
from saas.search.models import SearchRow
from tests.documents.conftest import Office, draft_input


def sign(document: Document, office: Office, what: Act = Act.AGREE, opinion: str = "同意。") -> None:
    task = Task.objects.get(instance__subject_id=document.id, state="open")
    act(task_id=task.id, act=what, by=office.leader, opinion=opinion, idempotency_key=f"t{task.id}")


def signed_off(office: Office, **changes: Any) -> Document:
    document = services.document_draft(draft=draft_input(**changes), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    sign(document, office)
    document.refresh_from_db()
    return document


def numbered(office: Office) -> Document:
    book = services.book_create(mark="云数发", year=timezone.localdate().year, kinds=[], first=1, by=office.clerk)
    return services.document_register_number(document_id=signed_off(office).id, book_id=book.id, by=office.clerk)


def test_a_document_goes_from_draft_to_a_pdf_of_what_was_signed_off(office: Office, run_jobs: Any) -> None:
    document = numbered(office)
    run_jobs()
    document.refresh_from_db()
    assert document.state == State.RENDERED
    assert document.signed_by == "李建国"
    sealable = services.sealable_bytes(document.id)
    assert sealable.sha256 == document.pdf_sha256
    assert sealable.anchors[0].page == 2
    text = text_of(sealable.pdf)
    assert f"云数发〔{timezone.localdate().year}〕1号" in text
    assert "各单位主要负责人是第一责任人" in text


def test_a_changed_pin_stops_printing(office: Office) -> None:
    document = numbered(office)
    assert document.pinned
    document.pinned["elements"]["body"] = "改动"
    document.save()
    with pytest.raises(Conflict, match="不一致"):
        services.document_render(document_id=document.id)
    document.refresh_from_db()
    assert document.state == State.NUMBERED
    assert document.pdf_name == ""


def test_a_return_reopens_the_draft_and_the_same_flow_takes_it_again(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    sign(document, office, Act.RETURN, "请补充依据。")
    document.refresh_from_db()
    assert document.state == State.DRAFTING
    changed = services.document_autosave(
        document_id=document.id, draft=draft_input(body="一、修改后的正文"), version=1, by=office.drafter
    )
    assert changed.content_version == 2
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    sign(document, office)
    document.refresh_from_db()
    assert document.state == State.SIGNED_OFF
    assert document.pin is not None
    assert document.pin.elements.body == "一、修改后的正文"


def test_a_second_editor_gets_both_texts_and_nothing_is_lost(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_autosave(
        document_id=document.id, draft=draft_input(body="甲的文字"), version=1, by=office.drafter
    )
    with pytest.raises(services.DraftConflict) as conflict:
        services.document_autosave(
            document_id=document.id, draft=draft_input(body="乙的文字"), version=1, by=office.drafter
        )
    assert conflict.value.status == 409
    assert conflict.value.theirs.body == "甲的文字"
    assert conflict.value.version == 2
    document.refresh_from_db()
    assert document.written.body == "甲的文字"


def test_saving_what_is_saved_already_changes_nothing(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    again = services.document_autosave(document_id=document.id, draft=draft_input(), version=1, by=office.drafter)
    assert again.content_version == 1
    changed = draft_input(urgency=Urgency.URGENT)
    saved = services.document_autosave(document_id=document.id, draft=changed, version=1, by=office.drafter)
    assert (saved.content_version, saved.urgency) == (2, Urgency.URGENT)
    # A second window that was opened before holds the same: there is nothing to settle.
    same = services.document_autosave(document_id=document.id, draft=changed, version=1, by=office.drafter)
    assert same.content_version == 2


@pytest.mark.parametrize(
    "changes",
    [{"kind": Kind.LETTER}, {"urgency": Urgency.URGENT}, {"sensitivity": Sensitivity.OPEN}],
)
def test_a_second_editor_who_changed_no_word_is_told_as_well(office: Office, changes: dict[str, Any]) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    theirs = draft_input(body="甲的文字")
    services.document_autosave(document_id=document.id, draft=theirs, version=1, by=office.drafter)
    mine = draft_input(body="甲的文字", **changes)
    with pytest.raises(services.DraftConflict):
        services.document_autosave(document_id=document.id, draft=mine, version=1, by=office.drafter)


def test_one_sitting_keeps_one_version(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    for number in range(1, 6):
        services.document_autosave(
            document_id=document.id, draft=draft_input(body=f"第{number}稿"), version=number, by=office.drafter
        )
    rows = DocumentVersion.objects.filter(document=document).order_by("number")
    assert [row.number for row in rows] == [1, 6]


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"title": "   "}, "title"),
        ({"body": ""}, "body"),
        ({"recipients": ""}, "recipients"),
        ({"signatures": ()}, "signatures"),
        ({"mark": ""}, "mark"),
        ({"recipient_codes": ("nowhere",)}, "recipients"),
        ({"kind": Kind.REQUEST, "title": "甲关于乙的请示", "recipients": "市政府、省政府"}, "recipients"),
        (
            {"kind": Kind.REPORT, "title": "甲关于乙的报告", "recipients": "市政府", "body": "情况如下。请批示。"},
            "body",
        ),
        ({"title": "机密★10年 甲关于乙的通知"}, "title"),
        ({"body": "密级：秘密\n正文"}, "body"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_refused_with_element_and_clause(
    office: Office, changes: dict[str, Any], element: str
) -> None:
    document = services.document_draft(draft=draft_input(**changes), by=office.drafter)
    with pytest.raises(Invalid) as refused:
        services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    assert "《" in str(refused.value.fields[element])
    document.refresh_from_db()
    assert document.state == State.DRAFTING
    assert document.flow_instance_id is None


def test_an_oversized_title_is_refused_and_nothing_is_saved(office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        services.document_draft(draft=draft_input(title="题" * 151), by=office.drafter)
    assert "title" in refused.value.fields
    assert not Document.objects.exists()


def test_a_second_click_on_submit_starts_nothing(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    with pytest.raises(Conflict):
        services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    assert Task.objects.filter(instance__subject_id=document.id, state="open").count() == 1


def test_only_the_drafter_writes(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    with pytest.raises(NotFound):
        services.document_autosave(document_id=document.id, draft=draft_input(body="x"), version=1, by=office.leader)
    with pytest.raises(NotFound):
        services.document_discard(document_id=document.id, by=office.leader)


def test_after_submission_the_text_stands(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    with pytest.raises(Conflict):
        services.document_autosave(document_id=document.id, draft=draft_input(body="x"), version=1, by=office.drafter)


def test_a_draft_is_seen_by_its_drafter_then_by_whom_the_flow_asks_then_by_the_unit(office: Office) -> None:
    def seen_by(actor: Any) -> bool:
        return documents_visible_to(reader_for(actor)).filter(id=document.id).exists()

    document = services.document_draft(draft=draft_input(), by=office.drafter)
    assert (seen_by(office.drafter), seen_by(office.leader), seen_by(office.clerk)) == (True, False, False)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)
    assert (seen_by(office.leader), seen_by(office.clerk)) == (True, False)
    sign(document, office)
    book = services.book_create(mark="云数发", year=2026, kinds=[], first=1, by=office.clerk)
    services.document_register_number(document_id=document.id, book_id=book.id, by=office.clerk)
    assert seen_by(office.clerk)
    document.refresh_from_db()
    assert set(SearchRow.objects.get(object_id=document.id).groups) == set(document.readers)


def test_a_document_keeps_its_one_number_on_a_second_tab(office: Office) -> None:
    document = numbered(office)
    entry = NumberEntry.objects.get(document=document)
    again = services.document_register_number(document_id=document.id, book_id=entry.book_id, by=office.clerk)
    assert again.number == document.number
    assert NumberEntry.objects.count() == 1


def test_an_issued_document_is_counted_once_and_only_when_it_is_certain(
    office: Office, django_capture_on_commit_callbacks: Any
) -> None:
    counted = DOCUMENTS_ISSUED.labels(kind="notice")._value
    before = counted.get()
    with django_capture_on_commit_callbacks() as callbacks:
        document = numbered(office)
        book = NumberEntry.objects.get(document=document).book_id
        services.document_register_number(document_id=document.id, book_id=book, by=office.clerk)
    assert counted.get() == before
    for callback in callbacks:
        callback()
    assert counted.get() == before + 1


def test_an_unsigned_document_gets_no_number(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    book = services.book_create(mark="云数发", year=2026, kinds=[], first=1, by=office.clerk)
    with pytest.raises(Conflict):
        services.document_register_number(document_id=document.id, book_id=book.id, by=office.clerk)
    book.refresh_from_db()
    assert book.next_serial == 1


def test_a_void_number_stays_in_the_book_with_its_reason(office: Office) -> None:
    document = numbered(office)
    entry = NumberEntry.objects.select_related("book").get(document=document)
    with pytest.raises(Invalid):
        services.number_void(entry_id=entry.id, reason="  ", by=office.clerk)
    services.number_void(entry_id=entry.id, reason="印制错误", by=office.clerk)
    document.refresh_from_db()
    assert document.state == State.VOIDED
    assert [(gap.first, gap.reason) for gap in services.missing_numbers(entry.book)] == [(1, "印制错误")]
    with pytest.raises(Conflict):
        services.number_void(entry_id=entry.id, reason="再次", by=office.clerk)


def test_a_sealed_pdf_is_attached_once(office: Office, run_jobs: Any) -> None:
    document = numbered(office)
    run_jobs()
    stored = store(name_prefix="documents/sealed", stream=b"%PDF-sealed", content_type="application/pdf")
    services.attach_sealed_pdf(document.id, stored, office.clerk)
    services.attach_sealed_pdf(document.id, stored, office.clerk)
    with pytest.raises(Conflict):
        services.sealable_bytes(document.id)
    services.mark_sent(document.id, by=office.clerk)
    services.mark_sent(document.id, by=office.clerk)
    document.refresh_from_db()
    assert document.state == State.SENT
    with open_object(document.final_pdf) as file:
        assert file.read() == b"%PDF-sealed"


def test_an_attachment_is_what_it_holds_not_what_it_is_called(office: Office) -> None:
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    with pytest.raises(Invalid):
        services.attachment_add(
            document_id=document.id, name="附件.pdf", stream=io.BytesIO(b"MZ\x90\x00\x03\x00"), by=office.drafter
        )
    with pytest.raises(Invalid) as refusal:
        services.attachment_add(
            document_id=document.id, name="附件.png", stream=io.BytesIO(b"%PDF-1.7 x"), by=office.drafter
        )
    assert refusal.value.code == "file.wrong_name"
    assert not document.files.exists()
    kept = services.attachment_add(
        document_id=document.id, name="附件.PDF", stream=io.BytesIO(b"%PDF-1.7 x"), by=office.drafter
    )
    assert kept.content_type == "application/pdf"
    services.attachment_remove(attachment_id=kept.id, by=office.drafter)
    assert document.files.count() == 0


def incoming_input(**changes: Any) -> services.IncomingInput:
    values: dict[str, Any] = {
        "from_name": "云州市人民政府办公室",
        "number": "云政办发〔2026〕5号",
        "title": "云州市人民政府办公室关于做好防汛工作的通知",
        "received_on": timezone.localdate(),
    }
    return services.IncomingInput(**values | changes)


def scan() -> bytes:
    from saas.documents.layout import render
    from tests.documents.samples import FONTS, sample

    return render(sample(), FONTS).pdf


def test_an_incoming_document_is_registered_numbered_and_handled(office: Office) -> None:
    document = services.incoming_register(incoming=incoming_input(), pdf=scan(), by=office.clerk)
    assert document.register_number == f"收文〔{timezone.localdate().year}〕1号"
    assert document.state == State.IN_HANDLING
    sign(document, office)
    document.refresh_from_db()
    assert document.state == State.HANDLED
    row = SearchRow.objects.get(object_id=document.id)
    assert row.number == "云政办发〔2026〕5号"


def test_a_flow_of_either_direction_is_told_what_its_conditions_may_ask(office: Office) -> None:
    def told(document: Document) -> dict[str, Any]:
        values: dict[str, Any] = Instance.objects.get(subject_id=document.id).values
        return {name: values.get(name) for name in ("urgency", *(spec.name for spec in FIELDS))}

    came = incoming_input(urgency=Urgency.MOST_URGENT, sensitivity=Sensitivity.SENSITIVE)
    incoming = services.incoming_register(incoming=came, pdf=scan(), by=office.clerk)
    # Conditions compare numbers: the weight of 特急, not its name.
    expected = {"urgency": 3, "kind": "notice", "sensitivity": "sensitive", "from": "云州市人民政府办公室"}
    assert told(incoming) == expected
    outgoing = services.document_draft(draft=draft_input(urgency=Urgency.URGENT), by=office.drafter)
    services.document_submit(document_id=outgoing.id, flow_key="outgoing", by=office.drafter)
    assert told(outgoing) == {"urgency": 2, "kind": "notice", "sensitivity": "internal", "from": ""}


def test_the_number_of_what_is_being_handled_is_voided_after_its_flow_was_ended(office: Office) -> None:
    document = services.incoming_register(incoming=incoming_input(), pdf=scan(), by=office.clerk)
    entry = NumberEntry.objects.get(document=document)
    with pytest.raises(Conflict) as refused:
        services.number_void(entry_id=entry.id, reason="重复登记", by=office.clerk)
    assert refused.value.code == "number.in_handling"
    assert document.flow_instance_id
    role_grant(user_id=office.users["clerk"].id, role=Role.FLOW_ADMIN, by=SYSTEM)
    terminate(instance_id=document.flow_instance_id, by=office.clerk, reason="重复登记", idempotency_key="t1")
    document.refresh_from_db()
    assert document.state == State.REGISTERED
    services.number_void(entry_id=entry.id, reason="重复登记", by=office.clerk)
    document.refresh_from_db()
    assert document.state == State.VOIDED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "题" * 151}, "title"),
        ({"title": "绝密★ 关于某事的通知"}, "title"),
        ({"elements": Elements(body="一、总体要求\n机密★5年\n二、具体措施")}, "body"),
        ({"elements": Elements(annexes=(AnnexText("清单", (("left", "密级：秘密"),)),))}, "body"),
        ({"from_name": ""}, "from_name"),
        ({"received_on": date.today() + timedelta(days=2)}, "received_on"),  # noqa: DTZ011
        ({"issued_on": date.today() + timedelta(days=1)}, "issued_on"),  # noqa: DTZ011
    ],
)
def test_a_wrong_registration_is_refused_and_takes_no_number(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        services.incoming_register(incoming=incoming_input(**changes), pdf=scan(), by=office.clerk)
    assert field in refused.value.fields
    assert not NumberEntry.objects.exists()


@pytest.mark.parametrize("content", [b"MZ executable", b"hello", b"%PDF-1.7 broken"])
def test_a_scan_that_is_no_pdf_or_picture_is_refused(office: Office, content: bytes) -> None:
    with pytest.raises(Invalid):
        services.incoming_register(incoming=incoming_input(), pdf=content, by=office.clerk)
    assert not Document.objects.exists()


def test_a_delivery_is_registered_once(office: Office) -> None:
    import uuid

    incoming = incoming_input(source_id=uuid.uuid4())
    first = services.incoming_register(incoming=incoming, pdf=scan(), by=office.clerk)
    assert services.incoming_register(incoming=incoming, pdf=scan(), by=office.clerk).id == first.id


def test_drafting_needs_a_post(office: Office) -> None:
    from saas.core.actors import Actor

    with pytest.raises(Forbidden):
        services.document_draft(draft=draft_input(), by=Actor(user_id=None, user_name="无岗"))
