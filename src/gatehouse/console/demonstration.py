"""Accounts for a demonstration site: one for each role, with new passwords each time it is served.

Only a site marked `demonstration = true` gets them; a real site's accounts are made by its administrator.
"""

from __future__ import annotations

import tomllib

from gatehouse.casework import roster
from gatehouse.console import accounts
from gatehouse.console.permissions import TITLES, Role
from gatehouse.kernel.errors import WrongInput
from gatehouse.pipeline.site import Site

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
            "this is a real site", where=str(site.configuration), remedy="Its administrator makes accounts"
        )
    made = []
    for officer in roster.read(site.configuration).officers.values():
        if officer.role in roster.DECIDING_ROLES:
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


def _agencies(site: Site) -> list[str]:
    if not site.parties.is_file():
        return []
    found = tomllib.loads(site.parties.read_text(encoding="utf-8")).get("agencies", {})
    return sorted(found)[:3] if isinstance(found, dict) else []
