"""From the drafter's desk to 签发: the rules are asked, the flow is started, and what was signed off is pinned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals.engine.state import Assignee, Status
from saas.approvals.registry import Subject
from saas.approvals.selectors.for_subjects import flow_offered
from saas.approvals.services import resubmit, start_flow, subject_describe
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.errors import Conflict, Invalid, NotFound
from saas.documents import rules
from saas.documents.access import can_edit, flow_of, is_drafter
from saas.documents.elements import AttachedFile, Issue, Pinned, content_of
from saas.documents.flows import issues
from saas.documents.kinds import SUBJECT, Kind, State, Urgency
from saas.documents.layout import check_glyphs
from saas.documents.models import Document
from saas.documents.services.fonts import font_set
from saas.documents.services.moves import URGENCY_WEIGHT, add_readers, locked, move, reindex, target
from tenants.selectors import active_bureaus


def findings_of(document: Document) -> list[rules.Finding]:
    """What the rules say of the document as it is now."""
    elements = document.written
    codes = frozenset(ref.code for ref in active_bureaus()) if elements.recipient_codes else frozenset()
    return rules.findings(rules.Draft(kind=Kind(document.kind), elements=elements, known_codes=codes))


def subject_of(document: Document, kind: str) -> Subject:
    """The document as flows and their lists show it."""
    return Subject(
        kind=kind,
        id=document.id,
        title=document.title[:500],
        urgency=URGENCY_WEIGHT[Urgency(document.urgency)],
        number=document.number or document.register_number,
    )


def values_of(document: Document) -> dict[str, str | int]:
    """What a flow's conditions may ask of it: its urgency, and what `handlers.FIELDS` offers."""
    return {
        "urgency": URGENCY_WEIGHT[Urgency(document.urgency)],
        "kind": document.kind,
        "sensitivity": document.sensitivity,
        "from": document.from_name,
    }


def check_printable(document: Document) -> None:
    """Refuse characters that could not be printed.

    Raises:
        Invalid: characters no font shows, named.
        Unavailable: the installation has no fonts.
    """
    check_glyphs(content_of(document.written, urgency=document.urgency, issue=Issue()), font_set())


@transaction.atomic
def document_submit(
    *, document_id: UUID, flow_key: str, by: Actor, chosen: Mapping[str, tuple[Assignee, ...]] | None = None
) -> UUID:
    """Send a draft into its approval flow, or back into the one that returned it.

    Args:
        document_id: a draft of `by`.
        flow_key: which published flow; one that passes 签发 on every way.
        by: the drafter.
        chosen: assignees the drafter chose for later nodes, by node key.

    Returns:
        the flow instance's id.

    Raises:
        NotFound: no such document, or `by` does not draft it.
        Conflict: it is no longer a draft.
        Invalid: the flow does not issue documents; or the draft breaks a rule (`fields` says where, each with its
            clause), or has characters no font shows.
    """
    document = locked(document_id)
    if not is_drafter(document, by):
        raise NotFound(_("没有这份公文。"))
    if not can_edit(document, by):
        raise Conflict(_("公文已经提交，请勿重复提交。"), code="document.state")
    blocking = [f for f in findings_of(document) if f.severity is rules.Severity.BLOCK]
    if blocking:
        fields: dict[str, str] = {}
        for finding in blocking:
            line = f"{finding.message}（{finding.clause}）"
            fields[finding.element] = f"{fields[finding.element]} {line}" if finding.element in fields else line
        raise Invalid(_("公文不符合行文规则，不能提交：") + " ".join(fields.values()), code="rules", fields=fields)
    # What no font shows would be found only at printing, after 签发.
    check_printable(document)
    move(document, State.IN_APPROVAL)
    document.save()
    # The flow's handlers write to this row too: after them only the one column is set.
    values = values_of(document)
    instance = flow_of(document)
    if instance is not None and instance.status in {Status.RUNNING, Status.SUSPENDED}:
        key = f"resubmit:{document.id}:{document.content_version}:{instance.changed_at.timestamp()}"[:80]
        subject = subject_of(document, SUBJECT)
        subject_describe(subject_id=document.id, title=subject.title, number=subject.number, urgency=subject.urgency)
        instance_id = resubmit(instance_id=instance.id, by=by, idempotency_key=key, values=values).instance_id
    else:
        if not flow_offered(flow_key, issues):
            message = _("请选择一个经过签发的发文流程。")
            raise Invalid(message, code="document.flow", fields={"flow": message})
        subject = subject_of(document, SUBJECT)
        instance_id = start_flow(flow_key=flow_key, subject=subject, by=by, values=values, chosen=chosen or {})
    Document.objects.filter(id=document.id).update(flow_instance_id=instance_id)
    record(Event.DOCUMENT_SUBMITTED, by=by, target=target(document), detail={"flow": flow_key})
    return instance_id


@transaction.atomic
def document_sign_off(*, document_id: UUID, by: Actor) -> Document:
    """签发: pin a digest over elements, files, signer, date and template. Safe to call twice.

    From here on only number and print date are added (《条例》 article 25); a change of substance goes back.

    Raises:
        Conflict: it is not in approval.
    """
    document = locked(document_id)
    if document.state == State.SIGNED_OFF and document.pinned_hash:
        return document
    move(document, State.SIGNED_OFF)
    pinned = Pinned(
        kind=document.kind,
        urgency=document.urgency,
        elements=document.written,
        signed_by=by.user_name,
        issued_on=timezone.localdate(),
        files=tuple(AttachedFile(f.name, f.sha256) for f in document.files.all()),
    )
    document.pinned = pinned.as_json()
    document.pinned_hash = pinned.digest()
    document.signed_by = pinned.signed_by
    document.issued_on = pinned.issued_on
    add_readers(document, by.person_id, by.post_id)
    document.save()
    reindex(document)
    record(Event.DOCUMENT_SIGNED_OFF, by=by, target=target(document), detail={"sha256": document.pinned_hash})
    return document


@transaction.atomic
def reopen_for_drafting(*, document_id: UUID) -> None:
    """The flow gave it back: the drafter may write again, and what was pinned counts no more."""
    document = locked(document_id)
    if document.state == State.DRAFTING:
        return
    move(document, State.DRAFTING)
    document.pinned, document.pinned_hash, document.signed_by, document.issued_on = None, "", "", None
    document.save()


@transaction.atomic
def readers_added(*, document_id: UUID, groups: Iterable[UUID | None]) -> None:
    """People and posts that acted on it or were given it to read may do so from now on, in lists and search.

    Args:
        document_id: the document; its flow is locked already.
        groups: ids of people, posts and units; None stands for none.
    """
    document = locked(document_id)
    before = list(document.readers)
    add_readers(document, *groups)
    if document.readers != before:
        document.save(update_fields=["readers", "changed_at"])
        reindex(document)
