"""Signing in at the site's OpenID Connect provider: authorization code with PKCE (RFC 7636), state and nonce.

A person is who issuer and subject say together. What they may do is read from the provider's claims at every sign-in;
no claim, no role, no way in. The claims can take a part away at once; a part that they give counts once an officer has
confirmed it (proposals.py). On top of what the library checks, an ID token must name this issuer and this client,
must not be older than allowed, and is taken only with a signature by a key that the provider publishes.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import jwt
import requests
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from gatehouse.console import accounts, chronicle, proposals, sessions
from gatehouse.console.entrance import entrance
from gatehouse.console.models import Account, Proposal
from gatehouse.console.views import errors
from gatehouse.kernel import clock
from gatehouse.kernel.errors import CustodianFault, GatehouseError, MachineFailed, WrongInput
from gatehouse.site.entrance import Part, Provider

TIMEOUT = 10
_LEEWAY = 60
_MOST_AGE = 600  # seconds since an ID token was made: it comes in the same moment as the code that it is given for
_ENDPOINTS = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
}


class NoPart(Exception):  # noqa: N818 - an answer, not an error
    """The provider knows the person, but gives them no part here, more than one, or one that the site knows not of."""


class Waits(Exception):  # noqa: N818 - an answer, not an error
    """What the provider says of the person is proposed, and waits for an officer."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal.username)
        self.username = proposal.username


PROPOSED = "proposed"
"""Whose proposal a session waits for."""


def provider() -> Provider:
    """The site's provider. Raises MachineFailed when it has none."""
    found = entrance().provider
    if found is None:
        raise MachineFailed("this site has no identity provider", where="gatehouse.toml, [oidc]")
    return found


def setting(name: str, *default: Any) -> Any:  # noqa: ANN401 - the library's settings are of all kinds
    """What the library asks for, answered from the site's configuration and the provider's own description."""
    site = provider()
    if name in _ENDPOINTS:
        return _described(site.issuer)[_ENDPOINTS[name]]
    known = {
        "OIDC_RP_CLIENT_ID": site.client_id,
        "OIDC_RP_CLIENT_SECRET": site.secret,
        "OIDC_RP_SIGN_ALGO": site.algorithm,
        "OIDC_RP_SCOPES": site.scopes,
        "OIDC_USE_PKCE": True,
        "OIDC_TIMEOUT": TIMEOUT,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "console:sso-back",
        "OIDC_AUTH_REQUEST_EXTRA_PARAMS": {"acr_values": " ".join(site.acr)} if site.acr else {},
        "LOGIN_REDIRECT_URL": "/",
        "LOGIN_REDIRECT_URL_FAILURE": "/sign-in/",
    }
    if name in known:
        return known[name]
    return default[0] if default else None


