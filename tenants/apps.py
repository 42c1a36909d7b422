"""Registers the cell's registry of bureaus."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Django's entry to the cell's registry of bureaus."""

    name = "tenants"
    label = "tenants"

    def ready(self) -> None:
        """Bind queries to bureaus and tell the layers below where bureaus are found."""
        from saas.core.tenancy import register_directory
        from tenants import guards
        from tenants.selectors import CellDirectory

        guards.install()
        register_directory(CellDirectory())
