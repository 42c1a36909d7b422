"""What the engine does without anybody: automatic acts, and reminders when a limit comes near or has passed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.approvals import store
from saas.approvals.definition import Automatic
from saas.approvals.engine.commands import Act, Command
from saas.approvals.engine.state import HoldReason, Status
from saas.approvals.registry import action_of
from saas.approvals.services.limits import check_limits
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
        if loaded is None or not _is_due(loaded, node, act_number):
            return
        definition = loaded.flow.node(node)
        if not isinstance(definition, Automatic):
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


@job(queue="approvals", attempts=5)
def automatic_watch(*, instance_id: str, node: str, act_number: int) -> None:
    """Name an automatic act that came to no end, because its job was given up after all its tries.

    Args:
        instance_id: the instance.
        node: its automatic node.
        act_number: the act that entered it.
    """
    with transaction.atomic():
        loaded = store.lock(UUID(instance_id))
        if loaded is None or not _is_due(loaded, node, act_number):
            return
        now, act = timezone.now(), Act.AUTOMATIC_FAILED
        failed = _("自动办理一直没有完成，请查明原因后重试。")
        entry = store.Record(act=act, by=SYSTEM, now=now, node=node, detail={"reason": failed})
        run(loaded, Command(act=act, now=now, node=node, detail=failed), entry)


def _is_due(loaded: store.Loaded, node: str, act_number: int) -> bool:
    """Whether the flow still waits for the automatic act it was entered with."""
    active = loaded.state.active.get(node)
    if loaded.state.status is not Status.RUNNING or active is None or active.opened_by != act_number:
        return False
    return active.hold is not None and active.hold.reason is HoldReason.AUTOMATIC


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


@periodic(every=timedelta(minutes=10))
def limits_check() -> None:
    """Tell of limits that are near or have passed, and do what their nodes say about it."""
    check_limits(timezone.now())
