"""Short notices about what was just done, shown by the next page or by the htmx answer itself."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise

SESSION_KEY = "toasts"
HEADER = "HX-Trigger"


class Kind(enum.StrEnum):
    """How a notice is drawn; a problem stays until it is closed, the others go by themselves."""

    DONE = "done"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """A notice, with one act at most (undo), which is sent as a POST."""

    text: str
    kind: Kind = Kind.DONE
    action_label: str = ""
    action_url: str = ""


def _toast(text: str | Promise, kind: Kind, action_label: str | Promise, action_url: str) -> Toast:
    return Toast(text=str(text), kind=kind, action_label=str(action_label), action_url=action_url)


def show_next(
    request: HttpRequest,
    text: str | Promise,
    *,
    kind: Kind = Kind.DONE,
    action_label: str | Promise = "",
    action_url: str = "",
) -> None:
    """Show the notice on the next whole page of this session (use before a redirect)."""
    waiting: list[dict[str, Any]] = request.session.get(SESSION_KEY, [])
    request.session[SESSION_KEY] = [*waiting, asdict(_toast(text, kind, action_label, action_url))]


def attach(
    response: HttpResponseBase,
    text: str | Promise,
    *,
    kind: Kind = Kind.DONE,
    action_label: str | Promise = "",
    action_url: str = "",
) -> None:
    """Show the notice when htmx receives this answer."""
    events = json.loads(response.headers.get(HEADER, "{}"))
    events["toast"] = asdict(_toast(text, kind, action_label, action_url))
    response.headers[HEADER] = json.dumps(events)


def take(request: HttpRequest) -> list[Toast]:
    """The notices waiting in the session, which are then gone."""
    session = getattr(request, "session", None)
    if not session or SESSION_KEY not in session:
        return []
    return [Toast(**{**item, "kind": Kind(item["kind"])}) for item in session.pop(SESSION_KEY)]
