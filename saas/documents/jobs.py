"""What documents leave to the background."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from saas.core.jobs import job, periodic


@job(queue="documents", attempts=20)
def raise_number_mark(*, book_id: str) -> None:
    """Let the mark outside the database follow the numbers a book gave; safe to run twice."""
    from saas.documents.services.marks import number_mark_raise

    number_mark_raise(book_id=UUID(book_id))


@periodic(every=timedelta(hours=6))
def raise_number_marks() -> None:
    """The same for every book, should a job have been lost with an outage."""
    from saas.documents.models import NumberBook
    from saas.documents.services.marks import number_mark_raise

    for book_id in NumberBook.objects.filter(active=True, next_serial__gt=1).values_list("id", flat=True):
        number_mark_raise(book_id=book_id)


@periodic(every=timedelta(hours=12))
def forget_uploads() -> None:
    """Give up uploads that were left half-way."""
    from saas.documents.services.uploads import uploads_forget

    uploads_forget()


@job(queue="documents", attempts=8)
def render_document(*, document_id: str) -> None:
    """Make the final PDF of a numbered document; safe to run twice."""
    from saas.documents.services.production import document_render

    document_render(document_id=UUID(document_id))
