"""``todo_page``: what the list of to-dos costs the server when 100,000 tasks are open, beside the same with 100."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.benchmarks.figure import Benchmark, Figure

_MANY, _FEW = 100_000, 100
_PAGES = 40
_POSTS = 200


def _owner() -> psycopg.Connection[tuple[object, ...]]:
    from saas.env import env

    return psycopg.connect(env.owner_database_url, autocommit=True)


def _fill(schema: str, *, tasks: int, mine: uuid.UUID) -> None:
    """COPY one flow, one instance and its open tasks: half a percent of them at `mine`, the rest at other posts."""
    flow, version, instance = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    posts = [mine, *(uuid.uuid4() for _ in range(_POSTS - 1))]
    with _owner() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        cursor.execute("INSERT INTO approvals_flow (id, key, name, position) VALUES (%s, 'bench', 'bench', 0)", [flow])
        cursor.execute(
            "INSERT INTO approvals_flowversion (id, flow_id, number, state, tree, edited_at, edited_by, published_by)"
            " VALUES (%s, %s, 1, 'draft', '{}', now(), '', '')",
            [version, flow],
        )
        cursor.execute(
            "INSERT INTO approvals_instance (id, version_id, flow_key, flow_name, subject_kind, subject_id, title,"
            ' number, urgency, status, held, live, "values", drafter_post_id, drafter_label, parent_node, started_at,'
            " changed_at) VALUES (%s, %s, 'bench', 'bench', 'outgoing', %s, '关于测试的通知', '', 0, 'running', false,"
            " '{}', '{}', %s, '', '', now(), now())",
            [instance, version, uuid.uuid4(), uuid.uuid4()],
        )
        columns = (
            'id, instance_id, node, node_name, round, kind, state, was, vote, assignee_kind, assignee_id, "order",'
            " opened_by, closed_by, seen, opened_at, due_at, subject_kind, flow_key, title, number, urgency,"
            " from_label, bulk"
        )
        with cursor.copy(f"COPY approvals_task ({columns}) FROM STDIN") as copy:
            for row in _tasks(tasks, instance, posts):
                copy.write_row(row)
    with _owner() as connection:
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(schema, "approvals_task")))


def _tasks(count: int, instance: uuid.UUID, posts: list[uuid.UUID]) -> Iterator[tuple[object, ...]]:
    from datetime import timedelta

    from django.utils import timezone

    now = timezone.now()
    for number in range(count):
        yield (
            *(uuid.uuid4(), instance, "check", "审核", 1, "own", "open", "", "", "post"),
            *(posts[number % len(posts)] if count > _FEW else posts[0], number, 1, 0, False),
            *(now, now + timedelta(minutes=number % 9000), "outgoing", "bench"),
            *(f"关于第 {number} 项工作的通知", "", number % 4, "综合处 某某", False),
        )


def _clear(schema: str) -> None:
    """Take away what was filled; opinions and events are append-only, so nothing is truncated."""
    with _owner() as connection, connection.transaction():
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        connection.execute("DELETE FROM approvals_task WHERE flow_key = 'bench'")
        connection.execute("DELETE FROM approvals_instance WHERE flow_key = 'bench'")
        flows = "SELECT id FROM approvals_flow WHERE key = 'bench'"
        connection.execute(f"DELETE FROM approvals_flowversion WHERE flow_id IN ({flows})")
        connection.execute("DELETE FROM approvals_flow WHERE key = 'bench'")


def _seconds() -> list[float]:
    """Server time of the whole page, session, menu and template included, once warm."""
    from django.test import Client

    from saas.accounts.models import User
    from saas.env import env
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code

    client = Client(headers={"host": f"alpha.{env.host_suffix}"})
    with use_tenant(bureau_by_code("alpha")):
        client.force_login(User.objects.get(username=_USER))
    times = []
    for page in range(_PAGES + 5):
        started = time.perf_counter()
        answer = client.get("/tasks/")
        spent = time.perf_counter() - started
        if answer.status_code != 200:
            message = f"the list of to-dos answers {answer.status_code}"
            raise AssertionError(message)
        if page >= 5:
            times.append(spent)
    return times


_USER = "bench-approvals"


def _person() -> uuid.UUID:
    """A member of staff with one post; the post's id."""
    from saas.accounts.models import User
    from saas.organisation.models import Appointment, Person, Post, PostKind, Unit, today

    Appointment.objects.filter(person__user__username=_USER).delete()
    Person.objects.filter(user__username=_USER).delete()
    user, _made = User.objects.get_or_create(username=_USER, defaults={"name": "测试", "must_change_password": False})
    unit = Unit.objects.create(code=uuid.uuid4().hex[:12], name="综合处")
    post = Post.objects.create(unit=unit, name="科员", kind=PostKind.STAFF)
    person = Person.objects.create(staff_number=uuid.uuid4().hex[:10], name="测试", user=user)
    Appointment.objects.create(person=person, post=post, starts=today(), primary=True)
    return post.id


def todo_page() -> Figure:
    """p95 of the page in ms with 100,000 open tasks; the floor is the same page with 100."""
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code

    ref = bureau_by_code("alpha")
    with use_tenant(ref):
        mine = _person()
    found: dict[int, list[float]] = {}
    try:
        for tasks in (_FEW, _MANY):
            _clear(ref.schema)
            _fill(ref.schema, tasks=tasks, mine=mine)
            found[tasks] = _seconds()
    finally:
        _clear(ref.schema)
    p95 = {tasks: statistics.quantiles(times, n=20)[-1] * 1000 for tasks, times in found.items()}
    note = f"p95 of {_PAGES} pages; p50 {statistics.median(found[_MANY]) * 1000:.1f} ms; {_MANY // _POSTS} are mine"
    return Figure(name="todo_page", value=p95[_MANY], unit="ms", floor=p95[_FEW], note=note)


FIGURES: dict[str, Benchmark] = {"todo_page": todo_page}
