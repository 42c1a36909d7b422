"""The product's settings with stock django-tenants in place of its back end, router and commands."""

import os

from saas.settings import *  # noqa: F403
from saas.settings import DATABASES, INSTALLED_APPS, SHARED_APPS, TENANT_APPS

SHARED_APPS = ["django_tenants", *SHARED_APPS]
INSTALLED_APPS = ["django_tenants", *INSTALLED_APPS]
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DATABASES = {"default": {**DATABASES["default"], "ENGINE": "django_tenants.postgresql_backend", "OPTIONS": {}}}
TENANT_LIMIT_SET_CALLS = False
SKIP_PG_EXTRA_VALIDATION = True
if os.environ.get("PEER_APPS") == "stock":
    # What a stock project has in every schema, and this product has not.
    TENANT_APPS = ["django.contrib.contenttypes", "django.contrib.auth", *TENANT_APPS]
