"""Who may do what: every permission of the doors in one list, and the roles that hold them.

A permission is `scope:resource:action`. `public` needs no account, `agency` is limited to the account's own agency,
`custodian` and `oversight` reach every docket. A page without a permission does not exist; a test walks all of them.
The person concerned has no account and no role: a letter opens one answer (views/subject.py).
"""

from __future__ import annotations

from enum import StrEnum

from gatehouse.site.roles import Role


class Permission(StrEnum):
    """What an account may do, in alphabetical order."""

    AGENCY_RELEASE_FETCH = "agency:release:fetch"
    AGENCY_SUBMISSION_READ = "agency:submission:read"
    AGENCY_SUBMISSION_SEND = "agency:submission:send"
    CUSTODIAN_ACCOUNT_CONFIRM = "custodian:account:confirm"
    CUSTODIAN_ACCOUNT_MANAGE = "custodian:account:manage"
    CUSTODIAN_CASE_DECIDE = "custodian:case:decide"
    CUSTODIAN_CASE_READ = "custodian:case:read"
    CUSTODIAN_DOCKET_READ = "custodian:docket:read"
    CUSTODIAN_LAW_READ = "custodian:law:read"
    CUSTODIAN_LAW_SIGN = "custodian:law:sign"
    CUSTODIAN_LETTER_ISSUE = "custodian:letter:issue"
    CUSTODIAN_WORK_RETRY = "custodian:work:retry"
    OVERSIGHT_ACCESS_READ = "oversight:access:read"
    OVERSIGHT_CASE_REPLAY = "oversight:case:replay"
    OVERSIGHT_DOCKET_COUNT = "oversight:docket:count"
    OVERSIGHT_HALT_SIGN = "oversight:halt:sign"
    OVERSIGHT_LEDGER_VERIFY = "oversight:ledger:verify"


_DECIDES = frozenset(
    {
        Permission.CUSTODIAN_ACCOUNT_CONFIRM,
        Permission.CUSTODIAN_DOCKET_READ,
        Permission.CUSTODIAN_CASE_READ,
        Permission.CUSTODIAN_CASE_DECIDE,
        Permission.CUSTODIAN_LAW_READ,
        Permission.CUSTODIAN_LAW_SIGN,
        Permission.CUSTODIAN_LETTER_ISSUE,
        Permission.OVERSIGHT_DOCKET_COUNT,
    }
)

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.DISCLOSURE_OFFICER: _DECIDES,
    Role.DISCLOSURE_MANAGER: _DECIDES,
    Role.REQUESTER: frozenset(
        {
            Permission.AGENCY_SUBMISSION_READ,
            Permission.AGENCY_SUBMISSION_SEND,
            Permission.AGENCY_RELEASE_FETCH,
        }
    ),
    # Law takes two offices: counsel, and whoever of the custodian holds the custodian's key.
    # Counsel and inspectors see counts, rules and determinations. Only officers who decide a case see its records.
    Role.COUNSEL: frozenset(
        {
            Permission.CUSTODIAN_LAW_READ,
            Permission.CUSTODIAN_LAW_SIGN,
            Permission.CUSTODIAN_DOCKET_READ,
            Permission.OVERSIGHT_DOCKET_COUNT,
        }
    ),
    Role.INSPECTOR: frozenset(
        {
            Permission.CUSTODIAN_DOCKET_READ,
            Permission.CUSTODIAN_LAW_READ,
            Permission.OVERSIGHT_ACCESS_READ,
            Permission.OVERSIGHT_CASE_REPLAY,
            Permission.OVERSIGHT_DOCKET_COUNT,
            Permission.OVERSIGHT_HALT_SIGN,
            Permission.OVERSIGHT_LEDGER_VERIFY,
        }
    ),
    # Auditors look at who did what, and at the log: dockets in numbers, no case.
    Role.AUDITOR: frozenset(
        {
            Permission.CUSTODIAN_DOCKET_READ,
            Permission.OVERSIGHT_ACCESS_READ,
            Permission.OVERSIGHT_DOCKET_COUNT,
            Permission.OVERSIGHT_LEDGER_VERIFY,
        }
    ),
    Role.ADMINISTRATOR: frozenset({Permission.CUSTODIAN_ACCOUNT_MANAGE, Permission.CUSTODIAN_WORK_RETRY}),
}
