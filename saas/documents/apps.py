"""Registers documents: flows' handlers, jobs, search kinds, buttons and menu entries."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    """Django's entry to documents."""

    name = "saas.documents"
    label = "documents"

    def ready(self) -> None:
        """Register with the apps below."""
        from django.urls import reverse

        from saas.approvals.registry import register_subject
        from saas.core import navigation
        from saas.core.access import Permission
        from saas.core.figures import figure
        from saas.core.storage.sweep import claim, column
        from saas.documents import jobs, menu, sealing, waiting  # noqa: F401 -- jobs and sealing register
        from saas.documents.flows import signing_problems
        from saas.documents.handlers import FIELDS, IncomingHandler, OutgoingHandler
        from saas.documents.kinds import INCOMING_SUBJECT, SUBJECT
        from saas.documents.models import Attachment, Document
        from saas.documents.selectors import parts_named
        from saas.search import kinds

        for prefix in ("documents/pdf", "documents/sealed", "documents/incoming"):
            claim(prefix, column(Document, "pdf_name"), column(Document, "sealed_name"))
        claim("documents/files", column(Attachment, "stored_name"))
        claim("documents/parts", parts_named)
        register_subject(SUBJECT, OutgoingHandler(), fields=FIELDS, check=signing_problems)
        register_subject(INCOMING_SUBJECT, IncomingHandler(), fields=FIELDS)
        kinds.register("document_outgoing", _("发文"), lambda key: reverse("documents:detail", args=[key]))
        kinds.register("document_incoming", _("收文"), lambda key: reverse("documents:detail", args=[key]))
        menu.register_actions()
        waiting.register_figures()
        for entry in (
            navigation.NavEntry("draft", _("拟稿"), "documents:new", order=40, icon="file-plus", bar=3),
            navigation.NavEntry("drafts", _("草稿箱"), "documents:drafts", order=50, icon="file-pencil"),
            navigation.NavEntry("outgoing", _("发文"), "documents:outgoing", order=100, icon="send"),
            navigation.NavEntry(
                "issuing",
                _("编号用印"),
                "documents:issuing",
                Permission.KEEP_NUMBERS,
                order=105,
                icon="rubber-stamp",
                count=lambda request: figure(request, waiting.NUMBER_FIGURE) + figure(request, waiting.SEAL_FIGURE),
            ),
            navigation.NavEntry("incoming", _("收文登记"), "documents:incoming", order=110, icon="file-import"),
            navigation.NavEntry(
                "books", _("文号簿"), "documents:books", Permission.KEEP_NUMBERS, order=120, icon="hash"
            ),
        ):
            navigation.register(entry)
