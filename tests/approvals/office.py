"""A small bureau made for the engine's tests, and its people as actors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from saas.accounts.models import RoleGrant, User
from saas.approvals.engine import Act, Assignee, AssigneeKind
from saas.approvals.models import Task
from saas.approvals.registry import Subject
from saas.approvals.services import ActResult, Target, act, flow_install, start_flow
from saas.core.access import Role
from saas.core.actors import SYSTEM, Actor
from saas.organisation.acting import as_actor
from saas.organisation.models import Appointment, Person, Post, PostKind, Unit, today


@dataclass
class Office:
    """One unit with a post and a holder for every name asked for."""

    unit: Unit = field(default_factory=lambda: Unit.objects.create(code=f"u{uuid4().hex[:8]}", name="综合处"))
    posts: dict[str, Post] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def post(self, name: str) -> UUID:
        """The id of a post, made with its holder when new."""
        if name not in self.posts:
            kind = PostKind.LEADER if name == "leader" else PostKind.STAFF
            self.posts[name] = Post.objects.create(unit=self.unit, name=f"岗位{name}", kind=kind)
            self.appoint(name, name)
        return self.posts[name].id

    def person(self, name: str, *, account: bool = False) -> Person:
        """A person of that name."""
        if name not in self.people:
            self.people[name] = Person.objects.create(staff_number=uuid4().hex[:10], name=f"人{name}")
        person = self.people[name]
        if account and person.user_id is None:
            person.user = User.objects.create(username=f"user{uuid4().hex[:8]}", name=person.name)
            person.save()
        return person

    def appoint(self, person: str, post: str) -> Appointment:
        """From today on `person` holds `post` too."""
        return Appointment.objects.create(person=self.person(person), post=self.posts[post], starts=today())

    def leave(self, person: str, post: str) -> None:
        """`person` no longer holds `post`."""
        Appointment.objects.filter(person=self.person(person), post=self.posts[post]).update(
            starts=today() - timedelta(days=9), ends=today() - timedelta(days=1)
        )

    def actor(self, name: str) -> Actor:
        """A person acting in the first post held."""
        self.post(name) if name not in self.people else None
        row = (
            Appointment.objects.current()
            .filter(person=self.people[name])
            .select_related("person", "post__unit")
            .first()
        )
        assert row is not None
        return as_actor(row)

    def approve(self, key: str, *posts: str, **more: Any) -> dict[str, Any]:
        """An approval by these posts."""
        who = [{"rule": "post", "id": str(self.post(one))} for one in posts]
        return {"kind": "approve", "key": key, "name": f"环节{key}", "who": who, **more}

    def start(self, *nodes: dict[str, Any], by: str = "drafter", key: str = "test", **more: Any) -> UUID:
        """Install a flow of these nodes and start it."""
        install(key, *nodes)
        subject = more.pop("subject", None) or subject_of()
        return start_flow(flow_key=key, subject=subject, by=self.actor(by), **more)

    def task(self, name: str, instance: UUID) -> UUID:
        """The open task of a post."""
        return Task.objects.get(instance_id=instance, assignee_id=self.post(name), state="open").id

    def act(self, what: Act, name: str, instance: UUID, *, by: str = "", **more: Any) -> ActResult:
        """Act on the open task of a post, as its holder unless told."""
        return act(
            task_id=self.task(name, instance),
            act=what,
            by=self.actor(by or name),
            idempotency_key=more.pop("key", uuid4().hex),
            **more,
        )

    def to(self, *names: str) -> Target:
        """These posts as a target."""
        return Target(to=tuple(Assignee(AssigneeKind.POST, self.post(name)) for name in names))


def install(key: str, *nodes: dict[str, Any]) -> None:
    """Publish a flow of these nodes."""
    start = {"kind": "start", "key": "start", "name": "拟稿"}
    end = {"kind": "end", "key": "end", "name": "结束"}
    flow_install(key=key, name="测试流程", tree={"nodes": [start, *nodes, end]}, by=SYSTEM)


def subject_of(kind: str = "test", title: str = "关于测试的通知") -> Subject:
    """A new subject."""
    return Subject(kind=kind, id=uuid4(), title=title)


def start_with_form(office: Office, key: str, *, by: str = "drafter", **form: Any) -> UUID:
    """Start a published flow with its form filled in."""
    return start_flow(flow_key=key, subject=subject_of("application"), by=office.actor(by), form=form)


def flow_administrator(office: Office) -> Actor:
    """Somebody who keeps the bureau's flows."""
    user = User.objects.create(username=f"admin{uuid4().hex[:8]}", name="流程管理员")
    RoleGrant.objects.create(user=user, role=Role.FLOW_ADMIN, exclusive=False, granted_by_name="测试")
    return Actor(user_id=user.pk, user_name=user.name)
