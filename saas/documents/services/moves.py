"""The one table of which state follows which, the lock every change takes, and the index row that goes with it."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from saas.approvals.selectors.for_subjects import lock_flow
from saas.core.audit.services import Target
from saas.core.errors import Conflict, NotFound
from saas.documents.kinds import Direction, Sensitivity, State, Urgency
from saas.documents.models import Document
from saas.search.entries import EVERYONE, SearchEntry
from saas.search.services import index

S = State
FOLLOWS: dict[State, frozenset[State]] = {
    S.DRAFTING: frozenset({S.IN_APPROVAL, S.VOIDED}),
    S.IN_APPROVAL: frozenset({S.DRAFTING, S.SIGNED_OFF}),
    S.SIGNED_OFF: frozenset({S.NUMBERED, S.DRAFTING}),
    S.NUMBERED: frozenset({S.RENDERED, S.VOIDED}),
    S.RENDERED: frozenset({S.SEALED, S.VOIDED}),
    S.SEALED: frozenset({S.SENT, S.FILED, S.VOIDED}),
    S.SENT: frozenset({S.FILED}),
    S.REGISTERED: frozenset({S.FILED, S.VOIDED}),
    S.IN_HANDLING: frozenset({S.HANDLED, S.REGISTERED}),
    S.HANDLED: frozenset({S.FILED, S.VOIDED}),
    S.FILED: frozenset(),
    S.VOIDED: frozenset(),
}
URGENCY_WEIGHT = {Urgency.NONE: 0, Urgency.URGENT: 2, Urgency.MOST_URGENT: 3}


def locked(document_id: UUID) -> Document:
    """The document, its row locked until the transaction ends.

    Raises:
        NotFound: no such document in this bureau.
    """
    # A flow's act holds its instance and then writes here: the same order everywhere, or two acts wait for each other.
    flow = Document.objects.filter(id=document_id).values_list("flow_instance_id", flat=True).first()
    if flow is not None:
        lock_flow(flow)
    document = Document.objects.select_for_update().filter(id=document_id).first()
    if document is None:
        raise NotFound(_("没有这份公文。"))
    return document


def move(document: Document, to: State) -> None:
    """Set the next state of a locked document (not saved yet).

    Raises:
        Conflict: that state does not follow the present one.
    """
    if to not in FOLLOWS[State(document.state)]:
        values = {"now": document.get_state_display(), "to": State(to).label}
        raise Conflict(_("公文现在是“%(now)s”，不能转为“%(to)s”。请刷新页面。") % values, code="document.state")
    document.state = to


def target(document: Document) -> Target:
    """How the audit trail names it."""
    return Target("document", document.id, document.label[:200])


def add_readers(document: Document, *groups: UUID | None) -> None:
    """Let more groups read it (not saved yet)."""
    document.readers = sorted({*document.readers, *(g for g in groups if g is not None)}, key=str)


def open_to_unit(document: Document) -> None:
    """After issue, 公开 is read by the whole bureau and 内部 by the drafting unit; 敏感 stays with those named."""
    if document.sensitivity == Sensitivity.OPEN:
        add_readers(document, EVERYONE)
    elif document.sensitivity == Sensitivity.INTERNAL:
        add_readers(document, document.drafter_unit_id)


def reindex(document: Document) -> None:
    """Write the index row as the document now is; in the caller's transaction."""
    written = document.written
    day = document.received_on if document.direction == Direction.INCOMING else document.issued_on
    index(
        SearchEntry(
            kind=f"document_{document.direction}",
            object_id=document.id,
            title=document.title,
            groups=frozenset(document.readers),
            org=" ".join(filter(None, (document.from_name, *written.signatures, written.recipients, written.cc))),
            names=tuple(filter(None, (document.drafter_name, document.signed_by))),
            number=document.number or document.register_number,
            date=day or document.created_at.date(),
            body=written.full_text(),
        )
    )
