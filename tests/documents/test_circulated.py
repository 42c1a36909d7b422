"""传阅: who was given a document to read opens it, lists it and finds it, before and after reading."""

from __future__ import annotations

from uuid import uuid4

from saas.accounts.actors import resolve
from saas.approvals.engine.state import Assignee, AssigneeKind
from saas.approvals.models import ReadItem, Task
from saas.approvals.services import Act, Target, act
from saas.approvals.services.circulating import mark_read
from saas.documents import services
from saas.documents.access import documents_visible_to, reader_for
from saas.search.selectors import search
from tests.documents.conftest import Office, draft_input
from tests.organisation import makers


def test_a_circulated_document_is_found_by_its_readers(office: Office) -> None:
    account = makers.staff("何文静", post=makers.post("档案员", unit=makers.unit("档案室")))
    reader = resolve(account, None)
    document = services.document_draft(draft=draft_input(), by=office.drafter)
    services.document_submit(document_id=document.id, flow_key="outgoing", by=office.drafter)

    def found() -> bool:
        return any(hit.object_id == document.id for hit in search("安全检查工作", reader_for(reader).groups).hits)

    assert not found()
    assert reader.post_id is not None
    act(
        task_id=Task.objects.get(instance__subject_id=document.id, state="open").id,
        act=Act.CIRCULATE,
        by=office.leader,
        target=Target(to=(Assignee(AssigneeKind.POST, reader.post_id),)),
        idempotency_key=uuid4().hex,
    )
    assert found()
    item = ReadItem.objects.get(instance__subject_id=document.id)
    assert mark_read(item_ids=[item.id], by=reader) == 1
    # What is rewritten when the document changes keeps its readers.
    act(
        task_id=Task.objects.get(instance__subject_id=document.id, state="open").id,
        act=Act.AGREE,
        by=office.leader,
        opinion="同意。",
        idempotency_key=uuid4().hex,
    )
    assert found()
    assert documents_visible_to(reader_for(reader)).filter(id=document.id).exists()
