"""The audit trail's route."""

from __future__ import annotations

from django.urls import path

from saas.core.audit import views

app_name = "audit"
urlpatterns = [path("audit/", views.audit_list, name="list")]
