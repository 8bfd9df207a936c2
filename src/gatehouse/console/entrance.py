"""How people come in at a site, from gatehouse.toml: `[sign_in]`, `[oidc]` and `[limits]`.

Whatever is not said is the stricter choice: with an identity provider there are no passwords, and who decides cases
or keeps accounts needs a second factor. Only a demonstration asks for none.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gatehouse.console import desk
from gatehouse.console.permissions import DECIDING, Role
from gatehouse.kernel.errors import WrongInput, own

if TYPE_CHECKING:
    from gatehouse.console.models import Account

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""How a provider may sign: with a key that we only verify with, never with one that we share."""


@dataclass(frozen=True)
class Part:
    """What a group of the provider makes of its members."""

    role: Role
    agency: str = ""


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider, and how its claims become roles."""

    issuer: str
    client_id: str
    secret_file: Path | None
    claim: str
    """The claim that names a person's groups: a text or a list of texts."""
    parts: Mapping[str, Part]
    officer_claim: str
    """The claim that holds a person's id on the roster; empty where nobody of the provider decides."""
    scopes: str
    algorithm: str
    acr: tuple[str, ...]
    """Authentication classes that are strong enough; empty where the provider alone decides."""
    called: str

    @property
    def secret(self) -> str:
        """The client's secret; empty for a public client, which has PKCE alone."""
        return self.secret_file.read_text(encoding="utf-8").strip() if self.secret_file else ""

    def parts_of(self, claims: Mapping[str, Any]) -> set[Part]:
        """Every part that a person's claims give; a missing or strange claim gives none."""
        given = claims.get(self.claim)
        groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        return {self.parts[group] for group in groups if isinstance(group, str) and group in self.parts}


@dataclass(frozen=True)
class Entrance:
    """Who may come in how, how long a session lasts, and how much one may ask for."""

    provider: Provider | None = None
    passwords: bool = True
    second_factor: frozenset[Role] = DECIDING | {Role.ADMINISTRATOR}
    """Roles whose local accounts must give a one-time code."""
    idle: dt.timedelta = dt.timedelta(minutes=30)
    absolute: dt.timedelta = dt.timedelta(hours=8)
    limits: Mapping[str, int] = field(default_factory=dict)

    def admits(self, account: Account) -> bool:
        """Whether the site still takes who vouches for an account: its own passwords, or the account's provider."""
        if account.local:
            return self.passwords
        return self.provider is not None and account.issuer == self.provider.issuer


LIMITS = {
    "requests_a_minute": 600,
    "failures_a_minute": 60,
    "uploads_an_hour": 60,
}
"""How often: calls of the API by one account, failed calls from one network address, uploads by one account."""


def entrance() -> Entrance:
    """The entrance of the site that this process serves. Raises CustodianFault for a wrong configuration."""
    site = desk.site()
    return _read(site.configuration, site.configuration.stat().st_mtime_ns, demonstration=site.demonstration)


def limit(name: str) -> int:
    """One of LIMITS, as the site has it."""
    return entrance().limits.get(name, LIMITS[name])


@lru_cache(maxsize=8)
@own()
def _read(path: Path, _changed: int, *, demonstration: bool) -> Entrance:
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongInput(f"this file is not valid TOML: {wrong}", where=str(path), remedy="Correct that line") from None
    return parse(parsed, root=path.parent, demonstration=demonstration)


