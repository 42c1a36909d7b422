"""Layout of official documents by GB/T 9704-2012: content in, exact PDF out. Needs no database and no tenant."""

from saas.documents.layout.body import parse_body, plain_text
from saas.documents.layout.content import (
    Align,
    Annex,
    Closing,
    DocumentContent,
    Paragraph,
    RenderedPdf,
    SealAnchor,
    chinese_date,
)
from saas.documents.layout.fonts import FontSet
from saas.documents.layout.rendering import TEMPLATE_VERSION, check_glyphs, render
from saas.documents.layout.titles import break_title

__all__ = [
    "TEMPLATE_VERSION",
    "Align",
    "Annex",
    "Closing",
    "DocumentContent",
    "FontSet",
    "Paragraph",
    "RenderedPdf",
    "SealAnchor",
    "break_title",
    "check_glyphs",
    "chinese_date",
    "parse_body",
    "plain_text",
    "render",
]
