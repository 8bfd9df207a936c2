"""`[sign_in]`, `[oidc]` and `[limits]`: how people come in at a site.

Whatever is not said is the stricter choice: with an identity provider there are no passwords, and who decides cases
or keeps accounts needs a second factor. Only a demonstration asks for none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from gatehouse.kernel.documents import Table
from gatehouse.site.roles import DECIDING, Role

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""How a provider may sign: with a key that we only verify with, never with one that we share."""
LIMITS = {
    "requests_a_minute": 600,
    "failures_a_minute": 60,
    "uploads_an_hour": 60,
}
"""How often: calls of the API by one account, failed calls from one network address, uploads by one account."""
_MOST = 1_000_000


@dataclass(frozen=True)
class Part:
    """What a group of the provider makes of its members."""

    role: Role
    agency: str = ""


class Vouched(Protocol):
    """An account, as far as it says who vouches for its holder."""

    issuer: str

    @property
    def local(self) -> bool:
        """Whether the site itself does, with a password."""


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
    limits: Mapping[str, int] = field(default_factory=lambda: dict(LIMITS))
    """Each of LIMITS, as the site has it."""

    def admits(self, account: Vouched) -> bool:
        """Whether the site still takes who vouches for an account: its own passwords, or the account's provider."""
        if account.local:
            return self.passwords
        return self.provider is not None and account.issuer == self.provider.issuer


def parse(document: Table, root: Path, *, demonstration: bool = False) -> Entrance:
    """Read the three sections of the site in the folder `root`. Raises WrongInput naming the key at fault."""
    signing = document.inner("sign_in", required=False)
    signing.only("passwords", "second_factor", "idle_minutes", "session_hours")
    provider = _provider(document.inner("oidc"), root) if "oidc" in document else None
    passwords = signing.truth("passwords", default=provider is None)
    if not (passwords or provider):
        raise signing.wrong("passwords", "sign_in.passwords is false, and no [oidc] says who else signs people in",
                            "Write true, or add [oidc]")  # fmt: skip
    required = DECIDING | {Role.ADMINISTRATOR} if not demonstration else frozenset()
    if "second_factor" in signing:
        required = frozenset(_role(signing, "second_factor", text) for text in signing.text_list("second_factor"))
    limits = document.inner("limits", required=False)
    limits.only(*LIMITS)
    return Entrance(
        provider,
        passwords,
        required,
        dt.timedelta(minutes=signing.whole("idle_minutes", 30, least=1, most=24 * 60)),
        dt.timedelta(hours=signing.whole("session_hours", 8, least=1, most=24)),
        {name: limits.whole(name, usual, least=1, most=_MOST) for name, usual in LIMITS.items()},
    )


def _provider(table: Table, root: Path) -> Provider:
    table.only("issuer", "client_id", "client_secret_file", "role_claim", "officer_claim", "scopes", "algorithm", "acr",
               "called", "roles")  # fmt: skip
    issuer = table.written("issuer")
    address = urlsplit(issuer)
    here = address.scheme == "http" and address.hostname in {"127.0.0.1", "localhost"}
    if address.scheme != "https" and not here:
        raise table.wrong("issuer", "oidc.issuer must be an https address", "Only tests on one machine may use http")
    algorithm = table.written("algorithm", "RS256")
    if algorithm not in ALGORITHMS:
        raise table.wrong("algorithm", "oidc.algorithm is not one that we verify", f"Use {', '.join(ALGORITHMS)}")
    secret = table.written("client_secret_file") if "client_secret_file" in table else None
    return Provider(
        issuer,
        table.written("client_id"),
        root / secret if secret else None,
        table.written("role_claim"),
        _parts(table),
        table.written("officer_claim", ""),
        table.written("scopes", "openid profile"),
        algorithm,
        table.text_list("acr"),
        table.written("called", "your organisation"),
    )


def _parts(oidc: Table) -> Mapping[str, Part]:
    roles = oidc.data.get("roles")
    if not isinstance(roles, dict) or not roles:
        remedy = 'Write a table of groups, such as "gatehouse-counsel" = "counsel"'
        raise oidc.wrong("roles", "oidc.roles names no group", remedy)
    table = oidc.inner("roles")
    return {group: _part(table, group) for group in table}


def _part(table: Table, group: str) -> Part:
    """One group: a role, or `{role = "requester", agency = "…"}`."""
    value = table.data[group]
    given = {"role": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or set(given) - {"role", "agency"} or not isinstance(given.get("agency", ""), str):
        what = f"{table.at(group)} must be a role, or a table with role and agency"
        raise table.wrong(group, what, 'Write {role = "requester", agency = "us.dhs.ice"}')
    role, agency = _role(table, group, given.get("role")), given.get("agency", "")
    if (role is Role.REQUESTER) != bool(agency):
        raise table.wrong(group, f"{table.at(group)} must have an agency exactly for requesters",
                          'Write {role = "requester", agency = "us.dhs.ice"}')  # fmt: skip
    return Part(role, agency)


def _role(table: Table, key: str, value: object) -> Role:
    if not isinstance(value, str) or value not in set(Role):
        raise table.wrong(key, f"{table.at(key)} must name roles", f"Use {', '.join(Role)}")
    return Role(value)
