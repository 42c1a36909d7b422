"""The extranet zone's routes."""

from django.urls import URLPattern, URLResolver, include, path

from saas.accounts.urls import extranet_home

urlpatterns: list[URLPattern | URLResolver] = [
    path("services/", extranet_home, name="extranet_home"),
    path("", include("saas.accounts.urls")),
    path("", include("saas.core.audit.urls")),
    path("", include("saas.portal.urls")),
    path("", include("saas.portal.urls_appearance")),
]

handler400 = "saas.core.middleware.bad_request"
handler403 = "saas.core.middleware.permission_denied"
handler404 = "saas.core.middleware.page_not_found"
handler500 = "saas.core.middleware.server_error"
