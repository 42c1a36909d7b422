"""Processes die at any moment while many act: nothing acknowledged is lost, nothing is done twice, nothing is stuck."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection

from saas.approvals import registry, store
from saas.approvals.engine import invariants
from saas.approvals.jobs import automatic_run
from saas.approvals.models import FlowEvent, Instance, Opinion, Phrase
from saas.approvals.models import Task as TaskRow
from saas.core.audit.models import AuditRecord
from saas.core.jobs.registry import registered
from saas.core.tenancy import TenantRef
from tenants.context import outside_tenants
from tests.approvals.office import Office, install
from tests.approvals.storm import FLOW, MARK, Clerk, Notes, mark, read_notes

CLERKS, WORKERS = 4, 2
ENDS_TASK = frozenset({"agree", "disagree", "return", "transfer", "add_after"})


class Storm:
    """Clerks and job workers as processes of their own, each killed sooner or later."""

    def __init__(self, bureau: TenantRef, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.mother = subprocess.Popen(
            [sys.executable, "-m", "tests.approvals.storm", bureau.code, str(folder), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "errors.txt").open("w"),
            text=True,
            bufsize=1,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "saas.settings"},
        )
        self.alive: dict[int, str] = {}
        self.killed: Counter[str] = Counter()

    def begin(self, what: str) -> None:
        """One more process."""
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        self.mother.stdin.write(f"{what}\n")
        answer = self.mother.stdout.readline()
        assert answer, (self.folder / "errors.txt").read_text()[-3000:]
        self.alive[int(answer)] = what

    def kill(self, pid: int) -> str:
        """As the kernel does it: without a word."""
        what = self.alive.pop(pid)
        os.kill(pid, signal.SIGKILL)
        self.killed[what.split()[0]] += 1
        return what

    def rage(self, kills: int) -> None:
        """Kill, and begin anew, at random moments; clerks more often than workers, which take longer to begin."""
        for slot in range(CLERKS):
            self.begin(f"web {slot}")
        for _worker in range(WORKERS):
            self.begin("jobs")
        time.sleep(2)
        for kill in range(kills):
            time.sleep(self.random.uniform(0.02, 0.4))
            kind = "jobs" if kill % 5 == 4 else "web"
            victims = [pid for pid, what in self.alive.items() if what.startswith(kind)]
            self.begin(self.kill(self.random.choice(victims)))
        for pid in [pid for pid, what in self.alive.items() if what.startswith("web")]:
            self.kill(pid)

    def end(self) -> None:
        """Nothing of it stays."""
        for pid in list(self.alive):
            with contextlib.suppress(ProcessLookupError):
                self.kill(pid)
        assert self.mother.stdin is not None
        self.mother.stdin.close()
        self.mother.wait(timeout=30)


@pytest.fixture
def storm(committed: TenantRef, tmp_path: Path) -> Iterator[Storm]:
    office = Office()
    for name in ("drafter", "p1", "p2", "p3", "p4", "p5"):
        office.post(name)
    office.appoint("p1", "p2")
    registry.register_action(MARK, "留痕", mark)
    marked = {"kind": "automatic", "name": "留痕", "action": MARK}
    install("storm_child", office.approve("inner", "p2"), {**marked, "key": "inner_mark"})
    branches = [
        [office.approve("x", "p3"), {**marked, "key": "x_mark"}],
        [office.approve("y", "p4", "p5", mode="number", number=1), _SUB],
    ]
    fork = {
        "kind": "parallel",
        "key": "fork",
        "name": "并行",
        "branches": [{"name": str(n), "nodes": nodes} for n, nodes in enumerate(branches)],
    }
    install(FLOW, office.approve("one", "p1", "p2", mode="all"), fork, office.approve("last", "p5", "p1", mode="order"))
    raging = Storm(committed, tmp_path, seed=random.SystemRandom().randrange(10_000))
    try:
        yield raging
    finally:
        raging.end()
        registry._actions.pop(MARK, None)


_SUB = {"kind": "subflow", "key": "sub", "name": "子流程", "flow": "storm_child"}


@pytest.mark.parametrize("kills", [pytest.param(12, id="12"), pytest.param(200, id="200", marks=pytest.mark.long)])
def test_processes_die_at_any_moment_and_nothing_is_lost_doubled_or_stuck(
    storm: Storm, committed: TenantRef, kills: int
) -> None:
    storm.rage(kills)
    assert sum(storm.killed.values()) >= kills
    clerks = [Notes(path) for path in sorted(storm.folder.glob("clerk*.jsonl"))]
    for clerk in clerks:
        for wish in clerk.unfinished():
            Clerk(clerk, 0).carry_out(wish)  # As a browser sends a form again that was never answered.
    wait_for_jobs(committed)
    notes = [note for clerk in clerks for note in read_notes(clerk.path)]
    assert [note for note in notes if note["note"] == "wrong"] == []
    done = {note["key"]: UUID(note["instance"]) for note in notes if note["note"] == "done"}
    assert len(done) > kills
    print(f"{storm.killed} killed; {len(done)} acts acknowledged, {Counter(note['note'] for note in notes)}")
    nothing_lost(done)
    nothing_doubled()
    nothing_stuck()


def wait_for_jobs(bureau: TenantRef) -> None:
    """Until no job of the flows waits or runs: those of dead workers are taken back by the living."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with outside_tenants(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE status IN ('todo', 'doing')), count(*) FILTER (WHERE status = 'failed') "
                "FROM cell.procrastinate_jobs WHERE tenant = %s AND task_name = %s",
                [bureau.schema, registered(automatic_run).name],
            )
            waiting, failed = cursor.fetchone()
        if not waiting:
            assert failed == 0
            return
        time.sleep(0.3)
    raise AssertionError(f"{waiting} jobs still wait")


