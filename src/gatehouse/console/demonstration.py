"""Accounts for a demonstration site: one for each role, with new passwords each time it is served.

Only a site marked `demonstration = true` gets them; a real site's accounts are made by its administrator.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from gatehouse.casework import roster
from gatehouse.console import accounts, desk
from gatehouse.console.entrance import entrance
from gatehouse.console.models import Account
from gatehouse.intake import parties
from gatehouse.kernel.errors import WrongInput
from gatehouse.pipeline.site import Site
from gatehouse.site.roles import TITLES, Role

_OTHERS = (
    ("counsel", "Carol Webb", Role.COUNSEL),
    ("inspector", "Ivan Petrov", Role.INSPECTOR),
    ("auditor", "Aiko Tan", Role.AUDITOR),
    ("administrator", "Alma Diaz", Role.ADMINISTRATOR),
)


def people(site: Site) -> list[tuple[str, str, str]]:
    """Make or renew the accounts of a demonstration; gives user name, role and password of each.

    Raises WrongInput on a site that is no demonstration.
    """
    if not site.demonstration:
        raise WrongInput(
            "this is a real site, not a demonstration",
            where=str(site.configuration.path),
            remedy="Ask its administrator for an account",
        )
    made = []
    for officer in site.configuration.roster.officers.values():
        if officer.role in roster.DECIDING_ROLES and not _elsewhere(officer.id):
            _, password = accounts.create(officer.id, name=officer.name, role=Role(officer.role), officer=officer.id)
            made.append((officer.id, TITLES[Role(officer.role)], password))
    for number, agency in enumerate(_agencies(site)):
        username = "agency" if number == 0 else f"agency-{number + 1}"
        _, password = accounts.create(username, name=f"Request desk, {agency}", role=Role.REQUESTER, agency=agency)
        made.append((username, f"{TITLES[Role.REQUESTER]} {agency}", password))
    for username, name, role in _OTHERS:
        _, password = accounts.create(username, name=name, role=role)
        made.append((username, TITLES[role], password))
    return made


def _elsewhere(officer: str) -> bool:
    """Whether an officer comes in through the identity provider, and so has no second account here."""
    provider = entrance().provider
    return (provider is not None and provider.officer_claim != "") or accounts.holder(officer) not in {None, officer}


@dataclass(frozen=True)
class Part:
    """A role that a visitor can take by a click."""

    username: str
    name: str
    title: str
    does: str


_DOES = {
    Role.DISCLOSURE_OFFICER: "Look at held cases beside the record on file, decide, approve, release, take back.",
    Role.DISCLOSURE_MANAGER: "Decide and approve like an officer.",
    Role.REQUESTER: "Hand in a submission, see the answers, and what is due for each sealed package.",
    Role.COUNSEL: "Read the law in words with what is proved of it, and propose a change.",
    Role.INSPECTOR: "Verify the log, draw cases by chance and derive them again, stop everything.",
    Role.AUDITOR: "See who was let in to do what, and who looked at which records.",
    Role.ADMINISTRATOR: "Make an account, and close it again.",
}


def parts(request: HttpRequest) -> list[Part]:
    """The roles that this visitor may take by a click: only where that is on, at a demonstration, on this machine."""
    if not (settings.GATEHOUSE_ONE_CLICK and desk.site().demonstration and _here(request)):
        return []
    found = Account.objects.filter(username__in=_names(desk.site()), is_active=True)
    order = {name: at for at, name in enumerate(_names(desk.site()))}
    listed = sorted(found, key=lambda account: order[account.username])
    return [Part(one.username, one.name, one.title, _DOES[Role(one.role)]) for one in listed if one.role]


def _here(request: HttpRequest) -> bool:
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _names(site: Site) -> list[str]:
    """The accounts that a demonstration makes, and no others."""
    deciding = [each.id for each in site.configuration.roster.officers.values()]
    agencies = ["agency", *(f"agency-{number}" for number in range(2, 4))]
    return [*deciding, *agencies, *(name for name, _, _ in _OTHERS)]


def _agencies(site: Site) -> list[str]:
    if not site.parties.is_file():
        return []
    return sorted(parties.read(site.parties).agencies)[:3]
