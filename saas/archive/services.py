"""Files documents: the record is asked for in the act's transaction, packed and checked by a job."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.archive import jobs
from saas.archive.models import Record, Retention, Series
from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.jobs import enqueue
from saas.core.tenancy import current_tenant
from saas.documents.kinds import Kind, State
from saas.documents.models import Document
from saas.organisation.models import Unit

FILEABLE = frozenset({State.SEALED, State.SENT, State.HANDLED, State.REGISTERED})
GENERAL_UNIT = "BGS"
_KEPT_FOR_GOOD = frozenset({Kind.RESOLUTION, Kind.DECISION, Kind.ORDER, Kind.ANNOUNCEMENT})


@transaction.atomic
def record_file(*, document_id: UUID, retention: str, by: Actor) -> Record:
    """归档: give the document a 档号 and ask for its package.

    Args:
        document_id: an outgoing document that is sealed or sent, or an incoming one that is handled.
        retention: 保管期限, a value of `Retention`.
        by: an archivist or a clerk.

    Raises:
        NotFound: no such document.
        Conflict: it is not finished yet, or is filed already.
        Invalid: the retention is none of the three.
    """
    if retention not in Retention.values:
        raise Invalid(_("请选择保管期限。"), code="archive.retention")
    document = Document.objects.select_for_update().filter(id=document_id).first()
    if document is None:
        raise NotFound(_("没有这份公文。"))
    if Record.objects.filter(document_id=document.id).exists():
        raise Conflict(_("这份公文已经归档。"), code="archive.already")
    if document.state not in FILEABLE or not document.final_pdf:
        raise Conflict(_("公文还没有办结，不能归档。"), code="archive.unfinished")
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
    label = f"{filed.archive_number} {filed.title}"
    record(Event.RECORD_FILED, by=by, target=Target("record", filed.id, label), detail={"retention": retention})
    enqueue(jobs.pack, key=f"pack:{filed.id}", record_id=str(filed.id))
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
