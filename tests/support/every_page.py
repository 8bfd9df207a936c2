"""Every page of the console, which pictures it has, and which addresses are no page."""

from __future__ import annotations

PAGES = [
    (None, "home", "/"),
    (None, "sign-in", "/sign-in/"),
    (None, "statistics", "/statistics/"),
    (None, "ledger", "/ledger/?entry=3"),
    (None, "august-2025", "/august-2025/"),
    (None, "own-record", "/your-record/"),
    (None, "own-record-es", "/es/su-registro/"),
    (None, "not-found", "/nothing/"),
    ("do-1", "dockets", "/dockets/"),
    ("do-1", "docket", "/dockets/{docket}/"),
    ("do-1", "queue", "/dockets/{docket}/queue/"),
    ("do-1", "queue-approved", "/dockets/{docket}/queue/?state=approved_once"),
    ("do-1", "case-held", "{held}"),
    ("do-1", "case-released", "{released}"),
    ("do-1", "sample", "{sample}"),
    ("do-1", "decisions", "/dockets/{docket}/decisions/"),
    ("do-1", "recall", "/dockets/{docket}/recall/"),
    ("do-1", "task-page", "{task}"),
    ("do-1", "letters", "/letters/"),
    ("do-1", "password", "/password/"),
    ("do-1", "factor", "/second-factor/"),
    ("do-1", "proposed-accounts", "/proposed-accounts/"),
    ("do-1", "proposed-account", "/proposed-accounts/proposed/"),
    ("agency", "submissions", "/submissions/"),
    ("agency", "submission-new", "/submissions/new/"),
    ("agency", "keys", "/keys/"),
    ("agency", "submission", "/submissions/{docket}/"),
    ("agency", "not-allowed", "/dockets/"),
    ("counsel", "law", "/law/"),
    ("counsel", "pack", "/law/packs/us.irs.6103-i-2/"),
    ("counsel", "drafts", "/law/drafts/"),
    ("counsel", "draft-in-force", "{draft}"),
    ("counsel", "draft-sign-page", "{draft}sign/"),
    ("do-2", "draft-enter-page", "{draft}enter/{order}/"),
    ("inspector", "oversight", "/oversight/"),
    ("inspector", "explore", "/oversight/log/?entry=12"),
    ("inspector", "reports", "/oversight/reports/"),
    ("inspector", "recalls", "/oversight/recalls/"),
    ("inspector", "halts-page", "/oversight/halts/"),
    ("inspector", "shape", "/oversight/dockets/{docket}/"),
    ("inspector", "spot-check", "/oversight/dockets/{docket}/spot-check/?outcome=refused&derive=1"),
    ("inspector", "replay", "/oversight/dockets/{docket}/replay/?request={request}"),
    ("inspector", "access", "/oversight/access/"),
    ("administrator", "accounts", "/accounts/"),
    ("administrator", "account", "/accounts/counsel/"),
    ("administrator", "failed-work", "/failed-work/"),
]
"""Who looks at which page, the name of its picture, and where it is."""

ON_THE_WAY = {
    "sign": "decision-sign", "verify": "inspector-verified", "halt-sign": "halt-sign", "accounted": "accounted",
    "code": "one-time-code", "recall-sign": "recall-sign", "sso-waiting": "sso-waiting",
}  # fmt: skip
"""Addresses that a form is posted to, or a step of signing in, and the picture of the page that follows."""

NO_PAGES = {
    "health": "a word for machines", "ready": "a word for machines", "may-send": "a word for machines",
    "sso": "leads to the provider",
    "sso-back": "leads to where one was going", "statistics-file": "a file", "ledger-file": "a file",
    "answers": "a file", "receipt": "a file", "release": "a file", "report": "a file", "pack-file": "a file",
    "sign-out": "leads to the front page", "sign-out-everywhere": "leads to the front page",
    "decide": "leads to signing, or to the sample", "release-docket": "leads to its task", "give-back": "leads back",
    "halt-check": "leads to signing", "draft-adopt": "leads to the pack", "sign-cases": "a file", "faults": "a file",
    "draft-enter": "leads to signing", "enter-as": "leads to the work of the role that was chosen",
}  # fmt: skip
"""Addresses without a page of their own, and why."""

NARROW = ("home", "docket", "case-held", "submissions", "submission", "oversight", "draft-enter-page", "own-record-es")
"""Pages whose picture is also kept as 320 px show them; all are checked."""
