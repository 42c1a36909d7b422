"""Seals: made in Vault, used by their keepers' posts, on one sequence of bytes only."""

from __future__ import annotations

import pytest

from saas.core.actors import Actor
from saas.core.errors import Invalid
from saas.core.keys import SealKeyKind
from saas.core.tenancy import TenantRef
from saas.seals import services
from saas.seals.models import Seal, SealState

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


@pytest.mark.parametrize("name", ["云", "云" * 31])
def test_a_name_that_cannot_be_drawn_is_refused(in_alpha: TenantRef, name: str) -> None:
    with pytest.raises(Invalid):
        services.seal_create(
            name=name, caption="", diameter_mm=42, key_kind=SealKeyKind.RSA_3072, holder_posts=[], by=BY
        )
    assert not Seal.objects.exists()
