"""``todo_page`` and ``todo_million``: what lists of to-dos cost when very many tasks are open in the bureau."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from tests.benchmarks.figure import Benchmark, Figure

_MANY, _FEW = 100_000, 100
_PAGES = 40
_POSTS = 200
_FLOW = "bench"
_KINDS = ("outgoing", "incoming", "seal_use", "archive_loan")
_MILLION, _MILLION_POSTS, _QUESTIONS = 1_000_000, 1_000, 200


def _superuser() -> psycopg.Connection[tuple[object, ...]]:
    from django.conf import settings

    from tests.benchmarks.tenancy_ground import superuser

    return superuser(str(settings.DATABASES["default"]["NAME"]))


def _fill(schema: str, *, tasks: int, posts: list[uuid.UUID]) -> None:
    """Open tasks, dealt to `posts` in turn: one is made as a model, and SQL repeats it with what differs."""
    from django.utils import timezone

    from saas.approvals.models import Flow, FlowVersion, Instance, Task

    now = timezone.now()
    flow = Flow.objects.create(key=_FLOW, name="测试")
    version = FlowVersion.objects.create(flow=flow, number=1, tree={})
    instance = Instance.objects.create(
        version=version,
        flow_key=_FLOW,
        flow_name="测试",
        subject_kind=_KINDS[0],
        subject_id=uuid.uuid4(),
        title="关于测试的通知",
        drafter_post_id=uuid.uuid4(),
        drafter_label="综合处 某某",
        started_at=now,
        changed_at=now,
    )
    pattern = Task.objects.create(
        id=uuid.uuid4(),
        instance=instance,
        node="check",
        node_name="审核",
        round=1,
        kind="own",
        state="closed",
        assignee_kind="post",
        assignee_id=posts[0],
        opened_by=1,
        opened_at=now,
        subject_kind=_KINDS[0],
        flow_key=_FLOW,
        title="关于测试的通知",
        from_label="综合处 某某",
    )
    differs = {
        "id": "gen_random_uuid()",
        "state": "'open'",
        "assignee_id": "(%(posts)s::uuid[])[n %% cardinality(%(posts)s::uuid[]) + 1]",
        "order": "n",
        "opened_at": "now() - random() * interval '20 days'",
        "due_at": "CASE WHEN random() < 0.9 THEN now() + (random() * 30 - 2) * interval '1 day' END",
        "subject_kind": "(%(kinds)s::text[])[(random() * 3)::int + 1]",
        "title": "format('关于第 %%s 项工作的通知', n)",
        "urgency": "(random() * 3)::int",
    }
    columns = [str(field.column) for field in Task._meta.concrete_fields]
    values = sql.SQL(", ").join(
        sql.SQL(differs[name]) if name in differs else sql.Identifier("pattern", name) for name in columns
    )
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with _superuser() as connection, connection.transaction():
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        # Rows of our own making need no foreign keys checked one by one.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            sql.SQL(
                "INSERT INTO approvals_task ({}) SELECT {} FROM approvals_task pattern, generate_series(1, %(count)s) n"
                " WHERE pattern.id = %(pattern)s"
            ).format(names, values),
            {"posts": posts, "kinds": list(_KINDS), "count": tasks, "pattern": pattern.id},
        )
    with _superuser() as connection:
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(schema, "approvals_task")))


def _clear(schema: str) -> None:
    """Take away what was filled; opinions and events are append-only, so nothing is truncated."""
    with _superuser() as connection, connection.transaction():
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        connection.execute(f"DELETE FROM approvals_task WHERE flow_key = '{_FLOW}'")
        connection.execute(f"DELETE FROM approvals_instance WHERE flow_key = '{_FLOW}'")
        flows = f"SELECT id FROM approvals_flow WHERE key = '{_FLOW}'"
        connection.execute(f"DELETE FROM approvals_flowversion WHERE flow_id IN ({flows})")
        connection.execute(f"DELETE FROM approvals_flow WHERE key = '{_FLOW}'")


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
            others = [uuid.uuid4() for _ in range(_POSTS - 1)]
            with use_tenant(ref):
                _fill(ref.schema, tasks=tasks, posts=[mine, *others] if tasks > _FEW else [mine])
            found[tasks] = _seconds()
    finally:
        _clear(ref.schema)
    p95 = {tasks: statistics.quantiles(times, n=20)[-1] * 1000 for tasks, times in found.items()}
    note = f"p95 of {_PAGES} pages; p50 {statistics.median(found[_MANY]) * 1000:.1f} ms; {_MANY // _POSTS} are mine"
    return Figure(name="todo_page", value=p95[_MANY], unit="ms", floor=p95[_FEW], note=note)


# Of each post the first by limit from the index alone, merged; rows are read of the 31 that remain.
_FLOOR_PAGE = """
SELECT task.id, instance_id, title, number, urgency, subject_kind, node_name, from_label, opened_at, task.due_at, seen,
       bulk
