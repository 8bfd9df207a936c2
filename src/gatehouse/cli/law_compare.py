"""`gatehouse law diff|within|impact`: compare bodies of law, over every request and over past dockets."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.cli.law_words import AS_JSON, AS_OF, PACK_FOLDER, PACK_OR_KINDS, fact_lines, plain
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo

if TYPE_CHECKING:
    from gatehouse.law.compare import Answer, Witness
    from gatehouse.law.impact import Change
    from gatehouse.law.pack import Declared


@click.command()
@click.argument("old", type=PACK_OR_KINDS)
@click.argument("new", type=PACK_OR_KINDS)
@click.option("--allow", default="", help="A condition for requests that the new law may permit in addition.")
@AS_JSON
def diff(old: Path, new: Path, allow: str, *, as_json: bool) -> None:
    """Show what the NEW law permits that the OLD law refused, and the reverse, over every request and date.

    OLD and NEW are packs, or a pack's instruments of some kinds: PACK:statute+agreement.

    \b
    Example: gatehouse law diff packs/old packs/new --allow "proceeding = 'grand_jury'"
    """
    from gatehouse.law import compare

    before, after = compare.body(str(old)), compare.body(str(new))
    gained, lost = compare.diff(before, after, allow)
    if as_json:
        click.echo(json.dumps({"gained": _answer_json(gained), "lost": _answer_json(lost)}, indent=1))
    else:
        fields = {**before.pack.fields, **after.pack.fields}
        _print_answer(gained, fields)
        _print_answer(lost, fields)
    if gained.status != "none":
        raise AnswerIsNo("the new law permits more than the old", where=str(new))


@click.command()
@click.argument("inner", type=PACK_OR_KINDS)
@click.argument("outer", type=PACK_OR_KINDS)
@click.option("--given", default="", help="Compare only requests that meet this condition.")
@AS_JSON
def within(inner: Path, outer: Path, given: str, *, as_json: bool) -> None:
    """Show whether the INNER law (an agreement) permits anything that the OUTER law (the statute) does not.

    \b
    Example: gatehouse law within packs/us-irs-6103-i-2:agreement packs/us-irs-6103-i-2:statute \\
                 --given "under_memorandum AND as_of >= DATE '2025-04-07'"
    """
    from gatehouse.law import compare

    inside, outside = compare.body(str(inner)), compare.body(str(outer))
    answer = compare.within(inside, outside, given)
    fields = {**outside.pack.fields, **inside.pack.fields}
    if as_json:
        by_rule = [{"rule": rule.id, **_answer_json(each)} for rule, each in answer.open]
        found = {"whole": _answer_json(answer.whole), "secured": list(answer.secured), "open": by_rule}
        click.echo(json.dumps(found, indent=1))
    else:
        _print_answer(answer.whole, fields)
        click.echo(f"Secured by the inner law's own terms: {', '.join(answer.secured) or 'nothing'}")
        for rule, each in answer.open:
            click.echo(f"Left open: {rule.cite} [{rule.id}]: {rule.say}")
            if each.witness is not None:
                click.echo(f"    For example on {each.witness.as_of}:")
                click.echo("\n".join(fact_lines(each.witness.differs, fields)))
    if answer.whole.status != "none":
        raise AnswerIsNo("the inner law permits what the outer one does not", where=str(inner))


def _answer_json(answer: Answer) -> dict[str, Any]:
    seen: Witness | None = answer.witness
    shown_witness = seen and {
        "as_of": str(seen.as_of),
        "facts": plain(seen.facts),
        "differs": plain(seen.differs),
        "because": list(seen.because),
    }
    return {"question": answer.question, "status": answer.status, "witness": shown_witness}


def _print_answer(answer: Answer, fields: Mapping[str, Declared]) -> None:
    words = {"none": "nothing, on any date", "some": "yes", "unsettled": "unsettled: the solver reached its time limit"}
    click.echo(f"{answer.question}: {words[answer.status]}")
    if answer.witness is not None:
        click.echo(f"  For example on {answer.witness.as_of} a request like the first example, but:")
        click.echo("\n".join(fact_lines(answer.witness.differs, fields)))
        click.echo(f"  There it is stopped by: {', '.join(answer.witness.because) or 'the items it permits'}")


@click.command()
@click.argument("old", type=PACK_FOLDER)
@click.argument("new", type=PACK_FOLDER)
@click.argument("dockets", nargs=-1, required=True, type=click.Path(path_type=Path))
@AS_OF
@AS_JSON
def impact(old: Path, new: Path, dockets: tuple[Path, ...], as_of: dt.date | None, *, as_json: bool) -> None:
    """Show what the NEW pack would have decided on past dockets that the OLD pack decided.

    \b
    Example: gatehouse law impact packs/old packs/new site/dockets/ICE-2025-0003 --as-of 2025-08-07
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law.impact import impact as compare_outcomes
    from gatehouse.law.reading import load

    before, after, day = load(old), load(new), as_of or clock.today()
    changes = compare_outcomes(open_workspace(), before, after, list(dict.fromkeys(dockets)), day)
    if as_json:
        click.echo(json.dumps([vars(change) for change in changes], indent=1))
        return
    click.echo(f"The law as of {day}. Down: {old} ({before.version}); across: {new} ({after.version})")
    for docket in dict.fromkeys(change.docket for change in changes):
        click.echo(f"\n{docket}")
        click.echo("\n".join(_crosstab([change for change in changes if change.docket == docket])))
    if len(dockets) > 1:
        click.echo("\nAll dockets together")
        click.echo("\n".join(_crosstab(changes)))
    for line in (line for change in changes for line in _story(change)):
        click.echo(line)


OUTCOMES = ("cleared", "held", "incomplete", "refused")


def _crosstab(changes: Sequence[Change]) -> Iterator[str]:
    """Old outcomes down, new ones across."""
    yield " " * 12 + "".join(f"{outcome:>12}" for outcome in OUTCOMES)
    for old in OUTCOMES:
        counts = [sum(c.requests for c in changes if (c.old, c.new) == (old, new)) for new in OUTCOMES]
        yield f"{old:<12}" + "".join(f"{count:>12,}" for count in counts)


def _story(change: Change) -> Iterator[str]:
    """What a pair of outcomes comes from, and requests to look at."""
    if change.old == change.new and not change.begun and not change.ended:
        return
    same = "same outcome, other rules" if change.old == change.new else "CHANGED"
    yield f"\n{change.docket}: {change.old} → {change.new}: {change.requests:,} requests ({same})"
    if change.begun:
        yield f"    rules that now fire as well: {', '.join(change.begun)}"
    if change.ended:
        yield f"    rules that no longer fire: {', '.join(change.ended)}"
    if change.named:
        yield f"    for example {', '.join(change.named)}"
