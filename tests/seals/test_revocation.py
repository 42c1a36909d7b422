"""A revoked certificate: what was sealed before stays valid, by the audit trail's time; what comes after does not."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from saas.accounts.models import User
from saas.core import keys
from saas.core.actors import SYSTEM, Actor
from saas.core.audit import Event, record
from saas.core.audit.models import AuditRecord
from saas.core.audit.sealer import Sealer
from saas.core.audit.services import wait_for_signed_head
from saas.core.errors import Conflict, Invalid
from saas.core.keys import KeyName, SealKeyKind
from saas.core.tenancy import TenantRef
from saas.documents.layout import render
from saas.seals import pades, picture, services, verification
from saas.seals.models import Seal, SealState
from saas.seals.revocation import seal_revoke
from tenants.context import use_tenant
from tests.accounts.conftest import make_account
from tests.bureaus import create_bureau
from tests.conftest import drain_jobs
from tests.documents.samples import FONTS, sample

NAME = "云州市大数据发展管理局"
HOLDER = Actor(user_id=None, user_name="孙文", post_id=uuid.uuid4(), post_name="文书")
SECURITY = Actor(user_id=None, user_name="安全管理员")
PLACE = pades.Place(page=0, x_mm=120, y_mm=200)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bureau with a seal, and a document it sealed."""

    bureau: TenantRef
    seal_id: uuid.UUID
    pdf: bytes


@pytest.fixture
def sealed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Sealed]:
    """Really committed, with the cell's sealer at work: the time of a sealing is that of its signed head."""
    stop = threading.Event()
    with django_db_blocker.unblock():
        bureau = create_bureau(code=f"v{uuid.uuid4().hex[:8]}", name=NAME)
        sealer = threading.Thread(target=Sealer().run, args=(stop,))
        sealer.start()
        try:
            with use_tenant(bureau):
                seal = services.seal_create(
                    name=NAME,
                    caption="",
                    diameter_mm=42,
                    key_kind=SealKeyKind.ECDSA_P256,
                    holder_posts=[HOLDER.post_id or uuid.uuid4()],
                    by=SECURITY,
                )
            drain_jobs()
            with use_tenant(bureau):
                stamped = services.stamp(
                    seal_id=seal.id,
                    pdf=plain(),
                    pinned_sha256=hashlib.sha256(plain()).hexdigest(),
                    place=PLACE,
                    field_name="seal-1",
                    subject=services.Subject(kind="document", id=uuid.uuid4(), label="1号"),
                    by=HOLDER,
                    keep=lambda _pdf: None,
                )
                yield Sealed(bureau, seal.id, stamped.pdf)
        finally:
            stop.set()
            sealer.join()


def plain() -> bytes:
    return render(sample(), FONTS).pdf


def revoke(sealed: Sealed) -> Seal:
    seal_revoke(seal_id=sealed.seal_id, reason="密钥可能外泄", by=SECURITY)
    drain_jobs()
    return Seal.objects.get(id=sealed.seal_id)


def step(pdf: bytes, name: str = "revocation") -> verification.Step:
    return next(step for step in report(pdf).steps if step.name == name)


def report(pdf: bytes) -> verification.SealReport:
    roots = pades.certificates(keys.seal_authority_pem())
    return verification.verify(pdf, roots=roots, listed=keys.revocation_list())[0]


def sealed_behind_the_systems_back(sealed: Sealed) -> bytes:
    seal = Seal.objects.get(id=sealed.seal_id)
    key = KeyName.seal(sealed.bureau, seal.id)
    signer = pades.VaultSigner(
        certificate=pades.certificates(seal.certificate)[0],
        chain=pades.certificates(seal.chain),
        sign=lambda digest: keys.sign(key, digest, SealKeyKind.ECDSA_P256.algorithm),
    )
    drawn = picture.draw(name=NAME, caption="", diameter_mm=42)
    return pades.stamp(
        plain(), signer=signer, picture=drawn, diameter_mm=42, place=PLACE, field_name="seal-1", reason="x"
    )


