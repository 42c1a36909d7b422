"""The door of the cells' agents, served at the host ``cells.<suffix>`` of the management zone alone."""

from django.urls import path

from tenants.directory import views
from tenants.protocol import COMMANDS_PATH, FACTS_PATH

app_name = "directory"
urlpatterns = [
    path(COMMANDS_PATH.removeprefix("/"), views.commands, name="commands"),
    path(FACTS_PATH.removeprefix("/"), views.facts, name="facts"),
]
