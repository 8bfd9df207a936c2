"""The kinds of what goes into the ledger together, in words. A kind without words cannot be recorded.

A batch's name is `<scope>/<kind>` or `<scope>/<kind>-<what tells it apart>`; the scope is a docket or the site.
"""

from __future__ import annotations

WORDS = {
    # of a docket
    "received": "Submission received",
    "determinations": "Determinations of a submission's requests",
    "decision": "Decision of an officer",
    "release": "Package released to an officer",
    "answered": "Last answers told to the agency",
    "receipt": "Receipt for a package came back",
    "report": "Report of uses came back",
    "disposal": "Certificate of disposal came back",
    "reconciliation": "What came back compared with what was released",
    "recall": "Released records recalled",
    "destroyed": "Records of a submission destroyed",
    # of the site
    "founded": "Site founded",
    "shard": "Link to the ledger of the year before",
    "restored": "Entries from before a restore",
    "configuration": "Configuration changed",
    "key": "Key of the site changed",
    "rotation": "Key of the ledger changed",
    "pack": "Law came into force",
    "order": "Order entered, or cases looked at again under it",
    "halt": "Halted by overseers",
    "resume": "Resumed by overseers",
    "answers": "Roots of the answers about persons",
    # of its accounts and its work
    "account_made": "Account made",
    "account_close": "Account closed",
    "account_open": "Account opened again",
    "account_reset": "New password given",
    "role_changed": "Role changed",
    "second_factor_enrolled": "Second factor set up",
    "second_factor_reset": "Second factor reset",
    "sessions_ended": "Signed out everywhere",
    "key_made": "Key for a program made",
    "key_ended": "Key for a program ended",
    "work_set_going": "Work that had stopped set going again",
    "letter_made": "Letter to a person made",
}


def kind(name: str) -> str:
    """The kind that a batch's name tells: `decision` of `ICE-1/decision-3`."""
    return name.rpartition("/")[2].partition("-")[0]
