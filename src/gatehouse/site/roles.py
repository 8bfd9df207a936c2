"""The parts that people have at a site; one a person's account."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A person's part; one an account."""

    DISCLOSURE_OFFICER = "disclosure_officer"
    DISCLOSURE_MANAGER = "disclosure_manager"
    REQUESTER = "requester"
    COUNSEL = "counsel"
    INSPECTOR = "inspector"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


TITLES = {
    Role.DISCLOSURE_OFFICER: "Disclosure officer",
    Role.DISCLOSURE_MANAGER: "Disclosure manager",
    Role.REQUESTER: "Requesting agency",
    Role.COUNSEL: "Counsel",
    Role.INSPECTOR: "Inspector general or court",
    Role.AUDITOR: "Auditor",
    Role.ADMINISTRATOR: "Account administrator",
}

DECIDING = frozenset({Role.DISCLOSURE_OFFICER, Role.DISCLOSURE_MANAGER})
"""The parts that decide cases, as the roster names them too."""
