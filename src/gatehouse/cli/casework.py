"""`gatehouse approve`: officers look at samples and decide cases, each with a signed statement."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.cli import marks
from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.casework.sampling import Sample
    from gatehouse.casework.selection import Selection
    from gatehouse.pipeline.approve import Office

_SHOWN = 20
DECISIONS = ("approve", "clear", "hold", "refuse", "return", "reopen", "withdraw")


@click.command()
@click.argument("docket")
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--officer", help="Your id in gatehouse.toml.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own signing key.")
@click.option("--reason", default="", help="Your answer to the question shown. It is stored with the question.")
@click.option("--decision", type=click.Choice(DECISIONS), default="approve", show_default=True)
@click.option("--all-cleared", is_flag=True, help="Decide every cleared case that you have not approved yet.")
@click.option("--request", "requests", multiple=True, help="The id of one request. May be repeated.")
@click.option("--held-by", "rule", help="Decide every held case on which this rule fired.")
@click.option("--sample", is_flag=True, help="Only draw and show the sample that you must examine first.")
@click.option("--examined", metavar="SAMPLE", help="The id of the sample that you examined, as --sample printed it.")
@click.option(
    "--marks", type=click.Path(dir_okay=False, path_type=Path),
    help="The file for your marks on the sample: --sample writes it, --examined reads it.",
)  # fmt: skip
@click.option("--preview", is_flag=True, help="Only show what you would sign: the cases, their state and the question.")
@click.option(
    "--seen", default="", metavar="STATE", help="The state of the cases when you looked, as --preview printed it."
)
@click.option(
    "--queue", "queued", is_flag=True, help="Only show the cases that wait, grouped by the rule that stopped them."
)
@click.option(
    "--skip", type=click.IntRange(min=0), default=0, help="With --queue: skip this many cases. A page shows 50."
)
@click.option(
    "--alarms", is_flag=True, help="Only show requests that look like trial and error. For the custodian only."
)
@click.option("--attempts", is_flag=True, help="Only show refused attempts: when, who, what and why.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def approve(docket: str, folder: Path, **options: Any) -> None:  # noqa: ANN401 - click hands options over by name
    """Decide cases of a docket: approve, clear, refuse, return, reopen or withdraw.

    Release needs two approvals by two people who had no part in the submission. To decide more than five cases
    towards release, first draw a sample, look at each of its cases, mark each right or wrong, and then decide.
    A decision is refused if someone decided any of its cases after you looked at them.

    \b
    Examples:
      gatehouse approve ICE-2025-0003 --site custodian --queue
      gatehouse approve ICE-2025-0003 --site custodian --officer do-1 --all-cleared --sample --marks marks.csv
      gatehouse approve ICE-2025-0003 --site custodian --officer do-1 --key do-1.key --all-cleared \\
        --examined sample-… --marks marks.csv --reason "Compared the sample with the file; every element is met."
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import approve as stage
    from gatehouse.pipeline import dockets
    from gatehouse.pipeline.site import open_site

    place = stage.office(open_site(folder))
    docket = dockets.resolve(place.site.dockets, docket)
    with open_workspace() as connection:
        file = stage.open_docket(connection, place, stage.docket_of(place.site, docket))
        if options["attempts"]:
            _show_attempts(place, docket, as_json=options["as_json"])
            return
        if options["alarms"]:
            _show_alarms(place, docket, as_json=options["as_json"])
            return
        if options["queued"]:
            _show_queue(place, docket, options["rule"], options["skip"], as_json=options["as_json"])
            return
        selection = _selection(place, docket, **options)
    if not options["officer"]:
        raise WrongInput("--officer is required", remedy="Give your id with --officer")
    if options["sample"]:
        _draw(place, file.docket, selection, options)
        return
    if options["preview"]:
        _preview(place, file.docket, selection, options)
        return
    _decide(place, file.docket, selection, options)


def _selection(place: Office, docket: str, **options: Any) -> Selection:  # noqa: ANN401 - as above
    from gatehouse.casework import queue
    from gatehouse.casework.selection import Selection
    from gatehouse.casework.states import Action, Actor, State, sources
    from gatehouse.intake.workspace import open_workspace

    ways = [bool(options["all_cleared"]), bool(options["requests"]), bool(options["rule"])]
    if sum(ways) != 1:
        raise WrongInput(
            "no cases are selected",
            remedy="Give exactly one of --all-cleared, --request ID (may be repeated) or --held-by RULE",
        )
    board = place.casebook.board(docket)
    root = place.site.dockets / docket
    if options["all_cleared"]:
        if options["decision"] == "approve":
            return board.approvable_by(place.roster.people(options["officer"] or ""))
        chosen = Selection()
        for state in sources(Action(options["decision"]), Actor.OFFICER):
            chosen = chosen | (board.states[state] if state is not State.HELD else Selection())
        return chosen
    with open_workspace() as connection:
        if options["rule"]:
            return queue.stopped_by(connection, root, options["rule"]) & board.states[State.HELD]
        found = queue.find(connection, root, options["requests"])
    unknown = [request for request in options["requests"] if request not in found]
    if unknown:
        raise WrongInput(f"{len(unknown)} of the requests are not in this docket", where="--request")
    return Selection.of(found.values())


