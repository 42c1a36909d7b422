"""The route of a bureau's appearance, in the zones that have bureaus."""

from django.urls import path

from saas.portal.appearance import appearance

app_name = "appearance"
urlpatterns = [path("appearance/", appearance, name="change")]