def parse(parsed: Mapping[str, Any], *, root: Path, demonstration: bool = False) -> Entrance:
    """Read the three sections of a gatehouse.toml. Raises WrongInput naming the key at fault."""
    signing = _section(parsed, "sign_in", {"passwords", "second_factor", "idle_minutes", "session_hours"})
    provider = _provider(_section(parsed, "oidc", _OIDC), root) if "oidc" in parsed else None
    passwords = signing.get("passwords", provider is None)
    if not isinstance(passwords, bool) or not (passwords or provider):
        raise _wrong("sign_in.passwords", "true or false, and never false without [oidc]")
    required = DECIDING | {Role.ADMINISTRATOR} if not demonstration else frozenset()
    if "second_factor" in signing:
        required = frozenset(_role(text, "sign_in.second_factor") for text in _texts(signing, "second_factor"))
    limits = _section(parsed, "limits", set(LIMITS))
    return Entrance(
        provider,
        passwords,
        required,
        dt.timedelta(minutes=_whole(signing, "idle_minutes", 30, 24 * 60)),
        dt.timedelta(hours=_whole(signing, "session_hours", 8, 24)),
        {name: _whole(limits, name, LIMITS[name], 1_000_000) for name in limits},
    )


_OIDC = {
    "issuer", "client_id", "client_secret_file", "role_claim", "officer_claim", "scopes", "algorithm", "acr", "called",
    "roles",
}  # fmt: skip


def _provider(section: Mapping[str, Any], root: Path) -> Provider:
    issuer = _text(section, "issuer")
    parts = urlsplit(issuer)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"})):
        raise _wrong("oidc.issuer", "an https address; http is for tests on one machine")
    algorithm = section.get("algorithm", "RS256")
    if algorithm not in ALGORITHMS:
        raise _wrong("oidc.algorithm", f"one of {', '.join(ALGORITHMS)}")
    secret = section.get("client_secret_file")
    return Provider(
        issuer,
        _text(section, "client_id"),
        root / secret if isinstance(secret, str) else None,
        _text(section, "role_claim"),
        _parts(section.get("roles")),
        _text(section, "officer_claim", ""),
        _text(section, "scopes", "openid profile"),
        algorithm,
        tuple(_texts(section, "acr")),
        _text(section, "called", "your organisation"),
    )


def _parts(section: object) -> Mapping[str, Part]:
    if not isinstance(section, dict) or not section:
        raise _wrong("oidc.roles", 'a table of groups, such as "gatehouse-counsel" = "counsel"')
    return {group: _part(group, value) for group, value in section.items()}


def _part(group: str, value: object) -> Part:
    """One group: a role, or `{role = "requester", agency = "…"}`."""
    where = f"oidc.roles.{group}"
    given = {"role": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or set(given) - {"role", "agency"} or not isinstance(given.get("agency", ""), str):
        raise _wrong(where, 'a role, or {role = "requester", agency = "us.dhs.ice"}')
    role, agency = _role(given.get("role"), where), given.get("agency", "")
    if (role is Role.REQUESTER) != bool(agency):
        raise _wrong(where, "an agency exactly for requesters")
    return Part(role, agency)


def _role(value: object, where: str) -> Role:
    if not isinstance(value, str) or value not in set(Role):
        raise _wrong(where, f"one of {', '.join(Role)}")
    return Role(value)


def _section(parsed: Mapping[str, Any], name: str, known: set[str]) -> Mapping[str, Any]:
    section = parsed.get(name, {})
    if not isinstance(section, dict):
        raise _wrong(name, "a table")
    unknown = sorted(set(section) - known)
    if unknown:
        raise _wrong(f"{name}.{unknown[0]}", "no such key; docs/console.md has them all")
    return section


def _text(section: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = section.get(key, default)
    if not isinstance(value, str) or not (value or default == ""):
        raise _wrong(f"oidc.{key}", "a text")
    return value


def _texts(section: Mapping[str, Any], key: str) -> list[str]:
    value = section.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _wrong(key, "a list of texts")
    return value


def _whole(section: Mapping[str, Any], key: str, default: int, most: int) -> int:
    value = section.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise _wrong(key, f"a whole number from 1 to {most:,}")
    return value


def _wrong(key: str, wanted: str) -> WrongInput:
    return WrongInput(f"the key {key} cannot be used", where="gatehouse.toml", remedy=f"Write {wanted}")
