"""What a site received and released, against what stood in its ledger before: law, halts, withdrawals, people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import GatehouseError
from gatehouse.oversight.standing import Given, Happened, judge
from gatehouse.pipeline.consistency.story import Difference
from gatehouse.pipeline.event import SITE
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site
from gatehouse.release import stated

_FINDING = "This is a finding, and stays one: the ledger shows it. Recall what was released"


def differences(site: Site, known: History, placed: Mapping[str, Docket]) -> Iterator[Difference]:
    """Every receipt and release that was not allowed where it stands in the ledger."""
    events = [Happened(one.index, "" if one.scope == SITE else one.scope, one.fields) for one in known.events]
    given = {name: said for docket in placed.values() for name, said in _given(docket)}
    for one in judge(events, given, site=site.name):
        event = f"release-{one.release}" if one.release else "received"
        yield Difference(f"dockets/{one.docket}/events/{event}.json", one.what, _FINDING)


def _given(docket: Docket) -> Iterator[tuple[str, Given]]:
    """What each certificate of a docket says; one that cannot be read is named where files are compared."""
    for path in sorted(docket.certificates.glob("*.json")):
        try:
            said = stated.read(path.read_bytes(), where=path.name)
        except (OSError, GatehouseError):
            continue
        approvers = tuple(str(body["officer"]) for body in said.decisions if body.get("action") == Action.APPROVE)
        yield said.release.release, Given(approvers, Selection.of(record.seq for record in said.records))
