"""How a bureau's pages look, beside its legal name: kept in the registry, so that no page asks a query for it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext as _

from saas.core.actors import Actor
from saas.core.audit import Event, record
from saas.core.audit.services import Target
from saas.core.errors import Invalid, NotFound
from saas.core.tenancy import current_tenant

MOST_NAME = 30
MOST_EMBLEM = 2


class Theme(enum.StrEnum):
    """The colours a bureau may choose; each keeps the contrast of WCAG AA (`portal/css/tokens.css`)."""

    BLUE = "blue"
    RED = "red"
    GREEN = "green"
    TEAL = "teal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What the top bar shows.

    Attributes:
        name: instead of the legal name; empty for that.
        emblem: one or two characters in place of the cloud's sign; empty for that.
        theme: the colour.
    """

    name: str = ""
    emblem: str = ""
    theme: Theme = Theme.BLUE

    @classmethod
    def read(cls, *, name: str, emblem: str, theme: str) -> Appearance:
        """As it stands in the registry; a colour that is no longer offered is the first one."""
        return cls(name=name, emblem=emblem, theme=Theme(theme) if theme in list(Theme) else Theme.BLUE)


def appearance_change(*, appearance: Appearance, by: Actor) -> None:
    """Change how the present bureau looks, and no other one.

    Raises:
        Invalid: a text is too long.
        NotFound: there is no bureau here.
    """
    name, emblem = " ".join(appearance.name.split()), "".join(appearance.emblem.split())
    fields = {}
    if len(name) > MOST_NAME:
        fields["name"] = _("不超过 %(most)d 字。") % {"most": MOST_NAME}
    if len(emblem) > MOST_EMBLEM or not emblem.isprintable():
        fields["emblem"] = _("一个或两个字。")
    if fields:
        raise Invalid(_("外观没有改变，请先改正。"), fields=fields)
    bureau = current_tenant()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT cell.change_my_appearance(%s, %s, %s)", [name, emblem, appearance.theme.value])
            if not cursor.fetchone()[0]:
                raise NotFound(_("没有这个单位。"))
        record(
            Event.APPEARANCE_CHANGED,
            by=by,
            target=Target("bureau", bureau.id, bureau.name),
            detail={"name": name, "emblem": emblem, "theme": appearance.theme.value},
        )
