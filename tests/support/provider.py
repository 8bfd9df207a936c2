"""A real OpenID Connect provider for the tests, in a process of its own: django-oauth-toolkit with a few people.

`python provider.py FOLDER PORT REDIRECT_URI` serves it; POST /people/NAME with `groups` changes somebody's groups.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

PASSWORD = "four grey owls at dusk"
CLIENT, SECRET = "gatehouse", "a secret between two servers"
PEOPLE = {
    "ana": ("Ana Ruiz", "do-1", "disclosure-officers staff"),
    "brian": ("Brian Cole", "do-2", "disclosure-officers"),
    "desk": ("Request desk", "", "ice-requesters"),
    "guest": ("A Guest", "", "staff"),
    "both": ("Two Hats", "", "disclosure-officers auditors"),
}


def configure(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    settings.configure(
        SECRET_KEY="provider",
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF="provider_urls",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "provider.sqlite3")}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        SESSION_COOKIE_NAME="provider_session",
        CSRF_COOKIE_NAME="provider_csrf",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(folder)]}],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        LOGIN_URL="/login/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem,
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "who you are", "profile": "your name and groups"},
            "OAUTH2_VALIDATOR_CLASS": "provider_urls.Claims",
        },
    )
    (folder / "login.html").write_text(
        "<h1>Provider</h1><form method=post>{% csrf_token %}{{ form.as_p }}<button>Sign in</button></form>"
    )


def fill(redirect_uri: str) -> None:
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for username, (name, officer, groups) in PEOPLE.items():
        user = User.objects.create_user(username, password=PASSWORD, first_name=name, last_name=officer)
        user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups.split()])
    Application.objects.create(
        name="Gatehouse",
        client_id=CLIENT,
        client_secret=SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=redirect_uri,
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
    )


def main() -> None:
    folder, port, redirect_uri = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    sys.path.insert(0, str(Path(__file__).parent))
    configure(folder)
    django.setup()
    fill(redirect_uri)
    from django.core.wsgi import get_wsgi_application
    from waitress import serve

    serve(get_wsgi_application(), host="127.0.0.1", port=port, threads=4)


if __name__ == "__main__":
    main()
