"""What flows do to documents: 签发 pins, a return reopens the draft, the end of handling marks it handled."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from saas.approvals.registry import FieldSpec, InstanceRef, NodeRef, SubjectHandler, Summary
from saas.approvals.selectors.for_subjects import agreed_at
from saas.core.actors import Actor
from saas.core.errors import Conflict
from saas.documents.flows import SIGN_OFF
from saas.documents.kinds import Kind, Sensitivity, State
from saas.documents.models import Document

FIELDS = (
    FieldSpec("kind", "文种", tuple((kind.value, str(kind.label)) for kind in Kind)),
    FieldSpec("sensitivity", "敏感级别", tuple((level.value, str(level.label)) for level in Sensitivity)),
    FieldSpec("from", "来文单位"),
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
        from saas.documents.services.issuing import readers_added

        del node
        readers_added(document_id=instance.subject.id, groups=(by.person_id, by.post_id))

    def on_circulated(self, instance: InstanceRef, groups: frozenset[UUID]) -> None:
        """Who was given it to read finds it too, now and after the item is read."""
        from saas.documents.services.issuing import readers_added

        readers_added(document_id=instance.subject.id, groups=groups)


class OutgoingHandler(_Handler):
    """Outgoing documents in approval."""

    label = _("发文")  # type: ignore[assignment]

    def on_passed(self, instance: InstanceRef, node: NodeRef, by: Actor) -> None:
        """A node marked `sign_off` signs the document off, when `by` agreed there in person.

        Raises:
            Conflict: the node was passed in another way: skipped, by time, or by the flow's administrator.
        """
        from saas.documents.services.issuing import document_sign_off

        super().on_passed(instance, node, by)
        if SIGN_OFF in node.marks:
            if not agreed_at(instance_id=instance.id, node=node.key, person_id=by.person_id):
                raise Conflict(gettext("签发须由签发人本人同意，不能代为通过或跳过。"), code="document.sign_off")
            document_sign_off(document_id=instance.subject.id, by=by)

    def on_finished(self, instance: InstanceRef, by: Actor) -> None:
        """Hold a flow that would end without 签发: a jump over it, or an old version that has none.

        Raises:
            Conflict: the document has not been signed off; the act that would end the flow does not happen.
        """
        del by
        if Document.objects.filter(id=instance.subject.id, state=State.IN_APPROVAL).exists():
            message = gettext("公文还没有签发，流程不能办结。请退回，或联系流程管理员。")
            raise Conflict(message, code="document.sign_off")

    def on_terminated(self, instance: InstanceRef, by: Actor) -> None:
        """The draft is its drafter's again, to be changed or given up; one that has a number stays what it is."""
        if Document.objects.filter(id=instance.subject.id, state__in=(State.IN_APPROVAL, State.SIGNED_OFF)).exists():
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

    def on_terminated(self, instance: InstanceRef, by: Actor) -> None:
        """Registered, and in nobody's hands."""
        from saas.documents.services.incoming import incoming_given_up

        del by
        incoming_given_up(document_id=instance.subject.id)
