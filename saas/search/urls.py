"""Routes of search."""

from __future__ import annotations

from django.urls import URLPattern, path

from saas.core.access import Permission, access
from saas.search import views

app_name = "search"

urlpatterns: list[URLPattern] = [
    path("search/", access(Permission.STAFF)(views.search), name="search"),
    path("search/suggest/", access(Permission.STAFF)(views.suggest), name="suggest"),
]
