"""The engine with everything around it: services, rows, jobs and the organisation, on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F

from saas.approvals import jobs, selectors, store
from saas.approvals.engine import Act, Assignee, AssigneeKind, Status
from saas.approvals.engine.state import Task, TaskState
from saas.approvals.models import PAUSED, Flow, FlowEvent, FlowVersion, Instance, ReadItem, VersionState
from saas.approvals.models import Task as TaskRow
from saas.approvals.selectors import TodoQuery, matter, seats_of
from saas.approvals.services import Target, act, administering, remind, start_flow, terminate, withdraw
from saas.approvals.services.acting import remove_added
from saas.approvals.services.circulating import mark_read
from saas.core.actors import SYSTEM, Actor
from saas.core.errors import Conflict, YunshuError
from saas.organisation import changes
from saas.organisation.models import Appointment, Post, PostKind, today
from tests.approvals.model.drawing import POSTS, choices, rendered
from tests.approvals.office import Office, flow_administrator, subject_of

Json = dict[str, Any]
Row = tuple[str, str, str, str]
_numbers = itertools.count(1)
_FINGERPRINT = """
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
    SELECT i.id || i.status || i.held || i.live::text || i."values"::text FROM approvals_instance i
    UNION ALL SELECT t.id || t.state || t.vote || t.was || t.seen || t.assignee_id || coalesce(t.parent_id::text, '') ||
        t.opened_by || ',' || t.closed_by FROM approvals_task t
    UNION ALL SELECT 'events ' || count(*) FROM approvals_flowevent
    UNION ALL SELECT 'opinions ' || count(*) FROM approvals_opinion
    UNION ALL SELECT 'reads ' || count(*) || ' ' || count(read_at) FROM approvals_readitem
) AS all_rows (line)
"""


class Bureau:
    """The posts and people every example begins with."""

    def __init__(self) -> None:
        self.office = Office()
        for name in ("drafter", *POSTS, "z"):
            self.office.post(name)
        for name in ("p", "q"):
            self.office.person(name)
        self.admin = flow_administrator(self.office)
        self.names = {post.id: name for name, post in self.office.posts.items()}
        self.work_fails = False
        inner = {"kind": "approve", "key": "inner", "name": "inner", "who": [self.by_post("z")]}
        self.publish("child", [{"kind": "start", "key": "start", "name": "s"}, inner, {**_END}])

    def by_post(self, name: str) -> Json:
        """A rule that names a post."""
        return {"rule": "post", "id": str(self.office.posts[name].id)}

    def publish(self, key: str, nodes: list[Json]) -> None:
        """A published version; unchecked, for a checked one could not begin with a vacant post."""
        flow, _made = Flow.objects.get_or_create(key=key, defaults={"name": "模型"})
        FlowVersion.objects.filter(flow=flow, state=VersionState.PUBLISHED).update(state=VersionState.RETIRED)
        number = flow.versions.count() + 1
        FlowVersion.objects.create(flow=flow, number=number, state=VersionState.PUBLISHED, tree={"nodes": nodes})

    def work(self, instance: object) -> None:
        """The automatic act of the drawn definitions."""
        if self.work_fails:
            raise Conflict("没有文号簿")

    def hold(self, who: str, people: Iterable[str]) -> None:
        """These hold the post from now on, and nobody else."""
        if who not in self.office.posts:
            self.office.posts[who] = Post.objects.create(unit=self.office.unit, name=who, kind=PostKind.LEADER)
            self.names[self.office.posts[who].id] = who
        post = self.office.posts[who]
        Appointment.objects.filter(post=post).delete()
        Appointment.objects.bulk_create(
            Appointment(person=self.office.person(one), post=post, starts=today()) for one in people
        )

    def begin(self, held: Mapping[str, Iterable[str]]) -> None:
        """Who holds what when an instance begins; there is no leader yet."""
        leader = self.office.posts.pop("leader", None)
        if leader is not None:
            Appointment.objects.filter(post=leader).delete()
            Post.objects.filter(id=leader.id).update(active=False)
        for who in ("drafter", *POSTS):
            self.hold(who, held.get(who, (who,)))

    def actor(self, name: str) -> Actor:
        """A person; the services find the post."""
        person = self.office.person(name)
        return Actor(user_id=None, user_name=person.name, person_id=person.id)


_END = {"kind": "end", "key": "end", "name": "结束"}


class Postgres:
    """One instance on PostgreSQL."""

    def __init__(self, bureau: Bureau, nodes: list[Json], *, held: Mapping[str, Iterable[str]], values: Json) -> None:
        self.bureau = bureau
        self._known: store.Loaded | None = None
        self._last = self._sound = ""
        bureau.begin(held)
        self.flow_key = f"model{next(_numbers)}"
        self.nodes = nodes
        bureau.publish(self.flow_key, rendered(nodes, lambda name: str(bureau.office.posts[name].id)))
        chosen = {key: tuple(self.post(name) for name in names) for key, names in choices(nodes).items()}
        office = bureau.office
        post = office.posts["drafter"]
        by = Actor(
            user_id=None,
            user_name="人drafter",
            person_id=office.person("drafter").id,
            post_id=post.id,
            unit_id=office.unit.id,
        )
        key = uuid4().hex
        for _twice in range(2):
            self.id = start_flow(
                flow_key=self.flow_key,
                subject=subject_of(),
                by=by,
                values=values,
                chosen=chosen,
                idempotency_key=key,
            )
        self.urged = False

    # --- what is done ----------------------------------------------------------------------------------------

    def possible_here(self, name: str, args: Json) -> bool:
        """Whether there is anybody, or anything, that could try it."""
        if name in {"agree", "disagree", "return", "transfer", "add", "circulate"}:
            return bool(self.holders(self._task(args["key"], args["who"])))
        if name == "remove":
            giver = self._giver(args["key"], args["who"])
            return giver is None or bool(self.holders(giver))
        if name == "urge":
            return not self.urged
        if name in {"worked", "failed"}:
            active = self.loaded.state.active.get(args["key"])
            reason = active.hold.reason.value if active and active.hold else ""
            return self.loaded.state.status is Status.RUNNING and reason in {"automatic", "sub_flow"}
        return True

    def do(self, name: str, args: Json) -> bool:
        """Do one thing, twice with the same key; whether it was accepted. What is refused changes nothing."""
        before = self.fingerprint()
        call: Callable[[str], bool | None] = lambda key: getattr(self, f"_{name}")(key, **args)  # noqa: E731
        key = uuid4().hex
        try:
            accepted = call(key)
        except YunshuError as error:
            self._refused(error, before)
            return False
        after = self.fingerprint()
        call(key)
        assert self.fingerprint() == after, f"{name} done again with the same key changed something"
        return accepted is not False

    def _refused(self, error: YunshuError, before: str) -> None:
        """Told why, by our own words, and nothing is left of the attempt."""
        assert error.status < 500
        assert str(error.message)
        assert self.fingerprint() == before, "what was refused left something"

    def fingerprint(self) -> str:
        """Everything the engine has written, as one value."""
        self._known = None
        with connection.cursor() as cursor:
            cursor.execute(_FINGERPRINT)
            self._last = str(cursor.fetchone()[0])
        return self._last

    @property
    def loaded(self) -> store.Loaded:
        """The instance as it is; read once until something is done."""
        if self._known is None:
            self._known = store.read(self.id)
        assert self._known is not None
        return self._known

    def post(self, name: str) -> Assignee:
        """A post as an assignee."""
        return Assignee(AssigneeKind.POST, self.bureau.office.posts[name].id)

    def holders(self, task: Task) -> list[str]:
        """The names of the people who could act on a task."""
        rows = Appointment.objects.current().filter(post_id=task.assignee.id)
        people = set(rows.values_list("person_id", flat=True))
        if task.assignee.person in people:
            people = {task.assignee.person}
        return sorted(name for name, person in self.bureau.office.people.items() if person.id in people)

    def _task(self, key: str, who: str) -> Task:
        for task in self.loaded.state.live_tasks():
            if task.node == key and task.assignee.id == self.post(who).id:
                return task
        raise AssertionError((key, who))

    def _giver(self, key: str, who: str) -> Task | None:
        state = self.loaded.state
        task = self._task(key, who)
        return state.task(task.parent) if task.parent else None

    def _act(self, key: str, what: Act, at: str, who: str, person: str, **more: Any) -> None:
        if (key, what) not in self.tasks_of_keys:
            task = self._task(at, who)
            self.tasks_of_keys[(key, what)] = (task.id, person or self.holders(task)[0])
        task_id, by = self.tasks_of_keys[(key, what)]
        values = more.pop("values", None)
        act(
            task_id=task_id,
            act=what,
            by=self.bureau.actor(by),
            idempotency_key=key,
            opinion="说明",
            target=Target(**more),
            values=values,
        )

    # The second time the task is no longer where it was: it is found by the key of the first.
    tasks_of_keys: dict[tuple[str, str], tuple[UUID, str]] = {}

    def _agree(self, idem: str, key: str, who: str, person: str, amount: Any = None) -> None:
        values = {"amount": amount} if amount is not None and key == "start" else None
        self._act(idem, Act.AGREE, key, who, person, values=values)

    def _disagree(self, idem: str, key: str, who: str, person: str) -> None:
        self._act(idem, Act.DISAGREE, key, who, person)

    def _return(self, idem: str, key: str, who: str, target: str, straight: bool) -> None:
        self._act(idem, Act.RETURN, key, who, "", node=target, straight=straight)

    def _transfer(self, idem: str, key: str, who: str, to: str) -> None:
        self._act(idem, Act.TRANSFER, key, who, "", to=(self.post(to),))

    def _add(self, idem: str, act: str, key: str, who: str, person: str, to: list[str]) -> None:
        self._act(idem, Act(act), key, who, person, to=tuple(self.post(name) for name in to))

    def _circulate(self, idem: str, key: str, who: str) -> None:
        self._act(idem, Act.CIRCULATE, key, who, "", to=(self.post("e"),))
        for reader in ("e", "p", "q", "a", "b"):
            mine = ReadItem.objects.filter(instance_id=self.id, person_id=self.bureau.office.person(reader).id)
            mark_read(item_ids=list(mine.values_list("id", flat=True)), by=self.bureau.actor(reader))

    def _remove(self, idem: str, key: str, who: str) -> None:
        if (idem, "remove") not in self.tasks_of_keys:
            giver = self._giver(key, who)
            by = self.holders(giver)[0] if giver else "drafter"
            self.tasks_of_keys[(idem, "remove")] = (self._task(key, who).id, by)
        task_id, by = self.tasks_of_keys[(idem, "remove")]
        remove_added(task_id=task_id, by=self.bureau.actor(by), idempotency_key=idem)

    def _withdraw(self, idem: str, task: Task, person: str) -> None:
        withdraw(task_id=task.id, by=self.bureau.actor(person), idempotency_key=idem)

    def _look(self, idem: str, key: str, who: str) -> None:
        TaskRow.objects.filter(id=self._task(key, who).id).update(seen=True)

    def _urge(self, idem: str) -> None:
        remind(instance_id=self.id, by=self.bureau.admin, idempotency_key=idem)
        self.urged = True

    def _holders(self, idem: str, who: str, people: tuple[str, ...]) -> None:
        self.bureau.hold(who, people)
        changes.announce(by=SYSTEM, posts={self.bureau.office.posts[who].id})

    def _suspend(self, idem: str) -> None:
        administering.suspend(instance_id=self.id, by=self.bureau.admin, reason="暂停", idempotency_key=idem)

    def _resume(self, idem: str) -> None:
        administering.resume(instance_id=self.id, by=self.bureau.admin, reason="继续", idempotency_key=idem)

    def _terminate(self, idem: str) -> None:
        terminate(instance_id=self.id, by=self.bureau.admin, reason="不办了", idempotency_key=idem)

    def _reassign(self, idem: str, key: str, who: str, to: str) -> None:
        if (idem, "reassign") not in self.tasks_of_keys:
            self.tasks_of_keys[(idem, "reassign")] = (self._task(key, who).id, "")
        administering.task_reassign(
            task_id=self.tasks_of_keys[(idem, "reassign")][0],
            to=self.post(to),
            by=self.bureau.admin,
            reason="改派",
            idempotency_key=idem,
        )

    def _fill(self, idem: str, key: str, to: list[str]) -> None:
        posts = tuple(self.post(name) for name in to)
        administering.node_fill(
            instance_id=self.id, node=key, to=posts, by=self.bureau.admin, reason="指定", idempotency_key=idem
        )

    def _pass(self, idem: str, key: str) -> None:
        administering.node_pass(instance_id=self.id, node=key, by=self.bureau.admin, reason="准", idempotency_key=idem)

    def _jump(self, idem: str, target: str) -> None:
        administering.flow_move(
            instance_id=self.id, node=target, by=self.bureau.admin, reason="移", idempotency_key=idem
        )

    def _retry(self, idem: str, key: str) -> None:
        administering.node_retry(
            instance_id=self.id, node=key, by=self.bureau.admin, reason="重试", idempotency_key=idem
        )

    def _worked(self, idem: str, key: str) -> bool:
        return self._work(idem, key, fails=False)

    def _failed(self, idem: str, key: str) -> bool:
        return self._work(idem, key, fails=True)

    def _work(self, idem: str, key: str, *, fails: bool) -> bool:
        before = self.fingerprint()
        self.bureau.work_fails = fails
        if (idem, "work") not in self.tasks_of_keys:
            active = self.loaded.state.active[key]
            child = self._child(key)
            entered = UUID(int=active.opened_by)
            self.tasks_of_keys[(idem, "work")] = (child.id if child else entered, "child" if child else "")
        found, kind = self.tasks_of_keys[(idem, "work")]
        if not kind:
            jobs.automatic_run(instance_id=str(self.id), node=key, act_number=int(found))
        elif fails:
            terminate(instance_id=found, by=self.bureau.admin, reason="不办了", idempotency_key=idem)
        else:
            asked = TaskRow.objects.get(instance_id=found, node="inner")
            act(task_id=asked.id, act=Act.AGREE, by=self.bureau.actor("z"), idempotency_key=idem)
        return self.fingerprint() != before

    def _child(self, node: str) -> Instance | None:
        return Instance.objects.filter(parent_id=self.id, parent_node=node, status__in=["running", "suspended"]).first()

    def new_version(self) -> None:
        """Somebody publishes another version of the flow; what runs keeps its own."""
        only = {"kind": "approve", "key": "only", "name": "only", "who": [self.bureau.by_post("z")]}
        self.bureau.publish(self.flow_key, [{"kind": "start", "key": "start", "name": "s"}, only, {**_END}])

    def time_passes(self) -> None:
        """Limits come and go: each is recorded once, and moves nothing."""
        TaskRow.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - timedelta(days=30))
        self._known, self._sound = None, ""
        jobs.limits_check()
        told = FlowEvent.objects.filter(act_number=0).count()
        jobs.limits_check()
        assert FlowEvent.objects.filter(act_number=0).count() == told

    # --- what is seen ----------------------------------------------------------------------------------------

    def dead_task_refuses_everything(self, number: int) -> None:
        """An act on a task that is not open is refused with what happened to it."""
        dead = [task for task in self.loaded.state.tasks if task.state is not TaskState.OPEN]
        if not dead:
            return
        task = dead[number % len(dead)]
        by = self.holders(task) or ["p"]
        before = self.fingerprint()
        what = [Act.AGREE, Act.DISAGREE, Act.RETURN, Act.TRANSFER, Act.ADD_BEFORE, Act.CIRCULATE][number % 6]
        try:
            act(
                task_id=task.id,
                act=what,
                by=self.bureau.actor(by[0]),
                idempotency_key=uuid4().hex,
                opinion="说明",
                target=Target(to=(self.post("e"),)),
            )
        except YunshuError as error:
            self._refused(error, before)
        else:
            message = f"{what} on a task that is {task.state}"
            raise AssertionError(message)

    def agreements(self) -> list[Task]:
        """Every task somebody agreed to, in any round."""
        return [task for task in self.loaded.state.tasks if task.vote == "agree"]

    def described(self, task: Task) -> Row:
        """Node, post, kind and person of a task that was done."""
        people = {person.id: name for name, person in self.bureau.office.people.items()}
        return task.node, self.name(task), task.kind.value, people[task.done_by] if task.done_by else ""

    def latest(self, task: Task) -> bool:
        """Whether it is the last of its kind for its post in the node's present round."""
        mine = (task.node, task.assignee.id, task.kind)
        same = [t for t in self.agreements() if (t.node, t.assignee.id, t.kind) == mine]
        newest = task.id == max(same, key=lambda t: t.closed_by).id
        return newest and task.round == self.loaded.state.rounds.get(task.node)

    def name(self, task: Task) -> str:
        """The post of a task."""
        return self.bureau.names[task.assignee.id]

    @property
    def status(self) -> str:
        """Where it stands as a whole."""
        return self.loaded.state.status.value

    def live(self) -> list[Row]:
        """Who has a task: node, post, kind, state."""
        tasks = self.loaded.state.live_tasks()
        return sorted((t.node, self.name(t), t.kind.value, t.state.value) for t in tasks)

    def votes(self) -> list[Row]:
        """What was said at the nodes it stands at."""
        state = self.loaded.state
        tasks = (task for key in state.active for task in state.at(key) if task.vote)
        return sorted((t.node, self.name(t), t.kind.value, t.vote.value if t.vote else "") for t in tasks)

    def holds(self) -> dict[str, str]:
        """Why nodes wait."""
        return {key: at.hold.reason.value for key, at in self.loaded.state.active.items() if at.hold}

    def offers(self, key: str, who: str) -> set[str]:
        """What the page offers on a task."""
        found = selectors.possible_acts(self.loaded, self._task(key, who))
        return {one.act.value for one in found if not one.why_not}

    def returnable(self, key: str, who: str) -> list[str]:
        """Where the page lets it be returned to."""
        return [node for node, _name in matter.return_choices(self.loaded, self._task(key, who))]

    def broken(self) -> list[str]:
        """What does not hold in the rows."""
        if self._last and self._last == self._sound:
            return []  # What was found sound has not been touched.
        self._sound = self._last
        found = []
        row = Instance.objects.get(id=self.id)
        events = FlowEvent.objects.filter(instance_id=self.id, act_number__gt=0).order_by("id")
        numbers = list(events.values_list("act_number", flat=True))
        if numbers != list(range(1, row.live["acts"] + 1)):
            found.append(f"events are numbered {numbers}")
        rows = TaskRow.objects.filter(instance_id=self.id, state__in=["open", PAUSED, "waiting", "queued"])
        asked = list(rows.values_list("node", "assignee_id", "state"))
        if len(asked) != len({one[:2] for one in asked}):
            found.append("somebody is asked twice for the same")
        if row.status in {"finished", "terminated"} and (asked or row.live["active"] or row.held):
            found.append("ended with live tasks")
        if {state for *_, state in asked} & ({"open"} if row.status == "suspended" else {PAUSED}):
            found.append("open tasks while suspended, or paused ones while not")
        waiting = {key for key, at in row.live["active"].items() if at[2] == "sub_flow"}
        children = Instance.objects.filter(parent_id=self.id, status__in=["running", "suspended"])
        if {child.parent_node for child in children} != waiting or len(children) != len(waiting):
            found.append("sub-flows and the nodes that wait for them differ")
        if row.status == "running":
            found += self._todo_of("ap"[row.live["acts"] % 2])
        return found

    def _todo_of(self, name: str) -> list[str]:
        person = self.bureau.office.person(name).id
        seats = seats_of(person)
        shown = {one.id for one in selectors.todo_list(seats, TodoQuery(limit=200)).rows}
        posts = {seat.post_id for seat in seats.seats}
        tasks = [t for t in self.loaded.state.tasks if t.state is TaskState.OPEN and t.assignee.id in posts]
        missing = [t for t in tasks if t.id not in shown and t.assignee.person in {None, person}]
        wrong = selectors.todo_counts(seats).total != len(shown)
        return [f"{name}'s to-dos lack {len(missing)}"] if missing or wrong else []
