"""Drafting: a text that is saved as it is typed, by one person or two, without ever losing either's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.errors import Conflict, Forbidden, Invalid, NotFound
from saas.core.storage import SNIFF_BYTES, ContentType, require_content_type, require_honest_name, store
from saas.documents.access import can_edit, is_drafter
from saas.documents.elements import Elements
from saas.documents.kinds import Direction, Kind, Sensitivity, State, Urgency
from saas.documents.layout.body import clean_line
from saas.documents.models import Attachment, Document, DocumentUpload, DocumentVersion
from saas.documents.rules import LONGEST_BODY, LONGEST_TITLE
from saas.documents.services.moves import locked, move, reindex, target

ATTACHMENT_TYPES = frozenset(ContentType) - {ContentType.ZIP}
ATTACHMENT_LIMIT = 100_000_000
MOST_ATTACHMENTS = 30
_ONE_SITTING = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """What a drafter's form holds."""

    kind: Kind
    urgency: Urgency
    sensitivity: Sensitivity
    elements: Elements


class DraftConflict(Conflict):
    """Somebody else saved first. Carries what they saved, so that nothing is lost on either side."""

    code = "draft.conflict"

    def __init__(self, *, version: int, saved_by: str, theirs: Elements) -> None:
        super().__init__(_("%(who)s刚刚保存过这份稿子，您的修改还没有保存。") % {"who": saved_by or _("别人")})
        self.version = version
        self.saved_by = saved_by
        self.theirs = theirs


@transaction.atomic
def document_draft(*, draft: DraftInput, by: Actor) -> Document:
    """Begin an outgoing document.

    Raises:
        Forbidden: `by` holds no post: documents are drafted in a post.
        Invalid: the title or the text is longer than any document.
    """
    if by.post_id is None:
        raise Forbidden(_("拟稿须以岗位身份进行，您目前没有在任岗位。"))
    _check_size(draft.elements)
    document = Document(
        direction=Direction.OUTGOING,
        kind=draft.kind,
        urgency=draft.urgency,
        sensitivity=draft.sensitivity,
        title=_one_line(draft.elements.title),
        elements=draft.elements.as_json(),
        drafter_person_id=by.person_id,
        drafter_name=by.user_name,
        drafter_post_id=by.post_id,
        drafter_unit_id=by.unit_id,
        drafter_unit_name=by.unit_name,
        readers=[group for group in (by.person_id, by.post_id) if group is not None],
    )
    document.save(force_insert=True)
    _keep_version(document, by=by, what=_("拟稿"))
    reindex(document)
    record(Event.DOCUMENT_DRAFTED, by=by, target=target(document))
    return document


@transaction.atomic
def document_autosave(*, document_id: UUID, draft: DraftInput, version: int, by: Actor) -> Document:
    """Save a draft that was opened at `version`.

    Raises:
        NotFound: no such document, or `by` does not draft it.
        DraftConflict: a later version was saved meanwhile; it carries that text.
        Conflict: it is no longer a draft.
        Invalid: the title or the text is longer than any document.
    """
    document = locked(document_id)
    if not is_drafter(document, by):
        raise NotFound(_("没有这份公文。"))
    if not can_edit(document, by):
        raise Conflict(_("公文已提交审批，不能再修改。请联系当前办理人退回。"), code="document.state")
    _check_size(draft.elements)
    # Compared as values: what is stored has lists where a value has tuples, and lacks fields of later versions.
    before = (document.written, document.kind, document.urgency, document.sensitivity)
    if before == (draft.elements, draft.kind.value, draft.urgency.value, draft.sensitivity.value):
        return document
    if document.content_version != version:
        last = DocumentVersion.objects.filter(document=document).order_by("-number").first()
        raise DraftConflict(
            version=document.content_version,
            saved_by=last.person_name if last else "",
            theirs=document.written,
        )
    document.elements = draft.elements.as_json()
    document.kind, document.urgency, document.sensitivity = draft.kind, draft.urgency, draft.sensitivity
    document.title = _one_line(draft.elements.title)
    document.content_version += 1
    document.save()
    _keep_version(document, by=by, what="")
    reindex(document)
    return document


@transaction.atomic
def document_discard(*, document_id: UUID, by: Actor) -> None:
    """Give a draft up. It leaves lists and index; the row and the trail stay.

    Raises:
        NotFound: no such document, or `by` does not draft it.
        Conflict: it is no longer a draft.
    """
    from saas.search.services import remove

    document = locked(document_id)
    if not is_drafter(document, by):
        raise NotFound(_("没有这份公文。"))
    if document.state != State.DRAFTING:
        raise Conflict(_("只有起草中的公文可以放弃。"), code="document.state")
    move(document, State.VOIDED)
    document.save(update_fields=["state", "changed_at"])
    remove(document.id)
    record(Event.DOCUMENT_DISCARDED, by=by, target=target(document))


