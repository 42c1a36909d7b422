"""One step of an approval in three ways on the same tables: the product's, bare SQL, and SpiffWorkflow's."""

from __future__ import annotations

import itertools
import json
import logging
import os
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg

from tests.benchmarks.approval_ground import FLOW_KEY, KIND, NODES, OPINION, Ground, Running


class Side(Protocol):
    """A way of doing a step."""

    def step(self, running: Running, number: int) -> None:
        """Do the `number`-th step of an instance, committed."""


class Ours:
    """The product's own service, as a view calls it."""

    def __init__(self, ground: Ground) -> None:
        self._signers = ground.signers

    def step(self, running: Running, number: int) -> None:
        from saas.approvals.engine import Act
        from saas.approvals.services import act

        key = uuid.uuid4().hex
        act(
            task_id=running.tasks[number],
            act=Act.AGREE,
            by=self._signers[number],
            idempotency_key=key,
            opinion=OPINION,
        )


_READ = """
SELECT i.id, i.version_id, i.flow_key, i.subject_kind, i.subject_id, i.title, i.number, i.urgency, i.status, i.live,
       i."values", i.drafter_person_id, i.drafter_post_id, i.drafter_label, t.node, t.round, t.state, t.assignee_id
FROM approvals_task t JOIN approvals_instance i ON i.id = t.instance_id
WHERE t.id = %s FOR UPDATE OF i
"""
# One statement writes all rows of a step: several statements, even in a pipeline, take longer.
_WRITE = """
WITH done AS (
    UPDATE approvals_task SET state = 'done', vote = 'agree', closed_by = %(number)s, done_by = %(person)s,
        done_post = %(post)s, done_at = %(now)s WHERE id = %(task)s
), made AS (
    INSERT INTO approvals_task (id, instance_id, node, node_name, round, kind, state, was, vote, assignee_kind,
        assignee_id, "order", opened_by, closed_by, seen, opened_at, subject_kind, flow_key, title, number, urgency,
        from_label, bulk)
    VALUES (%(next_task)s, %(instance)s, %(next_node)s, %(next_name)s, 1, 'own', 'open', '', '', 'post', %(next_post)s,
        1, %(number)s, 0, false, %(now)s, %(kind)s, %(flow)s, %(title)s, '', 0, %(from)s, false)
), said AS (
    INSERT INTO approvals_opinion (instance_id, task_id, node, node_name, act, text, person_id, post_id, person_name,
        post_name, unit_name, on_behalf_of, at)
    VALUES (%(instance)s, %(task)s, %(node)s, %(name)s, 'agree', %(opinion)s, %(person)s, %(post)s, %(person_name)s,
        %(post_name)s, %(unit_name)s, '', %(now)s)
), logged AS (
    INSERT INTO approvals_flowevent (instance_id, act_number, act, idempotency_key, task_id, node, person_id,
        actor_label, detail, at)
    VALUES (%(instance)s, %(number)s, 'agree', %(key)s, %(task)s, %(node)s, %(person)s, %(label)s, '{}', %(now)s)
), audited AS (
    INSERT INTO audit_record (id, at, event, urgent, user_id, user_name, person_id, appointment_id, post_id, post_name,
        unit_id, unit_name, on_behalf_of, ip, request_id, target_kind, target_id, target_label, detail)
    VALUES (%(record)s, %(now)s, 'task.acted', false, NULL, %(person_name)s, %(person)s, %(appointment)s, %(post)s,
        %(post_name)s, %(unit)s, %(unit_name)s, '', '', '', 'flow', %(instance)s::text, %(title)s, %(detail)s)
), queued AS (
    INSERT INTO cell.procrastinate_jobs (tenant, queue_name, task_name, args)
    VALUES (%(schema)s, 'bench', 'tests.benchmarks.approval_ground.job_done', %(arguments)s)
)
UPDATE approvals_instance SET live = %(live)s, changed_at = %(now)s WHERE id = %(instance)s
"""


