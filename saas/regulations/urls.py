"""Routes of the regulations base."""

from __future__ import annotations

from django.urls import URLPattern, path

from saas.core.access import Permission, access
from saas.regulations import views

app_name = "regulations"

urlpatterns: list[URLPattern] = [
    path("regulations/", access(Permission.STAFF)(views.regulation_list), name="list"),
    path("regulations/upload/", access(Permission.KEEP_REGULATIONS)(views.upload), name="upload"),
    path("regulations/<uuid:regulation_id>/", access(Permission.STAFF)(views.read), name="read"),
]