@lru_cache(maxsize=4)
def _described(issuer: str) -> dict[str, str]:
    """The provider's description (OpenID Connect Discovery 1.0). Raises MachineFailed; a failure is not kept."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        answer = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError):
        raise MachineFailed("the identity provider cannot be reached", remedy="Try again in a minute") from None
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise MachineFailed(
            "the identity provider's issuer differs from the one in gatehouse.toml", where="[oidc] issuer"
        )
    scheme = urlsplit(issuer).scheme
    for name in _ENDPOINTS.values():
        if urlsplit(str(found.get(name, ""))).scheme != scheme:
            raise MachineFailed("the identity provider's discovery document is incomplete or unsafe", where=name)
    return cast("dict[str, str]", found)


class Federated(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Finds the account of whom the provider names, and proposes what its claims give that nobody confirmed yet."""

    OIDC_OP_TOKEN_ENDPOINT = property(lambda self: setting("OIDC_OP_TOKEN_ENDPOINT"))
    OIDC_OP_USER_ENDPOINT = property(lambda self: setting("OIDC_OP_USER_ENDPOINT"))
    OIDC_OP_JWKS_ENDPOINT = property(lambda self: setting("OIDC_OP_JWKS_ENDPOINT"))
    OIDC_RP_CLIENT_ID = property(lambda self: setting("OIDC_RP_CLIENT_ID"))
    OIDC_RP_CLIENT_SECRET = property(lambda self: setting("OIDC_RP_CLIENT_SECRET"))
    OIDC_RP_SIGN_ALGO = property(lambda self: setting("OIDC_RP_SIGN_ALGO"))
    OIDC_RP_IDP_SIGN_KEY = None

    def __init__(self) -> None:  # the parent reads all settings at once, at every request
        self.UserModel = Account

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:  # noqa: ANN401
        """The library's settings, from the site."""
        return setting(attr, *args)

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> Account | None:  # noqa: ANN401
        """The account behind a code that comes back with the state, nonce and verifier of this browser, or nobody.

        A password's form carries none of them, so a code smuggled into its address opens nothing.
        """
        if entrance().provider is None or not (kwargs.get("nonce") and kwargs.get("code_verifier")):
            return None
        return cast("Account | None", super().authenticate(request, **kwargs))

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The provider's answer to a code. Raises SuspiciousOperation where it is not of the form that RFC 6749 has."""
        return _of_form(lambda: super(Federated, self).get_token(payload), texts=("id_token", "access_token"))

    def retrieve_matching_jwk(self, token: str) -> Any:  # noqa: ANN401 - the library's
        """The provider's key for a token. Raises SuspiciousOperation where what it publishes is no set of keys."""
        with _read():
            return super().retrieve_matching_jwk(token)

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The provider's further claims. Raises SuspiciousOperation where they are no object."""
        return _of_form(lambda: super(Federated, self).get_userinfo(access_token, id_token, payload), texts=("sub",))

    def get_payload_data(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        """The claims of a token signed by the provider, for us, now. Raises SuspiciousOperation."""
        site = provider()
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[site.algorithm],
                audience=site.client_id,
                issuer=site.issuer,
                leeway=_LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.InvalidTokenError as wrong:
            raise SuspiciousOperation(f"the ID token is not valid: {type(wrong).__name__}") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else site.client_id) != site.client_id:  # OpenID Connect Core 3.1.3.7
            raise SuspiciousOperation("the ID token was made for another client")
        if clock.machine().timestamp() - claims["iat"] > _MOST_AGE + _LEEWAY:
            raise SuspiciousOperation("the ID token was made too long ago")
        if site.acr and claims.get("acr") not in site.acr:
            raise SuspiciousOperation("the sign-in at the provider was not strong enough")
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Account:
        """The account of issuer and subject, whose confirmed part its claims give now. Raises NoPart, Waits."""
        site, claims = provider(), self.get_userinfo(access_token, id_token, payload)
        if claims.get("sub") != payload["sub"]:  # OpenID Connect Core 5.3.2: another person's answer
            raise SuspiciousOperation("the provider's two answers are about different people")
        claims = {**claims, **payload}
        parts = site.parts_of(claims)
        officer = str(claims.get(site.officer_claim) or "") if site.officer_claim else None
        if len(parts) != 1:
            _without_part(site, payload["sub"])
            raise NoPart("several" if parts else "none")
        return _account(site, payload["sub"], parts.pop(), str(claims.get("name") or "")[:200], officer)

    def get_user(self, user_id: int) -> Account | None:
        """The account behind a session, while the site still trusts its issuer."""
        account = Account.objects.filter(pk=user_id).first()
        known = account is not None and account.is_active and not account.local and entrance().admits(account)
        return account if known else None


@contextlib.contextmanager
def _read() -> Iterator[None]:
    """What a provider answers is read in here: whatever its form breaks is told as an answer of no use."""
    try:
        yield
    except (AttributeError, TypeError, LookupError, ValueError) as wrong:
        raise SuspiciousOperation(f"the provider's answer is not of its form: {type(wrong).__name__}") from None


def _of_form(ask: Callable[[], Any], *, texts: tuple[str, ...]) -> dict[str, Any]:
    """An answer that is an object and has these members as texts."""
    with _read():
        found = ask()
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in texts):
        raise SuspiciousOperation("the provider's answer is not of its form")
    return found


