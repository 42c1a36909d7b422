"""Routes of the pages that keep the flows themselves: delegations, definitions, and what is stuck."""

from __future__ import annotations

from django.urls import URLPattern, path

from saas.approvals.views import administering, delegating, flows, handing_over, moving

app_name = "approvals_admin"
urlpatterns: list[URLPattern] = [
    path("delegations/", delegating.delegations, name="delegations"),
    path("delegations/<uuid:delegation_id>/", delegating.answer, name="delegation"),
    path("flows/", flows.flows, name="flows"),
    path("flows/new/", flows.flow_new, name="flow_new"),
    path("flows/definition.schema.json", flows.schema, name="schema"),
    path("flows/<uuid:flow_id>/", flows.flow, name="flow"),
    path("flows/<uuid:flow_id>/publish/", flows.publish, name="publish"),
    path("flows/<uuid:flow_id>/retire/", flows.retire, name="retire"),
    path("flows/<uuid:flow_id>/older/", moving.running, name="older"),
    path("stuck/handover/", handing_over.handover_page, name="handover"),
    path("stuck/", administering.stuck, name="stuck"),
    path("stuck/<uuid:instance_id>/", administering.intervene, name="intervene"),
    path("stuck/<uuid:instance_id>/version/", moving.version, name="version"),
]
