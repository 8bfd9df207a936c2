"""Recalls for pages: which cases, which packages, and how far each recall has come.

Progress is read from the signed notices in the dockets and from what came back; nothing is kept beside them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from gatehouse.casework import queue, reasons
from gatehouse.casework import statement as statements
from gatehouse.casework.approval import Proposal
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.console import charts, deciding, desk, steps, tasks
from gatehouse.console.models import Account, Step, Task
from gatehouse.console.templatetags.plainly import written
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.progress import Progress
from gatehouse.pipeline import errands
from gatehouse.pipeline import recall as stage
from gatehouse.pipeline.approve import Office
from gatehouse.release import recall as recalls
from gatehouse.release.recall import Cause
from gatehouse.release.returns import Kind
from gatehouse.store import jobs
from gatehouse.store.shelf import Shelf

KINDS = {"requests": "requests", "rule": "rule", "today": "pack_change"}
"""What an officer chooses, and how the cause of the recall calls it."""


@dataclass(frozen=True)
class Package:
    """A release that a recall would take back."""

    id: str
    officer: str
    cases: int
    wrong: int
    opened: bool


@dataclass(frozen=True)
class Notice:
    """One package of a recall, and what came back about it."""

    release: str
    officer: str
    dispose_by: str
    opened: bool
    destroyed_at: dt.datetime | None


@dataclass(frozen=True)
class Recall:
    """One recall and how far it has come."""

    id: str
    docket: str
    at: str
    cause: str
    about: str
    description: str
    requests: int
    report_by: str
    packages: tuple[Notice, ...]
    overdue: int
    unfinished: bool

    @property
    def destroyed(self) -> int:
        """Packages whose destruction was reported."""
        return sum(package.destroyed_at is not None for package in self.packages)

    @property
    def segments(self) -> list[charts.Segment]:
        """The bar of packages."""
        waiting = len(self.packages) - self.destroyed - self.overdue
        return charts.stacked(
            [("Destroyed", "good", self.destroyed), ("Waited for", "wait", waiting), ("Overdue", "stop", self.overdue)]
        )


def chosen(connection: duckdb.DuckDBPyConnection, place: Office, name: str, kind: str, given: str) -> Selection:
    """The released cases that an officer means. Raises WrongInput for an unknown rule or request."""
    if kind == "requests":
        wanted = list(dict.fromkeys(given.split()))
        rows = queue.find(connection, place.site.dockets / name, wanted)
        cases = Selection.of(rows.values()) & place.casebook.board(name).states[State.RELEASED]
        if not wanted or len(cases) < len(wanted):
            raise WrongInput(
                f"{len(wanted) - len(cases)} of the {len(wanted)} ids are not released cases of this docket",
                remedy="Enter only released requests, one per line",
            )
        return cases
    if kind == "rule":
        if not given:
            raise WrongInput("no rule was chosen", remedy="Choose the rule that stops the cases")
        return stage.stopped(connection, place, name, rule=given)
    if kind == "today":
        return stage.stopped(connection, place, name, as_of=clock.today())
    raise WrongInput("no cases were chosen", remedy="Choose one of the three ways to select cases")


def cause(kind: str, about: str, reason: str) -> Cause:
    """The cause as the notices name it."""
    return Cause(KINDS.get(kind, "requests"), about if kind == "rule" else "", reason)


def begin(person: Account, name: str, told: Mapping[str, str]) -> Step:
    """Keep a recall on its way: `kind`, `requests` (ids, one a line) or `rule`, and `reason`.

    Raises WrongInput for an unknown rule or request, Blocked for who may not decide.
    """
    given = {key: reasons.tidy(told.get(key, "")) for key in ("kind", "requests", "rule", "reason")}
    about = given["rule" if given["kind"] == "rule" else "requests"]
    with open_workspace(memory="1GB", threads=2) as connection:
        cases = chosen(connection, desk.office(), name, given["kind"], about)
    deciding.statement_body(person.officer, Proposal(name, Action.RECALL, cases, given["reason"]))
    return steps.begin(person, Step.Kind.RECALL, name, given, cases)


def text(step: Step) -> str:
    """The exact text of a recall on its way, the same for some minutes. Raises as `deciding.statement_body`."""
    proposal = Proposal(step.docket, Action.RECALL, steps.selection(step), step.told["reason"])
    return steps.exact(step, lambda: deciding.exact(deciding.statement_body(step.account.officer, proposal)))


def sign(step: Step, statement: Statement, back: str) -> Task:
    """Carry out a recall that its officer signed, in the background: notices, incident report, ledger."""
    cases = steps.selection(step)
    why = cause(step.told["kind"], step.told["rule"], statement.text("reason"))

    def work(_: Progress) -> str:
        done = errands.take_back(desk.office(), statement, cases, why, clock.now())
        recalled = "1 case is" if done.cases == 1 else f"{done.cases:,} cases are"
        revoked = "1 package" if done.packages == 1 else f"{done.packages:,} packages"
        due = written(done.report_by)
        return f"{recalled} recalled, {revoked} revoked. The incident report is due by {due}."

    steps.finish(step)
    return tasks.start(step.account, f"Recall from {step.docket}", back, work)


def packages(name: str, cases: Selection) -> list[Package]:
    """The packages that hold any of these cases."""
    shelf = Shelf()
    return [
        Package(
            one.id, one.officer, len(one.cases), len(wrong),
            opened=any(back.kind is Kind.RECEIPT for back in shelf.returned(one.id)),
        )
        for one, wrong in recalls.affected(shelf.releases(name), cases)
    ]  # fmt: skip


def made(dockets: Sequence[str], now: dt.datetime) -> list[Recall]:
    """Every recall of these dockets, newest first."""
    shelf, unfinished = Shelf(), set(jobs.unfinished(stage.KIND))
    found = []
    for name in dockets:
        for folder in sorted((desk.site().dockets / name / "recalls").glob("*/incident.json")):
            notices = [path for path in sorted(folder.parent.glob("*.json")) if path.name != folder.name]
            bodies = [statements.parse(path.read_bytes(), where=path.name).body for path in notices]
            incident = statements.parse(folder.read_bytes(), where=folder.name).body
            parts = tuple(_notice(shelf, body) for body in bodies)
            first = bodies[0] if bodies else {}
            about = first.get("cause", {})
            late = sum(part.destroyed_at is None and part.dispose_by < now.date().isoformat() for part in parts)
            asked = {request for body in bodies for request in body["request_ids"]}
            found.append(
                Recall(
                    folder.parent.name, name, str(first.get("recalled_at", "")), str(about.get("kind", "")),
                    str(about.get("about", "")), str(incident["description"]), len(asked),
                    str(incident["report_by"]), parts, late, folder.parent.name in unfinished,
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: one.at, reverse=True)


def _notice(shelf: Shelf, body: object) -> Notice:
    assert isinstance(body, dict)  # noqa: S101 - a statement's body
    back = shelf.returned(str(body["release"]))
    destroyed = [one.stated_at for one in back if one.kind is Kind.DISPOSAL]
    opened = any(one.kind is Kind.RECEIPT for one in back)
    return Notice(
        str(body["release"]), str(body["officer"]), str(body["dispose_by"]), opened, min(destroyed, default=None)
    )
