"""One web process for a site: the settings, the addresses and the application that joins console and API.

`application` is what a server of your own would load; `gatehouse serve` runs it embedded. Settings are safe as they
stand: no debug, no inline script, cookies closed to scripts, uploads streamed to disk.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from gatehouse import store
from gatehouse.console.observation import logging_to_stderr
from gatehouse.kernel import extras, files, scratch
from gatehouse.kernel.errors import MachineFailed
from gatehouse.kernel.scratch import Scratch
from gatehouse.pipeline.parts import Part
from gatehouse.pipeline.site import Site, open_site
from gatehouse.store.settings import APP, database

UPLOAD_LIMIT = 1 << 30
"""Bytes of one upload; 1.28 million requests are about 300 MB as CSV."""


def configure(
    site: Site,
    *,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
    https: bool = False,
    works: bool = True,
    logs: bool = False,
    one_click: bool = False,
) -> None:
    """Set Django up for a site; a process that serves another one already is pointed at this one.

    `works` says whether this process carries arrivals on, or leaves that to `gatehouse work`; `logs` whether every
    request is told on standard error; `one_click` whether visitors of a demonstration sign in by choosing a role.

    To be called before anything opens the site's database, because Django learns its apps only once. Raises
    MachineFailed when the store was readied without the console before.
    """
    if settings.configured:
        if taken():
            raise MachineFailed(
                "this process opened a database before the console was ready", remedy="Start the process again"
            )
        settings.GATEHOUSE_SITE = str(site.root)
    else:
        told = _settings(site, hosts, https=https, logs=logs)
        settings.configure(**told, GATEHOUSE_WORKS=works, GATEHOUSE_ONE_CLICK=one_click)
        django.setup()
    store.configure(site.database)


def taken() -> bool:
    """Whether this process opened a database without the console, so that it can no longer serve one."""
    return bool(settings.configured) and not hasattr(settings, "GATEHOUSE_SITE")


def application(
    root: Path,
    *,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
    https: bool = False,
    works: bool = True,
    logs: bool = False,
    one_click: bool = False,
) -> WSGIHandler:
    """The WSGI application for a site; brings its database up to date first."""
    site = open_site(root)
    configure(site, hosts=hosts, https=https, works=works, logs=logs, one_click=one_click)
    from django.core.wsgi import get_wsgi_application

    from gatehouse.console import arrivals, entrance

    if entrance.entrance().provider is not None and not sso_installed():
        where = "gatehouse.toml, [oidc]"
        raise MachineFailed("an identity provider needs the extra sso", where=where, remedy=extras.remedy("sso"))
    arrivals.wake()
    return get_wsgi_application()


def api_installed() -> bool:
    """Whether the extra `api` is there."""
    return importlib.util.find_spec("ninja") is not None


def sso_installed() -> bool:
    """Whether the extra `sso` is there."""
    return importlib.util.find_spec("mozilla_django_oidc") is not None


def _backends() -> list[str]:
    local = ["gatehouse.console.backends.Local"]
    return [*local, "gatehouse.console.sso.Federated"] if sso_installed() else local


def _settings(site: Site, hosts: tuple[str, ...], *, https: bool, logs: bool) -> dict[str, Any]:
    return {
        "GATEHOUSE_SITE": str(site.root),
        "GATEHOUSE_UPLOAD_LIMIT": UPLOAD_LIMIT,
        "SECRET_KEY": _secret(site),
        "ALLOWED_HOSTS": list(hosts),
        "ROOT_URLCONF": "gatehouse.cli.urls",
        "DATABASES": {"default": database(site.database)},
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            APP,
            "gatehouse.console.apps.Console",
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "gatehouse.console.observation.observed",
            *(["gatehouse.api.problems.everywhere"] if api_installed() else []),
            "gatehouse.console.middleware.limited_body",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "gatehouse.console.middleware.known_first",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "gatehouse.console.sessions.keep_time",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "gatehouse.console.middleware.security_headers",
            "gatehouse.console.middleware.plain_text",
            "gatehouse.console.middleware.form_only",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                        "gatehouse.console.context.around",
                    ]
                },
            }
        ],
        "AUTH_USER_MODEL": "console.Account",
        "AUTHENTICATION_BACKENDS": _backends(),
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
            {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
        ],
        "LOGIN_URL": "console:sign-in",
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_MAX_AGE": 3600,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 4 << 20,
        "FILE_UPLOAD_TEMP_DIR": str(_uploads().path),
        "FILE_UPLOAD_HANDLERS": ["django.core.files.uploadhandler.TemporaryFileUploadHandler"],
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": 24 * 3600,  # console.sessions ends them earlier
        "SESSION_COOKIE_NAME": "__Host-session" if https else "sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrf" if https else "csrftoken",
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_SECURE": https,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_FAILURE_VIEW": "gatehouse.console.views.errors.no_token",
        "SECURE_SSL_REDIRECT": https,
        "SECURE_REDIRECT_EXEMPT": [r"^health/$", r"^ready/$", r"^may-send/$"],  # asked on loopback; they name nobody
        "SECURE_HSTS_SECONDS": 31536000 if https else 0,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if https else None,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "LOGGING": logging_to_stderr(requests=logs),
    }


def _secret(site: Site) -> str:
    """The key that signs sessions: made once, kept with the site's other secrets; other parts have none."""
    import secrets

    fresh = secrets.token_urlsafe(48).encode()
    if site.parts and site.parts.own is not Part.WEB:
        return fresh.decode("ascii")
    return files.write_once(site.keys / "sessions.key", fresh, mode=0o600).decode("ascii")


@lru_cache(maxsize=1)
def _uploads() -> Scratch:
    """Where this process keeps what it is still being sent: gone with it, or swept after it was killed."""
    return scratch.take()
