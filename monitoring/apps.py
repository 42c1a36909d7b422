"""Adds the cell's own figures to what its agent answers."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Django's entry to monitoring; nothing of the product imports it."""

    name = "monitoring"
    label = "monitoring"

    def ready(self) -> None:
        """Register the collector in the agent: it alone may read every bureau's counts."""
        from django.conf import settings

        from saas.env import Process

        if settings.IN_CELL and settings.PROCESS is Process.AGENT:
            from prometheus_client import REGISTRY

            from monitoring.cell import CellCollector

            REGISTRY.register(CellCollector())
