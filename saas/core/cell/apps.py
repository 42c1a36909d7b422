"""Registers what a cell's tenants share."""

from django.apps import AppConfig


class CellConfig(AppConfig):
    """Django's entry to what a cell's tenants share."""

    name = "saas.core.cell"
    label = "cell"
