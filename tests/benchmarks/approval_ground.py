"""What the approval figures are measured on: a bureau of their own with one flow and many running instances."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saas.core.actors import Actor
    from saas.core.tenancy import TenantRef

FLOW_KEY = "bench_steps"
KIND = "bench_step"
NODES = 5
# The last act would end the flow and make no next task: it is not a step as the figure means it.
STEPS_EACH = NODES - 1
OPINION = "已核，内容与依据相符，格式规范，拟同意，请领导审定。"


@dataclass(frozen=True, slots=True)
class Running:
    """An instance at its first node. `tasks` are the ids its tasks have or will have, in order."""

    id: uuid.UUID
    tasks: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where clients work: the bureau, its signers in the order of the nodes, and a job for each step."""

    tenant: TenantRef
    signers: tuple[Actor, ...]


def job_done(*, instance: str) -> None:
    """The job each step asks for; nothing runs it."""
    del instance


def register() -> None:
    """Make the subject known in this process: on every entry of a node it asks for one job."""
    from saas.approvals.registry import InstanceRef, NodeRef, SubjectHandler, register_subject
    from saas.core.jobs import enqueue, job

    class Handler(SubjectHandler):
        label = "测试"

        def on_entered(self, instance: InstanceRef, node: NodeRef) -> None:
            del node
            enqueue(job_done, instance=str(instance.id))

    job(queue="bench")(job_done)
    register_subject(KIND, Handler())


@contextmanager
def bureau() -> Iterator[Ground]:
    """A bureau whose five posts are the nodes of one flow; removed with all it holds."""
    from saas.core.tenancy import TenantRef
    from tenants.context import use_tenant
    from tests.benchmarks.tenancy_ground import many_bureaus, superuser

    with many_bureaus(1) as schemas:
        tenant = TenantRef(id=uuid.uuid4(), schema=schemas[0], code="bench-0", name="第0单位")
        try:
            with use_tenant(tenant):
                yield Ground(tenant, _signers())
        finally:
            from django.conf import settings

            with superuser(str(settings.DATABASES["default"]["NAME"])) as connection:
                connection.execute("SET search_path = cell")
                connection.execute("DELETE FROM cell.procrastinate_jobs WHERE tenant = %s", [tenant.schema])
                connection.execute("DELETE FROM cell.audit_pending WHERE schema_name = %s", [tenant.schema])


def _signers() -> tuple[Actor, ...]:
    """Five people with a post each, and the flow through them in order."""
    from saas.approvals.services import flow_install
    from saas.core.actors import SYSTEM
    from saas.organisation.acting import as_actor
    from saas.organisation.models import Appointment, Person, Post, PostKind, Unit, today

    unit = Unit.objects.create(code="bench", name="综合处")
    signers, nodes = [], []
    for number in range(NODES):
        post = Post.objects.create(unit=unit, name=f"岗位{number}", kind=PostKind.STAFF)
        person = Person.objects.create(staff_number=f"bench{number}", name=f"人员{number}")
        appointment = Appointment.objects.create(person=person, post=post, starts=today(), primary=True)
        signers.append(as_actor(appointment))
        who = [{"rule": "post", "id": str(post.id)}]
        nodes.append({"kind": "approve", "key": f"n{number}", "name": f"环节{number}", "who": who})
    start = {"kind": "start", "key": "start", "name": "拟稿"}
    end = {"kind": "end", "key": "end", "name": "结束"}
    flow_install(key=FLOW_KEY, name="测试流程", tree={"nodes": [start, *nodes, end]}, by=SYSTEM)
    return tuple(signers)


def start(ground: Ground, count: int) -> list[Running]:
    """Start instances; each stands at its first node.

    Raises:
        AssertionError: the engine no longer names tasks by count, which clients of the benchmark rely on.
    """
    from django.db import transaction

    from saas.approvals.models import Task
    from saas.approvals.registry import Subject
    from saas.approvals.services import start_flow

    made = []
    drafter = ground.signers[-1]
    with transaction.atomic():
        for number in range(count):
            subject = Subject(kind=KIND, id=uuid.uuid4(), title=f"关于第 {number} 项工作安排的通知")
            instance = start_flow(flow_key=FLOW_KEY, subject=subject, by=drafter)
            tasks = tuple(uuid.uuid5(instance, f"task:{n}") for n in range(2, NODES + 2))
            made.append(Running(instance, tasks))
    if not Task.objects.filter(id=made[-1].tasks[0], state="open").exists():
        message = "the first task of an instance is not the one expected"
        raise AssertionError(message)
    return made
