"""Who may read and do what with a document: one answer for lists, pages and services."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from saas.approvals.selectors import may_read
from saas.approvals.selectors.for_subjects import FlowStanding, flow_standing, instances_met_by
from saas.core.access import Permission
from saas.core.actors import Actor
from saas.core.errors import NotFound
from saas.documents.kinds import Direction, State
from saas.documents.models import Document
from saas.organisation.selectors import person_groups
from saas.search.entries import EVERYONE


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads: the actor, every group read as, and the rights that widen what may be seen."""

    actor: Actor
    groups: tuple[UUID, ...]
    permissions: frozenset[Permission] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether the reader holds a right."""
        return permission in self.permissions


_WIDENING = (
    Permission.KEEP_NUMBERS,
    Permission.USE_SEALS,
    Permission.REGISTER_INCOMING,
    Permission.KEEP_ARCHIVE,
)


def acting(request: HttpRequest) -> Actor:
    """Who acts in this request."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def reader_of(request: HttpRequest) -> Reader:
    """The signed-in reader of a request; one query."""
    actor = acting(request)
    user = request.user
    held = frozenset(p for p in _WIDENING if user.has_permission(p))  # type: ignore[union-attr]
    return Reader(actor=actor, groups=(*person_groups(actor), EVERYONE), permissions=held)


def reader_for(actor: Actor) -> Reader:
    """The same outside a request, without widening rights."""
    return Reader(actor=actor, groups=(*person_groups(actor), EVERYONE))


def documents_visible_to(reader: Reader) -> QuerySet[Document]:
    """Documents the reader may read: named as a reader, asked by a flow, or the clerk of what left drafting."""
    groups = list(reader.groups)
    asked, given = instances_met_by(groups=groups, person_id=reader.actor.person_id)
    allowed = Q(readers__overlap=groups) | Q(flow_instance_id__in=asked) | Q(flow_instance_id__in=given)
    if reader.may(Permission.KEEP_NUMBERS):
        allowed |= Q(direction=Direction.OUTGOING) & ~Q(state__in=[State.DRAFTING, State.IN_APPROVAL])
    if reader.may(Permission.REGISTER_INCOMING):
        allowed |= Q(direction=Direction.INCOMING)
    if reader.may(Permission.KEEP_ARCHIVE):
        # Who files must see what has come to its end; what is still on its way is not the archive's.
        allowed |= Q(state__in=[State.SEALED, State.SENT, State.HANDLED, State.FILED])
    return Document.objects.filter(allowed)


def visible_document(document_id: UUID, reader: Reader) -> Document:
    """One document the reader may read.

    Raises:
        NotFound: it is not there, is another bureau's, or may not be read by this person.
    """
    document = documents_visible_to(reader).filter(id=document_id).first()
    if document is None:
        document = Document.objects.filter(id=document_id).first()
        flow = document.flow_instance_id if document else None
        # Stand-ins and others the flow itself lets in.
        if document is None or flow is None or not may_read(flow, reader.actor):
            raise NotFound(_("没有这份公文，或者您不在可阅范围内。"))
    return document


def is_drafter(document: Document, by: Actor) -> bool:
    """Whether `by` drafts it: the person, or whoever holds the post it is drafted in."""
    same_person = by.person_id is not None and by.person_id == document.drafter_person_id
    return same_person or (by.post_id is not None and by.post_id == document.drafter_post_id)


def can_edit(document: Document, by: Actor) -> bool:
    """Whether the text may be changed by `by` now."""
    return document.state == State.DRAFTING and not document.is_incoming and is_drafter(document, by)


def flow_of(document: Document) -> FlowStanding | None:
    """The flow the document is in or has been through last."""
    if document.flow_instance_id is None:
        return None
    return flow_standing(document.flow_instance_id)
