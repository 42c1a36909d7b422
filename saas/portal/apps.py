"""Registers the portal."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """Django's entry to the portal."""

    name = "saas.portal"
    label = "portal"

    def ready(self) -> None:
        """Put the consoles into management's menu, and a bureau's appearance into its system administrator's."""
        from saas.core.access import CELLS, Permission
        from saas.core.navigation import NavEntry, register
        from saas.env import Zone

        if settings.IN_CELL:
            for zone in CELLS:
                register(
                    NavEntry(
                        "appearance",
                        _("单位外观"),
                        "appearance:change",
                        Permission.MANAGE_ORGANISATION,
                        zone,
                        330,
                        "adjustments",
                    )
                )
            return
        operate, oversee = Permission.OPERATE_PLATFORM, Permission.OVERSEE_SECURITY
        here = Zone.MANAGEMENT
        register(
            NavEntry(
                "bureaus",
                _("接入单位"),
                "console:bureaus",
                operate,
                here,
                10,
                "building-community",
                bar=1,
                short=_("单位"),
            )
        )
        register(
            NavEntry("health", _("系统健康"), "console:health", operate, here, 20, "heartbeat", bar=2, short=_("健康"))
        )
        register(
            NavEntry("jobs", _("任务队列"), "console:jobs", operate, here, 30, "list-check", bar=3, short=_("任务"))
        )
        register(
            NavEntry(
                "security", _("隔离总览"), "console:security", oversee, here, 40, "shield-check", bar=1, short=_("隔离")
            )
        )
