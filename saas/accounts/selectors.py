"""Reads of accounts and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from saas.accounts.models import User

LONGEST_QUERY = 64


@dataclass(frozen=True, slots=True)
class SignedInSession:
    """One place an account is signed in at."""

    id: int
    ip: str
    browser: str
    since: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A part of the accounts in order of user name, and the user names the neighbouring parts begin at."""

    users: list[User]
    after: str
    before: str


def accounts_page(*, query: str = "", after: str = "", before: str = "", size: int = 20) -> AccountPage:
    """Accounts of this tenant whose name or user name contains `query`, with roles; one statement.

    Args:
        query: part of a name; empty for all.
        after: show what follows this user name.
        before: or what precedes this one.
        size: how many.
    """
    found = User.objects.for_request()
    text = query.replace("\x00", "").strip()[:LONGEST_QUERY]
    if text:
        found = found.filter(Q(username__icontains=text) | Q(name__icontains=text))
    if before:
        rows = list(found.filter(username__lt=before).order_by("-username")[: size + 1])
        more = len(rows) > size
        users = rows[:size][::-1]
        return AccountPage(users, users[-1].username if users else "", users[0].username if more else "")
    if after:
        found = found.filter(username__gt=after)
    rows = list(found.order_by("username")[: size + 1])
    users = rows[:size]
    return AccountPage(
        users, users[-1].username if len(rows) > size else "", users[0].username if after and users else ""
    )


def sessions_of(user_id: UUID, *, current_key: str | None) -> Sequence[SignedInSession]:
    """Where `user_id` is signed in now, the newest first; one statement."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    rows = UserSession.objects.filter(Exists(alive), user_id=user_id).order_by(F("created_at").desc())[:50]
    return [_signed_in(row, current_key) for row in rows]


def _signed_in(row: UserSession, current_key: str | None) -> SignedInSession:
    return SignedInSession(
        id=row.pk,
        ip=row.ip,
        browser=browser_name(row.user_agent),
        since=row.created_at,
        current=row.session_key == current_key,
    )


@dataclass(frozen=True, slots=True)
class SomebodysSession:
    """Where some account is signed in."""

    user: User
    session: SignedInSession


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A part of all sessions, the newest first, and the number the next part begins after."""

    rows: list[SomebodysSession]
    after: str


def sessions_page(*, query: str = "", after: str = "", current_key: str | None, size: int = 30) -> SessionPage:
    """Who is signed in now, the newest first; one statement.

    Args:
        query: part of a name or an address; empty for all.
        after: show what follows this number.
        current_key: the asker's own session.
        size: how many.
    """
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    found = UserSession.objects.filter(Exists(alive)).select_related("user")
    text = query.replace("\x00", "").strip()[:LONGEST_QUERY]
    if text:
        found = found.filter(Q(user__username__icontains=text) | Q(user__name__icontains=text) | Q(ip__icontains=text))
    if after.isascii() and after.isdigit():
        found = found.filter(pk__lt=min(int(after), 2**31 - 1))
    rows = list(found.order_by("-pk")[: size + 1])
    shown = [SomebodysSession(row.user, _signed_in(row, current_key)) for row in rows[:size]]
    return SessionPage(shown, str(rows[size - 1].pk) if len(rows) > size else "")


_BROWSERS = (
    ("Edg/", "Edge"),
    ("QQBrowser", "QQ"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("UOS", "UOS"),
    ("Kylin", "Kylin"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """A browser and system as people name them, from the first known words of `user_agent`."""
    browser = next((name for word, name in _BROWSERS if word in user_agent), "")
    system = next((name for word, name in _SYSTEMS if word in user_agent), "")
    return " · ".join(part for part in (browser, system) if part) or user_agent[:40]
