"""The benchmark of people's work: queue pages, decisions, sealing, and the list and notices of a recall, at full size.

Everything is asked of the rooms as a door asks it, on a site made for the purpose; only the docket is made from columns
instead of from a submission. A row is the seconds by the clock and of the processor; a page or a decision is asked for
many times, and the median and the 95th percentile are shown.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import measure, table

if TYPE_CHECKING:
    import duckdb

    from gatehouse.casework.selection import Selection
    from gatehouse.pipeline.approve import Office

_NOW = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
_LATER = _NOW + dt.timedelta(minutes=5)
_DOCKET = "bench"
_PEOPLE = ("ann", "bob", "eve")
_REASON = "Compared with the file by hand; every element of the statute is met."
_WRONG = 5_000
_TIMES = 120


@dataclass(frozen=True)
class Size:
    """What is measured: a docket, and how many officers receive of it."""

    folder: Path
    requests: int
    held: int
    cleared: int
    officers: int
    database: str


@dataclass
class Taken:
    """What one step took: seconds by the clock of each time it was done, and processor seconds of all."""

    seconds: list[float] = field(default_factory=list)
    processor: float = 0.0

    def run(self, step: Callable[[], object]) -> None:
        """Do the step once and add what it took."""
        wall, before = time.perf_counter(), os.times()
        step()
        after = os.times()
        self.seconds.append(time.perf_counter() - wall)
        self.processor += sum(after[:4]) - sum(before[:4])

    def at(self, share: float) -> float:
        """The time that this share of the runs did not exceed."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


def bench_casework(size: Size, say: Callable[[str], None] = lambda _: None) -> str:
    """Measure each step in a process of its own, one after the other on one site; the table in Markdown."""
    shutil.rmtree(size.folder, ignore_errors=True)
    size.folder.mkdir(parents=True)
    say("make a site with one docket …")
    measure(_make, size)
    rows = []
    for name, step, within in (
        ("a page of the queue", _pages, "0.1 s at p95"),
        ("a page of the cases one rule stopped", _pages_of_a_rule, "0.1 s at p95"),
        ("one decision, in the ledger", _decisions, "0.1 s at p95"),
        ("approval of all cleared cases, in the ledger", _approvals, ""),
        ("seal, prove and publish", _release, "20 s"),
        ("list of a recall: releases and persons", _list, "60 s"),
        (f"recall of {_WRONG:,} cases, to signed notices", _recall, ""),
    ):
        say(f"{name} …")
        one = measure(step, size)
        taken: Taken = one.result
        times = len(taken.seconds)
        cells = (
            f"{taken.at(0.5):.3f}",
            f"{taken.at(0.95):.3f}",
            f"{taken.processor / times:.3f}",
            one.peak_mib,
            within,
        )
        rows.append((name, times, *cells))
    header = ("step", "times", "median s", "p95 s", "processor s", "peak MiB", "to be within")
    return f"{table(header, rows)}\nLoad average at the end {os.getloadavg()[0]:.1f}; processor seconds of one time.\n"


def _make(size: Size) -> None:
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law import shipped
    from gatehouse.ledger.signers import new_key
    from gatehouse.pipeline import founding
    from gatehouse.pipeline import site as sites
    from gatehouse.release.recipients import write_identity
    from gatehouse.synthetic.docket import Plan, make_docket, make_homes, parties

    pack = shipped.pack("us-irs-6103-i-2")
    (size.folder / "parties.toml").write_text(parties())
    register = make_homes(size.folder / "register", size.requests)
    beginning = sites.Founding("bench.example/2025", str(register), size.folder / "parties.toml", demonstration=True)
    made = founding.found(size.folder / "site", beginning, [pack], _NOW, shipped=True)
    text = made.configuration.path.read_text().replace("sqlite:///gatehouse.sqlite3", size.database)
    for person in _PEOPLE:
        private, public = new_key(person)
        _key(size, person).write_text(private)
        text += f'\n[[officers]]\nid = "{person}"\nname = "{person}"\nrole = "disclosure_officer"\nkey = "{public}"\n'
        text += "from = 2025-01-01\n"
    made.configuration.path.write_text(text)
    made = sites.open_site(made.root)
    names = [f"ICE-{number:04}" for number in range(size.officers)]
    recipients = {name: write_identity(size.folder / f"{name}.key") for name in names}
    incomplete = size.requests - size.held - size.cleared
    with open_workspace("4GB", temporary=size.folder / "spill") as connection:
        make_docket(connection, made, Plan(_DOCKET, size.requests, recipients, size.held, incomplete), pack, _NOW)


