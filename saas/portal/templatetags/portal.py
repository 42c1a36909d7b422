"""The tags and filters of the interface's small parts: icons, tags, times, deadlines, sizes, numbers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

register = template.Library()

URGENCY = {"特急": ("te", _lazy("特急")), "加急": ("jia", _lazy("加急")), "平急": ("ping", _lazy("平急"))}
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One icon of the sprite.

    Args:
        name: its name in `icons.svg`.
        label: what it says when nothing beside it does; without it the icon is hidden from screen readers.
    """
    address = f"{static('portal/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, address)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', address)


@register.simple_tag
def tag(text: object, kind: str = "plain") -> SafeString:
    """A small label. Colour never speaks alone: the text says it.

    Args:
        text: what it says; empty draws nothing.
        kind: ``te`` ``jia`` ``ping`` (urgency), ``good`` ``warn`` ``bad`` ``info`` ``plain`` (state).
    """
    return format_html('<span class="tag {}">{}</span>', kind, text) if str(text or "") else SafeString("")


@register.simple_tag
def urgency(value: object) -> SafeString:
    """The urgency's tag: 特急, 加急, 平急; nothing for an ordinary document (GB/T 9704-2012, 7.2.3)."""
    kind, text = URGENCY.get(str(value or ""), ("", ""))
    return tag(text, kind)


