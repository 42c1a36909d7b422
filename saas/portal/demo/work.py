"""Work in progress: documents at every step of their way, moved by the product's services as people would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from saas.approvals.registry import APPLICATION
from saas.approvals.selectors import TodoQuery, seats_of, todo_list
from saas.approvals.services import Act, Subject, Target, act, start_flow
from saas.archive.services import record_file
from saas.core.actors import Actor
from saas.documents.elements import Elements
from saas.documents.kinds import CHINESE_NAMES, Kind, Sensitivity
from saas.documents.models import Document, NumberBook
from saas.documents.sealing import document_seal
from saas.documents.services import DraftInput, document_draft, document_register_number, document_submit
from saas.exchange.models import Delivery
from saas.exchange.services import delivery_sign_for, document_send
from saas.portal.demo import stage
from saas.portal.demo.cast import BureauPlan
from saas.portal.demo.papers import Paper
from saas.seals.models import Seal

Settle = Callable[[], object]
OPINIONS = {
    "section": "同意，请办公室核稿。",
    "countersign": "无不同意见。",
    "edit": "已核，文种、格式规范，送分管领导审批。",
    "in_charge": "同意，请签发。",
    "sign_off": "同意印发。",
    "propose": "拟请领导阅示，由相关科室承办。",
    "instruct": "请承办科室抓紧落实，按时反馈。",
    "handle": "已按要求办理，情况见报送材料。",
}
_KIND_NAMES = {kind: name for name, kind in CHINESE_NAMES.items()}


@dataclass(frozen=True, slots=True)
class Desk:
    """A bureau at work: its plan, and how to wait for the jobs it asks for."""

    plan: BureauPlan
    settle: Settle

    def clerk(self) -> Actor:
        """The document clerk."""
        return stage.actor(stage.clerk(self.plan).username)

    def signers(self) -> Iterable[Actor]:
        """Everybody the demonstration's flows can ask."""
        plan = self.plan
        names = [stage.section_head(plan, place).username for place in range(len(plan.offices))]
        names += [stage.deputy(plan, number).username for number in "一二三四"[: plan.deputies]]
        names.append(stage.head(plan).username)
        return (stage.actor(name) for name in names)


def draft(desk: Desk, paper: Paper, *, office: int, sensitivity: Sensitivity = Sensitivity.OPEN) -> Document:
    """拟稿 by an ordinary member of a section."""
    plan = desk.plan
    title = f"{plan.name}关于{paper.matter}的{_KIND_NAMES[Kind(paper.kind)]}"
    elements = Elements(
        title=title,
        mark=f"{plan.name}文件",
        recipients=paper.recipients,
        body=paper.body,
        signatures=(plan.name,),
        note=paper.note,
        printer=plan.name if plan.code == "zfb" else f"{plan.name}办公室",
        attachments=paper.attachments,
    )
    entry = DraftInput(kind=paper.kind, urgency=paper.urgency, sensitivity=sensitivity, elements=elements)
    return document_draft(draft=entry, by=stage.actor(stage.drafter(plan, office).username))


def submit(desk: Desk, document: Document, *, office: int, flow: str = "outgoing") -> UUID:
    """Send a draft into approval."""
    by = stage.actor(stage.drafter(desk.plan, office).username)
    return document_submit(document_id=document.id, flow_key=flow, by=by)


def apply(desk: Desk, flow: str, *, office: int, title: str, form: Mapping[str, object]) -> UUID:
    """Send a filled-in form on its way, as an ordinary member of a section."""
    by = stage.actor(stage.drafter(desk.plan, office).username)
    return start_flow(flow_key=flow, subject=Subject(kind=APPLICATION, id=uuid4(), title=title), by=by, form=form)


def walk(desk: Desk, instance_id: UUID, *, nodes: Iterable[str]) -> None:
    """Agree at each of `nodes`, in order, as whoever is asked there now."""
    signers = list(desk.signers())
    for node in nodes:
        if not _act_at(signers, instance_id, opinion=OPINIONS[node]):
            raise stage.StageError(f"nobody is asked at {node}")


def send_back(desk: Desk, instance_id: UUID, *, reason: str) -> None:
    """退回 to the drafter, as whoever is asked now."""
    for by in desk.signers():
        for row in _asked(by, instance_id):
            act(
                task_id=row,
                act=Act.RETURN,
                by=by,
                opinion=reason,
                idempotency_key=f"demo:{row}",
                target=Target(node="start"),
            )
            return
    raise stage.StageError("nobody is asked")


def _asked(by: Actor, instance_id: UUID) -> list[UUID]:
    rows = todo_list(seats_of(by.person_id), TodoQuery(limit=500)).rows
    return [row.id for row in rows if row.instance_id == instance_id]


def _act_at(signers: list[Actor], instance_id: UUID, *, opinion: str) -> bool:
    """One node: everybody who is asked at this moment agrees (或签 is done by the first)."""
    asked = [(by, row) for by in signers for row in _asked(by, instance_id)]
    done: set[UUID] = set()
    for by, row in asked:
        if row in done or row not in _asked(by, instance_id):
            continue  # somebody else's 或签 has settled it
        act(task_id=row, act=Act.AGREE, by=by, opinion=opinion, idempotency_key=f"demo:{row}")
        done.add(row)
    return bool(done)


OUTGOING = ("section", "countersign", "edit", "in_charge", "sign_off")


def issue(desk: Desk, document: Document) -> Document:
    """编号 and 印制: from 签发 to the rendered PDF."""
    by = desk.clerk()
    kind = Kind.LETTER if document.kind == Kind.LETTER else None
    mark = f"{desk.plan.mark}{'函' if kind else '发'}"
    book = NumberBook.objects.get(mark=mark, year=document.created_at.year)
    document_register_number(document_id=document.id, book_id=book.id, by=by)
    desk.settle()
    return Document.objects.get(id=document.id)


def seal(desk: Desk, document: Document) -> Document:
    """用印 by the clerk."""
    document_seal(document_id=document.id, seal_id=Seal.objects.get(state="active").id, by=desk.clerk())
    desk.settle()
    return Document.objects.get(id=document.id)


def send(desk: Desk, document: Document, *, to: list[str]) -> None:
    """发送 by the clerk."""
    document_send(document_id=document.id, to_codes=to, by=desk.clerk())
    desk.settle()


def sign_for(desk: Desk, delivery: Delivery) -> Document:
    """签收 at the receiving bureau."""
    document_id = delivery_sign_for(delivery_id=delivery.id, by=desk.clerk())
    desk.settle()
    return Document.objects.get(id=document_id)


def file(desk: Desk, document: Document, *, retention: str) -> None:
    """归档 by the archivist."""
    by = stage.actor(stage.archivist(desk.plan).username)
    record_file(document_id=document.id, retention=retention, by=by)
    desk.settle()
