"""The desk's routes; its `home` stands before the frame's own."""

from django.urls import path

from saas.portal.desk import views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("starred/", views.starred, name="starred"),
    path("desk/phrases/", views.phrases, name="phrases"),
    path("desk/put-by/", views.put_by, name="put_by"),
    path("desk/star/", views.star, name="star"),
    path("desk/filters/", views.filter_save, name="filter_save"),
    path("desk/filters/remove/", views.filter_remove, name="filter_remove"),
]
