"""The intranet zone's routes."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("saas.accounts.urls")),
    path("", include("saas.core.audit.urls")),
    path("", include("saas.organisation.urls")),
    path("", include("saas.search.urls")),
    path("", include("saas.regulations.urls")),
    path("", include("saas.documents.urls")),
    path("", include("saas.portal.desk.urls")),
    path("", include("saas.portal.urls")),
    path("", include("saas.portal.urls_appearance")),
    path("", include("saas.approvals.urls")),
    path("", include("saas.approvals.urls_administration")),
    path("", include("saas.seals.urls")),
    path("", include("saas.exchange.urls")),
    path("", include("saas.archive.urls")),
]

handler400 = "saas.core.middleware.bad_request"
handler403 = "saas.core.middleware.permission_denied"
handler404 = "saas.core.middleware.page_not_found"
handler500 = "saas.core.middleware.server_error"