def _draw(place: Office, docket: str, selection: Selection, options: dict[str, Any]) -> None:
    from fractions import Fraction

    from gatehouse.casework.approval import Proposal
    from gatehouse.casework.sampling import bound
    from gatehouse.casework.states import Action
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import approve as stage

    proposal = Proposal(docket, Action(options["decision"]), selection, "")
    drawn = stage.draw(place, options["officer"], proposal, now=clock.now())
    with open_workspace() as connection:
        requests = stage.request_ids(connection, place.site, docket, drawn.drawn)
    if options["marks"] is not None:
        marks.write(options["marks"], requests)
    clean = bound(len(selection), len(drawn.drawn), 0, Fraction(drawn.confidence_percent, 100))
    if options["as_json"]:
        facts = {"sample": drawn.id, "population": len(selection), "wrong_at_most_if_clean": clean}
        click.echo(json.dumps({**facts, "confidence_percent": drawn.confidence_percent, "requests": requests}))
        return
    click.echo(
        f"sample {drawn.id}: {len(drawn.drawn)} of {len(selection)} cases. If none of them is wrong, at most "
        f"{clean} of {len(selection)} are wrong, at {drawn.confidence_percent} % confidence (hypergeometric)."
    )
    for request in requests:
        click.echo(f"  {request}")
    filled = f" --marks {options['marks']}" if options["marks"] else ""
    click.echo(
        f"Look at each case (gatehouse explain), mark it right or wrong, then decide with --examined {drawn.id}{filled}"
    )


def _preview(place: Office, docket: str, selection: Selection, options: dict[str, Any]) -> None:
    from gatehouse.casework import approval
    from gatehouse.casework.states import Action
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import approve as stage

    question = approval.prompt(Action(options["decision"]), docket, selection)
    seen = place.casebook.board(docket).digest(selection)
    with open_workspace() as connection:
        requests = stage.request_ids(connection, place.site, docket, selection)
    if options["as_json"]:
        click.echo(json.dumps({"question": question, "seen": seen, "requests": requests}))
        return
    click.echo(question)
    click.echo("\n".join(f"  {request}" for request in requests[:_SHOWN]))
    if len(requests) > _SHOWN:
        click.echo(f"  … {len(requests) - _SHOWN} more; --json lists all")
    click.echo(f"To sign exactly this state of the cases, add --seen {seen}")


def _decide(place: Office, docket: str, selection: Selection, options: dict[str, Any]) -> None:
    from gatehouse.casework import approval, reasons
    from gatehouse.casework.states import Action
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import approve as stage

    if options["key"] is None:
        raise WrongInput("--key is required", remedy="Name your signing key file with --key")
    action = Action(options["decision"])
    question = approval.prompt(action, docket, selection)
    seen = options["seen"] or place.casebook.board(docket).digest(selection)  # before anything is asked or looked at
    sample = _examined(place, docket, selection, options)
    reason = options["reason"]
    if not reason and sys.stdin.isatty():
        reason = click.prompt(question)
    if (warning := reasons.warning(reason)) is not None:
        click.echo(warning, err=True)
    proposal = approval.Proposal(docket, action, selection, reason, sample, seen)
    decided = stage.decide(place, options["officer"], proposal, signer=read_signer(options["key"]), now=clock.now())
    told = _told(place, docket)
    counts = {str(state): count for state, count in decided.board.counts().items() if count}
    if options["as_json"]:
        result = {"docket": docket, "number": decided.number, "action": str(action), "cases": decided.cases}
        click.echo(json.dumps({**result, "in_ledger": decided.in_ledger, "states": counts}))
        return
    click.echo(question)
    if sample is not None:
        click.echo(
            f"rests on {sample.id}: {sample.found} wrong of {len(sample.drawn)} looked at; at "
            f"{sample.confidence_percent} % confidence at most {sample.document()['wrong_at_most']} of them all are"
        )
    click.echo(f"decision {decided.number}: {action}, {decided.cases} cases, by {options['officer']}")
    click.echo("  " + ", ".join(f"{count} {state}" for state, count in counts.items()))
    if told:
        click.echo(told)
    if not decided.in_ledger:
        click.echo("The ledger is busy. The next decision or release will commit this one.", err=True)


