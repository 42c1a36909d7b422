"""What the engine does without anybody: automatic acts, and reminders when a limit comes near or has passed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from saas.approvals import store
from saas.approvals.definition import Automatic
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.state import HoldReason, Status
from saas.approvals.registry import action_of
from saas.approvals.services.running import run
from saas.core.actors import SYSTEM
from saas.core.errors import YunshuError
from saas.core.jobs import job, periodic


@job(queue="approvals", attempts=5)
def automatic_run(*, instance_id: str, node: str, act_number: int) -> None:
    """Run a node's automatic act and move on; a refusal holds the node with its reason.

    Args:
        instance_id: the instance.
        node: its automatic node.
        act_number: the act that entered it; a job of an earlier entry does nothing.
    """
    with transaction.atomic():
        loaded = store.lock(UUID(instance_id))
        if loaded is None or loaded.state.status is not Status.RUNNING:
            return
        active = loaded.state.active.get(node)
        definition = loaded.flow.places.get(node) and loaded.flow.node(node)
        if active is None or active.opened_by != act_number or not isinstance(definition, Automatic):
            return
        if active.hold is None or active.hold.reason is not HoldReason.AUTOMATIC:
            return
        failed = _run_action(definition.action, loaded)
        act = Act.AUTOMATIC_FAILED if failed else Act.AUTOMATIC_DONE
        now = timezone.now()
        entry = store.Record(
            act=act,
            by=SYSTEM,
            now=now,
            node=node,
            idempotency_key=f"auto:{instance_id}:{node}:{act_number}",
            detail={"reason": failed},
        )
        run(loaded, Command(act=act, now=now, node=node, detail=failed), entry)


def _run_action(name: str, loaded: store.Loaded) -> str:
    action = action_of(name)
    if action is None:
        return name
    try:
        with transaction.atomic():
            action(loaded.header.ref(loaded.state))
    except YunshuError as error:
        if error.status >= 500:
            raise  # Something is away; the job is tried again.
        return str(error.message)
    return ""


_DUE = """
INSERT INTO approvals_flowevent (instance_id, act_number, act, idempotency_key, task_id, node, actor_label, detail, at)
SELECT t.instance_id, 0, %(act)s, %(act)s || ':' || t.id, t.id, t.node, %(label)s, '{}'::jsonb, %(now)s
FROM approvals_task t JOIN approvals_instance i ON i.id = t.instance_id AND i.status = 'running'
WHERE t.state = 'open' AND t.due_at <= %(until)s
  AND NOT EXISTS (SELECT 1 FROM approvals_flowevent e WHERE e.idempotency_key = %(act)s || ':' || t.id)
ON CONFLICT (idempotency_key) DO NOTHING
"""
DUE_SOON, OVERDUE = "due_soon", "overdue"


@periodic(every=timedelta(minutes=10))
def limits_check() -> None:
    """Record once per task that its limit is near, and that it has passed.

    A task is made anew on every entry of a node, so a limit is armed anew by itself.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        for act, until in ((DUE_SOON, now + timedelta(hours=4)), (OVERDUE, now)):
            cursor.execute(_DUE, {"act": act, "until": until, "now": now, "label": SYSTEM.label})
