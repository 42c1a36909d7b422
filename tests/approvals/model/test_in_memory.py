"""The engine against the rules, in memory."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.approvals.model.machine import FlowMachine, Ground
from tests.approvals.model.memory import Memory

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "300"))


class InMemory(FlowMachine):
    """The engine as a function."""

    def begin(self, nodes: list[dict[str, Any]], held: dict[str, tuple[str, ...]], values: dict[str, Any]) -> Ground:
        return Memory(nodes, held=held, values=values)


def test_the_engine_does_what_the_rules_say() -> None:
    run_state_machine_as_test(
        InMemory,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
