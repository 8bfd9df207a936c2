"""What gave somebody an account, another role or a closed account back, against the officer's word that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gatehouse.casework import approval, endorsement
from gatehouse.casework import roster as rosters
from gatehouse.casework import statement as statements
from gatehouse.casework.endorsement import Version
from gatehouse.casework.roster import Roster
from gatehouse.kernel.errors import GatehouseError
from gatehouse.pipeline.consistency.story import Difference
from gatehouse.pipeline.event import Event
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site

FORM = "gatehouse-account/1"
"""What an officer signs who confirms a proposal."""
_ACTS: Mapping[str, str] = {"account_made": "make", "role_changed": "change", "account_open": "open"}
_FIRST = {"account": "administrator", "role": "administrator", "by": "gatehouse serve"}
"""The account with which a site begins: it proposes, and confirms nothing."""
_FINDING = "This is a finding, and stays one: the ledger shows it. Close the account if nobody knows it"


def differences(site: Site, known: History) -> Iterator[Difference]:
    """Every account, role or opening again that no officer of its time signed for."""
    versions: list[Version] = []
    for one in known.events:
        if one.kind == "roster":
            stated = rosters.parse(one.fields["officers"], where=one.name)
            versions.append(Version(stated, endorsement.of_documents(one.fields["endorsements"])))
        elif one.kind in _ACTS and not _takes_away(one) and not _is_first(one):
            counted = endorsement.admitted(versions, site=site.name)
            if not _is_confirmed(one, counted, site.name):
                what = "no officer who counted then signed for what this event gave"
                yield Difference(f"events/{one.name}.json", what, _FINDING)


def _takes_away(event: Event) -> bool:
    return event.kind == "role_changed" and not event.text("role")


def _is_first(event: Event) -> bool:
    return event.kind == "account_made" and all(event.text(name) == value for name, value in _FIRST.items())


def _is_confirmed(event: Event, counted: Roster, site: str) -> bool:
    """Whether the statement in an event is an officer's, over exactly what the event says was done."""
    try:
        signed = statements.of_document(event.fields.get("statement"), where=event.name)
        on = approval.instant(signed, "confirmed_at").date()
        officer = approval.authorised(counted, signed, on, form=FORM)
    except GatehouseError:
        return False
    said = {
        "site": site, "act": _ACTS[event.kind], "account": event.text("account"), "role": event.text("role"),
        "agency": event.text("agency"), "roster_id": event.text("officer"), "proposed_by": event.text("by"),
    }  # fmt: skip
    return officer.id == event.text("confirmed_by") and all(signed.body.get(name) == said[name] for name in said)
