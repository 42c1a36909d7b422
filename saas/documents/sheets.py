"""Which pages of a document can be shown as pictures, and why none can when its text cannot be set."""

from __future__ import annotations

from dataclasses import dataclass

from saas.core.errors import Invalid, Unavailable
from saas.documents.elements import Issue, content_of
from saas.documents.layout import check_glyphs
from saas.documents.models import Document
from saas.documents.services.fonts import font_set

MOST_SHEETS = 60


@dataclass(frozen=True, slots=True)
class Sheets:
    """The pages to show, from 1; or what stands in their place."""

    pages: range = range(0)
    problem: str = ""


def sheets_of(document: Document) -> Sheets:
    """A finished file's pages; before that the first page of the text as it is now, unless no font can show it."""
    if not document.final_pdf:
        try:
            check_glyphs(content_of(document.written, urgency=document.urgency, issue=Issue()), font_set())
        except (Invalid, Unavailable) as refused:
            return Sheets(problem=str(refused))
    return Sheets(range(1, min(document.pdf_pages or 1, MOST_SHEETS) + 1))
