"""The kinds of what goes into the ledger together, in words. A kind without words cannot be recorded.

A batch's name is `<scope>/<kind>` or `<scope>/<kind>-<what tells it apart>`; the scope is a docket or the site.
"""

from __future__ import annotations

from gatehouse.ledger.naming import kind

__all__ = ["WORDS", "kind"]

WORDS = {
    # of a docket
    "received": "Submission received, and its requests determined",
    "docket": "Files of a submission's docket bound",
    "decision": "Decision of an officer",
    "release": "Package to be released to an officer",
    "unsealed": "Package planned and not sealed",
    "sealed": "Package sealed",
    "answered": "Last answers told to the agency",
    "receipt": "Receipt for a package came back",
    "report": "Report of uses came back",
    "disposal": "Certificate of disposal came back",
    "reconciliation": "What came back compared with what was released",
    "recall": "Released records recalled",
    "withdrawal": "Submission withdrawn by its agency",
    "destroyed": "Records of a submission destroyed",
    # of the site
    "founded": "Site founded",
    "shard": "Link to the ledger of the year before",
    "continued": "Ledger of the next year begun",
    "restored": "Entries from before a restore",
    "configuration": "Configuration changed",
    "key": "Key of the site changed",
    "rotation": "Key of the ledger changed",
    "pack": "Law came into force",
    "order": "Order entered, or cases looked at again under it",
    "overseers": "Overseers named or changed",
    "roster": "Officers who may decide named or changed",
    "loss": "Entries from before a restore acknowledged as lost",
    "review": "Drill of reviewers begun or measured",
    "halt": "Halted by overseers",
    "resume": "Resumed by overseers",
    "answers_begun": "Answers about persons begun",
    "answers": "Roots of the answers about persons",
    # of its accounts and its work
    "account_proposed": "Account, role or opening again proposed",
    "account_refused": "Proposal about an account refused",
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
