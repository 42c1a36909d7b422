"""Every periodic job of every app runs to its end in a bureau on the real database."""

from __future__ import annotations

import pytest

from saas.core.jobs.registry import PERIODIC
from saas.core.tenancy import TenantRef


@pytest.mark.parametrize("name", sorted(PERIODIC))
def test_a_periodic_job_runs(name: str, in_alpha: TenantRef) -> None:
    PERIODIC[name].job.function()


def test_periodic_jobs_are_known_when_the_tests_are_collected() -> None:
    assert "saas.approvals.jobs.limits_check" in PERIODIC
