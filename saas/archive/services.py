"""Files documents: the record is asked for in the act's transaction, packed and checked by a job."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.archive import jobs
from saas.archive.models import Record, RecordState, Retention, Series
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid
from saas.core.jobs import enqueue
from saas.core.tenancy import current_tenant
from saas.documents.kinds import Kind, State
from saas.documents.models import Document
from saas.documents.services.moves import locked
from saas.organisation.models import Unit

FILEABLE = frozenset({State.SEALED, State.SENT, State.HANDLED, State.REGISTERED})
GENERAL_UNIT = "BGS"
_KEPT_FOR_GOOD = frozenset({Kind.RESOLUTION, Kind.DECISION, Kind.ORDER, Kind.ANNOUNCEMENT})


@transaction.atomic
def record_file(*, document_id: UUID, retention: str, by: Actor) -> Record:
    """归档: give the document a 档号 and ask for its package; a record that was refused is tried again under its 档号.

    Args:
        document_id: an outgoing document that is sealed or sent, or an incoming one that is handled.
        retention: 保管期限, a value of `Retention`.
        by: an archivist or a clerk.

    Raises:
        NotFound: no such document.
        Conflict: it is not finished yet, or is filed already.
        Invalid: the retention is none of the three, or not the one in the 档号 of a record that was refused.
    """
    if retention not in Retention.values:
        raise Invalid(_("请选择保管期限。"), code="archive.retention")
    document = locked(document_id)
    before = Record.objects.select_for_update().filter(document_id=document.id).first()
    if before and before.state != RecordState.REFUSED:
        raise Conflict(_("这份公文已经归档。"), code="archive.already")
    if document.state not in FILEABLE or not document.final_pdf:
        raise Conflict(_("公文还没有办结，不能归档。"), code="archive.unfinished")
    filed = _again(before, document, retention=retention, by=by) if before else _new(document, retention, by)
    label = f"{filed.archive_number} {filed.title}"
    record(Event.RECORD_ASKED_FOR, by=by, target=Target("record", filed.id, label), detail={"retention": retention})
    enqueue(jobs.pack, key=f"pack:{filed.id}", record_id=str(filed.id))
    return filed


def _again(refused: Record, document: Document, *, retention: str, by: Actor) -> Record:
    if retention != refused.retention:
        raise Invalid(_("保管期限已编入档号，重新归档时不能更改。"), code="archive.retention")
    refused.state = RecordState.FILING
    refused.checks, refused.items = [], []
    refused.asked_by, refused.readers = by.label, document.readers
    refused.save(update_fields=["state", "checks", "items", "asked_by", "readers"])
    return refused


def _new(document: Document, retention: str, by: Actor) -> Record:
    unit = Unit.objects.filter(id=document.drafter_unit_id).first() if document.drafter_unit_id else None
    unit_code = "".join(letter for letter in (unit.code if unit else "").upper() if letter.isalnum())[:20]
    date = document.issued_on or document.received_on or timezone.localdate()
    filed = Record.objects.create(
        document_id=document.id,
        year=date.year,
        retention=retention,
        unit_code=unit_code or GENERAL_UNIT,
        direction=document.direction,
        title=document.title[:500],
        number=document.number,
        issuer=document.from_name or (document.written.signatures or (document.written.mark,))[0],
        document_date=date,
        asked_by=by.label,
        readers=document.readers,
    )
    filed.archive_number = _take_number(filed)
    filed.save(update_fields=["archive_number"])
    return filed


def loaded_file(document: Document, by: Actor) -> None:
    """File a document of the bureau's past in the transaction that loads it; how long it is kept follows its type.

    国家档案局令第8号 keeps decisions and general rules for good; the rest of a bureau's past is given thirty years
    until an archivist says otherwise.
    """
    retention = Retention.PERMANENT if document.kind in _KEPT_FOR_GOOD else Retention.THIRTY
    record_file(document_id=document.id, retention=retention, by=by)


def _take_number(filed: Record) -> str:
    """The next 档号: 全宗号-WS·年度-期限-机构-件号 (DA/T 22-2015), the 全宗号 being the bureau's code."""
    Series.objects.get_or_create(year=filed.year, retention=filed.retention, unit_code=filed.unit_code)
    series = Series.objects.select_for_update().get(
        year=filed.year, retention=filed.retention, unit_code=filed.unit_code
    )
    item = series.next_item
    series.next_item = item + 1
    series.save(update_fields=["next_item"])
    fonds = "".join(letter for letter in current_tenant().code.upper() if letter.isalnum())[:20]
    return f"{fonds}-WS·{filed.year}-{filed.retention}-{filed.unit_code}-{item:04d}"
