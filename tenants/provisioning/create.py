"""Makes a bureau: keys, schema, role, administrators, registry; wholly, or nothing is left."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.core.access import Role
from saas.core.actors import SYSTEM, Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Conflict
from saas.core.keys import create_tenant_keys, destroy_tenant_keys
from saas.core.tenancy import TenantRef
from tenants.context import use_tenant
from tenants.database.base import OWNER_ALIAS
from tenants.database.owner import owner_connection
from tenants.middleware import host_names
from tenants.models import Bureau, HostName, State
from tenants.provisioning import first_accounts, scripts, sql
from tenants.provisioning.recording import Script

logger = logging.getLogger(__name__)
Progress = Callable[[int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BureauOrder:
    """What management asks a cell to make.

    Args:
        id: the bureau's id, the same in every zone.
        code: its human name, first label of its host.
        schema: its opaque name, the same in every zone.
        administrator_hashes: password hashes of the three administrators (Django's encoded form).
    """

    id: UUID
    code: str
    name: str
    schema: str
    division_code: str
    level: str
    parent_code: str = ""
    short_name: str = ""
    plan: str = ""
    administrator_hashes: Mapping[Role, str] = field(default_factory=dict, repr=False)

    @property
    def ref(self) -> TenantRef:
        """The bureau as the layers below know it."""
        return TenantRef(id=self.id, schema=self.schema, code=self.code, name=self.name)


def new_schema_name() -> str:
    """An opaque, unused-looking name: every role can list schema names in the catalog."""
    return f"b_{secrets.token_hex(6)}"


def _silent(percent: int, step: str) -> None:
    """Nobody watches."""


def bureau_provision(order: BureauOrder, *, by: Actor = SYSTEM, progress: Progress = _silent) -> Bureau:
    """Make the bureau in this cell, or find it made.

    Repeatable: leftovers of a try that was killed half-way are removed first.

    Args:
        order: from a verified command, or a test.
        by: who the bureau's first audit record names.
        progress: called with percent done and what is being done.

    Raises:
        Conflict: another bureau has the code or the schema name.
        Unavailable: Vault or the database is away; nothing is left.
    """
    existing = _begin(order)
    if existing is not None:
        return existing
    try:
        progress(10, _("建立密钥"))
        # Vault and PostgreSQL need nothing of each other here, and each waits mostly for its disk.
        with ThreadPoolExecutor(max_workers=1) as beside:
            keys = beside.submit(create_tenant_keys, order.ref)
            progress(30, _("准备数据结构"))
            digest, script = scripts.whole_schema()
            progress(50, _("建立数据空间"))
            _make_schema(order.schema, script)
            keys.result()
        progress(80, _("建立三名管理员"))
        with use_tenant(order.ref), transaction.atomic():
            if order.administrator_hashes:
                first_accounts.create(hashes=dict(order.administrator_hashes), by=by)
            record(Event.BUREAU_CREATED, by=by, target=Target("bureau", order.id, order.name))
        progress(95, _("登记网址"))
        return _finish(order, digest)
    except BaseException:
        bureau_remove(order.ref)
        raise


def _begin(order: BureauOrder) -> Bureau | None:
    """Enter the bureau as being made, so that a killed try leaves a trace to clean up by."""
    found = Bureau.objects.using(OWNER_ALIAS).filter(id=order.id).first()
    if found is not None and found.state != State.CREATING:
        return found
    others = Bureau.objects.using(OWNER_ALIAS).exclude(id=order.id)
    if others.filter(code=order.code).exists() or others.filter(schema_name=order.schema).exists():
        raise Conflict(_("单位代码“%(code)s”已被使用。") % {"code": order.code}, code="bureau.exists")
    if found is not None:
        bureau_remove(found.ref)
    Bureau.objects.using(OWNER_ALIAS).create(
        id=order.id,
        code=order.code,
        name=order.name,
        short_name=order.short_name,
        division_code=order.division_code,
        level=order.level,
        parent_code=order.parent_code,
        plan=order.plan,
        schema_name=order.schema,
    )
    return None


def _make_schema(schema: str, script: Script) -> None:
    with owner_connection() as owner:
        version = owner.info.server_version
        tables = sql.schema_open(schema) + script.statements
        owner.execute(
            "BEGIN;\n"
            + sql.role(schema, server_version=version)
            + tables
            + sql.recorded(script.migrations)
            + sql.restricted(schema, script=tables)
            + "COMMIT"
        )


def _finish(order: BureauOrder, digest: str) -> Bureau:
    with transaction.atomic(using=OWNER_ALIAS):
        bureau = Bureau.objects.using(OWNER_ALIAS).select_for_update().get(id=order.id)
        for host in host_names(order.code):
            HostName.objects.using(OWNER_ALIAS).create(host=host, bureau=bureau)
        bureau.state = State.ACTIVE
        bureau.migrated_to = digest
        bureau.migrated_at = timezone.now()
        bureau.save(using=OWNER_ALIAS)
    return bureau


def bureau_remove(ref: TenantRef) -> None:
    """Remove whatever exists of a bureau that was never at work: schema, role, keys, registry rows."""
    # A session left in a dropped role would look right to a bureau made again under the same name, and read nothing.
    if not connection.in_atomic_block:
        connection.close()
    with owner_connection() as owner:
        owner.execute("BEGIN;\n" + sql.drop(ref.schema) + "COMMIT")
    try:
        destroy_tenant_keys(ref)
    except Exception:
        # Keys nobody can name protect nothing; the next try makes them anew under the same name.
        logger.exception("the keys of a bureau that was not made could not be removed")
    Bureau.objects.using(OWNER_ALIAS).filter(id=ref.id).delete()
