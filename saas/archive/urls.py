"""Routes of the archive."""

from django.urls import path

from saas.archive import views

app_name = "archive"
urlpatterns = [
    path("archive/", views.record_list, name="list"),
    path("archive/<uuid:record_id>/", views.record_page, name="record"),
    path("archive/<uuid:record_id>/package.zip", views.record_package, name="package"),
    path("documents/<uuid:document_id>/file/", views.document_file, name="file"),
]
