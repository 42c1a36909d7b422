"""Carries packages between bureaus: each job runs as the bureau whose side it is on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound, Unavailable, YunshuError
from saas.core.jobs import enqueue, job
from saas.core.storage import SNIFF_BYTES, Damaged, StoredObject, deliver, open_object, sniff_content_type
from saas.core.tenancy import TenantRef, current_tenant
from saas.documents.layout.body import clean_line
from saas.documents.models import Attachment, Document
from saas.documents.services.drafting import MOST_ATTACHMENTS
from saas.exchange.models import DeliveredFile, Delivery, DeliveryState, Dispatch, DispatchState
from saas.exchange.spool import packages
from saas.exchange.spool.packages import Manifest, Package

_ANSWERS = {"receipt": DispatchState.SIGNED_FOR, "return": DispatchState.RETURNED}
_MOST_TEXT = 200_000
_SUSPENDED_PAUSE = timedelta(hours=1)


@job(queue="exchange", attempts=10)
def send(*, dispatch_id: str) -> None:
    """The sender's side: put the sealed PDF and its attachments into the receiver's storage, post the signed manifest.

    The files are put there first: should this die before the post commits, the copies are files nobody names, and the
    next try makes others; the package itself has the dispatch's id and exists once.
    """
    dispatch = Dispatch.objects.get(id=UUID(dispatch_id))
    if dispatch.state != DispatchState.SENDING:
        return
    document = Document.objects.get(id=dispatch.document_id)
    recipient = packages.recipient(dispatch.to_code)
    try:
        if recipient is None or not recipient.active:
            raise Conflict(_("收文单位已停用或不在本云上。"))
        if not document.attached_as_signed:
            raise Conflict(_("附件与签发时不一致，没有发送。"), code="exchange.digest")
        copy = deliver(name=document.sealed_name, to=recipient.ref, name_prefix="deliveries")
        if copy.sha256 != document.sealed_sha256:
            raise Conflict(_("正文与用印时不一致，没有发送。"), code="exchange.digest")
        attached = [_attached(file, to=recipient.ref) for file in document.files.all()]
        with transaction.atomic():
            locked = Dispatch.objects.select_for_update().get(id=dispatch.id)
            if locked.state != DispatchState.SENDING:
                return
            packages.post(
                package_id=locked.id,
                kind="document",
                to_code=locked.to_code,
                manifest=_manifest(locked, document, copy, attached),
                object_names=(copy.name, *(file.object_name for file in attached)),
            )
            locked.state = DispatchState.SENT
            locked.sent_at = timezone.now()
            locked.save(update_fields=["state", "sent_at"])
    except Conflict as refused:
        _undelivered(dispatch.id, str(refused)[:500])


@transaction.atomic
def _undelivered(dispatch_id: UUID, reason: str) -> None:
    dispatch = Dispatch.objects.select_for_update().get(id=dispatch_id)
    if dispatch.state != DispatchState.SENDING:
        return
    dispatch.state, dispatch.reason = DispatchState.FAILED, reason
    dispatch.save(update_fields=["state", "reason"])
    target = Target("dispatch", dispatch.id, dispatch.to_name)
    record(Event.DOCUMENT_UNDELIVERED, by=SYSTEM, target=target, detail={"reason": reason})


def _attached(file: Attachment, *, to: TenantRef) -> DeliveredFile:
    copy = deliver(name=file.stored_name, to=to, name_prefix="deliveries")
    if copy.sha256 != file.sha256:
        raise Conflict(_("附件“%(name)s”与签发时不一致，没有发送。") % {"name": file.name}, code="exchange.digest")
    return DeliveredFile(file.name, copy.name, copy.sha256, copy.size, file.content_type)


def _manifest(dispatch: Dispatch, document: Document, copy: StoredObject, attached: list[DeliveredFile]) -> Manifest:
    tenant = current_tenant()
    return {
        "version": 1,
        "id": str(dispatch.id),
        "from": tenant.code,
        "from_name": tenant.name,
        "to": dispatch.to_code,
        "number": document.number,
        "title": document.title,
        "kind": document.kind,
        "urgency": document.urgency,
        "sensitivity": document.sensitivity,
        "issued_on": document.issued_on.isoformat() if document.issued_on else "",
        "text": document.written.full_text()[:_MOST_TEXT],
        "pdf": {"algorithm": "SHA-256", "digest": copy.sha256, "size": copy.size},
        "attachments": [
            {
                "name": file.name,
                "content_type": file.content_type,
                "algorithm": "SHA-256",
                "digest": file.sha256,
                "size": file.size,
            }
            for file in attached
        ],
        "sent_at": timezone.now().isoformat(),
    }


@job(queue="exchange", attempts=10)
def receive(*, package_id: str) -> None:
    """The receiver's side: check the signature and the digest, then keep the delivery or the answer. Idempotent.

    A document that cannot be kept goes back to its sender with the reason. Several bureaus may have posted under one
    id: what is wrong with one's package does not hold another's up.
    """
    wrong: list[Exception] = []
    for package in packages.packages(UUID(package_id)):
        try:
            manifest = packages.checked_manifest(package)
            with transaction.atomic():
                if package.kind == "document":
                    _keep_delivery(package, manifest)
                else:
                    _keep_answer(package, manifest)
                packages.taken(package)
        except Unavailable as away:
            wrong.append(away)
        except (Invalid, NotFound, Damaged, KeyError, ValueError) as refused:
            if package.kind != "document":
                wrong.append(refused)
                continue
            try:
                _refuse(package, refused)
            except (Conflict, Unavailable) as untold:
                wrong.append(untold)
    if wrong:
        raise wrong[0]


def _refuse(package: Package, why: Exception) -> None:
    """Tell the sender that its document was not kept, and why; one that is suspended when it is at work again."""
    sender = packages.recipient(package.sender.code)
    if sender is not None and not sender.active:
        enqueue(receive, key=f"receive:{package.id}", delay=_SUSPENDED_PAUSE, package_id=str(package.id))
        return
    reason = str(why) if isinstance(why, YunshuError) else _("来件清单不完整，已拒收。")
    with transaction.atomic():
        if sender is not None:
            # Under an id of its own: another bureau's package of the same id may still have to be returned.
            own = uuid4()
            packages.post(
                package_id=own,
                kind="return",
                to_code=sender.ref.code,
                manifest=_answer_manifest(own, by=SYSTEM.label, at=timezone.now(), reason=reason)
                | {"answers": str(package.id)},
            )
        packages.taken(package)
        target = Target("delivery", package.id, package.sender.name)
        record(Event.DOCUMENT_RETURNED, by=SYSTEM, target=target, detail={"reason": reason})


@job(queue="exchange", attempts=10)
def answer(*, delivery_id: str) -> None:
    """The receiver's side after 签收 or 退文: sign the receipt and post it to the sender.

    A sender that is suspended gets it when it is at work again; one that has left the cloud never does.
    """
    delivery = Delivery.objects.get(id=UUID(delivery_id))
    if delivery.answered_at is None:
        return
    sender = packages.recipient(delivery.from_code)
    if sender is None:
        return
    if not sender.active:
        enqueue(answer, key=f"answer:{delivery.id}", delay=_SUSPENDED_PAUSE, delivery_id=delivery_id)
        return
    packages.post(
        package_id=delivery.id,
        kind="receipt" if delivery.state == DeliveryState.SIGNED_FOR else "return",
        to_code=delivery.from_code,
        manifest=_answer_manifest(
            delivery.id, by=delivery.answered_by, at=delivery.answered_at, reason=delivery.reason
        ),
    )


def _answer_manifest(package_id: UUID, *, by: str, at: datetime, reason: str) -> Manifest:
    return {
        "id": str(package_id),
        "version": 1,
        "from": current_tenant().code,
        "by": by,
        "at": at.isoformat(),
        "reason": reason,
    }


def _keep_delivery(package: Package, manifest: Manifest) -> None:
    told = manifest.get("pdf")
    if not isinstance(told, dict) or manifest.get("to") != current_tenant().code:
        raise Invalid(_("来件清单不完整，已拒收。"), code="exchange.manifest")
    if not package.object_names:
        raise Invalid(_("来件清单不完整，已拒收。"), code="exchange.manifest")
    digest, _head = _checked(package.object_names[0], told)
    files = _delivered(package, manifest.get("attachments", []))
    if issued := str(manifest.get("issued_on", "")):
        date.fromisoformat(issued)
    delivery, new = Delivery.objects.get_or_create(
        id=package.id,
        defaults={
            "from_code": package.sender.code,
            "from_name": package.sender.name,
            "number": str(manifest.get("number", ""))[:60],
            "title": str(manifest.get("title", ""))[:500],
            "kind": str(manifest.get("kind", ""))[:20],
            "urgency": str(manifest.get("urgency", ""))[:12],
            "manifest": manifest,
            "object_name": package.object_names[0],
            "sha256": digest,
            "files": [file.as_json() for file in files],
            "sent_at": datetime.fromisoformat(str(manifest["sent_at"])),
        },
    )
    if not new and delivery.from_code != package.sender.code:
        raise Invalid(_("来件编号已被其他单位使用，已拒收。"), code="exchange.manifest")
    if new:
        label = f"{delivery.number} {delivery.title}".strip()
        record(
            Event.DOCUMENT_DELIVERED,
            by=SYSTEM,
            target=Target("delivery", delivery.id, label),
            detail={"from": delivery.from_name, "sha256": digest, "attachments": [file.sha256 for file in files]},
        )


def _delivered(package: Package, told: object) -> list[DeliveredFile]:
    """The attachments as the signed manifest lists them, each found here with the digest it tells."""
    if not isinstance(told, list) or not len(told) == len(package.object_names) - 1 <= MOST_ATTACHMENTS:
        raise Invalid(_("来件清单不完整，已拒收。"), code="exchange.manifest")
    found = []
    for one, object_name in zip(told, package.object_names[1:], strict=True):
        if not isinstance(one, dict):
            raise Invalid(_("来件清单不完整，已拒收。"), code="exchange.manifest")
        digest, head = _checked(object_name, one)
        name = clean_line(str(one.get("name", "")))[:200] or _("附件")
        kind = sniff_content_type(head)
        content_type = kind.value if kind else "application/octet-stream"
        found.append(DeliveredFile(name, object_name, digest, int(one["size"]), content_type))
    return found


def _checked(object_name: str, told: Mapping[str, object]) -> tuple[str, bytes]:
    """The digest of a delivered file, which is the one the signed manifest tells, and the file's first bytes."""
    if not object_name.startswith(f"{current_tenant().schema}/deliveries/"):
        raise Invalid(_("来件清单不完整，已拒收。"), code="exchange.manifest")
    size, head = 0, b""
    digest = hashlib.sha256()
    with open_object(object_name) as source:
        while piece := source.read(1 << 20):
            digest.update(piece)
            head = head or piece[:SNIFF_BYTES]
            size += len(piece)
    if (digest.hexdigest(), size) != (told.get("digest"), told.get("size")):
        raise Invalid(_("来件文件与清单不一致，已拒收。"), code="exchange.digest")
    return digest.hexdigest(), head


def _keep_answer(package: Package, manifest: Manifest) -> None:
    answers = UUID(str(manifest.get("answers", package.id)))
    dispatch = Dispatch.objects.select_for_update().filter(id=answers, to_code=package.sender.code).first()
    if dispatch is None or dispatch.state not in {DispatchState.SENDING, DispatchState.SENT}:
        return
    dispatch.state = _ANSWERS[package.kind]
    dispatch.answered_at = datetime.fromisoformat(str(manifest["at"]))
    dispatch.answered_by = str(manifest.get("by", ""))[:160]
    dispatch.reason = str(manifest.get("reason", ""))[:500]
    dispatch.save(update_fields=["state", "answered_at", "answered_by", "reason"])
    event = Event.DOCUMENT_SIGNED_FOR if dispatch.state == DispatchState.SIGNED_FOR else Event.DOCUMENT_RETURNED
    detail = {"bureau": dispatch.to_name, "by": dispatch.answered_by, "reason": dispatch.reason}
    record(event, by=SYSTEM, target=Target("dispatch", dispatch.id, dispatch.to_name), detail=detail)
