"""Seals: made in Vault, used by their keepers' posts, on one sequence of bytes only."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from django.db import connection, transaction

from saas.core import keys
from saas.core.actors import Actor
from saas.core.errors import Conflict, Invalid
from saas.core.keys import KeyName, SealKeyKind
from saas.core.tenancy import TenantRef
from saas.documents.layout import render
from saas.env import Process, Zone
from saas.seals import pades, services, verification
from saas.seals.models import Impression, Seal, SealState
from tenants.context import use_tenant
from tests.core.vault import acting_as, approle_client
from tests.documents.samples import FONTS, sample

BY = Actor(user_id=None, user_name="安全管理员")


def test_a_seal_gets_its_key_and_certificate_from_a_job(in_alpha: TenantRef, run_jobs: object) -> None:
    seal = services.seal_create(
        name="云州市经济和信息化局", caption="", diameter_mm=42, key_kind=SealKeyKind.RSA_3072, holder_posts=[], by=BY
    )
    assert Seal.objects.get(id=seal.id).state == SealState.REQUESTED
    assert callable(run_jobs)
    run_jobs()
    made = Seal.objects.get(id=seal.id)
    assert made.state == SealState.ACTIVE
    assert made.certificate.startswith("-----BEGIN CERTIFICATE-----")


def test_two_seals_asked_for_at_once_get_two_numbers(committed: TenantRef) -> None:
    refused: list[Exception] = []

    def ask(name: str) -> None:
        try:
            with use_tenant(committed):
                services.seal_create(
                    name=name, caption="", diameter_mm=42, key_kind=SealKeyKind.RSA_3072, holder_posts=[], by=BY
                )
        except Exception as error:
            refused.append(error)
        finally:
            connection.close()

    second = threading.Thread(target=ask, args=("云州市林业局",))
    with transaction.atomic():
        services.seal_create(
            name="云州市农业局", caption="", diameter_mm=42, key_kind=SealKeyKind.RSA_3072, holder_posts=[], by=BY
        )
        second.start()
        second.join(1)
        assert second.is_alive()
    second.join(20)
    assert refused == []
    assert list(Seal.objects.values_list("number", flat=True)) == [1, 2]


@pytest.mark.parametrize("name", ["云", "云" * 31])
def test_a_name_that_cannot_be_drawn_is_refused(in_alpha: TenantRef, name: str) -> None:
    with pytest.raises(Invalid):
        services.seal_create(
            name=name, caption="", diameter_mm=42, key_kind=SealKeyKind.RSA_3072, holder_posts=[], by=BY
        )
    assert not Seal.objects.exists()


def test_a_number_that_comes_again_after_a_restore_has_a_key_of_its_own(in_alpha: TenantRef, run_jobs: object) -> None:
    made = []
    assert callable(run_jobs)
    for kind in (SealKeyKind.RSA_3072, SealKeyKind.ECDSA_P256):
        seal = services.seal_create(
            name="云州市教育局", caption="", diameter_mm=42, key_kind=kind, holder_posts=[], by=BY
        )
        run_jobs()
        made.append(Seal.objects.get(id=seal.id))
        # The copy that is restored is from before this seal.
        Seal.objects.all().delete()
    assert [seal.number for seal in made] == [1, 1]
    digest = bytes(32)
    for seal, kind in zip(made, (SealKeyKind.RSA_3072, SealKeyKind.ECDSA_P256), strict=True):
        key = KeyName.seal(in_alpha, seal.id)
        signature = keys.sign(key, digest, kind.algorithm)
        certified = load_pem_x509_certificate(seal.certificate.encode()).public_key()
        pem = certified.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        assert keys.holds(pem, digest, signature, kind.algorithm)


PLACE = pades.Place(page=0, x_mm=120, y_mm=200)
POST = uuid.uuid4()
CLERK = Actor(user_id=None, user_name="孙文", post_id=POST, post_name="文书")


def rotated(key: KeyName) -> None:
    """What an operator does in Vault, or what a key's own period does."""
    with acting_as(approle_client(Zone.INTRANET, Process.CLI)) as vault:
        vault.call("post", f"{key.mount}/keys/{key.text}/rotate", {})


def active_seal(run_jobs: Callable[[], object], kind: SealKeyKind) -> Seal:
    made = services.seal_create(
        name="云州市教育局", caption="", diameter_mm=42, key_kind=kind, holder_posts=[POST], by=BY
    )
    run_jobs()
    return Seal.objects.get(id=made.id)


def stamped(seal: Seal, kept: list[bytes]) -> services.Stamped:
    pdf = render(sample(), FONTS).pdf
    return services.stamp(
        seal_id=seal.id,
        pdf=pdf,
        pinned_sha256=hashlib.sha256(pdf).hexdigest(),
        place=PLACE,
        field_name="seal-1",
        subject=services.Subject(kind="document", id=uuid.uuid4(), label="1号"),
        by=CLERK,
        keep=kept.append,
    )


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head over the intent needs a commit; what is sealed with which key does not."""
    monkeypatch.setattr(services, "wait_for_signed_head", lambda *_arguments, **_more: None)


@pytest.mark.parametrize("kind", list(SealKeyKind))
def test_a_seal_whose_key_was_rotated_still_signs_as_its_certificate_says(
    in_alpha: TenantRef, run_jobs: Callable[[], object], audited: None, kind: SealKeyKind
) -> None:
    seal = active_seal(run_jobs, kind)
    rotated(KeyName.seal(in_alpha, seal.id))
    kept: list[bytes] = []
    with acting_as(approle_client(Zone.INTRANET, Process.JOBS)):
        stamped(seal, kept)
    [report] = verification.verify(kept[0], roots=pades.certificates(keys.seal_authority_pem()))
    assert [step.name for step in report.steps if step.outcome is verification.Outcome.FAILED] == []
    assert report.valid


def test_what_does_not_verify_under_the_certificate_is_never_kept(
    in_alpha: TenantRef, run_jobs: Callable[[], object], audited: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = active_seal(run_jobs, SealKeyKind.ECDSA_P256)
    other = active_seal_beside(seal, run_jobs)
    kept: list[bytes] = []

    # Another key's signature, as Vault would give after a restore under a wrong name.
    def wrong(_key: KeyName, kind: SealKeyKind, _certificate: str, digest: bytes) -> bytes:
        return keys.sign(KeyName.seal(in_alpha, other.id), digest, kind.algorithm)

    monkeypatch.setattr(keys, "sign_as_certified", wrong)
    with pytest.raises(Conflict) as refused:
        stamped(seal, kept)
    assert refused.value.code == "seal.not_sound"
    monkeypatch.undo()
    # The same when the certificate is of another key.
    Seal.objects.filter(id=seal.id).update(certificate=other.certificate, chain=other.chain)
    monkeypatch.setattr(services, "wait_for_signed_head", lambda *_arguments, **_more: None)
    with pytest.raises(Conflict) as refused:
        stamped(seal, kept)
    assert refused.value.code == "seal.key_not_certified"
    assert kept == []
    assert not Impression.objects.exists()


def active_seal_beside(seal: Seal, run_jobs: Callable[[], object]) -> Seal:
    made = services.seal_create(
        name=seal.name,
        caption="办公室",
        diameter_mm=42,
        key_kind=SealKeyKind(seal.key_kind),
        holder_posts=[],
        by=BY,
    )
    run_jobs()
    return Seal.objects.get(id=made.id)
