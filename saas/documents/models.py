"""Documents, their versions and files, and the ledgers that number them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from saas.documents.elements import Elements, Pinned
from saas.documents.kinds import Direction, Kind, Sensitivity, State, Urgency
from saas.documents.layout import SealAnchor


class Document(models.Model):
    """One official document, outgoing or incoming.

    `elements` is what was written; `content_version` rises with every saved change (a second editor notices).
    `pinned` and `pinned_hash` are set at 签发. `readers` are the groups (people, posts, units) that may read it
    beside those the flow has asked; the index row carries the same.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.OUTGOING)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.NOTICE)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFTING)
    urgency = models.CharField(max_length=12, choices=Urgency.choices, blank=True, default=Urgency.NONE)
    sensitivity = models.CharField(max_length=10, choices=Sensitivity.choices, default=Sensitivity.INTERNAL)
    title = models.CharField(max_length=200, blank=True, default="")
    elements = models.JSONField(default=dict)
    content_version = models.IntegerField(default=1)
    # Drafting, or registering an incoming one.
    drafter_person_id = models.UUIDField(null=True)
    drafter_name = models.CharField(max_length=60, blank=True, default="")
    drafter_post_id = models.UUIDField(null=True)
    drafter_unit_id = models.UUIDField(null=True)
    drafter_unit_name = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    # Its way.
    flow_instance_id = models.UUIDField(null=True)
    pinned = models.JSONField(null=True)
    pinned_hash = models.CharField(max_length=64, blank=True, default="")
    signed_by = models.CharField(max_length=60, blank=True, default="")
    number = models.CharField(max_length=60, blank=True, default="")
    issued_on = models.DateField(null=True)
    printed_on = models.DateField(null=True)
    # What was made of it: object name, digest and size of the rendered and of the sealed PDF.
    pdf_name = models.CharField(max_length=200, blank=True, default="")
    pdf_sha256 = models.CharField(max_length=64, blank=True, default="")
    pdf_pages = models.IntegerField(default=0)
    pdf_text_sha256 = models.CharField(max_length=64, blank=True, default="")
    seal_anchors = models.JSONField(default=list)
    sealed_name = models.CharField(max_length=200, blank=True, default="")
    sealed_sha256 = models.CharField(max_length=64, blank=True, default="")
    # Incoming: where from, and the bureau's own 收文号.
    from_name = models.CharField(max_length=120, blank=True, default="")
    from_code = models.CharField(max_length=40, blank=True, default="")
    received_on = models.DateField(null=True)
    register_number = models.CharField(max_length=40, blank=True, default="")
    source_id = models.UUIDField(null=True)
    # Loaded from a bureau's past: which line it was.
    topic = models.CharField(max_length=120, blank=True, default="")
    readers = ArrayField(models.UUIDField(), default=list)

    class Meta:
        indexes = [
            models.Index(fields=["direction", "-created_at"], name="documents_document_list"),
            models.Index(
                fields=["drafter_person_id", "-changed_at"],
                condition=Q(state="drafting"),
                name="documents_document_drafts",
            ),
            models.Index(fields=["number"], condition=~Q(number=""), name="documents_document_number"),
            models.Index(
                fields=["state"],
                condition=Q(state__in=["signed_off", "numbered", "rendered"]),
                name="documents_document_waiting",
            ),
            GinIndex(fields=["readers"], name="documents_document_readers"),
        ]
        constraints = [
            # One document of the exchange is registered once, however often it is delivered.
            models.UniqueConstraint(
                fields=["source_id"], condition=Q(source_id__isnull=False), name="documents_document_source"
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(_("（无标题）"))

    @property
    def written(self) -> Elements:
        """The elements as a value."""
        return Elements.from_json(self.elements)

    @property
    def pin(self) -> Pinned | None:
        """What 签发 fixed, or None."""
        return Pinned.from_json(self.pinned) if self.pinned else None

    @property
    def attached_as_signed(self) -> bool:
        """Whether its files are still those of 签发, by name and digest; before 签发 there is nothing to compare."""
        signed = self.pin
        now = sorted((file.name, file.sha256) for file in self.files.all())
        return signed is None or now == sorted((file.name, file.sha256) for file in signed.files)

    @property
    def anchors(self) -> tuple[SealAnchor, ...]:
        """Where seals go."""
        return tuple(SealAnchor(page=a["page"], x_mm=a["x_mm"], y_mm=a["y_mm"]) for a in self.seal_anchors)

    @property
    def is_incoming(self) -> bool:
        """Whether it came from elsewhere."""
        return self.direction == Direction.INCOMING

    @property
    def final_pdf(self) -> str:
        """The object to show: the sealed PDF, else the rendered one, else nothing."""
        return self.sealed_name or self.pdf_name

    @property
    def label(self) -> str:
        """Number and title, as audit trail and lists name it."""
        return f"{self.number} {self.title}".strip()


class DocumentVersion(models.Model):
    """The elements as somebody saved them. One row a version; autosaves of one person within minutes share theirs."""

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.IntegerField()
    elements = models.JSONField()
    person_id = models.UUIDField(null=True)
    person_name = models.CharField(max_length=60)
    what = models.CharField(max_length=100, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="documents_version_once")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.number}"


class Attachment(models.Model):
    """A file that goes with a document, known by what it holds, not by what it is called."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="files", db_index=False)
    position = models.IntegerField(default=0)
    name = models.CharField(max_length=200)
    stored_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=100)
    added_by = models.CharField(max_length=60, blank=True, default="")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "added_at"]
        indexes = [models.Index(fields=["document", "position"], name="documents_attachment_order")]

    def __str__(self) -> str:
        return self.name


class DocumentUpload(models.Model):
    """A file on its way to a draft in pieces; gone when it has arrived, been given up or been left for two days."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="uploads", db_index=False)
    person_id = models.UUIDField()
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    fingerprint = models.CharField(max_length=100, blank=True, default="")
    received = models.BigIntegerField(default=0)
    parts = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["document", "person_id"], name="documents_upload_whose")]

    def __str__(self) -> str:
        return f"{self.name} {self.received}/{self.size}"


