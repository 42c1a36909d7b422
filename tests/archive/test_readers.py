"""A record that everybody may read opens for everybody who works here, as search offers it to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.test import Client

from saas.archive.models import Record
from saas.search.entries import EVERYONE
from tests.documents.conftest import Office, as_user, office

__all__ = ["as_user", "office"]


def filed(*readers: uuid.UUID) -> Record:
    """A record as it stands after filing."""
    return Record.objects.create(
        document_id=uuid.uuid4(),
        year=2026,
        retention="D30",
        unit_code="BGS",
        direction="outgoing",
        title=f"公文处理业务培训班 {uuid.uuid4().hex[:6]}",
        asked_by="档案员",
        readers=list(readers),
    )


def test_a_record_for_everybody_is_listed_and_opens(office: Office, as_user: Callable[..., Client]) -> None:
    record = filed(EVERYONE)
    drafter = as_user(office.users["drafter"])
    assert record.title in drafter.get("/archive/").content.decode()
    assert drafter.get(f"/archive/{record.id}/").status_code == 200


def test_a_record_for_others_stays_closed(office: Office, as_user: Callable[..., Client]) -> None:
    record = filed(uuid.uuid4())
    drafter = as_user(office.users["drafter"])
    assert record.title not in drafter.get("/archive/").content.decode()
    assert drafter.get(f"/archive/{record.id}/").status_code == 404