def _told(place: Office, docket: str) -> str:
    """Tell the answers if this decision closed the docket; what to say about it."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.kernel.errors import MachineFailed
    from gatehouse.pipeline import approve as stage
    from gatehouse.pipeline import closing

    folder = stage.docket_of(place.site, docket)
    day = closing.due(place, folder)
    if day is None:
        return ""
    try:
        with open_workspace() as connection:
            closed = closing.answer(connection, place, folder, clock.now())
    except MachineFailed:
        closed = False
    if closed:
        return f"No case is open. The answers are published: {folder.answers}"
    return (
        f"No case is open. The answers can be published from {clock.stamp(day)} on: "
        f"gatehouse release {docket} --site {place.site.root} --answers"
    )


def _examined(place: Office, docket: str, selection: Selection, options: dict[str, Any]) -> Sample | None:
    """The sample that a decision rests on, each of its cases marked; cases that moved since the draw are refused."""
    from gatehouse.casework import approval
    from gatehouse.casework.board import Blocked
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import approve as stage

    if options["examined"] is None:
        return None
    drawn = place.casebook.sample(options["examined"])
    if drawn is None or drawn.docket != docket:
        raise WrongInput("this docket has no such sample", where="--examined", remedy="Draw one with --sample")
    for decision in place.casebook.decisions(docket):
        if approval.instant(decision.statement, "decided_at") > drawn.drawn_at and decision.selection & selection:
            raise Blocked(
                "state_changed", "some cases were decided after the sample was drawn", remedy="Draw a new sample"
            )
    if drawn.found is not None:
        return drawn
    with open_workspace() as connection:
        requests = stage.request_ids(connection, place.site, docket, drawn.drawn)
    if options["marks"] is None and not sys.stdin.isatty():
        remedy = "Write the file with --sample --marks FILE, fill it in, and pass it with --marks"
        raise WrongInput("the sample's cases have no marks", where="--marks", remedy=remedy)
    wrong = marks.read(options["marks"], requests) if options["marks"] else marks.ask(requests)
    return approval.examine(place.casebook, drawn.id, wrong)


def _show_queue(place: Office, docket: str, rule: str | None, skip: int, *, as_json: bool) -> None:
    from gatehouse.casework import queue
    from gatehouse.casework.states import State
    from gatehouse.intake.workspace import open_workspace

    board = place.casebook.board(docket)
    states = (State.HELD, State.CLEARED, State.APPROVED_ONCE, State.APPROVED_TWICE)
    with open_workspace() as connection:
        page = queue.page(connection, place.site.dockets / docket, board, states, rule=rule, start=skip)
    if as_json:
        lines = [{"request_id": one.request_id, "state": one.state, "fired": list(one.fired)} for one in page.cases]
        click.echo(json.dumps({"total": page.total, "counts": board.counts(), "cases": lines}))
        return
    for state, count in board.counts().items():
        click.echo(f"{state:>15}  {count:>9,}")
    for one in page.cases:
        click.echo(f"  {one.request_id:<24} {one.state:<15} {', '.join(one.fired)}")
    if page.total > skip + len(page.cases):
        click.echo(f"  … {page.total - skip - len(page.cases)} more: --skip {skip + len(page.cases)}")


def _show_attempts(place: Office, docket: str, *, as_json: bool) -> None:
    lines = [
        {"at": clock.stamp(one.at), "officer": one.officer, "action": one.action, "code": one.code}
        for one in place.casebook.attempts(docket)
    ]
    if as_json:
        click.echo(json.dumps(lines))
        return
    for line in lines:
        click.echo(f"{line['at']}  {line['officer'] or 'the sealer':<16} {line['action']:<9} {line['code']}")
    click.echo(f"{len(lines)} refused attempts")


def _show_alarms(place: Office, docket: str, *, as_json: bool) -> None:
    from gatehouse.casework import alarms
    from gatehouse.intake.workspace import open_workspace

    with open_workspace() as connection:
        found = alarms.raised(connection, place.site.dockets / docket)
    if as_json:
        agency = {name: {"count": count, "ceiling": ceiling} for name, (count, ceiling) in found.agency.items()}
        click.echo(json.dumps({"agency": agency, "officers": dict(found.officers), "subjects": dict(found.subjects)}))
        return
    for name, (count, ceiling) in found.agency.items():
        click.echo(
            f"{name:<50} {'-' if count is None else count:>9}   ceiling {'none' if ceiling is None else ceiling}"
        )
    click.echo("near misses in this docket, by requesting officer")
    for officer, misses in found.officers:
        click.echo(f"  {officer:<24} {misses:>9}")
    click.echo("other versions of the subject's particulars, by request")
    for request, versions in found.subjects:
        click.echo(f"  {request:<24} {versions:>9}")
