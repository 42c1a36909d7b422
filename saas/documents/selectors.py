"""Reads of documents that no page asks for."""

from __future__ import annotations

from collections.abc import Collection

from saas.documents.models import DocumentUpload


def parts_named(names: Collection[str]) -> set[str]:
    """Which of these files are pieces of an upload that is still on its way."""
    kept = DocumentUpload.objects.values_list("parts", flat=True)
    return {name for parts in kept for name in parts}.intersection(names)
