"""What documents leave to the background."""

from __future__ import annotations

from uuid import UUID

from saas.core.jobs import job


@job(queue="documents", attempts=8)
def render_document(*, document_id: str) -> None:
    """Make the final PDF of a numbered document; safe to run twice."""
    from saas.documents.services.production import document_render

    document_render(document_id=UUID(document_id))
