"""Django settings, all derived from the one configuration object."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from csp.constants import NONE, SELF

from appliance.config import ROOT, config
from appliance.processes.watchdog import Watchdog

_CONFIG = config()

SECRET_KEY = _CONFIG.secret("secret_key")
DEBUG = False
ALLOWED_HOSTS = [host for host in _CONFIG.allowed_hosts.split(",") if host]
# Each door is a process of its own: 128 streams share one interpreter lock, and a hook has 500 ms.
ROOT_URLCONF = "appliance.urls" if _CONFIG.door == "people" else "appliance.machine_urls"
WSGI_APPLICATION = "appliance.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = _CONFIG.site_timezone
LANGUAGE_CODE = "en-gb"
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "clinical",
    "ingestion",
    "appliance",
]
_PEOPLE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "clinical.web.borders.BorderMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinical.web.idle.IdleMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
# Machines authenticate themselves at each door; there is no session, no cookie and no form.
_MACHINES = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
MIDDLEWARE = _PEOPLE if _CONFIG.door == "people" else _MACHINES
SILENCED_SYSTEM_CHECKS = [] if _CONFIG.door == "people" else ["axes.W002"]  # nobody logs in there
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "appliance" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinical.web.context.frame",
            ],
        },
    },
]


def _database(url: str, file_name: str) -> dict[str, Any]:
    """Return one DATABASES entry: PostgreSQL by URL, else SQLite under var."""
    if not url:
        return {
            "ENGINE": "appliance.sqlite",
            "NAME": _CONFIG.var / file_name,
            # A hook call opens no files: the machines' few threads keep their connections, as on PostgreSQL.
            "CONN_MAX_AGE": 60 if _CONFIG.door == "machines" else 0,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
                # Copying the log into the file is left to those who have more time than a hook call.
                + ("PRAGMA wal_autocheckpoint=8000;" if _CONFIG.door == "machines" else ""),
            },
        }
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {
    "default": _database(_CONFIG.database_url, "record.sqlite3"),
    # The trail commits apart from the caller's transaction.
    "audit": _database(_CONFIG.audit_database_url, "audit.sqlite3"),
}
DATABASE_ROUTERS = ["clinical.audit.router.AuditRouter"]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # one ward terminal does not lock all
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "clinical.web.sign_in.locked_out"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "patients"
LOGOUT_REDIRECT_URL = "login"

# Browser: nothing but our own origin, no inline script or style, no framing.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # with no-referrer, browsers send "Origin: null" and CSRF refuses
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _CONFIG.profile == "site"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 3600  # absolute limit of a shift; the idle limit is the web middleware's

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "appliance" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

CLINICAL_DEFAULT_CARE_TEAM = _CONFIG.care_team
CLINICAL_KNOWN_AUTHORITIES = _CONFIG.authorities
CLINICAL_MACHINES_URL = _CONFIG.machines_base
CLINICAL_PEOPLE_URL = _CONFIG.people_base
CLINICAL_CDS_CLIENTS = _CONFIG.cds_clients or _CONFIG.var / "cds_clients.json"
CLINICAL_CDS_QUIET_HOURS = _CONFIG.cds_quiet_hours
CLINICAL_DRAFTING = _CONFIG.drafting
CLINICAL_GUIDED_LOOKUPS = _CONFIG.guided_lookups
CLINICAL_DRAFT_TOKENS = _CONFIG.draft_tokens
INGESTION_LEASE_S = _CONFIG.ingest_lease_s
INGESTION_MLLP: dict[str, Any] = {
    "address": (_CONFIG.mllp_host or _CONFIG.host, _CONFIG.mllp_port),
    "connections": _CONFIG.mllp_connections,
    "idle_s": _CONFIG.mllp_idle_s,
    "message_s": _CONFIG.mllp_message_s,
    "certificate": _CONFIG.mllp_tls_cert,
    "key": _CONFIG.mllp_tls_key,
    "client_authority": _CONFIG.mllp_tls_client_ca,
    "turned": Watchdog(),
}
INGESTION_OCR_LANGUAGES = _CONFIG.ocr_languages
INGESTION_LIMITS = (_CONFIG.max_resource_bytes, _CONFIG.max_file_bytes)
INGESTION_FHIR_CLIENTS = _CONFIG.fhir_clients or _CONFIG.var / "fhir_clients.json"
INGESTION_REST = "appliance.precedence.rest"
INGESTION_EHR = "appliance.backends.ehr.ehr_of"
INGESTION_FHIR_LIMITS = (_CONFIG.fhir_max_bytes, _CONFIG.fhir_wait_bytes)
CLINICAL_HELD_BACK = "ingestion.selectors.held_back"
CLINICAL_ALARMS = "ingestion.alarms.frame_alarms"
CLINICAL_WAITING = "ingestion.selectors.waiting"
CLINICAL_INGEST_STATUS = "ingestion.status.ingest_status"
CLINICAL_INGEST_JOBS = "ingestion.status.newest_jobs"
CLINICAL_PROMPT_CHARS = _CONFIG.prompt_chars
CLINICAL_PROFILE = _CONFIG.profile
CLINICAL_BACKENDS = "appliance.wiring.clinical_backends"
LOGGING_CONFIG = "appliance.logs.configure"
# Not empty, or Django would not call the function above.
LOGGING: dict[str, Any] = {"version": 1}