def nothing_lost(done: dict[str, UUID]) -> None:
    rows = dict(FlowEvent.objects.filter(idempotency_key__in=done).values_list("idempotency_key", "instance_id"))
    assert rows == done


def nothing_doubled() -> None:
    """Every act has its number once, its audit record, and one end for each task; each mark was made once."""
    acts = Counter(FlowEvent.objects.filter(act_number__gt=0).values_list("instance_id", flat=True))
    ended: Counter[UUID] = Counter()
    for task_id, act in FlowEvent.objects.values_list("task_id", "act"):
        if task_id is not None:
            ended[task_id] += (act in ENDS_TASK) - (act == "withdraw")
    assert max(ended.values()) <= 1
    marks = Counter(Phrase.objects.values_list("person_id", flat=True))
    marked = Counter(FlowEvent.objects.filter(act="automatic_done").values_list("instance_id", flat=True))
    assert marks == marked
    audited = Counter(
        AuditRecord.objects.filter(target_kind="flow").exclude(event="flow.stuck").values_list("target_id", flat=True)
    )
    assert audited == Counter({str(one): count for one, count in acts.items()})
    for row in Instance.objects.all():
        numbers = FlowEvent.objects.filter(instance_id=row.id, act_number__gt=0).values_list("act_number", flat=True)
        assert sorted(numbers) == list(range(1, row.live["acts"] + 1))
    said = FlowEvent.objects.filter(act__in=["agree", "disagree", "return"]).count()
    assert Opinion.objects.filter(act__in=["agree", "disagree", "return"]).count() == said
    roots = Instance.objects.filter(parent_id__isnull=True).values_list("subject_id", flat=True)
    assert len(roots) == len(set(roots))


def nothing_stuck() -> None:
    """Every open instance has somebody with a task; no automatic act and no sub-flow is waited for in vain."""
    for row in Instance.objects.all():
        loaded = store.read(row.id)
        assert loaded is not None
        assert invariants.check(loaded.flow, loaded.state) == []
        reasons = {key: at.hold.reason.value for key, at in loaded.state.active.items() if at.hold}
        children = Instance.objects.filter(parent_id=row.id, status__in=["running", "suspended"])
        waiting = {key for key, reason in reasons.items() if reason == "sub_flow"}
        assert {child.parent_node for child in children} == waiting
        assert "automatic" not in reasons.values()
        if row.status == "running":
            assert children or TaskRow.objects.filter(instance_id=row.id, state="open").exists()
