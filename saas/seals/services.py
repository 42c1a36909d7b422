"""Makes, stops and uses seals. A seal accepts one exact sequence of bytes, named by its digest, or refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core import keys
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target, wait_for_signed_head
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.jobs import enqueue
from saas.core.keys import KeyName, SealKeyKind
from saas.core.tenancy import current_tenant
from saas.seals import jobs, pades, picture
from saas.seals.models import Impression, Seal, SealHolder, SealState

HEAD_WAIT_SECONDS = 20.0
Keep = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is sealed.

    Args:
        kind: ``document``.
        id: its id.
        label: number and title, as the audit trail and the signature's reason show it.
    """

    kind: str
    id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class Stamped:
    """The sealed bytes and the record of it."""

    pdf: bytes
    sha256: str
    impression_id: UUID


@transaction.atomic
def seal_create(
    *, name: str, caption: str, diameter_mm: float, key_kind: SealKeyKind, holder_posts: list[UUID], by: Actor
) -> Seal:
    """Register a seal and ask for its key and certificate (a job: web processes make no keys).

    Args:
        name: the legal name on the rim.
        caption: the line under the star, may be empty.
        diameter_mm: 30 to 60 millimetres.
        key_kind: RSA-3072 or P-256.
        holder_posts: posts that may use it.
        by: a security administrator.

    Raises:
        Invalid: the picture cannot be drawn with these, or an active seal of this name exists.
    """
    picture.draw(name=name, caption=caption, diameter_mm=diameter_mm)
    # One at a time: two would both take the next number, or the same name.
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE seals_seal IN SHARE ROW EXCLUSIVE MODE")
    if (
        Seal.objects.filter(name=name, caption=caption)
        .exclude(state__in=[SealState.STOPPED, SealState.REVOKED])
        .exists()
    ):
        raise Invalid(_("已有同名的在用印章，请先停用原章。"), code="seal.exists", fields={"name": _("名称重复")})
    number = (Seal.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    seal = Seal.objects.create(
        name=name, caption=caption, diameter_mm=diameter_mm, number=number, key_kind=key_kind.value
    )
    SealHolder.objects.bulk_create([SealHolder(seal=seal, post_id=post) for post in dict.fromkeys(holder_posts)])
    record(Event.SEAL_CREATED, by=by, target=Target("seal", seal.id, name), detail={"holders": len(holder_posts)})
    enqueue(jobs.make_key, key=f"seal-key:{seal.id}", seal_id=str(seal.id))
    return seal


@transaction.atomic
def seal_stop(*, seal_id: UUID, reason: str, by: Actor) -> None:
    """Stop a seal at once and for good; impressions made before stay valid.

    Raises:
        NotFound: no such seal.
        Invalid: no reason was given.
        Conflict: it is stopped already.
    """
    if not reason.strip():
        raise Invalid(_("停用印章须写明原因。"), code="seal.reason", fields={"reason": _("必填")})
    seal = Seal.objects.select_for_update().filter(id=seal_id).first()
    if seal is None:
        raise NotFound(_("没有这枚印章。"))
    if seal.state in {SealState.STOPPED, SealState.REVOKED}:
        raise Conflict(_("这枚印章已经停用。"))
    seal.state = SealState.STOPPED
    seal.stopped_at = timezone.now()
    seal.stopped_reason = reason.strip()[:200]
    seal.save(update_fields=["state", "stopped_at", "stopped_reason"])
    record(Event.SEAL_STOPPED, by=by, target=Target("seal", seal.id, seal.name), detail={"reason": reason[:200]})


def may_use(seal: Seal, by: Actor) -> bool:
    """Whether the post acted in is one of the seal's holders."""
    return by.post_id is not None and SealHolder.objects.filter(seal=seal, post_id=by.post_id).exists()


def require_usable(*, seal_id: UUID, by: Actor) -> Seal:
    """The seal, if it is active and `by` holds it.

    Raises:
        NotFound: no such seal here.
        Conflict: it is not active.
        Forbidden: the post acted in does not keep it.
    """
    seal = Seal.objects.filter(id=seal_id).first()
    if seal is None:
        raise NotFound(_("没有这枚印章。"))
    if seal.state != SealState.ACTIVE:
        raise Conflict(
            _("印章“%(name)s”目前不能使用：%(state)s。") % {"name": seal.name, "state": seal.get_state_display()}
        )
    if not may_use(seal, by):
        raise Forbidden(_("“%(name)s”由其他岗位保管，您当前的岗位不能用印。") % {"name": seal.name})
    return seal


def stamp(
    *,
    seal_id: UUID,
    pdf: bytes,
    pinned_sha256: str,
    place: pades.Place,
    field_name: str,
    subject: Subject,
    by: Actor,
    keep: Keep,
) -> Stamped:
    """Seal exactly the bytes whose digest was pinned. Runs in a job, outside a transaction.

    The intent is recorded first and its audit record must be under a head signed by Vault before the key is used,
    so no use of a seal can be hidden afterwards; a repeated run finds the impression and makes no second one.

    Args:
        seal_id: an active seal kept by the post `by` acts in.
        pdf: the bytes to seal.
        pinned_sha256: hex digest pinned when the document was signed off and rendered.
        place: middle of the impression.
        field_name: signature field, unique in the document.
        subject: what it is.
        by: who asked for it.
        keep: called with the sealed bytes in the transaction that records the impression.

    Raises:
        Conflict: the bytes are not the pinned ones, the seal is not active, it is on this document already, or what
            was signed does not verify under the seal's certificate; nothing is recorded as sealed then.
        Forbidden: the post may not use the seal.
        Unavailable: Vault or the audit sealer does not answer.
    """
    seal = require_usable(seal_id=seal_id, by=by)
    target = Target(subject.kind, subject.id, subject.label)
    digest = hashlib.sha256(pdf).hexdigest()
    if digest != pinned_sha256:
        record(Event.SEAL_REFUSED, by=by, target=target, detail={"seal": seal.name, "digest": digest})
        raise Conflict(_("文件内容与签发时不一致，已拒绝用印。"), code="seal.bytes_changed")
    if Impression.objects.filter(subject_kind=subject.kind, subject_id=subject.id, field_name=field_name).exists():
        raise Conflict(_("此件已经盖过这枚印章。"), code="seal.already")
    intent = record(
        Event.SEAL_STAMPING, by=by, target=target, detail={"seal": seal.name, "number": seal.number, "digest": digest}
    )
    wait_for_signed_head(intent, timeout_seconds=HEAD_WAIT_SECONDS)
    kind = SealKeyKind(seal.key_kind)
    certificate, chain = pades.certificates(seal.certificate)[0], pades.certificates(seal.chain)
    key = KeyName.seal(current_tenant(), seal.id)
    signer = pades.VaultSigner(
        certificate=certificate,
        chain=chain,
        sign=lambda value: keys.sign_as_certified(key, kind, seal.certificate, value),
    )
    sealed = pades.stamp(
        pdf,
        signer=signer,
        picture=picture.draw(name=seal.name, caption=seal.caption, diameter_mm=float(seal.diameter_mm)),
        diameter_mm=float(seal.diameter_mm),
        place=place,
        field_name=field_name,
        reason=subject.label,
    )
    pades.require_sound(sealed, field_name=field_name, certificate=certificate, chain=chain)
    return _keep(
        seal=seal,
        sealed=sealed,
        size=len(pdf),
        digest=digest,
        field_name=field_name,
        subject=subject,
        intent=intent,
        by=by,
        keep=keep,
        at=timezone.now(),
    )


@transaction.atomic
def _keep(
    *,
    seal: Seal,
    sealed: bytes,
    size: int,
    digest: str,
    field_name: str,
    subject: Subject,
    intent: UUID,
    by: Actor,
    keep: Keep,
    at: datetime,
) -> Stamped:
    after = hashlib.sha256(sealed).hexdigest()
    locked = Seal.objects.select_for_update().get(id=seal.id)
    if locked.state != SealState.ACTIVE:
        # Stopped while we were signing: the bytes are thrown away.
        raise Conflict(_("印章“%(name)s”刚刚被停用，本次用印作废。") % {"name": seal.name})
    impression = Impression.objects.create(
        seal=seal,
        subject_kind=subject.kind,
        subject_id=subject.id,
        subject_label=subject.label[:300],
        field_name=field_name,
        size_before=size,
        digest_before=digest,
        digest_after=after,
        algorithm=SealKeyKind(seal.key_kind).algorithm.value,
        certificate_serial=f"{pades.certificates(seal.certificate)[0].serial_number:x}",
        person_name=by.user_name,
        person_id=by.person_id,
        post_id=by.post_id,
        post_name=by.post_name,
        audit_record=intent,
        at=at,
    )
    keep(sealed)
    target = Target(subject.kind, subject.id, subject.label)
    record(Event.SEAL_STAMPED, by=by, target=target, detail={"seal": seal.name, "digest": after})
    return Stamped(pdf=sealed, sha256=after, impression_id=impression.id)
