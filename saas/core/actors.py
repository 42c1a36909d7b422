"""Who acts: every service takes `by`, so every act carries the person and the post it was done in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A signed-in user acting, usually in an appointment.

    An administrator may have no appointment; a system act (job, agent) has neither user nor post.
    The ids are `accounts.User`, `organisation.Person/Appointment/Post/Unit`. Names are pinned as they were.
    """

    user_id: UUID | None
    user_name: str
    person_id: UUID | None = None
    appointment_id: UUID | None = None
    post_id: UUID | None = None
    post_name: str = ""
    unit_id: UUID | None = None
    unit_name: str = ""
    on_behalf_of: str = ""
    ip: str = ""
    request_id: str = ""

    @property
    def label(self) -> str:
        """The person and the post as a sign-off shows them, e.g. ``李建国（办公室主任）``."""
        return f"{self.user_name}（{self.post_name}）" if self.post_name else self.user_name


SYSTEM = Actor(user_id=None, user_name="系统")
