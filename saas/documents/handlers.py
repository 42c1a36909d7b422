"""What flows do to documents: 签发 pins, a return reopens the draft, the end of handling marks it handled."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from saas.approvals.registry import FieldSpec, InstanceRef, NodeRef, SubjectHandler, Summary
from saas.core.actors import Actor
from saas.documents.kinds import Kind, Sensitivity, State
from saas.documents.models import Document

SIGN_OFF = "sign_off"
FIELDS = (
    FieldSpec("kind", "文种", tuple((kind.value, str(kind.label)) for kind in Kind)),
    FieldSpec("sensitivity", "敏感级别", tuple((level.value, str(level.label)) for level in Sensitivity)),
)


class _Handler(SubjectHandler):
    def summary(self, subject_id: UUID, actor: Actor) -> Summary | None:
        """The document's elements and a link to its page."""
        from saas.documents.sheets import sheets_of

        del actor  # the flow has already asked whether this person may see the matter
        document = Document.objects.filter(id=subject_id).prefetch_related("files").first()
        if document is None:
            return None
        context = {
            "document": document,
            "elements": document.written,
            "files": list(document.files.all()),
            "sheets": sheets_of(document),
        }
        return Summary("documents/_summary.html", context, reverse("documents:detail", args=[subject_id]))

    def on_passed(self, instance: InstanceRef, node: NodeRef, by: Actor) -> None:
        """Whoever acted may read it from now on."""
        from saas.documents.services.issuing import reader_added

        del node
        reader_added(document_id=instance.subject.id, by=by)


class OutgoingHandler(_Handler):
    """Outgoing documents in approval."""

    label = _("发文")  # type: ignore[assignment]

    def on_passed(self, instance: InstanceRef, node: NodeRef, by: Actor) -> None:
        """A node marked `sign_off` signs the document off."""
        from saas.documents.services.issuing import document_sign_off

        super().on_passed(instance, node, by)
        if SIGN_OFF in node.marks:
            document_sign_off(document_id=instance.subject.id, by=by)

    def on_finished(self, instance: InstanceRef, by: Actor) -> None:
        """A flow without a marked node signs off at its end."""
        from saas.documents.services.issuing import document_sign_off

        state = Document.objects.filter(id=instance.subject.id).values_list("state", flat=True).first()
        if state == State.IN_APPROVAL:
            document_sign_off(document_id=instance.subject.id, by=by)

    def on_terminated(self, instance: InstanceRef, by: Actor) -> None:
        """The draft is its drafter's again, to be changed or given up."""
        self.on_returned_to_start(instance, by)

    def on_returned_to_start(self, instance: InstanceRef, by: Actor) -> None:
        """The drafter may write again."""
        from saas.documents.services.issuing import reopen_for_drafting

        del by
        reopen_for_drafting(document_id=instance.subject.id)


class IncomingHandler(_Handler):
    """Incoming documents in handling."""

    label = _("收文")  # type: ignore[assignment]

    def on_finished(self, instance: InstanceRef, by: Actor) -> None:
        """Handled."""
        from saas.documents.services.incoming import incoming_handled

        del by
        incoming_handled(document_id=instance.subject.id)
