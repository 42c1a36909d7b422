"""The demonstration's bureaus can be set up, twice over, by the product's own services."""

from __future__ import annotations

from collections.abc import Callable

from saas.accounts.models import RoleGrant
from saas.approvals.models import FlowVersion
from saas.core.tenancy import TenantRef
from saas.organisation.models import Person
from saas.portal.demo import stage
from saas.portal.demo.cast import BUREAUS, PEOPLE_PER_BUREAU
from saas.seals.models import Seal


def test_every_bureau_has_its_sixty_people_with_names_of_their_own() -> None:
    for plan in BUREAUS:
        people = plan.people()
        assert len({one.username for one in people}) == len({one.name for one in people}) == PEOPLE_PER_BUREAU
        assert people == plan.people()


def test_a_bureau_is_set_up_once_however_often_it_is_asked_for(
    in_alpha: TenantRef, run_jobs: Callable[[], int]
) -> None:
    for _again in range(2):
        stage.set_up(BUREAUS[1], password="a-demo-password-2026")
        run_jobs()
    assert Person.objects.count() == PEOPLE_PER_BUREAU
    assert RoleGrant.objects.filter(role="clerk").count() == 2
    assert FlowVersion.objects.filter(state="published").count() == 5
    assert [seal.state for seal in Seal.objects.all()] == ["active"]
    assert stage.actor(stage.head(BUREAUS[1]).username).post_name == "局长"