def _moment(value: date | datetime) -> datetime:
    if isinstance(value, datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else timezone.make_aware(value)
    return datetime.combine(value, time.min, tzinfo=timezone.get_current_timezone())


def _english() -> bool:
    return not (get_language() or "zh").startswith("zh")


def weekday(value: date) -> str:
    """Short name of the day of the week in the reader's language."""
    return (WEEKDAYS_EN if _english() else WEEKDAYS)[value.weekday()]


def relative(value: datetime, *, now: datetime) -> str:
    """How long ago, in words, as an office says it: 刚刚, 8 分钟前, 今天 09:10, 昨天 16:20, 11-20, 2025-11-20."""
    moment, today = _moment(value), _moment(now)
    seconds = (today - moment).total_seconds()
    if 0 <= seconds < 60:
        return _("刚刚")
    if 60 <= seconds < 3600:
        minutes = int(seconds // 60)
        return ngettext("%(n)d 分钟前", "%(n)d 分钟前", minutes) % {"n": minutes}
    days = (today.date() - moment.date()).days
    near = {0: _("今天 %(t)s"), 1: _("昨天 %(t)s"), -1: _("明天 %(t)s")}.get(days)
    if near:
        return near % {"t": moment.strftime("%H:%M")}
    if moment.year == today.year:
        return moment.strftime("%m-%d")
    return moment.strftime("%Y-%m-%d")


@register.simple_tag
def ago(value: date | datetime | None) -> SafeString:
    """Relative time, the absolute one in the title and to machines; nothing for None."""
    if value is None:
        return SafeString("")
    moment = _moment(value)
    text = relative(moment, now=timezone.now()) if isinstance(value, datetime) else moment.strftime("%Y-%m-%d")
    return format_html(
        '<time datetime="{}" title="{} {}" data-ago>{}</time>',
        moment.isoformat(timespec="seconds"),
        moment.strftime("%Y-%m-%d %H:%M"),
        weekday(moment),
        text,
    )


@register.simple_tag
def moment(value: date | datetime | None) -> SafeString:
    """Absolute time to the minute (or the day for a date); nothing for None."""
    if value is None:
        return SafeString("")
    at = _moment(value)
    return format_html(
        '<time datetime="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        at.strftime("%Y-%m-%d %H:%M" if isinstance(value, datetime) else "%Y-%m-%d"),
    )


def _left(days: int) -> str:
    if days < 0:
        return ngettext("已超期 %(n)d 个工作日", "已超期 %(n)d 个工作日", -days) % {"n": -days}
    return ngettext("剩 %(n)d 个工作日", "剩 %(n)d 个工作日", days) % {"n": days}


@register.simple_tag
def deadline(due: date | datetime | None, workdays_left: int | None = None) -> SafeString:
    """A deadline in two lines: when, and how much is left; red when over or today, amber within two days.

    Args:
        due: when it must be done.
        workdays_left: working days until then (negative when over) as the holiday calendar counts them; without it
            the days of the calendar are counted.
    """
    if due is None:
        return SafeString("")
    at, now = _moment(due), _moment(timezone.now())
    timed = isinstance(due, datetime) and (at.hour, at.minute) != (0, 0)
    if not isinstance(due, datetime):
        at += timedelta(hours=23, minutes=59)
    days = (at.date() - now.date()).days
    left = days if workdays_left is None else workdays_left
    over = at < now
    if over and days == 0:
        when, rest, kind = _("已超期"), at.strftime("%H:%M"), "over"
    elif over:
        when, rest, kind = _left(min(left, -1)), at.strftime("%m-%d"), "over"
    elif days == 0:
        hours = max(int((at - now).total_seconds() // 3600), 0)
        when = _("今日 %(t)s") % {"t": at.strftime("%H:%M")} if timed else _("今日到期")
        rest = ngettext("剩 %(n)d 小时", "剩 %(n)d 小时", hours) % {"n": hours} if timed else ""
        kind = "over"
    else:
        when = f"{at.strftime('%m-%d' if at.year == now.year else '%Y-%m-%d')} {weekday(at)}"
        rest, kind = _left(left), "warn" if left <= 2 else ""
    return format_html(
        '<time class="due {}" datetime="{}" title="{}"><span class="when">{}</span> <span class="mu">{}</span></time>',
        kind,
        at.isoformat(timespec="minutes"),
        at.strftime("%Y-%m-%d %H:%M"),
        when,
        rest,
    )


@register.filter
def file_size(value: int | None) -> str:
    """A size in bytes as people read it: 640 B, 12.3 KB, 4.5 MB."""
    if value is None:
        return ""
    size = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return ""


@register.simple_tag
def number(value: object, empty: str = "") -> SafeString:
    """A document number kept in one piece, with the six-corner brackets as they stand (GB/T 9704-2012, 7.2.5)."""
    text = str(value or "").replace("[", "〔").replace("]", "〕").strip()
    if not text:
        return format_html('<span class="mu">{}</span>', empty) if empty else SafeString("")
    return format_html('<span class="docno">{}</span>', text)


@register.simple_tag
def percent(done: int, whole: int) -> int:
    """How many of a hundred, rounded down so that 100 means all."""
    return min(100, int(done * 100 / whole)) if whole else 0


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """The page's query string with `changes` made (empty values removed), for tabs, sorting and paging."""
    request = context["request"]
    values = request.GET.copy()
    for name, value in changes.items():
        values.pop(name, None)
        if value not in {None, ""}:
            values[name] = str(value)
    encoded = values.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.inclusion_tag("portal/parts/star.html")
def star(key: object, state: str = "off") -> dict[str, object]:
    """The star of a document in a list: a button that changes it; `portal/parts/filters.html` finds out which are on.

    Args:
        key: id of the document, or of a matter it is dealt with in.
        state: ``on`` when the page already knows that it is starred.
    """
    return {"object": key, "on": state == "on"}


@register.simple_tag
def gauge(value: float, most: float, label: str, kind: str = "good") -> SafeString:
    """A bar as SVG, drawn on the server, for a figure that stands beside it in words.

    Args:
        value: how much; more than `most` fills the bar.
        most: what the whole bar stands for.
        label: what it is, for those who do not see it.
        kind: ``good``, ``warn`` or ``bad``.
    """
    width = max(0.0, min(100.0, 100 * value / most)) if most else 0.0
    return format_html(
        '<svg class="gauge {}" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="rest" width="100" height="8" rx="2"/><rect class="part" width="{}" height="8" rx="2"/></svg>',
        kind,
        label,
        f"{width:.1f}",
    )
