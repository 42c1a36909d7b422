"""A trail that lacks its newest part, records and signed heads alike: only the mark in Vault tells."""

from __future__ import annotations

import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from saas.core.audit import trails
from saas.core.audit.models import AuditHead, AuditLink, AuditRecord
from saas.core.audit.sealer import Sealer
from saas.core.audit.verify import Fault, Finding
from saas.core.keys import HeadMark
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tenants.provisioning.create import bureau_remove
from tests.bureaus import create_bureau
from tests.core.test_audit import linked, note, report


def test_a_restored_trail_is_not_continued_until_an_operator_says_so(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, capsys: pytest.CaptureFixture[str]
) -> None:
    with django_db_blocker.unblock():
        ref = create_bureau(code=f"r{uuid.uuid4().hex[:8]}", name="恢复试验局")
        try:
            with use_tenant(ref):
                for number in range(3):
                    note(number=str(number))
            Sealer(sign_every_seconds=0).tick()
            with use_tenant(ref):
                cut = AuditLink.objects.order_by("-seq")[1].seq
                signed = AuditHead.objects.get().seq
            other = HeadMark(signed, "00" * 32)
            forged = trails.verify_schema(ref.schema, "owner", trails.believed_keys(), other)
            assert forged.findings == (Finding(Fault.NOT_AS_MARKED, f"link {signed}"),)
            assert report(ref).findings == ()
            _restore_up_to(ref, cut)
            lost = report(ref).findings
            assert [(finding.fault, finding.place.split(":")[0]) for finding in lost] == [
                (Fault.CUT, f"links {cut + 1}–{signed}")
            ]
            assert f": {signed - cut} records" in lost[0].place
            with pytest.raises(SystemExit):
                call_command("audit_verify", "--tenant", ref.code)
            assert "cut: links" in capsys.readouterr().out
            with use_tenant(ref):
                waiting = note(number="after the restore")
            for _restart in range(2):
                Sealer(sign_every_seconds=0).tick()
                with use_tenant(ref):
                    assert not AuditHead.objects.exists()
            sealer = Sealer(sign_every_seconds=0)
            sealer.tick()
            with use_tenant(ref):
                second = note(number="the second")
            sealer.tick()
            with use_tenant(ref):
                assert not linked(second)
            call_command("audit_continue", tenant=ref.code, reason="恢复昨日备份", operator="运维甲", verbosity=0)
            Sealer(sign_every_seconds=0).tick()
            with use_tenant(ref):
                assert linked(waiting)
                assert linked(second)
                continued = AuditRecord.objects.get(event="audit.continued")
                assert (continued.detail["signed_up_to"], continued.user_name) == (signed, "运维甲")
            assert report(ref).findings == ()
            with pytest.raises(CommandError, match="not held"):
                call_command("audit_continue", tenant=ref.code, reason="再来", operator="运维甲", verbosity=0)
        finally:
            bureau_remove(ref)
            connections["owner"].close()
            connection.close()


def test_a_bureau_closed_before_its_head_was_signed_does_not_stop_the_others(
    alpha: TenantRef, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        try:
            closed = create_bureau(code=f"r{uuid.uuid4().hex[:8]}", name="注销试验局")
            with use_tenant(closed):
                note(number="chained, not signed")
            Sealer(sign_every_seconds=3600).tick()
            bureau_remove(closed)
            with use_tenant(alpha):
                other = note(number="of another bureau")
            Sealer(sign_every_seconds=0).tick()
            with use_tenant(alpha):
                link = AuditLink.objects.get(record_id=other)
                assert AuditHead.objects.filter(seq__gte=link.seq).exists()
        finally:
            connections["owner"].close()
            connection.close()


def _restore_up_to(ref: TenantRef, seq: int) -> None:
    """What restoring an older copy does: links and heads after `seq` were never there."""
    with connections["owner"].cursor() as cursor:
        for table in ("audit_link", "audit_head"):
            cursor.execute(f'ALTER TABLE "{ref.schema}".{table} DISABLE TRIGGER USER')
            cursor.execute(f'DELETE FROM "{ref.schema}".{table} WHERE seq > %s', [seq])
            cursor.execute(f'ALTER TABLE "{ref.schema}".{table} ENABLE TRIGGER USER')
        cursor.execute(f'ALTER TABLE "{ref.schema}".audit_record DISABLE TRIGGER USER')
        cursor.execute(
            f'DELETE FROM "{ref.schema}".audit_record r WHERE NOT EXISTS '
            f'(SELECT 1 FROM "{ref.schema}".audit_link l WHERE l.record_id = r.id)'
        )
        cursor.execute(f'ALTER TABLE "{ref.schema}".audit_record ENABLE TRIGGER USER')
