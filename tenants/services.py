"""Changes of a bureau's life in this cell; made by the agent, as the owner."""

from __future__ import annotations

from django.db import connections, transaction
from django.utils.translation import gettext as _

from saas.core.actors import SYSTEM, Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict, NotFound
from tenants.context import use_tenant
from tenants.database.base import OWNER_ALIAS
from tenants.models import Bureau, State


def suspend(code: str, *, by: Actor = SYSTEM) -> Bureau:
    """Stop serving a bureau: its hosts answer 403 and its jobs wait. Twice is once.

    Raises:
        NotFound: the cell serves no such bureau.
        Conflict: it is still being made, or closing.
    """
    return _change(code, to=State.SUSPENDED, event=Event.BUREAU_SUSPENDED, by=by)


def resume(code: str, *, by: Actor = SYSTEM) -> Bureau:
    """Serve a suspended bureau again; its jobs go on. Twice is once.

    Raises:
        NotFound: the cell serves no such bureau.
        Conflict: it is still being made, or closing.
    """
    return _change(code, to=State.ACTIVE, event=Event.BUREAU_RESUMED, by=by)


def _change(code: str, *, to: State, event: Event, by: Actor) -> Bureau:
    with transaction.atomic(using=OWNER_ALIAS):
        bureau = Bureau.objects.using(OWNER_ALIAS).select_for_update().filter(code=code).first()
        if bureau is None:
            raise NotFound(_("没有代码为“%(code)s”的单位。") % {"code": code})
        if bureau.state == to:
            return bureau
        if bureau.state not in (State.ACTIVE, State.SUSPENDED):
            raise Conflict(_("单位“%(name)s”正在开通或注销，暂不能停用或恢复。") % {"name": bureau.name})
        bureau.state = to
        bureau.save(using=OWNER_ALIAS, update_fields=["state"])
        _hold_jobs(bureau.schema_name, state=to)
        # The trail is written over another connection and first: killed in between, the act is done again and the
        # trail tells it twice; the other way round it would never tell it.
        with use_tenant(bureau), transaction.atomic():
            record(event, by=by, target=Target("bureau", bureau.id, bureau.name))
    return bureau


def _hold_jobs(schema: str, *, state: State) -> None:
    """Workers pass over the jobs of a tenant that stands in ``cell.suspended``."""
    with connections[OWNER_ALIAS].cursor() as cursor:
        if state == State.SUSPENDED:
            cursor.execute("INSERT INTO cell.suspended (tenant) VALUES (%s) ON CONFLICT DO NOTHING", [schema])
        else:
            cursor.execute("DELETE FROM cell.suspended WHERE tenant = %s", [schema])
            cursor.execute("SELECT pg_notify('procrastinate_any_queue', '')")
