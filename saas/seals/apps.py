"""Registers seals with Django, its jobs and its place in the navigation."""

from django.apps import AppConfig


class SealsConfig(AppConfig):
    """Django's entry to seals."""

    name = "saas.seals"
    label = "seals"

    def ready(self) -> None:
        """Register the jobs and the menu entries."""
        from django.utils.translation import gettext_lazy as _

        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.seals import jobs  # noqa: F401

        register(
            NavEntry("seals", _("印章"), "seals:list", permission=Permission.GRANT_ROLES, order=320, icon="rosette")
        )
        register(NavEntry("seal-check", _("验章"), "seals:check", order=180, icon="shield-check"))
