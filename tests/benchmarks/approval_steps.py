"""``approval_steps_1`` and ``_8``: steps of approvals in a second, beside bare SQL and SpiffWorkflow."""

from __future__ import annotations

import functools
import multiprocessing
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.benchmarks.approval_ground import STEPS_EACH, Ground, Running, bureau, register, start
from tests.benchmarks.figure import Benchmark, Figure

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from tests.benchmarks.approval_sides import Side

SIDES = ("ours", "floor", "peer")
_ROUNDS = 10
# Instances of one client, side and round; four steps are done on each.
_INSTANCES = {1: 20, 8: 4}
Work = dict[str, list[list[Running]]]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a client found: seconds of each step and of each round, by side."""

    steps: dict[str, list[float]]
    rounds: dict[str, list[float]]


def _sides(ground: Ground) -> dict[str, Side]:
    from tests.benchmarks.approval_sides import Floor, Ours, Peer

    return {"ours": Ours(ground), "floor": Floor(ground), "peer": Peer(ground)}


def _client(ground: Ground, work: Work, barrier: Barrier, found: Any) -> None:
    """A process of its own, as a web worker is: the sides take turns, all clients on the same one."""
    from tests import stack

    stack.start_for_benchmarks()
    register()
    from tenants.context import use_tenant

    told = _Told({side: [] for side in SIDES}, {side: [] for side in SIDES})
    with use_tenant(ground.tenant):
        sides = _sides(ground)
        for turn in range(_ROUNDS + 1):
            for name, side in sides.items():
                barrier.wait()
                began = time.perf_counter()
                spent = []
                for running in work[name][turn]:
                    for number in range(STEPS_EACH):
                        started = time.perf_counter()
                        side.step(running, number)
                        spent.append(time.perf_counter() - started)
                barrier.wait()
                if turn:  # The first turn warms up.
                    told.steps[name] += spent
                    told.rounds[name].append(time.perf_counter() - began)
    found.put(told)


def _statements(ground: Ground) -> int:
    """How many statements one step sends, transaction control included."""
    from django.db import connection, reset_queries

    from tests.benchmarks.approval_sides import Ours

    running = start(ground, 1)[0]
    ours = Ours(ground)
    ours.step(running, 0)
    connection.force_debug_cursor = True
    reset_queries()
    try:
        ours.step(running, 1)
        return len(connection.queries_log)
    finally:
        connection.force_debug_cursor = False


def _same_rows(ground: Ground) -> None:
    """The floor must write what the product writes, or it is none: rows of each table by one step.

    Raises:
        AssertionError: they differ.
    """
    from django.conf import settings

    from tests.benchmarks.approval_sides import Peer
    from tests.benchmarks.tenancy_ground import superuser

    tables = ("approvals_task", "approvals_opinion", "approvals_flowevent", "audit_record", "cell.procrastinate_jobs")
    every = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)

    def rows() -> list[int]:
        with superuser(str(settings.DATABASES["default"]["NAME"])) as connection:
            connection.execute(f"SET search_path = {ground.tenant.schema}")
            return list(connection.execute(f"SELECT {every}").fetchone() or ())

    grown = {}
    for name, side in _sides(ground).items():
        running = start(ground, 1)
        if isinstance(side, Peer):
            side.start(running)
        before = rows()
        side.step(running[0], 0)
        grown[name] = tuple(after - was for after, was in zip(rows(), before, strict=True))
    if len(set(grown.values())) != 1:
        message = f"the sides write different rows: {grown}"
        raise AssertionError(message)


def _measure(clients: int) -> Figure:
    from tests.benchmarks.approval_sides import Peer

    register()
    with bureau() as ground:
        statements = _statements(ground)
        _same_rows(ground)
        works: list[Work] = []
        for _client_number in range(clients):
            works.append({side: [start(ground, _INSTANCES[clients]) for _ in range(_ROUNDS + 1)] for side in SIDES})
        peer = Peer(ground)
        peer.start([one for work in works for batch in work["peer"] for one in batch])
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(clients)
        found = context.Queue()
        processes = [context.Process(target=_client, args=(ground, work, barrier, found)) for work in works]
        for process in processes:
            process.start()
        told: list[_Told] = [found.get(timeout=300) for _ in processes]
        for process in processes:
            process.join()
        peer.connection.close()
    steps = clients * _INSTANCES[clients] * STEPS_EACH
    # The median of the rounds' rates: a burst of somebody else's work spoils a round, not the figure.
    rate = {
        side: statistics.median(steps / max(one.rounds[side][turn] for one in told) for turn in range(_ROUNDS))
        for side in SIDES
    }
    taken = sorted(seconds * 1000 for one in told for seconds in one.steps["ours"])
    note = (
        f"{statements} statements a step with BEGIN and COMMIT; one step p50 {statistics.median(taken):.1f} ms,"
        f" p95 {statistics.quantiles(taken, n=20)[-1]:.1f} ms; {clients} processes, floor and peer in turns with it;"
        " floor: two bare statements and a commit for the same rows"
    )
    return Figure(
        name=f"approval_steps_{clients}",
        value=rate["ours"],
        unit="steps/s",
        floor=rate["floor"],
        peer=rate["peer"],
        note=note,
    )


FIGURES: dict[str, Benchmark] = {
    "approval_steps_1": functools.partial(_measure, 1),
    "approval_steps_8": functools.partial(_measure, 8),
}