def attachment_add(
    *, document_id: UUID, name: str, stream: BinaryIO, by: Actor, upload_id: UUID | None = None
) -> Attachment:
    """Store a file with a draft; what it is is read from its content, not its name.

    Args:
        document_id: a draft of `by`.
        name: the file's name.
        stream: the file.
        by: the drafter.
        upload_id: the upload it arrived by, which ends in the same transaction: two finishes attach once.

    Raises:
        NotFound: no such document, or `by` does not draft it; or the upload was finished or given up meanwhile.
        Conflict: it is no longer a draft.
        Invalid: a type that is not allowed or not what the name says, or too many files.
        TooLarge: more than 100 MB.
    """
    head = stream.read(SNIFF_BYTES)
    stream.seek(0)
    found = require_content_type(head, allowed=ATTACHMENT_TYPES)
    require_honest_name(name, found)
    document = Document.objects.filter(id=document_id).first()
    if document is None or not is_drafter(document, by):
        raise NotFound(_("没有这份公文。"))
    stored = store(name_prefix="documents/files", stream=stream, content_type=found.value, limit=ATTACHMENT_LIMIT)
    with transaction.atomic():
        document = locked(document_id)
        if not can_edit(document, by):
            raise Conflict(_("公文已提交审批，不能再修改。请联系当前办理人退回。"), code="document.state")
        if document.files.count() >= MOST_ATTACHMENTS:
            raise Invalid(_("附件不能超过30个。"), code="attachments.many")
        if upload_id is not None and not DocumentUpload.objects.filter(id=upload_id).delete()[0]:
            raise NotFound(_("没有这次上传，可能已经完成或放弃。"))
        last = document.files.aggregate(last=Max("position"))["last"] or 0
        attachment = Attachment.objects.create(
            document=document,
            position=last + 1,
            name=clean_line(name)[:200] or _("附件"),
            stored_name=stored.name,
            sha256=stored.sha256,
            size=stored.size,
            content_type=found.value,
            added_by=by.user_name,
        )
        record(Event.FILE_STORED, by=by, target=target(document), detail={"sha256": stored.sha256, "name": name[:200]})
    return attachment


@transaction.atomic
def attachment_remove(*, attachment_id: UUID, by: Actor) -> None:
    """Take a file off a draft; its object goes when the transaction has committed.

    Raises:
        NotFound: no such file, or `by` does not draft its document.
        Conflict: the document is no longer a draft.
    """
    from saas.core.storage import delete

    attachment = Attachment.objects.filter(id=attachment_id).first()
    if attachment is None:
        raise NotFound(_("没有这个附件。"))
    document = locked(attachment.document_id)
    if not is_drafter(document, by):
        raise NotFound(_("没有这个附件。"))
    if not can_edit(document, by):
        raise Conflict(_("公文已提交审批，不能再修改。请联系当前办理人退回。"), code="document.state")
    stored_name = attachment.stored_name
    attachment.delete()
    transaction.on_commit(lambda: delete(stored_name))
    record(Event.DOCUMENT_CHANGED, by=by, target=target(document), detail={"file_removed": attachment.name})


def _keep_version(document: Document, *, by: Actor, what: str) -> None:
    """One row for a sitting: saves of the same person within five minutes replace one another."""
    now = timezone.now()
    last = DocumentVersion.objects.filter(document=document).order_by("-number").first()
    same_sitting = last is not None and last.person_id == by.person_id and now - last.at < _ONE_SITTING
    if last is not None and same_sitting and not last.what and not what:
        last.number, last.elements, last.at = document.content_version, document.elements, now
        last.save(update_fields=["number", "elements", "at"])
        return
    DocumentVersion.objects.create(
        document=document,
        number=document.content_version,
        elements=document.elements,
        person_id=by.person_id,
        person_name=by.user_name,
        what=what,
        at=now,
    )


def _check_size(elements: Elements) -> None:
    problems = {}
    if len(elements.title) > LONGEST_TITLE:
        problems["title"] = _("标题%(n)d字，不能超过%(most)d字。") % {"n": len(elements.title), "most": LONGEST_TITLE}
    if len(elements.full_text()) > LONGEST_BODY:
        problems["body"] = _("正文过长，不能超过20万字，请改为附件。")
    for name, most in (("recipients", 3000), ("cc", 3000), ("mark", 60), ("note", 200), ("printer", 100)):
        if len(getattr(elements, name)) > most:
            problems[name] = _("不能超过%(most)d字。") % {"most": most}
    if problems:
        raise Invalid(" ".join(problems.values()), code="draft.size", fields=problems)


def _one_line(title: str) -> str:
    return "".join(clean_line(line) for line in title.splitlines())[:200]