def test_before_the_revocation_stays_valid_and_after_it_nothing_is_sealed(sealed: Sealed) -> None:
    assert step(sealed.pdf).outcome is verification.Outcome.PASSED
    seal = revoke(sealed)
    assert (seal.state, seal.revoked_reason) == (SealState.REVOKED, "密钥可能外泄")
    assert seal.listed_at is not None
    serial = pades.certificates(seal.certificate)[0].serial_number
    assert serial in keys.revocation_list().revoked_at
    assert AuditRecord.objects.get(event="seal.revoked").detail == {"reason": "密钥可能外泄"}
    before = report(sealed.pdf)
    assert before.valid
    assert "仍然有效" in step(sealed.pdf).text
    with pytest.raises(Conflict, match="吊销"):
        services.require_usable(seal_id=seal.id, by=HOLDER)
    with pytest.raises(Conflict):
        seal_revoke(seal_id=seal.id, reason="再次", by=SECURITY)


def test_a_sealing_whose_head_was_signed_after_the_revocation_is_invalid(sealed: Sealed) -> None:
    seal = revoke(sealed)
    Seal.objects.filter(id=seal.id).update(revoked_at=timezone.now() - timedelta(days=1))
    assert "盖于吊销之后" in step(sealed.pdf).text
    assert not report(sealed.pdf).valid


def test_a_seal_put_on_without_the_system_is_told_as_such(sealed: Sealed) -> None:
    forged = sealed_behind_the_systems_back(sealed)
    assert step(forged, "seal").outcome is verification.Outcome.FAILED
    assert step(forged, "signature").outcome is verification.Outcome.PASSED
    seal = revoke(sealed)
    for days, said in ((-1, "吊销之后"), (1, "没有可信的时间")):
        Seal.objects.filter(id=seal.id).update(revoked_at=timezone.now() + timedelta(days=days))
        judged = step(forged)
        assert judged.outcome is verification.Outcome.FAILED
        assert said in judged.text


def test_another_bureau_believes_its_own_trail_not_the_signature(sealed: Sealed, alpha: TenantRef) -> None:
    digest = hashlib.sha256(sealed.pdf).hexdigest()
    with use_tenant(alpha):
        arrival = record(Event.DOCUMENT_DELIVERED, by=SYSTEM, detail={"from": NAME, "sha256": digest})
        Sealer(sign_every_seconds=0).tick()
        wait_for_signed_head(arrival, timeout_seconds=10)
    unknown = sealed_behind_the_systems_back(sealed)
    # The authority's list tells whole seconds: what came within the same second counts as after.
    time.sleep(1)
    revoke(sealed)
    with use_tenant(alpha):
        assert step(sealed.pdf).outcome is verification.Outcome.PASSED
        assert step(unknown).outcome is verification.Outcome.FAILED
        assert step(unknown, "seal").outcome is verification.Outcome.NOT_RUN


def test_the_security_administrator_revokes_on_a_page(
    in_alpha: TenantRef, as_user: Callable[..., Client], run_jobs: Callable[[], int]
) -> None:
    from saas.core.access import Role

    seal = services.seal_create(
        name=NAME, caption="", diameter_mm=42, key_kind=SealKeyKind.ECDSA_P256, holder_posts=[], by=SECURITY
    )
    run_jobs()
    administrator = make_account("security", Role.SECURITY_ADMIN)
    User.objects.filter(id=administrator.id).update(must_change_password=False)
    TOTP.activate(administrator, "A" * 32)
    client = as_user(administrator)
    url = f"/seals/{seal.id}/revoke/"
    with use_tenant(in_alpha):
        assert client.get(url).status_code == 200
    wrong = client.post(url, {"name": "别的章", "reason": "密钥外泄"})
    assert wrong.status_code == 422
    assert "密钥外泄" in wrong.content.decode()
    assert client.post(url, {"name": NAME, "reason": "密钥外泄"}).status_code == 302
    with use_tenant(in_alpha):
        assert Seal.objects.get(id=seal.id).state == SealState.REVOKED
    assert "密钥外泄" in client.get("/seals/").content.decode()
    assert client.post(url, {"name": NAME, "reason": "再次"}).status_code == 409


def test_a_revocation_needs_a_reason(sealed: Sealed) -> None:
    with pytest.raises(Invalid):
        seal_revoke(seal_id=sealed.seal_id, reason="  ", by=SECURITY)
    assert Seal.objects.get(id=sealed.seal_id).state == SealState.ACTIVE
