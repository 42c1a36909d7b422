"""Registers organisation: who acts, the menu, the jobs."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganisationConfig(AppConfig):
    """Django's entry to organisation."""

    name = "saas.organisation"
    label = "organisation"

    def ready(self) -> None:
        """Register the actor resolver, jobs and menu entries."""
        from saas.accounts.actors import register_resolver
        from saas.core import navigation
        from saas.core.access import Permission
        from saas.organisation import jobs  # noqa: F401 -- registers
        from saas.organisation.acting import actor_for

        register_resolver(actor_for)
        navigation.register(
            navigation.NavEntry(
                key="directory", label=_("通讯录"), url_name="organisation:directory", order=210, icon="users", bar=0
            )
        )
        navigation.register(
            navigation.NavEntry(
                key="organisation",
                label=_("组织机构"),
                url_name="organisation:units",
                permission=Permission.MANAGE_ORGANISATION,
                order=310,
                icon="sitemap",
            )
        )
