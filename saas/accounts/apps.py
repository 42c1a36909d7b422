"""Registers accounts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Django's entry to accounts."""

    name = "saas.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Put accounts, roles and own settings into every zone's menu; give new bureaus their administrators."""
        from django.conf import settings

        from saas.accounts import jobs  # noqa: F401 - registers the periodic job
        from saas.accounts.services import create_initial_administrators
        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.env import Zone

        if settings.IN_CELL:
            from tenants.provisioning import first_accounts

            first_accounts.register(create_initial_administrators)
        register(
            NavEntry(
                key="services",
                label=_("外部服务区"),
                url_name="extranet_home",
                permission=Permission.SIGNED_IN,
                zone=Zone.EXTRANET,
                order=0,
                icon="home",
                bar=1,
                short=_("首页"),
            )
        )
        for zone in Zone:
            register(
                NavEntry(
                    key="settings",
                    label=_("个人设置"),
                    url_name="accounts:settings",
                    permission=Permission.SIGNED_IN,
                    zone=zone,
                    order=90,
                    icon="settings",
                )
            )
            register(
                NavEntry(
                    key="accounts",
                    label=_("账号"),
                    url_name="accounts:accounts",
                    permission=Permission.MANAGE_ACCOUNTS,
                    zone=zone,
                    order=310,
                    icon="users",
                    bar=4 if zone is Zone.MANAGEMENT else 1,
                )
            )
            register(
                NavEntry(
                    key="roles",
                    label=_("角色与授权"),
                    url_name="accounts:roles",
                    permission=Permission.GRANT_ROLES,
                    zone=zone,
                    order=320,
                    icon="shield-lock",
                    bar=2,
                    short=_("授权"),
                )
            )
            register(
                NavEntry(
                    key="sessions",
                    label=_("在线登录"),
                    url_name="accounts:all_sessions",
                    permission=Permission.GRANT_ROLES,
                    zone=zone,
                    order=325,
                    icon="device-desktop",
                    bar=3,
                    short=_("登录"),
                )
            )