def _key(size: Size, person: str) -> Path:
    return size.folder / f"{person}.key"


def _office(size: Size) -> Office:
    from gatehouse.pipeline import approve
    from gatehouse.pipeline.site import open_site

    return approve.office(open_site(size.folder / "site"))


def _workspace(size: Size) -> duckdb.DuckDBPyConnection:
    from gatehouse.intake.workspace import open_workspace

    return open_workspace("4GB", temporary=size.folder / "spill")


def _pages(size: Size, rule: str | None = None) -> Taken:
    from gatehouse.casework import queue

    place, taken = _office(size), Taken()
    folder = place.site.dockets / _DOCKET
    with _workspace(size) as connection:
        for start in range(0, size.held, max(1, size.held // _TIMES)):
            taken.run(
                lambda start=start: queue.page(  # type: ignore[misc]  # a default binds the loop's value
                    connection, folder, place.casebook.board(_DOCKET), rule=rule, start=start, length=50
                )
            )
    return taken


def _pages_of_a_rule(size: Size) -> Taken:
    return _pages(size, "identity-corroborated")


def _decide(place: Office, size: Size, person: str, action: str, cases: Selection) -> None:
    from gatehouse.casework import approval
    from gatehouse.casework.states import Action
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import approve

    proposal = approval.Proposal(_DOCKET, Action(action), cases, _REASON)
    if approval.needs_sample(proposal.action, cases):
        drawn = approve.draw(place, person, proposal, now=_NOW)
        examined = approval.examine(place.casebook, drawn.id, 0)
        proposal = approval.Proposal(_DOCKET, Action(action), cases, _REASON, examined)
    approve.decide(place, person, proposal, signer=read_signer(_key(size, person)), now=_NOW)


def _decisions(size: Size) -> Taken:
    from gatehouse.casework.selection import Selection

    place, taken = _office(size), Taken()
    for seq in range(min(_TIMES, size.held)):
        taken.run(lambda seq=seq: _decide(place, size, "eve", "clear", Selection.of([seq])))  # type: ignore[misc]
    return taken


def _approvals(size: Size) -> Taken:
    place, taken = _office(size), Taken()
    for person in ("ann", "bob"):
        cases = place.casebook.board(_DOCKET).approvable_by(frozenset({person}))
        taken.run(lambda person=person, cases=cases: _decide(place, size, person, "approve", cases))  # type: ignore[misc]
    return taken


def _release(size: Size) -> Taken:
    from gatehouse.pipeline import release

    place, taken = _office(size), Taken()
    with _workspace(size) as connection:
        taken.run(lambda: release.release(connection, place, _DOCKET, _LATER))
    return taken


def _list(size: Size) -> Taken:
    """As after a corrected pack: the law is asked again about every released case, and whom it concerns is listed."""
    from gatehouse.pipeline import recall

    place, taken = _office(size), Taken()

    def listed() -> None:
        recall.stopped(connection, place, _DOCKET)
        found = recall.concerned(connection, place, _DOCKET, _released(place))
        assert found.releases  # noqa: S101 - a benchmark of nothing would look fast

    with _workspace(size) as connection:
        taken.run(listed)
    return taken


def _released(place: Office) -> Selection:
    from gatehouse.casework.states import State

    return place.casebook.board(_DOCKET).states[State.RELEASED]


def _recall(size: Size) -> Taken:
    from itertools import islice

    from gatehouse.casework.selection import Selection
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import recall
    from gatehouse.release.recall import Cause

    place, taken = _office(size), Taken()
    wrong = Selection.of(islice(_released(place), _WRONG))
    with _workspace(size) as connection:
        taken.run(
            lambda: recall.recall(
                connection, place, _DOCKET, wrong,
                cause=Cause("requests", "", "Wrong persons were matched."), officer="eve",
                signer=read_signer(_key(size, "eve")), now=_LATER,
            )
        )  # fmt: skip
    return taken
