"""The consoles' routes, served in the management zone."""

from django.urls import path

from saas.portal.console import views

app_name = "console"
urlpatterns = [
    path("bureaus/", views.bureaus, name="bureaus"),
    path("bureaus/new/", views.bureau_new, name="bureau_new"),
    path("bureaus/<slug:code>/", views.bureau, name="bureau"),
    path("bureaus/<slug:code>/progress/", views.bureau_progress, name="bureau_progress"),
    path("bureaus/<slug:code>/suspend/", views.bureau_suspend, name="bureau_suspend"),
    path("bureaus/<slug:code>/resume/", views.bureau_resume, name="bureau_resume"),
    path("health/", views.health, name="health"),
    path("jobs/", views.jobs, name="jobs"),
    path("jobs/retry/", views.job_retry, name="job_retry"),
    path("security/", views.security, name="security"),
]
