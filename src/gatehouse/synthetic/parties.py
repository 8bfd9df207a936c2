"""A `parties.toml` for demonstrations: invented facts about the agency that synthetic submissions come from.

Nothing in it is true of a real agency except the names of agency and agreement; the notes say what the public record
reports of the real ones, so that nobody takes the one for the other.
"""

from __future__ import annotations

from gatehouse.synthetic.submission import Sender

_TEXT = """\
note = '''
Invented facts for a demonstration. What the public record reports of the real parties differs: the inspector general
for tax administration reported on 8 June 2026 that the agency's safeguard review of November 2023 had open findings
and no dated corrective plan when the memorandum was signed; and courts stayed the exchange on 21 November 2025 and
enjoined it on 5 February 2026. Under those facts nothing would be released.
'''

[agencies."{agency}"]
name = "Requesting agency of the demonstration"
usual_requests = {usual}
reports_overdue = 0

[[agencies."{agency}".keys]]
key = "{key}"
from = 2025-01-01

[[agencies."{agency}".signatories]]
name = "{signatory}"
title = "{title}"
capacity = "{capacity}"
from = 2025-01-01

[agencies."{agency}".safeguards]
report_approved_until = 2026-12-31
open_findings = {findings}

[agreements."{agreement}"]
parties = ["{agency}"]
basis = ["{basis}"]
from = 2025-04-07
items = ["last_known_address"]
capacities = ["agency_head"]
notice_after_days = 0

[policy.officer_matters_hold]
ceiling = 50
reason = "More matters than one person can plausibly be personally and directly engaged in without being asked"

[policy.officer_matters_refuse]
ceiling = 500
reason = "More matters than one person can be personally and directly engaged in"

[policy.identical_reason_percent_hold]
ceiling = 5
reason = "A reason shared by many requests is hardly specific to any of them"

[policy.address_shared_hold]
ceiling = 10
reason = "Many names at one address suggest a facility or a filler, not a home"
"""


def invent(agency_key: str, usual_requests: int, sender: Sender | None = None, *, open_findings: int = 0) -> str:
    """The text of a parties.toml in which one agency, with this verifier key, may ask.

    Safeguard findings that are open have no corrective plan with dates, as was reported of the real agency.
    """
    given = sender or Sender()
    return _TEXT.format(
        agency=given.agency,
        usual=usual_requests,
        findings=open_findings,
        key=agency_key,
        signatory=given.signatory,
        title=given.title,
        capacity=given.capacity,
        agreement=given.agreement,
        basis=given.basis,
    )
