"""Registers documents."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Django's entry to documents."""

    name = "saas.documents"
    label = "documents"