def _account(site: Provider, subject: str, part: Part, name: str, officer: str | None) -> Account:
    """The person's account, if what the claims give is what was confirmed; else it ends, and this is proposed.

    A closed account stays as it is; nobody comes in with it. Raises Waits, NoPart, WrongInput and MachineFailed.
    """
    found = Account.objects.filter(issuer=site.issuer, subject=subject).first()
    given = (officer or "")[:128]
    if found is not None:
        same = (found.role, found.agency) == (part.role.value, part.agency) and given in {"", found.officer}
        if same or not found.is_active:
            return found
        _end(found)
    account = found or Account(username=username(site.issuer, subject), issuer=site.issuer, subject=subject)
    try:
        roster_id = accounts.kept_id(account, given)
        proposed = proposals.arrive(account, name=name, role=part.role, agency=part.agency, officer=roster_id)
    except CustodianFault:
        raise
    except WrongInput:  # the words for it name officers, parties and accounts of the site
        raise NoPart("unknown") from None
    raise Waits(proposed)


def _without_part(site: Provider, subject: str) -> None:
    """Somebody whose claims give no part has none here either, no session and no key, and nothing that waits."""
    account = Account.objects.filter(issuer=site.issuer, subject=subject, is_active=True).first()
    if account is not None:
        _end(account)
    name = username(site.issuer, subject)
    waiting = Proposal.objects.filter(username=name, by=proposals.PROVIDER).first()
    if waiting is not None:
        proposals.refuse(waiting, by=proposals.PROVIDER)


def _end(account: Account) -> None:
    if account.role:
        fields = {"account": account.username, "role": "", "by": proposals.PROVIDER}
        chronicle.enter("role_changed", fields)
        accounts.end_part(account)


def username(issuer: str, subject: str) -> str:
    """The user name of a person of the provider: always the same, and never one that a local account has."""
    return "sso-" + hashlib.sha256("\n".join((issuer, subject)).encode()).hexdigest()[:24]


class Out(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Send the browser to the provider."""

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:  # noqa: ANN401
        """The library's settings, from the site."""
        return setting(attr, *args)


class Back(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Take the browser back, signed in or not."""

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:  # noqa: ANN401
        """The library's settings, from the site."""
        return setting(attr, *args)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The account signed in, or the sign-in page saying why not; nothing of the provider's is shown or logged."""
        if "error" in request.GET:
            messages.error(request, UNUSABLE)  # the person said no there; whoever is signed in here stays so
            return redirect("console:sign-in")
        try:
            return cast("HttpResponseBase", super().get(request))
        except NoPart as answer:
            messages.error(request, WHY_NOT[str(answer)])
        except Waits as answer:
            request.session[PROPOSED] = answer.username
            return redirect("console:sso-waiting")
        except CustodianFault as fault:
            errors.note(fault)
            messages.error(request, BROKEN)
        except GatehouseError as error:
            messages.error(request, f"You are not signed in: {error.outside}.")
        except (SuspiciousOperation, requests.RequestException, jwt.PyJWTError, KeyError, ValueError):
            messages.error(request, UNUSABLE)
        return redirect("console:sign-in")

    def login_success(self) -> HttpResponseBase:
        """Begin a new session; the provider's own second factor stands for ours."""
        onward = self.success_url
        login(self.request, self.user)
        sessions.passed_factor(self.request.session)
        return redirect(onward)

    def login_failure(self) -> HttpResponseBase:
        """Back to the sign-in page with a word."""
        messages.error(self.request, UNUSABLE)
        return redirect("console:sign-in")


NONE = "Your organization knows you, but gives you no part here. Ask its administrator to be put in the right group."
SEVERAL = "Your organization gives you more than one part here, and one person has one. Ask to be in one group only."
UNKNOWN = (
    "Your organization gives you a part here that the custodian does not know you for. It lists its officers, each "
    "with one account, and the agencies that may ask. Tell its administrator."
)
WHY_NOT = {"none": NONE, "several": SEVERAL, "unknown": UNKNOWN}
BROKEN = "You are not signed in. The custodian's configuration has a fault; its log says where. Tell its administrator."
UNUSABLE = "You are not signed in. What came back from your organization could not be used. Start again."
