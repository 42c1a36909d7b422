"""Routes of seals."""

from django.urls import path

from saas.seals import views

app_name = "seals"
urlpatterns = [
    path("seals/", views.seal_list, name="list"),
    path("seals/new/", views.seal_new, name="new"),
    path("seals/check/", views.seal_check, name="check"),
    path("seals/<uuid:seal_id>/picture.png", views.seal_picture, name="picture"),
    path("seals/<uuid:seal_id>/revoke/", views.seal_revoke, name="revoke"),
    path("seals/<uuid:seal_id>/stop/", views.seal_stop, name="stop"),
]
