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
        from saas.core.storage.sweep import claim, column
        from saas.organisation import jobs  # noqa: F401 -- registers
        from saas.organisation.acting import actor_for, choices
        from saas.organisation.models import WorkbookImport

        register_resolver(actor_for)
        claim("organisation/imports", column(WorkbookImport, "stored_name"))
        navigation.register_post_chooser(navigation.PostChooser("organisation:choose_post", choices))
        navigation.register(
            navigation.NavEntry(
                key="directory", label=_("通讯录"), url_name="organisation:directory", order=210, icon="address-book"
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
                bar=2,
                short=_("机构"),
            )
        )
        navigation.register(
            navigation.NavEntry(
                key="people",
                label=_("人员"),
                url_name="organisation:people",
                permission=Permission.MANAGE_ORGANISATION,
                order=311,
                icon="users",
                bar=3,
            )
        )
        navigation.register(
            navigation.NavEntry(
                key="workbook",
                label=_("导入导出"),
                url_name="organisation:workbooks",
                permission=Permission.MANAGE_ORGANISATION,
                order=312,
                icon="file-spreadsheet",
            )
        )
