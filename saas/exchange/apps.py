"""Registers the exchange between bureaus."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Django's entry to the exchange between bureaus."""

    name = "saas.exchange"
    label = "exchange"

    def ready(self) -> None:
        """Register the jobs and the desk's menu entry."""
        from django.utils.translation import gettext_lazy as _

        from saas.core.access import Permission
        from saas.core.navigation import NavEntry, register
        from saas.exchange import jobs, selectors  # noqa: F401

        register(
            NavEntry(
                "deliveries",
                _("签收"),
                "exchange:deliveries",
                permission=Permission.REGISTER_INCOMING,
                order=115,
                icon="inbox",
                count=lambda _request: selectors.waiting_count(),
            )
        )
