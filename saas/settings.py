"""Django's settings: short, derived from the typed environment, the same file in every zone."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from saas.env import Zone, env

BASE_DIR = Path(__file__).resolve().parent.parent
ZONE = env.zone
CELL = env.cell
PROCESS = env.process
DEBUG = env.debug
DEMO = env.demo
SECRET_KEY = env.secret_key
FONTS_FOLDER = env.fonts_folder
IN_CELL = ZONE is not Zone.MANAGEMENT

# --- Apps -----------------------------------------------------------------------------------------------------
# contrib.auth and contenttypes are installed because libraries import their code; their tables exist in no
# schema (tenants.routers), so no permission or content type can be confused between tenants.
_WITHOUT_TABLES = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.staticfiles"]
_ACCOUNTS = [
    "django.contrib.sessions",
    "saas.core",
    "saas.accounts",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
_OFFICE = [
    "saas.organisation",
    "saas.regulations",
    "saas.search",
    "saas.approvals",
    "saas.seals",
    "saas.documents",
    "saas.exchange",
    "saas.archive",
    "saas.portal.desk",
]
_LIBRARIES = ["allauth", "django_htmx", "template_partials", "saas.portal", "monitoring"]
_BY_ZONE = {
    Zone.INTRANET: (["saas.core.cell", "tenants", "saas.exchange.spool"], [*_ACCOUNTS, *_OFFICE]),
    Zone.EXTRANET: (["saas.core.cell", "tenants"], _ACCOUNTS),
    Zone.MANAGEMENT: (["saas.core.cell", "tenants.directory", *_ACCOUNTS], []),
}
SHARED_APPS, TENANT_APPS = _BY_ZONE[ZONE]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS, *_WITHOUT_TABLES, *_LIBRARIES]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Tenancy and database -------------------------------------------------------------------------------------
TENANT_MODEL = "tenants.Bureau"
TENANT_DOMAIN_MODEL = "tenants.HostName"
PG_EXTRA_SEARCH_PATHS = ["cell", "extensions"]
TENANT_LIMIT_SET_CALLS = True
DATABASE_ROUTERS = ["tenants.routers.ZoneRouter"]


def _database(url: str, *, pooled: bool) -> dict[str, object]:
    from tenants.database.options import pool_options

    parts = urlsplit(url)
    return {
        "ENGINE": "tenants.database",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "server_side_binding": True,
            "options": "-c TimeZone=UTC",
            # Never prepared: a statement's plan and types are one bureau's, and the next switch makes it another's.
            "prepare_threshold": None,
            **(pool_options() if pooled else {}),
        },
    }


# `default` is this process's least-privileged login; `owner` exists only where schemas are made (agent, migrations).
DATABASES = {"default": _database(env.database_url, pooled=env.process in {"web", "jobs"})}
if env.owner_database_url:
    DATABASES["owner"] = _database(env.owner_database_url, pooled=False)

# --- Requests -------------------------------------------------------------------------------------------------
ROOT_URLCONF = f"saas.urls_{ZONE}"
WSGI_APPLICATION = "saas.wsgi.application"
ALLOWED_HOSTS = ["*"]  # tenants.middleware knows every host by name and answers 404 to all others.
MIDDLEWARE = [
    "saas.core.health.HealthMiddleware",
    "saas.core.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Before any bureau is looked for: the page that refuses a host needs its style sheet.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.HostMiddleware",
    "saas.core.middleware.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "saas.core.uploads.UploadLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "saas.accounts.middleware.ActorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "saas.core.middleware.ErrorMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "saas.portal.context.frame",
            ],
        },
    }
]
FORM_RENDERER = "saas.portal.forms.Renderer"

SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"
LANGUAGE_COOKIE_NAME = "__Host-language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if env.public_scheme == "https" else 0
X_FRAME_OPTIONS = "SAMEORIGIN"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Sign-in (saas.accounts.configuration explains the choices) ---------------------------------------------------
from saas.accounts.configuration import *  # noqa: E402, F403

# --- Cache, language, static files, logs --------------------------------------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "saas.core.cache.TenantDatabaseCache",
        "LOCATION": "core_cache",
        "KEY_FUNCTION": "saas.core.cache.tenant_key",
    }
}
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "saas" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_collected"
WHITENOISE_USE_FINDERS = env.demo or env.debug
# The headers are set by core.middleware; the load balancer sends http to https.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W008"]
TEST_RUNNER = "django.test.runner.DiscoverRunner"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tenant": {"()": "saas.core.logs.TenantFilter"}, "secrets": {"()": "saas.core.logs.SecretFilter"}},
    "formatters": {"line": {"()": "saas.core.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tenant", "secrets"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
