"""The frame's routes, the same in every zone."""

from django.urls import path

from saas.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("display/", views.display_choice, name="display"),
    path("gallery/", views.gallery, name="gallery"),
]
