"""One document's whole way: drafted in one bureau, filed in two, every promise on the way kept."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from saas.archive.models import Record, RecordState
from saas.core import keys
from saas.core.errors import Conflict
from saas.core.storage import open_object
from saas.documents.kinds import State
from saas.documents.models import Document, NumberEntry
from saas.exchange.models import Delivery, Dispatch, DispatchState
from saas.portal.demo import papers, stage, work
from saas.seals import pades, verification
from saas.seals.models import Impression
from saas.search.selectors import search
from tenants.context import use_tenant
from tests.whole_way.conftest import Town


def read(name: str) -> bytes:
    with open_object(name) as source:
        return source.read()


def test_a_document_goes_its_whole_way(town: Town, tmp_path: Path) -> None:
    sender = work.Desk(town.sender_plan, town.settle)
    receiver = work.Desk(town.receiver_plan, town.settle)
    with use_tenant(town.sender):
        document = work.draft(sender, papers.ENTERPRISES, office=5)
        instance = work.submit(sender, document, office=5)
        work.walk(sender, instance, nodes=work.OUTGOING)
        document.refresh_from_db()
        assert document.state == State.SIGNED_OFF
        assert document.pin is not None
        assert document.pin.digest() == document.pinned_hash
        document = work.issue(sender, document)
        assert document.state == State.RENDERED
        assert NumberEntry.objects.get(document=document).serial >= 1
        rendered = read(document.pdf_name)
        document = work.seal(sender, document)
        assert document.state == State.SEALED
        sealed = read(document.sealed_name)
        assert sealed.startswith(rendered)
        impression = Impression.objects.get(subject_id=document.id)
        assert impression.digest_before == document.pdf_sha256 == hashlib.sha256(rendered).hexdigest()
        report = verification.verify(sealed, roots=pades.certificates(keys.seal_authority_pem()))[0]
        assert report.valid, report
        work.send(sender, document, to=[town.receiver.code])
        dispatch = Dispatch.objects.get(document_id=document.id)
        assert dispatch.state == DispatchState.SENT

    (tmp_path / "sealed.pdf").write_bytes(sealed)
    said = subprocess.run(["pdfsig", str(tmp_path / "sealed.pdf")], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said

    with use_tenant(town.receiver):
        delivery = Delivery.objects.get(id=dispatch.id)
        assert (delivery.from_code, delivery.number) == (town.sender.code, document.number)
        assert read(delivery.object_name) == sealed
        incoming = work.sign_for(receiver, delivery)
        assert (incoming.state, incoming.number) == (State.IN_HANDLING, document.number)
        assert incoming.flow_instance_id is not None
        work.walk(receiver, incoming.flow_instance_id, nodes=("propose", "instruct", "handle"))
        incoming.refresh_from_db()
        assert incoming.state == State.HANDLED
        work.file(receiver, incoming, retention="D10")
        filed = Record.objects.get(document_id=incoming.id)
        assert filed.state == RecordState.FILED, filed.checks
        clerk = receiver.clerk()
        assert clerk.person_id
        found = search("数字化改造", [clerk.person_id])
        assert incoming.id in {hit.object_id for hit in found.hits}

    with use_tenant(town.sender):
        dispatch.refresh_from_db()
        assert dispatch.state == DispatchState.SIGNED_FOR
        assert stage.clerk(town.receiver_plan).name in dispatch.answered_by
        work.file(sender, document, retention="Y")
        record = Record.objects.get(document_id=document.id)
        assert record.state == RecordState.FILED, record.checks
        with zipfile.ZipFile(io.BytesIO(read(record.package_name))) as package:
            assert package.read("document.pdf") == sealed
            opinions = [entry["text"] for entry in json.loads(package.read("process.json"))]
            assert "同意印发。" in opinions
            assert json.loads(package.read("seals.json"))[0]["digest_before"] == document.pdf_sha256


def test_one_changed_byte_is_not_sealed(town: Town) -> None:
    desk = work.Desk(town.sender_plan, town.settle)
    with use_tenant(town.sender):
        document = work.draft(desk, papers.HOLIDAY, office=0)
        work.walk(desk, work.submit(desk, document, office=0, flow="outgoing_short"), nodes=("section", "sign_off"))
        document = work.issue(desk, document)
        Document.objects.filter(id=document.id).update(pdf_sha256="0" * 64)
        with pytest.raises(Conflict, match="不一致"):
            work.seal(desk, document)
        document.refresh_from_db()
        assert document.state == State.RENDERED
        assert not Impression.objects.filter(subject_id=document.id).exists()


def test_a_return_goes_back_to_the_drafter_who_submits_again(town: Town) -> None:
    desk = work.Desk(town.sender_plan, town.settle)
    with use_tenant(town.sender):
        document = work.draft(desk, papers.TRAINING, office=3)
        instance = work.submit(desk, document, office=3)
        work.walk(desk, instance, nodes=("section",))
        work.send_back(desk, instance, reason="第二部分请补充培训地点。")
        document.refresh_from_db()
        assert document.state == State.DRAFTING
        again = work.submit(desk, document, office=3)
        assert again == instance
