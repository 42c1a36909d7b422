"""Sends documents to other bureaus, and answers what arrives: 签收 or 退文."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.jobs import enqueue
from saas.core.storage import StoredObject, open_object
from saas.documents.elements import Elements
from saas.documents.kinds import Kind, Sensitivity, State, Urgency
from saas.documents.services import IncomingInput, incoming_register, mark_sent
from saas.documents.services.moves import locked
from saas.exchange import jobs
from saas.exchange.models import Delivery, DeliveryState, Dispatch, DispatchState
from saas.exchange.spool import packages

MOST_RECIPIENTS = 200
SENDABLE = frozenset({State.SEALED, State.SENT})


@transaction.atomic
def document_send(*, document_id: UUID, to_codes: list[str], by: Actor) -> list[Dispatch]:
    """Send a sealed document to bureaus of the cloud; each gets its own package by a job.

    Sending again to a bureau that has it already changes nothing for that bureau; where it could not be delivered, or
    from where it came back, it is tried again.

    Args:
        document_id: a sealed document of this bureau.
        to_codes: codes of bureaus, at most 200.
        by: a document clerk.

    Raises:
        NotFound: no such document.
        Conflict: it is not sealed yet, or a recipient is suspended or unknown.
        Invalid: nobody, or too many, were named.
    """
    codes = list(dict.fromkeys(to_codes))
    if not codes or len(codes) > MOST_RECIPIENTS:
        raise Invalid(_("请选择 1 到 200 个收文单位。"), code="exchange.recipients", fields={"to": _("必选")})
    document = locked(document_id)
    if document.is_incoming:
        raise NotFound(_("没有这份发文。"))
    if document.state not in SENDABLE or not document.sealed_name:
        raise Conflict(_("这份公文还没有用印，不能发送。"), code="exchange.not_sealed")
    known = {item.ref.code: item for item in packages.recipients()}
    wrong = [
        known[code].ref.name if code in known else code for code in codes if code not in known or not known[code].active
    ]
    if wrong:
        raise Conflict(
            _("以下单位已停用或不在本云上，无法送达：%(names)s。请取消勾选后再发送。") % {"names": "、".join(wrong)},
            code="exchange.to",
        )
    before = list(Dispatch.objects.select_for_update().filter(document_id=document.id, to_code__in=codes))
    again = [_anew(dispatch, by) for dispatch in before if dispatch.may_go_again]
    already = {dispatch.to_code for dispatch in before}
    sent = again + Dispatch.objects.bulk_create(
        [
            Dispatch(document_id=document.id, to_code=code, to_name=known[code].ref.name, asked_by=by.label)
            for code in codes
            if code not in already
        ]
    )
    for dispatch in sent:
        enqueue(jobs.send, key=f"send:{dispatch.id}", dispatch_id=str(dispatch.id))
    if sent:
        names = [dispatch.to_name for dispatch in sent]
        record(Event.DOCUMENT_SENT, by=by, target=Target("document", document.id, document.label), detail={"to": names})
        mark_sent(document.id, by=by)
    return sent


def _anew(dispatch: Dispatch, by: Actor) -> Dispatch:
    """A package that was delivered has its id for good: what goes out after a return is another package."""
    new_id = uuid4() if dispatch.state == DispatchState.RETURNED else dispatch.id
    Dispatch.objects.filter(id=dispatch.id).update(
        id=new_id,
        state=DispatchState.SENDING,
        asked_by=by.label,
        asked_at=timezone.now(),
        sent_at=None,
        answered_at=None,
        answered_by="",
        reason="",
    )
    return Dispatch.objects.get(id=new_id)


def delivery_sign_for(*, delivery_id: UUID, by: Actor) -> UUID:
    """签收: register the document as incoming and start its flow; a job tells the sender, for only jobs may sign.

    Returns:
        the incoming document's id.

    Raises:
        NotFound: no such delivery.
        Conflict: it was answered already; says by whom.
    """
    delivery = Delivery.objects.filter(id=delivery_id).first()
    if delivery is None:
        raise NotFound(_("没有这份来件。"))
    with open_object(delivery.object_name) as source:
        pdf = source.read()
    with transaction.atomic():
        delivery = _waiting(delivery_id)
        document = incoming_register(incoming=_registration(delivery), pdf=pdf, by=by, files=_files(delivery))
        _answer(delivery, DeliveryState.SIGNED_FOR, by=by, reason="")
        delivery.document_id = document.id
        delivery.save(update_fields=["state", "answered_at", "answered_by", "reason", "document_id"])
        record(Event.DOCUMENT_SIGNED_FOR, by=by, target=Target("delivery", delivery.id, _label(delivery)))
    return document.id


def delivery_return(*, delivery_id: UUID, reason: str, by: Actor) -> None:
    """退文: send the document back with the reason, by a job; nothing is registered here.

    Raises:
        NotFound: no such delivery.
        Conflict: it was answered already.
        Invalid: no reason was given.
    """
    if not reason.strip():
        raise Invalid(_("退文须写明原因。"), code="exchange.reason", fields={"reason": _("必填")})
    with transaction.atomic():
        delivery = _waiting(delivery_id)
        _answer(delivery, DeliveryState.RETURNED, by=by, reason=reason.strip()[:500])
        delivery.save(update_fields=["state", "answered_at", "answered_by", "reason"])
        detail = {"reason": reason.strip()[:500]}
        target = Target("delivery", delivery.id, _label(delivery))
        record(Event.DOCUMENT_RETURNED, by=by, target=target, detail=detail)


def _files(delivery: Delivery) -> tuple[tuple[str, StoredObject], ...]:
    """The attachments where they were delivered: nothing is copied, however large they are."""
    return tuple(
        (file.name, StoredObject(file.object_name, file.size, file.sha256, file.content_type))
        for file in delivery.attachments
    )


def _registration(delivery: Delivery) -> IncomingInput:
    """What the sender's manifest tells of the document; a value we do not know takes the ordinary one."""
    told = delivery.manifest
    sensitivity = str(told.get("sensitivity", ""))
    return IncomingInput(
        source_id=delivery.id,
        from_name=delivery.from_name,
        from_code=delivery.from_code,
        number=delivery.number,
        title=delivery.title,
        kind=Kind(delivery.kind) if delivery.kind in Kind.values else Kind.NOTICE,
        urgency=Urgency(delivery.urgency) if delivery.urgency in Urgency.values else Urgency.NONE,
        sensitivity=Sensitivity(sensitivity) if sensitivity in Sensitivity.values else Sensitivity.INTERNAL,
        received_on=timezone.localdate(),
        issued_on=_day(told.get("issued_on")),
        elements=Elements(title=delivery.title, body=str(told.get("text", ""))),
    )


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(str(told))
    except ValueError:
        return None


def _waiting(delivery_id: UUID) -> Delivery:
    delivery = Delivery.objects.select_for_update().filter(id=delivery_id).first()
    if delivery is None:
        raise NotFound(_("没有这份来件。"))
    if delivery.state != DeliveryState.WAITING:
        raise Conflict(
            _("这份来件已由 %(who)s 处理（%(state)s）。")
            % {"who": delivery.answered_by, "state": delivery.get_state_display()},
            code="exchange.answered",
        )
    return delivery


def _answer(delivery: Delivery, state: DeliveryState, *, by: Actor, reason: str) -> None:
    delivery.state = state
    delivery.answered_at = timezone.now()
    delivery.answered_by = by.label
    delivery.reason = reason
    enqueue(jobs.answer, key=f"answer:{delivery.id}", delivery_id=str(delivery.id))


def _label(delivery: Delivery) -> str:
    return f"{delivery.number} {delivery.title}".strip()
