"""Registers core."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """Django's entry to core."""

    name = "saas.core"
    label = "core"

    def ready(self) -> None:
        """Put the audit trail into every zone's menu; register what `check --deploy` asks."""
        from saas.core import checks  # noqa: F401 -- registers
        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.core.storage import jobs  # noqa: F401 -- registers
        from saas.env import Zone

        for zone in Zone:
            entry = NavEntry(
                "audit",
                _("审计记录"),
                "audit:list",
                Permission.READ_AUDIT,
                zone,
                order=330,
                icon="history",
                bar=4,
                short=_("审计"),
            )
            register(entry)
