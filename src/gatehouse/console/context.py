"""What every page shows around its own content: the custodian's name, the navigation and the footer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from gatehouse.console import desk
from gatehouse.console.models import Account
from gatehouse.console.permissions import Permission

_PRIVATE = (
    (Permission.CUSTODIAN_DOCKET_READ, "console:dockets", "Dockets"),
    (Permission.AGENCY_SUBMISSION_READ, "console:submissions", "Submissions"),
    (Permission.CUSTODIAN_LAW_READ, "console:law", "Law"),
    (Permission.OVERSIGHT_DOCKET_COUNT, "console:oversight", "Oversight"),
    (Permission.CUSTODIAN_LETTER_ISSUE, "console:letters", "Letters"),
    (Permission.CUSTODIAN_ACCOUNT_CONFIRM, "console:proposals", "Proposed accounts"),
    (Permission.CUSTODIAN_ACCOUNT_MANAGE, "console:accounts", "Accounts"),
    (Permission.CUSTODIAN_WORK_RETRY, "console:failed-work", "Failed work"),
)
_PUBLIC = (
    ("console:ledger", "Public log"),
    ("console:statistics", "Statistics"),
    ("console:august-2025", "August 2025"),
    ("console:own-record", "Your record"),
)


_SAY = {
    "en": {
        "skip": "Skip to main content", "menu": "Menu", "main": "Main", "close": "Close",
        "demonstration": "Demonstration",
        "invented": "Demonstration. Every person, address and officer here is invented.",
        "footer": "Gatehouse decides every request under law as of a date, and keeps a public log that anyone can "
        "verify.",
    },
    "es": {
        "skip": "Ir al contenido principal", "menu": "Menú", "main": "Principal", "close": "Cerrar",
        "demonstration": "Demostración",
        "invented": "Demostración. Todas las personas, direcciones y funcionarios que aparecen aquí son inventados.",
        "footer": "Gatehouse decide cada solicitud según la ley de una fecha y lleva un registro público que "
        "cualquiera puede verificar.",
        "Public log": "Registro público", "Statistics": "Estadísticas", "August 2025": "Agosto de 2025",
        "Your record": "Su registro", "Sign in": "Entrar", "Dockets": "Expedientes", "Submissions": "Envíos",
        "Law": "Ley", "Oversight": "Supervisión", "Letters": "Cartas", "Accounts": "Cuentas",
        "Proposed accounts": "Cuentas propuestas",
        "Failed work": "Trabajo fallido",
    },
}  # fmt: skip
"""What stands around a page, by its language: sentences by key, titles of links by their English ones."""


@dataclass(frozen=True)
class Entry:
    """One link of the navigation."""

    title: str
    address: str
    here: bool


def around(request: HttpRequest) -> dict[str, Any]:
    """Names for every template: `custodian`, `demonstration`, `navigation`, `footer`, `may_decide`."""
    user = getattr(request, "user", None)
    account = user if isinstance(user, Account) else None
    private = [(name, title) for needed, name, title in _PRIVATE if account is not None and account.may(needed)]
    navigation = [_entry(request, name, title) for name, title in private or _PUBLIC]
    if account is None:
        navigation.append(_entry(request, "console:sign-in", "Sign in"))
    site = desk.site()
    say = _SAY[_language(request)]
    titled = [Entry(say.get(one.title, one.title), one.address, one.here) for one in navigation]
    return {
        "say": say,
        "custodian": site.name,
        "demonstration": site.demonstration,
        "navigation": titled,
        "footer": [_entry(request, name, say.get(title, title)) for name, title in _PUBLIC],
        "may_read_cases": account is not None and account.may(Permission.CUSTODIAN_CASE_READ),
        "may_verify": account is not None and account.may(Permission.OVERSIGHT_LEDGER_VERIFY),
        "may_sign_law": account is not None and account.may(Permission.CUSTODIAN_LAW_SIGN),
        "may_halt": account is not None and account.may(Permission.OVERSIGHT_HALT_SIGN),
        "may_replay": account is not None and account.may(Permission.OVERSIGHT_CASE_REPLAY),
        "may_read_access": account is not None and account.may(Permission.OVERSIGHT_ACCESS_READ),
        "may_decide": account is not None and account.may(Permission.CUSTODIAN_CASE_DECIDE),
    }


def _language(request: HttpRequest) -> str:
    match = request.resolver_match
    found = match.kwargs.get("language", "en") if match is not None else "en"
    return found if found in _SAY else "en"


def _entry(request: HttpRequest, name: str, title: str) -> Entry:
    address = reverse(name)
    return Entry(title, address, here=request.path.startswith(address))
