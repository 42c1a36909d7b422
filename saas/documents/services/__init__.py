"""Writes of documents: each one authorised, locked, audited, and whole or not at all."""

from saas.documents.services.drafting import (
    ATTACHMENT_LIMIT,
    DraftConflict,
    DraftInput,
    attachment_add,
    attachment_remove,
    document_autosave,
    document_discard,
    document_draft,
)
from saas.documents.services.incoming import IncomingInput, incoming_register
from saas.documents.services.issuing import document_sign_off, document_submit, findings_of
from saas.documents.services.marks import BelowMark, book_continue, lost_numbers
from saas.documents.services.numbers import (
    book_create,
    document_register_number,
    missing_numbers,
    number_issue,
    number_reserve,
    number_void,
)
from saas.documents.services.production import (
    attach_sealed_pdf,
    document_render,
    mark_filed,
    mark_sent,
    sealable_bytes,
)

__all__ = [
    "ATTACHMENT_LIMIT",
    "BelowMark",
    "DraftConflict",
    "DraftInput",
    "IncomingInput",
    "attach_sealed_pdf",
    "attachment_add",
    "attachment_remove",
    "book_continue",
    "book_create",
    "document_autosave",
    "document_discard",
    "document_draft",
    "document_register_number",
    "document_render",
    "document_sign_off",
    "document_submit",
    "findings_of",
    "incoming_register",
    "lost_numbers",
    "mark_filed",
    "mark_sent",
    "missing_numbers",
    "number_issue",
    "number_reserve",
    "number_void",
    "sealable_bytes",
]
