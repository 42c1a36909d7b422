"""The same rules against the services on PostgreSQL, each example in a savepoint of its own."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from saas.approvals import registry
from saas.core.tenancy import TenantRef
from tests.approvals.model.machine import FlowMachine, Ground
from tests.approvals.model.postgres import Bureau, Postgres

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES_POSTGRES", "100"))


def test_the_services_do_what_the_rules_say(in_alpha: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau = Bureau()
    monkeypatch.setattr(registry, "_actions", {"work": ("自动", bureau.work)})

    class OnPostgres(FlowMachine):
        def __init__(self) -> None:
            super().__init__()
            self.example = transaction.atomic()
            self.example.__enter__()

        def begin(
            self, nodes: list[dict[str, Any]], held: dict[str, tuple[str, ...]], values: dict[str, Any]
        ) -> Ground:
            return Postgres(bureau, nodes, held=held, values=values)

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)

    run_state_machine_as_test(
        OnPostgres,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            # A counter-example is made smaller in memory; here that would take the time of thousands of examples.
            phases=[phase for phase in Phase if phase is not Phase.shrink or "MODEL_SHRINK" in os.environ],
        ),
    )
