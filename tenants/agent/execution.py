"""Carries out a verified command; each kind can be repeated without harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import connections
from django.utils.translation import gettext as _

from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.errors import NotFound
from saas.core.jobs.services import job_repeat
from saas.env import env
from tenants import services
from tenants.context import use_tenant
from tenants.database.base import OWNER_ALIAS
from tenants.models import Bureau
from tenants.protocol import CommandText, Kind
from tenants.provisioning import runner
from tenants.provisioning.create import BureauOrder, bureau_provision

Progress = Callable[[int, str], None]
Result = dict[str, Any]


def execute(command: CommandText, progress: Progress) -> Result:
    """Do it.

    Args:
        command: verified.
        progress: called with percent done and the step.

    Raises:
        YunshuError: a rule or a missing part stopped it; nothing is half-done.
    """
    return _KINDS[command.kind](command.payload, progress)


def order_from(payload: Mapping[str, Any]) -> BureauOrder:
    """The order a create command carries.

    Raises:
        ValueError: a value cannot be read.
        KeyError: a value is missing.
    """
    return BureauOrder(
        id=UUID(payload["id"]),
        code=payload["code"],
        name=payload["name"],
        short_name=payload["short_name"],
        schema=payload["schema"],
        division_code=payload["division_code"],
        level=payload["level"],
        parent_code=payload["parent_code"],
        plan=payload["plan"],
        administrator_hashes={Role(role): text for role, text in payload["administrator_hashes"].items()},
    )


def _create(payload: Mapping[str, Any], progress: Progress) -> Result:
    bureau = bureau_provision(order_from(payload), progress=progress)
    hosts = bureau.host_names.using(OWNER_ALIAS).order_by("host").values_list("host", flat=True)
    return {"code": bureau.code, "addresses": [_address(host) for host in hosts]}


def _address(host: str) -> str:
    """Where a browser finds `host` in this zone."""
    port = f":{env.public_port}" if env.public_port else ""
    return f"{env.public_scheme}://{host}{port}/"


def _suspend(payload: Mapping[str, Any], _progress: Progress) -> Result:
    return {"state": services.suspend(payload["code"]).state}


def _resume(payload: Mapping[str, Any], _progress: Progress) -> Result:
    return {"state": services.resume(payload["code"]).state}


def _migrate(payload: Mapping[str, Any], progress: Progress) -> Result:
    outcomes = runner.bureaus_migrate(only=payload["code"], progress=progress)
    failed = [{"code": item.code, "error": item.error} for item in outcomes if item.error]
    return {"migrated": len(outcomes) - len(failed), "failed": failed}


def _retry_job(payload: Mapping[str, Any], _progress: Progress) -> Result:
    job_id = int(payload["job_id"])
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute("SELECT tenant, status::text FROM cell.procrastinate_jobs WHERE id = %s", [job_id])
        found = cursor.fetchone()
    if found is None:
        raise NotFound(_("没有这个失败的任务，可能已被重新执行。"))
    tenant, status = found
    if status == "failed":
        # As its bureau, so that the bureau's trail tells of it in the same transaction.
        with use_tenant(Bureau.objects.using(OWNER_ALIAS).get(schema_name=tenant)):
            job_repeat(job_id=job_id, by=SYSTEM)
    return {"job_id": job_id}


_KINDS: dict[Kind, Callable[[Mapping[str, Any], Progress], Result]] = {
    Kind.CREATE: _create,
    Kind.SUSPEND: _suspend,
    Kind.RESUME: _resume,
    Kind.MIGRATE: _migrate,
    Kind.RETRY_JOB: _retry_job,
}
