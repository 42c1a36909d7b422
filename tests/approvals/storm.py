"""Processes of a storm: clerks that act without end, and job workers; made to be killed.

Run as a program it forks one process per line of its input, so that two hundred of them are affordable: ``web SLOT``
and ``jobs`` are answered with the process id; ``reap`` with those that have ended. Each opens its own connections.
"""

from __future__ import annotations

import json
import os
import random
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

MARK = "storm_mark"
FLOW = "storm"
MOST_RUNNING = 30
ACTS = (
    ["agree"] * 30
    + ["return"] * 3
    + ["transfer", "add_before", "add_beside", "add_after", "delegate"] * 2
    + ["disagree", "circulate", "withdraw", "withdraw"]
)


def mark(instance: Any) -> None:
    """The automatic act of the storm's flows: leaves one row each time it is done."""
    from saas.approvals.models import Phrase

    Phrase.objects.create(person_id=instance.id, text=uuid.uuid4().hex)


class Notes:
    """What a clerk has begun and what was acknowledged; written by one system call each, so a kill tears nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def write(self, **note: Any) -> None:
        """Add a line."""
        os.write(self.file, json.dumps(note).encode() + b"\n")

    def unfinished(self) -> list[dict[str, Any]]:
        """What was begun and neither acknowledged nor refused."""
        begun: dict[str, dict[str, Any]] = {}
        for note in read_notes(self.path):
            if note["note"] == "begun":
                begun[note["key"]] = note
            else:
                begun.pop(note["key"], None)
        return list(begun.values())


def read_notes(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line of a clerk's notes."""
    for line in path.read_text().splitlines():
        yield json.loads(line)


class Clerk:
    """Acts in whatever post a task asks for."""

    def __init__(self, notes: Notes, seed: int) -> None:
        self.notes = notes
        self.random = random.Random(seed)

    def work(self) -> None:
        """First what a former life left unfinished, then anything, without end."""
        for wish in self.notes.unfinished():
            self.carry_out(wish)
        while True:
            found = self.wish()
            if found is not None:
                self.notes.write(note="begun", **found)
                self.carry_out(found)

    def wish(self) -> dict[str, Any] | None:
        """Something to do, found in the lists everybody sees."""
        from saas.approvals.models import Instance, Task
        from saas.organisation.models import Appointment, Post

        key = uuid.uuid4().hex
        if Instance.objects.filter(parent_id__isnull=True, status="running").count() < self.random.randint(
            1, MOST_RUNNING
        ):
            return {"key": key, "act": "start", "subject": str(uuid.uuid4())}
        act = self.random.choice(ACTS)
        rows = (
            Task.objects.filter(state="done", vote="agree") if act == "withdraw" else Task.objects.filter(state="open")
        )
        row = rows.order_by("?").values_list("id", "assignee_id", "done_by", "node").first()
        if row is None:
            return None
        holder = Appointment.objects.filter(post_id=row[1]).order_by("?").values_list("person_id", flat=True).first()
        to = Post.objects.filter(name__startswith="岗位p").order_by("?").values_list("id", flat=True).first()
        return {"key": key, "act": act, "task": str(row[0]), "by": str(row[2] or holder), "to": str(to)}

    def carry_out(self, wish: dict[str, Any]) -> None:
        """Do it, and note that it was acknowledged, refused, or went wrong."""
        from saas.core.errors import YunshuError

        try:
            instance = self.call(wish)
        except YunshuError as error:
            self.notes.write(note="refused" if error.status < 500 else "wrong", key=wish["key"], why=str(error.message))
        except Exception as error:
            self.notes.write(note="wrong", key=wish["key"], why=repr(error)[:500])
        else:
            self.notes.write(note="done", key=wish["key"], act=wish["act"], instance=str(instance))

    @staticmethod
    def call(wish: dict[str, Any]) -> UUID:
        """The service of a wish; the same wish is the same act."""
        from saas.approvals.engine import Act, Assignee, AssigneeKind
        from saas.approvals.registry import Subject
        from saas.approvals.services import Target, act, start_flow, withdraw
        from saas.core.actors import Actor
        from saas.organisation.acting import as_actor
        from saas.organisation.models import Appointment, Person

        if wish["act"] == "start":
            first = Appointment.objects.select_related("person", "post__unit").get(post__name="岗位drafter")
            subject = Subject(kind="storm", id=UUID(wish["subject"]), title="风暴")
            return start_flow(flow_key=FLOW, subject=subject, by=as_actor(first), idempotency_key=wish["key"])
        person = Person.objects.get(id=wish["by"])
        by = Actor(user_id=None, user_name=person.name, person_id=person.id)
        task_id = UUID(wish["task"])
        if wish["act"] == "withdraw":
            return withdraw(task_id=task_id, by=by, idempotency_key=wish["key"]).instance_id
        to = (Assignee(AssigneeKind.POST, UUID(wish["to"])),)
        what = Act(wish["act"])
        target = Target(to=() if what in {Act.AGREE, Act.DISAGREE, Act.RETURN} else to)
        done = act(task_id=task_id, act=what, by=by, idempotency_key=wish["key"], opinion="如下", target=target)
        return done.instance_id


def _web(bureau: str, slot: int, folder: Path, seed: int) -> None:
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code

    with use_tenant(bureau_by_code(bureau)):
        Clerk(Notes(folder / f"clerk{slot}.jsonl"), seed).work()


def _jobs() -> None:
    from django.core.management import call_command

    from saas.core.jobs import worker

    # A dead worker's jobs are taken back soon enough for a test to wait for it.
    worker.HEARTBEAT_SECONDS, worker.STALLED_SECONDS = 0.5, 3.0
    call_command("work", concurrency=2)


def main() -> None:
    """Fork what is asked for; end with the input."""
    import django

    bureau, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    django.setup()
    from saas.approvals import registry

    registry.register_action(MARK, "留痕", mark)
    for count, line in enumerate(sys.stdin):
        what, *rest = line.split()
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            try:
                _web(bureau, int(rest[0]), folder, seed * 100_000 + count) if what == "web" else _jobs()
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
