"""Routes of documents."""

from django.urls import path

from saas.documents.views import drafting, incoming, numbers, reading, uploads, versions

app_name = "documents"
urlpatterns = [
    path("documents/new/", drafting.new, name="new"),
    path("documents/preview/", drafting.preview, name="preview"),
    path("documents/drafts/", drafting.drafts, name="drafts"),
    path("documents/outgoing/", reading.outgoing, name="outgoing"),
    path("documents/issuing/", reading.issuing, name="issuing"),
    path("documents/incoming/", incoming.register, name="incoming"),
    path("documents/incoming/new/", incoming.register_scan, name="incoming_new"),
    path("documents/books/", numbers.books, name="books"),
    path("documents/books/new/", numbers.book_new, name="book_new"),
    path("documents/books/<uuid:book_id>/", numbers.book, name="book"),
    path("documents/books/<uuid:book_id>/continue/", numbers.book_continue, name="book_continue"),
    path("documents/books/<uuid:book_id>/reserve/", numbers.reserve, name="reserve"),
    path("documents/numbers/<int:entry_id>/void/", numbers.entry_void, name="void"),
    path("documents/<uuid:document_id>/", reading.detail, name="detail"),
    path("documents/<uuid:document_id>/way/", reading.way, name="way"),
    path("documents/<uuid:document_id>/progress/", reading.progress, name="progress"),
    path("documents/<uuid:document_id>/sheets/<int:page>.png", reading.sheet, name="sheet"),
    path("documents/<uuid:document_id>/document.pdf", reading.pdf, name="pdf"),
    path("documents/<uuid:document_id>/edit/", drafting.edit, name="edit"),
    path("documents/<uuid:document_id>/autosave/", drafting.autosave, name="autosave"),
    path("documents/<uuid:document_id>/discard/", drafting.discard, name="discard"),
    path("documents/<uuid:document_id>/number/", numbers.number, name="number"),
    path("documents/<uuid:document_id>/seal/", reading.seal, name="seal"),
    path("documents/<uuid:document_id>/versions/", versions.versions, name="versions"),
    path("documents/<uuid:document_id>/uploads/", uploads.begin, name="uploads"),
    path("documents/<uuid:document_id>/uploads/<uuid:upload_id>/", uploads.piece, name="upload"),
    path("documents/<uuid:document_id>/uploads/<uuid:upload_id>/finish/", uploads.finish, name="upload_finish"),
    path("documents/<uuid:document_id>/files/", drafting.file_add, name="file_add"),
    path("documents/<uuid:document_id>/files/<uuid:file_id>/", reading.file, name="file"),
    path("documents/<uuid:document_id>/files/<uuid:file_id>/remove/", drafting.file_remove, name="file_remove"),
]
