"""What the demonstration shows: something of every state on every page, and one document's whole way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from saas.core.tenancy import current_tenant
from saas.documents.models import Document
from saas.exchange.models import Delivery, DeliveryState
from saas.portal.demo import papers, work
from saas.portal.demo.work import OUTGOING, Desk
from tenants.context import use_tenant
from tenants.selectors import bureau_by_code

OFFICE = 5


def play(desks: Mapping[str, Desk]) -> None:
    """Play every scene once; a bureau where somebody drafted something already is left alone."""
    for code, desk in desks.items():
        with use_tenant(bureau_by_code(code)):
            if Document.objects.filter(drafter_person_id__isnull=False).exists():
                continue
            _inside(desk)
            _applied(desk)
            _issued(desk, others=[other for other in desks if other != code])
    for code, desk in desks.items():
        with use_tenant(bureau_by_code(code)):
            _received(desk)


def _inside(desk: Desk) -> None:
    """Drafts, matters at several steps, one returned, one signed off and waiting for its number."""
    work.draft(desk, papers.HOLIDAY, office=OFFICE)
    work.draft(desk, papers.REPLY, office=2)
    for paper, office, nodes in (
        (papers.PLAN, 3, ()),
        (papers.TRAINING, OFFICE, ("section",)),
        (papers.ENERGY, 6, ("section", "countersign")),
        (papers.MEETING, 4, ("section", "countersign", "edit")),
        (papers.SECURITY, OFFICE, ("section", "countersign", "edit", "in_charge")),
        (papers.ENTERPRISES, 7, OUTGOING),
    ):
        document = work.draft(desk, paper, office=office)
        work.walk(desk, work.submit(desk, document, office=office), nodes=nodes)
    returned = work.draft(desk, papers.REPLY, office=OFFICE)
    instance = work.submit(desk, returned, office=OFFICE, flow="outgoing_short")
    work.send_back(desk, instance, reason="反馈时间请与综合科商定后再报。")


def _applied(desk: Desk) -> None:
    """A leave that waits for the head of the section, and a purchase whose prices the office settles."""
    starts = timezone.localdate() + timedelta(days=7)
    leave = {
        "sort": "年休假",
        "length": "5",
        "starts": starts.isoformat(),
        "ends": (starts + timedelta(days=6)).isoformat(),
        "outside": "yes",
        "reason": "探望父母，手头工作已与代理人交接。",
    }
    work.apply(desk, "leave", office=OFFICE, title="年休假五天", form=leave)
    items = [
        {"name": "档案盒", "count": "60", "guess": "720"},
        {"name": "双面扫描仪", "count": "1", "guess": "6800"},
    ]
    purchase = {"purpose": "档案数字化", "needed": starts.isoformat(), "items": items, "total": "7520"}
    bought = work.apply(desk, "purchase", office=4, title="档案数字化所需设备和耗材", form=purchase)
    work.walk(desk, bought, nodes=("section",))


def _issued(desk: Desk, *, others: list[str]) -> None:
    """One document that is sent to the other bureaus and filed here, one sealed and waiting to be sent."""
    for paper, office, send in ((papers.TRAINING, 2, True), (papers.SECURITY, 4, True), (papers.ENERGY, 3, False)):
        document = work.draft(desk, paper, office=office)
        work.walk(desk, work.submit(desk, document, office=office), nodes=OUTGOING)
        document = work.seal(desk, work.issue(desk, document))
        if send:
            work.send(desk, document, to=others)
        if paper is papers.TRAINING:
            work.file(desk, document, retention="D10")


def _received(desk: Desk) -> None:
    """Sign for what came, but for the last; bring the first to its end and file it."""
    waiting = list(Delivery.objects.filter(state=DeliveryState.WAITING).order_by("arrived_at"))
    steps: list[tuple[str, ...]] = [("propose", "instruct", "handle"), ("propose",), ()]
    for delivery, nodes in zip(waiting[:-1], steps, strict=False):
        incoming = work.sign_for(desk, delivery)
        if incoming.flow_instance_id is None:
            raise RuntimeError(f"{current_tenant().code}: an incoming document has no flow")
        work.walk(desk, incoming.flow_instance_id, nodes=nodes)
        if len(nodes) == 3:
            work.file(desk, incoming, retention="D10")
