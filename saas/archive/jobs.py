"""Packs a record, checks it four ways, and only then calls it filed."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from saas.approvals.selectors.matter import timeline
from saas.archive import checks, packing
from saas.archive.models import Record, RecordState
from saas.core.actors import SYSTEM
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.jobs import job
from saas.core.storage import ContentType, delete, open_object, store
from saas.documents.models import Attachment, Document
from saas.documents.services import mark_filed
from saas.seals.selectors import impressions_on
from saas.search.entries import SearchEntry
from saas.search.services import index

# More than a document of 200 MB with thirty attachments of 100 MB each can come to.
_PACKAGE_LIMIT = 4_000_000_000
# A document from elsewhere may be a picture.
_SUFFIXES = {ContentType.PDF.value: "pdf", ContentType.PNG.value: "png", ContentType.JPEG.value: "jpg"}


def _metadata(filed: Record, document: Document) -> packing.Metadata:
    return {
        "archive_number": filed.archive_number,
        "title": filed.title,
        "number": filed.number,
        "issuer": filed.issuer,
        "document_date": filed.document_date.isoformat() if filed.document_date else "",
        "retention": filed.retention,
        "direction": filed.direction,
        "kind": document.kind,
        "urgency": document.urgency,
        "sensitivity": document.sensitivity,
        "drafter": document.drafter_name,
        "unit": document.drafter_unit_name,
        "signed_by": document.signed_by,
        "pinned": {"algorithm": "SHA-256", "digest": document.pinned_hash},
        "elements": document.elements,
    }


def _items(document: Document, attachments: list[Attachment]) -> list[packing.Item]:
    with open_object(document.final_pdf) as source:
        kind = source.content_type
    items = [packing.Item(f"document.{_SUFFIXES[kind]}", kind, partial(open_object, document.final_pdf))]
    items += [
        packing.Item(f"attachments/{number:02d}-{file.name}", file.content_type, partial(open_object, file.stored_name))
        for number, file in enumerate(attachments, 1)
    ]
    if document.flow_instance_id:
        items.append(
            packing.json_item("process.json", [asdict(entry) for entry in timeline(document.flow_instance_id, SYSTEM)])
        )
    seals = [
        {
            "seal": use.seal.name,
            "by": use.person_name,
            "post": use.post_name,
            "at": use.at.isoformat(),
            "digest_before": use.digest_before,
            "digest_after": use.digest_after,
            "audit_record": str(use.audit_record),
        }
        for use in impressions_on(kind="document", subject_id=document.id)
    ]
    if seals:
        items.append(packing.json_item("seals.json", seals))
    return items


@job(queue="archive", attempts=8)
def pack(*, record_id: str) -> None:
    """Build, check and store the package of a record; then the record is filed, or refused with its reasons."""
    filed = Record.objects.get(id=UUID(record_id))
    if filed.state != RecordState.FILING:
        return
    document = Document.objects.get(id=filed.document_id)
    attachments = list(Attachment.objects.filter(document=document).order_by("position"))
    signed = document.pin.files if document.pin else attachments
    metadata = _metadata(filed, document)
    package = packing.Package(_items(document, attachments), metadata=metadata)
    # Stored first and checked as it lies there: it is never held whole, nor anywhere in the clear.
    stored = store(name_prefix="archive", stream=package, content_type="application/zip", limit=_PACKAGE_LIMIT)
    with open_object(stored.name) as content:
        found = checks.run(
            checks.Filing(
                items=package.items,
                content=content,
                metadata=metadata,
                frozen_sha256=document.sealed_sha256 or document.pdf_sha256,
                attachment_digests=frozenset(file.sha256 for file in signed),
                attached_as_signed=document.attached_as_signed,
                has_process=document.flow_instance_id is not None,
                number_taken=Record.objects.filter(archive_number=filed.archive_number).exclude(id=filed.id).exists(),
            )
        )
    good = checks.passed(found)
    with transaction.atomic():
        locked = Record.objects.select_for_update().get(id=filed.id)
        if locked.state != RecordState.FILING:
            return
        locked.checks = [check.as_json() for check in found]
        locked.items = package.items
        locked.package_sha256 = stored.sha256
        locked.package_bytes = stored.size
        locked.package_name = stored.name if good else ""
        locked.state = RecordState.FILED if good else RecordState.REFUSED
        locked.filed_at = timezone.now() if good else None
        locked.save()
        target = Target("record", locked.id, f"{locked.archive_number} {locked.title}")
        if not good:
            failed = [check.name for check in found if check.outcome == checks.Outcome.FAILED]
            record(Event.RECORD_REFUSED, by=SYSTEM, target=target, detail={"failed": failed})
            transaction.on_commit(partial(delete, stored.name))
            return
        record(Event.RECORD_FILED, by=SYSTEM, target=target, detail={"sha256": stored.sha256})
        mark_filed(document.id, by=SYSTEM)
        index(
            SearchEntry(
                kind="record",
                object_id=locked.id,
                title=locked.title,
                groups=frozenset(locked.readers),
                org=locked.issuer,
                number=locked.number,
                date=locked.document_date,
                body=document.written.full_text(),
            )
        )
