"""Keeps one person's previews from taking a whole process: so many a minute, one at a time, the newest first.

Counted in each process: a zone with several web workers grants as many times that.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator

from django.utils.translation import gettext as _

from saas.core.errors import Throttled

PREVIEWS_A_MINUTE = 40
LONGEST_WAIT_SECONDS = 5.0
_MOST_KNOWN = 2000
_recent: OrderedDict[str, deque[float]] = OrderedDict()
_running: set[str] = set()
_newest: dict[str, int] = {}
_tickets = itertools.count()
_changed = threading.Condition()


@contextlib.contextmanager
def turn(who: str) -> Iterator[None]:
    """Run the block when no other one of this person runs in this process.

    While one runs only the newest request waits for it, because the page shows only the newest answer.

    Raises:
        Throttled: the 41st within a minute, one that a newer one overtook, or a wait of five seconds in vain.
    """
    with _changed:
        _count(who)
        ticket = _newest[who] = next(_tickets)
        _changed.notify_all()
        _changed.wait_for(lambda: who not in _running or _newest.get(who) != ticket, LONGEST_WAIT_SECONDS)
        if who in _running or _newest.get(who) != ticket:
            raise Throttled(_("预览过于频繁，请稍候。"))
        _running.add(who)
    try:
        yield
    finally:
        with _changed:
            _running.discard(who)
            _changed.notify_all()


def _count(who: str) -> None:
    now = time.monotonic()
    times = _recent.setdefault(who, deque())
    _recent.move_to_end(who)
    while times and now - times[0] > 60:
        times.popleft()
    if len(times) >= PREVIEWS_A_MINUTE:
        raise Throttled(_("预览过于频繁，请稍候。"))
    times.append(now)
    while len(_recent) > _MOST_KNOWN:
        forgotten, _times = _recent.popitem(last=False)
        _newest.pop(forgotten, None)