class Floor:
    """The same rows by bare psycopg: lock and read, one statement that writes everything, commit."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.connection = psycopg.connect(os.environ["OWNER_DATABASE_URL"], prepare_threshold=1)
        self.connection.execute(f"SET search_path = {ground.tenant.schema}, cell, extensions")
        self.connection.commit()

    def step(self, running: Running, number: int) -> None:
        cursor = self.connection.cursor()
        row = cursor.execute(_READ, [running.tasks[number]]).fetchone()
        if row is None or row[16] != "open":
            message = "the task is not open"
            raise AssertionError(message)
        cursor.execute(_WRITE, self._values(running, number, title=row[5], from_label=row[13], live=row[9]))
        self.connection.commit()

    def _values(self, running: Running, number: int, *, title: str, from_label: str, live: Any) -> dict[str, object]:
        from saas.core.audit.identifiers import ordered_uuid

        by, then = self._ground.signers[number], self._ground.signers[number + 1]
        node, following = f"n{number}", f"n{number + 1}"
        live = {**live, "active": {following: [1, number + 2, "", ""]}, "acts": number + 2, "made": number + 3}
        live["rounds"] = {**live["rounds"], following: 1}
        detail = {
            "act": "agree",
            "node": node,
            "task": str(running.tasks[number]),
            "subject": str(running.id),
            "subject_kind": KIND,
        }
        return {
            "schema": self._ground.tenant.schema,
            "instance": running.id,
            "number": number + 2,
            "task": running.tasks[number],
            "node": node,
            "name": f"环节{number}",
            "next_task": running.tasks[number + 1],
            "next_node": following,
            "next_name": f"环节{number + 1}",
            "next_post": then.post_id,
            "person": by.person_id,
            "post": by.post_id,
            "unit": by.unit_id,
            "appointment": by.appointment_id,
            "person_name": by.user_name,
            "post_name": by.post_name,
            "unit_name": by.unit_name,
            "label": by.label,
            "opinion": OPINION,
            "key": uuid.uuid4().hex,
            "record": ordered_uuid(),
            "detail": json.dumps(detail),
            "arguments": json.dumps({"instance": str(running.id), "_tenant": self._ground.tenant.schema}),
            "live": json.dumps(live),
            "title": title,
            "from": from_label,
            "kind": KIND,
            "flow": FLOW_KEY,
            "now": datetime.now(UTC),
        }


_SPIFF_TABLE = "bench_spiff"


class Peer(Floor):
    """SpiffWorkflow decides what follows; its state stands in a table, and the rows people need are the floor's."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        logging.getLogger("spiff").setLevel(logging.WARNING)
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

        self._serializer = BpmnWorkflowSerializer()
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS {_SPIFF_TABLE} (id uuid PRIMARY KEY, state text NOT NULL)")
        self.connection.commit()

    def start(self, instances: list[Running]) -> None:
        """Put a workflow at its first node beside each of these."""
        from SpiffWorkflow.bpmn.parser import BpmnParser
        from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

        parser = BpmnParser()
        parser.add_bpmn_str(_bpmn().encode())
        workflow = BpmnWorkflow(parser.get_spec("p"))
        workflow.do_engine_steps()
        state = self._serializer.serialize_json(workflow)
        with self.connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {_SPIFF_TABLE} VALUES (%s, %s)",
                [(one.id, state) for one in instances],
            )
        self.connection.commit()

    def step(self, running: Running, number: int) -> None:
        from SpiffWorkflow.util.task import TaskState

        cursor = self.connection.cursor()
        row = cursor.execute(_READ, [running.tasks[number]]).fetchone()
        cursor.execute(f"SELECT state FROM {_SPIFF_TABLE} WHERE id = %s", [running.id])
        stored = cursor.fetchone()
        if row is None or stored is None:
            message = "the task is not there"
            raise AssertionError(message)
        workflow = self._serializer.deserialize_json(stored[0])
        ready = workflow.get_tasks(state=TaskState.READY, manual=True)
        ready[0].run()
        workflow.do_engine_steps()
        following = workflow.get_tasks(state=TaskState.READY, manual=True)
        if following[0].task_spec.name != f"n{number + 1}":
            message = "the peer went elsewhere"
            raise AssertionError(message)
        state = self._serializer.serialize_json(workflow)
        cursor.execute(f"UPDATE {_SPIFF_TABLE} SET state = %s WHERE id = %s", [state, running.id])
        cursor.execute(_WRITE, self._values(running, number, title=row[5], from_label=row[13], live=row[9]))
        self.connection.commit()


def _bpmn() -> str:
    """The same flow: a start, the approvals in a row, an end."""
    names = ["start", *(f"n{number}" for number in range(NODES)), "end"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>'
        for n, (a, b) in enumerate(itertools.pairwise(names))
    )
    tasks = "".join(
        f'<bpmn:userTask id="n{n}" name="环节{n}"><bpmn:incoming>f{n}</bpmn:incoming>'
        f"<bpmn:outgoing>f{n + 1}</bpmn:outgoing></bpmn:userTask>"
        for n in range(NODES)
    )
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="bench">'
        '<bpmn:process id="p" isExecutable="true"><bpmn:startEvent id="start"><bpmn:outgoing>f0</bpmn:outgoing>'
        f'</bpmn:startEvent>{tasks}<bpmn:endEvent id="end"><bpmn:incoming>f{NODES}</bpmn:incoming></bpmn:endEvent>'
        f"{flows}</bpmn:process></bpmn:definitions>"
    )
