"""What every page's frame needs: menu with counts, bureau, theme, reader's display choices. All lazy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from saas.core import navigation, toasts
from saas.core.access import Permission
from saas.core.actors import Actor
from saas.core.tenancy import NoTenant, current_tenant
from saas.env import Zone
from saas.portal.display import Display, read
from tenants.appearance import Appearance

IN_TOP_BAR = frozenset({"settings", "messages"})


@dataclass(frozen=True, slots=True)
class NavItem:
    """A menu entry as the reader sees it: its address and how much is waiting."""

    entry: navigation.NavEntry
    url: str
    count: int | None
    current: bool

    @property
    def key(self) -> str:
        """The entry's key."""
        return self.entry.key

    @property
    def label(self) -> str:
        """The entry's label in the reader's language."""
        return str(self.entry.label)

    @property
    def short(self) -> str:
        """The label for the phone's bottom bar."""
        return str(self.entry.short or self.entry.label)


class Frame:
    """Answers the templates' questions about the page around the content; nothing is asked before it is drawn."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def bureau(self) -> str:
        """Name in the top bar: the one the bureau has chosen to be shown, or its legal one."""
        if self.appearance is not None and self.appearance.name:
            return self.appearance.name
        try:
            # Management's own name is a word of ours, a bureau's is not.
            return _("云署管理域") if settings.ZONE is Zone.MANAGEMENT else current_tenant().name
        except NoTenant:
            return ""

    @cached_property
    def theme(self) -> str:
        """The bureau's theme; the management zone is always graphite."""
        if settings.ZONE is Zone.MANAGEMENT:
            return "graphite"
        return (self.appearance or Appearance()).theme.value

    @property
    def appearance(self) -> Appearance | None:
        """What the bureau has chosen; None in management and before a bureau is found."""
        return getattr(self.request, "appearance", None)

    @property
    def emblem(self) -> str:
        """One or two characters in place of the cloud's sign."""
        return self.appearance.emblem if self.appearance else ""

    @cached_property
    def display(self) -> Display:
        """Text size, row height and keyboard choice of this browser."""
        return read(self.request)

    @property
    def language(self) -> str:
        """BCP 47 tag for the `lang` attribute."""
        return "zh-Hans" if (get_language() or "zh").startswith("zh") else "en"

    @property
    def zone(self) -> str:
        """The zone's name, for what only some zones show."""
        return str(settings.ZONE)

    @property
    def demo(self) -> bool:
        """Whether this is the demonstration cloud, which says so on every page."""
        return bool(settings.DEMO)

    @property
    def actor(self) -> Actor | None:
        """Who acts, in which post; None before sign-in."""
        return getattr(self.request, "actor", None) if self.signed_in else None

    @cached_property
    def signed_in(self) -> bool:
        """Whether there is a menu to show."""
        user = getattr(self.request, "user", None)
        return bool(user is not None and user.is_authenticated)

    @cached_property
    def items(self) -> list[NavItem]:
        """The menu entries this reader may open, with counts."""
        if not self.signed_in:
            return []
        allowed = list(self._allowed())
        here = max(
            (
                url
                for _entry, url in allowed
                if self.request.path.startswith(url) and (url != "/" or self.request.path == "/")
            ),
            key=len,
            default="",
        )
        return [
            NavItem(entry=entry, url=url, count=entry.count(self.request) if entry.count else None, current=url == here)
            for entry, url in allowed
        ]

    def _allowed(self) -> Iterator[tuple[navigation.NavEntry, str]]:
        user = self.request.user
        for entry in navigation.entries(settings.ZONE):
            if entry.permission not in {Permission.SIGNED_IN, Permission.PUBLIC} and not user.has_permission(  # type: ignore[union-attr]
                entry.permission
            ):
                continue
            try:
                url = reverse(entry.url_name)
            except NoReverseMatch:
                continue
            yield entry, url

    @property
    def groups(self) -> list[list[NavItem]]:
        """The menu split where the order passes a hundred; what stands in the top bar is not repeated."""
        shown = [item for item in self.items if item.key not in IN_TOP_BAR]
        return [list(group) for _, group in groupby(shown, key=lambda item: item.entry.order // 100)]

    @property
    def first_url(self) -> str:
        """Where a sign-in leads: the first entry of this reader's menu, empty when there is none; no counts asked."""
        return next((url for entry, url in self._allowed() if entry.key not in IN_TOP_BAR), "")

    def _by_key(self, key: str) -> NavItem | None:
        return next((item for item in self.items if item.key == key), None)

    @property
    def waiting(self) -> list[NavItem]:
        """Entries with something waiting that the workbench does not itself count."""
        return [item for item in self.items if item.count and item.key not in {"todo", "to-read"}]

    @property
    def search_url(self) -> str:
        """Where the top bar's search goes: the entry registered as ``search``."""
        found = self._by_key("search")
        return found.url if found else ""

    @property
    def settings_url(self) -> str:
        """Where 个人设置 leads: the entry registered as ``settings``."""
        found = self._by_key("settings")
        return found.url if found else ""

    @property
    def messages(self) -> NavItem | None:
        """The entry registered as ``messages``, drawn as the bell."""
        return self._by_key("messages")

    @property
    def user_name(self) -> str:
        """The signed-in person's name."""
        return self.actor.user_name if self.actor else str(getattr(self.request, "user", ""))

    @cached_property
    def posts(self) -> list[navigation.PostChoice]:
        """The posts this person may act in, when there is more than one."""
        chooser = navigation.post_chooser()
        if not self.signed_in or chooser is None:
            return []
        choices = chooser.choices(self.request)
        return choices if len(choices) > 1 else []

    @property
    def posts_url(self) -> str:
        """Where the choice of a post is sent."""
        chooser = navigation.post_chooser()
        return reverse(chooser.url_name) if chooser else ""

    @property
    def bar(self) -> list[NavItem]:
        """At most four entries of the phone's bottom bar; the fifth is the whole menu."""
        return sorted((i for i in self.items if i.entry.bar), key=lambda i: i.entry.bar)[:4]

    @property
    def toasts(self) -> list[toasts.Toast]:
        """Notices left by the page before; read once."""
        return toasts.take(self.request)


def frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