class NumberBook(models.Model):
    """A ledger of one 机关代字 and year. `next_serial` is changed only with the row locked, so numbers have no gap."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.OUTGOING)
    mark = models.CharField(max_length=20)
    year = models.SmallIntegerField()
    next_serial = models.IntegerField(default=1)
    kinds = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    unit_id = models.UUIDField(null=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["direction", "mark", "-year"]
        constraints = [
            models.UniqueConstraint(fields=["mark", "year"], name="documents_book_mark_year"),
            models.CheckConstraint(condition=Q(next_serial__gte=1), name="documents_book_serial"),
        ]

    def __str__(self) -> str:
        return f"{self.mark}〔{self.year}〕"


class EntryState(models.TextChoices):
    """What a number is used for."""

    RESERVED = "reserved", _("预留")
    ISSUED = "issued", _("已用")
    VOID = "void", _("作废")


class NumberEntry(models.Model):
    """One number of a book. It is never deleted: a number out of use stays, void, with its reason."""

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(NumberBook, on_delete=models.PROTECT, related_name="entries", db_index=False)
    serial = models.IntegerField()
    document = models.OneToOneField(Document, null=True, on_delete=models.PROTECT, related_name="number_entry")
    state = models.CharField(max_length=8, choices=EntryState.choices, default=EntryState.ISSUED)
    reason = models.CharField(max_length=200, blank=True, default="")
    title = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()
    by_name = models.CharField(max_length=60, blank=True, default="")
    by_post = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["book", "serial"], name="documents_entry_once"),
            models.CheckConstraint(condition=~Q(state="void") | ~Q(reason=""), name="documents_entry_void_reason"),
            models.CheckConstraint(
                condition=Q(state="issued", document__isnull=False) | ~Q(state="issued"),
                name="documents_entry_issued_document",
            ),
            models.CheckConstraint(condition=Q(serial__gte=1), name="documents_entry_serial"),
        ]

    def __str__(self) -> str:
        return f"{self.book_id} {self.serial}"


@dataclass(frozen=True, slots=True)
class SealablePdf:
    """The one sequence of bytes a seal may be put on, and where."""

    pdf: bytes
    sha256: str
    anchors: tuple[SealAnchor, ...]