FROM (
    SELECT t.* FROM unnest(%s::uuid[]) AS p(place) CROSS JOIN LATERAL (
        SELECT id, due_at FROM approvals_task
        WHERE assignee_id = p.place AND state = 'open' AND subject_kind = %s ORDER BY due_at, id LIMIT 31
    ) AS t ORDER BY due_at, id LIMIT 31
) AS page JOIN approvals_task AS task USING (id) ORDER BY page.due_at, page.id
"""
_FLOOR_COUNTS = """
SELECT subject_kind, count(*), count(*) FILTER (WHERE due_at < %s), count(*) FILTER (WHERE due_at BETWEEN %s AND %s)
FROM approvals_task WHERE assignee_id = ANY(%s) AND state = 'open' GROUP BY subject_kind
"""


def _three_posts() -> tuple[uuid.UUID, list[uuid.UUID]]:
    """A person of three posts; ids of person and posts."""
    from saas.organisation.models import Appointment, Person, Post, PostKind, Unit, today

    person = Person.objects.create(staff_number="million", name="测试")
    posts = []
    for number in range(3):
        unit = Unit.objects.create(code=f"million{number}", name=f"第{number}处")
        post = Post.objects.create(unit=unit, name="处长", kind=PostKind.LEADER)
        Appointment.objects.create(person=person, post=post, starts=today(), primary=number == 0)
        posts.append(post.id)
    return person.id, posts


def _in_database(action: Callable[[], object]) -> float:
    """Seconds from sending a statement to having its rows, without what Python does before and after."""
    from django.db import connection

    spent = 0.0

    def watch(execute: Any, *asked: Any) -> Any:
        nonlocal spent
        started = time.perf_counter()
        answer = execute(*asked)
        spent += time.perf_counter() - started
        return answer

    with connection.execute_wrapper(watch):
        action()
    return spent


def todo_million() -> list[Figure]:
    """First page (one type, by limit) and counts of a person with three posts, among a million open tasks."""
    from django.db import connection
    from django.utils import timezone

    from saas.approvals.selectors import TodoQuery, seats_of, todo_counts, todo_list
    from saas.core.tenancy import TenantRef
    from tenants.context import use_tenant
    from tests.benchmarks.tenancy_ground import many_bureaus

    taken: dict[str, list[float]] = {"page": [], "counts": [], "page floor": [], "counts floor": []}
    with many_bureaus(1) as schemas:
        ref = TenantRef(id=uuid.uuid4(), schema=schemas[0], code="bench-0", name="第0单位")
        with use_tenant(ref):
            person, posts = _three_posts()
            started = time.perf_counter()
            _fill(ref.schema, tasks=_MILLION, posts=[*posts, *(uuid.uuid4() for _ in range(_MILLION_POSTS - 3))])
            filled = time.perf_counter() - started
            seats = seats_of(person)
            now = timezone.now()

            def ask(statement: str, *values: Any) -> None:
                with connection.cursor() as cursor:
                    cursor.execute(statement, values)
                    cursor.fetchall()

            for turn in range(_QUESTIONS + 20):
                kind = _KINDS[turn % len(_KINDS)]
                ways: dict[str, Callable[[], object]] = {
                    "page": lambda kind=kind: todo_list(seats, TodoQuery(kind=kind)),  # type: ignore[misc]
                    "page floor": lambda kind=kind: ask(_FLOOR_PAGE, posts, kind),  # type: ignore[misc]
                    "counts": lambda: todo_counts(seats),
                    "counts floor": lambda: ask(_FLOOR_COUNTS, now, now, now, posts),
                }
                for name, way in ways.items():
                    spent = _in_database(way)
                    if turn >= 20:
                        taken[name].append(spent * 1000)
    p50 = {name: statistics.median(times) for name, times in taken.items()}
    p95 = {name: statistics.quantiles(times, n=20)[-1] for name, times in taken.items()}
    note = f"{_MILLION_POSTS} posts, {_MILLION // _MILLION_POSTS} tasks each; filled in {filled:.0f} s"
    return [
        Figure(
            name=f"todo_million{suffix}",
            value=p95[way],
            unit="ms",
            floor=p95[f"{way} floor"],
            note=f"p95 of {what} in the database; p50 {p50[way]:.2f} ms, floor {p50[f'{way} floor']:.2f} ms; {note}",
        )
        for suffix, way, what in (("", "page", "the first page of one type by limit"), ("_counts", "counts", "counts"))
    ]


FIGURES: dict[str, Benchmark] = {"todo_page": todo_page, "todo_million": todo_million}
