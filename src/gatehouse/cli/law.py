"""`gatehouse law`: counsel's bench. Write law as data, see it fail its examples, prove it, compare it, sign it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.cli.law_crosscheck import crosscheck
from gatehouse.cli.law_office import adopt, new, page, sign, verify
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    from gatehouse.law.check import Report
    from gatehouse.law.compare import Answer, Witness
    from gatehouse.law.prove import Verdict

PACK = click.argument("pack", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")


class _Day(click.ParamType[dt.date]):
    """A strict ISO date."""

    name = "date"

    def convert(self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        day = value if isinstance(value, dt.date) else clock.read_date(value)
        return day if day is not None else self.fail(f"{value!r} is no date; write 2025-08-07", param, ctx)


AS_OF = click.option("--as-of", type=_Day(), help="The date of the law, for example 2025-08-07. Default: today.")


@click.group()
def law() -> None:
    """Counsel's bench: law written as data, executed, explained and proved.

    Begin with docs/tutorial-law.md. The language is in docs/law.md.

    \b
    Example: gatehouse law check packs/us-irs-6103-i-2
    """


@law.command()
@PACK
@click.option("--record", is_flag=True, help="Write what was proved to the pack's proof.json.")
@AS_JSON
def check(pack: Path, *, record: bool, as_json: bool) -> None:
    """Load, lint, run examples, prove properties, mutate.

    \b
    Example: gatehouse law check packs/us-irs-6103-i-2
    """
    from gatehouse.law import signing
    from gatehouse.law.check import check as check_pack
    from gatehouse.law.pack import load

    with shown() as progress:
        report = check_pack(load(pack), progress)
    click.echo(json.dumps(_report_json(report), indent=1)) if as_json else _print_report(report)
    if not report.passed:
        raise AnswerIsNo("the pack does not pass its check", where=str(pack))
    if record:
        signing.record(report)


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "pack": report.pack.id,
        "version": report.pack.version,
        "digest": report.pack.digest,
        "passed": report.passed,
        "findings": [vars(finding) for finding in report.findings],
        "examples": {
            "run": len(report.pack.examples),
            "failed": [{"title": f.example.title, "says": f.says} for f in report.failures],
        },
        "properties": [_verdict_json(verdict) for verdict in report.verdicts],
        "mutations": {
            "tried": report.mutants,
            "survived": [{"rule": s.rule.id, "mutation": s.mutation} for s in report.survivors],
        },
    }


def _print_report(report: Report) -> None:
    pack = report.pack
    click.echo(f"{pack.id} {pack.version}: {len(pack.rules)} rules, digest {pack.digest[:16]}…")
    for finding in report.findings:
        click.echo(f"  {finding.severity} ({finding.kind}) {finding.where}: {finding.says}. {finding.remedy}")
    for failure in report.failures:
        place = f"{failure.example.file}, line {failure.example.line}"
        click.echo(f"  example fails: {place}: “{failure.example.title}”: {failure.says}")
    for verdict in report.verdicts:
        if verdict.status != "proved":
            _print_verdict(verdict)
    for survivor in report.survivors:
        click.echo(f"  not noticed: rule {survivor.rule.id} {survivor.mutation}. Add an example or a property")
    proved = sum(verdict.status == "proved" for verdict in report.verdicts)
    click.echo(f"  {len(pack.examples) - len(report.failures)} of {len(pack.examples)} examples decide as written")
    click.echo(f"  {proved} of {len(report.verdicts)} properties proved, for every request and every date 1900-2199")
    click.echo(f"  {report.mutants - len(report.survivors)} of {report.mutants} mutations noticed")
    click.echo("  passed" if report.passed else "  NOT passed")


@law.command()
@PACK
@click.option("--property", "only", help="Prove one property, by its id.")
@click.option("--solver", type=click.Choice(["z3", "cvc5"]), default="z3", show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Write counter-examples to this example file.")
@AS_JSON
def prove(pack: Path, only: str | None, solver: str, keep: Path | None, *, as_json: bool) -> None:
    """Prove the properties over every request and every date; show a request that breaks one.

    \b
    Example: gatehouse law prove packs/us-irs-6103-i-2 --property never-civil
    """
    from gatehouse.law import prove as proving
    from gatehouse.law.pack import load

    loaded = load(pack)
    wanted = [each for each in loaded.properties if only in (None, each.id)]
    if not wanted:
        raise WrongInput(f"no property {only or ''}", where=str(pack / "properties.toml"), remedy="Check the id")
    module = proving.solver_module(solver)
    with shown() as progress:
        verdicts = []
        for number, each in enumerate(wanted):
            progress("properties", number, len(wanted))
            verdicts.append(proving.prove(loaded, each, module))
    if as_json:
        click.echo(json.dumps([_verdict_json(verdict) for verdict in verdicts], indent=1))
    else:
        for verdict in verdicts:
            _print_verdict(verdict)
    if keep is not None:
        _keep(keep, verdicts)
    if any(verdict.status != "proved" for verdict in verdicts):
        raise AnswerIsNo("a property does not hold, or is unsettled", where=str(pack))


def _keep(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Append counter-examples to an example file, expecting that they are no longer cleared."""
    from gatehouse.law.examples import as_toml

    found = [
        as_toml(f"Must not clear: {verdict.says}", each.as_of, each.facts, "refused", ())
        for verdict in verdicts
        if (each := verdict.counterexample) is not None
    ]
    with path.open("a", encoding="utf-8") as stream:
        stream.write("".join(f"\n{text}" for text in found))
    click.echo(f"{len(found)} counter-examples written to {path}; correct the outcome and the rules expected", err=True)


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    found = verdict.counterexample
    return {
        "id": verdict.id,
        "says": verdict.says,
        "status": str(verdict.status),
        "seconds": round(verdict.seconds, 3),
        "why": verdict.why,
        "counterexample": None if found is None else {"as_of": str(found.as_of), "facts": _plain(found.facts)},
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, dt.date) else value for name, value in facts.items()}


def _print_verdict(verdict: Verdict) -> None:
    click.echo(f"  {verdict.status}: {verdict.id} ({verdict.seconds:.2f} s): {verdict.says}")
    if verdict.status != "proved":
        click.echo(f"    {verdict.why}")
    if verdict.counterexample is not None:
        click.echo(f"    On {verdict.counterexample.as_of} this request clears; it is like the first example, but:")
        _print_facts(verdict.counterexample.differs)


def _print_facts(facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        click.echo(f"      {name} is {'not known' if value is None else value}")


@law.command()
@click.argument("old")
@click.argument("new")
@click.option("--allow", default="", help="A condition: what the new law may permit besides.")
@AS_JSON
def diff(old: str, new: str, allow: str, *, as_json: bool) -> None:
    """What the NEW law permits that the OLD refused, and the reverse, over every request and date.

    OLD and NEW are packs, or a pack's instruments of some kinds: PACK:statute+agreement.

    \b
    Example: gatehouse law diff packs/old packs/new --allow "proceeding = 'grand_jury'"
    """
    from gatehouse.law import compare

    gained, lost = compare.diff(compare.body(old), compare.body(new), allow)
    if as_json:
        click.echo(json.dumps({"gained": _answer_json(gained), "lost": _answer_json(lost)}, indent=1))
    else:
        _print_answer(gained)
        _print_answer(lost)
    if gained.status != "none":
        raise AnswerIsNo("the new law permits more than the old", where=new)


@law.command()
@click.argument("inner")
@click.argument("outer")
@click.option("--given", default="", help="Ask only about requests of which this condition is true.")
@AS_JSON
def within(inner: str, outer: str, given: str, *, as_json: bool) -> None:
    """Does the INNER law (an agreement) permit anything that the OUTER (the statute) does not?

    \b
    Example: gatehouse law within packs/us-irs-6103-i-2:agreement packs/us-irs-6103-i-2:statute \\
                 --given "under_memorandum AND as_of >= DATE '2025-04-07'"
    """
    from gatehouse.law import compare

    answer = compare.within(compare.body(inner), compare.body(outer), given)
    if as_json:
        by_rule = [{"rule": rule.id, **_answer_json(each)} for rule, each in answer.open]
        found = {"whole": _answer_json(answer.whole), "secured": list(answer.secured), "open": by_rule}
        click.echo(json.dumps(found, indent=1))
    else:
        _print_answer(answer.whole)
        click.echo(f"Secured by the inner law's own terms: {', '.join(answer.secured) or 'nothing'}")
        for rule, each in answer.open:
            click.echo(f"Left open: {rule.cite} [{rule.id}]: {rule.say}")
            if each.witness is not None:
                click.echo(f"    For example on {each.witness.as_of}:")
                _print_facts(each.witness.differs)
    if answer.whole.status != "none":
        raise AnswerIsNo("the inner law permits what the outer one does not", where=inner)


def _answer_json(answer: Answer) -> dict[str, Any]:
    seen: Witness | None = answer.witness
    shown_witness = seen and {
        "as_of": str(seen.as_of),
        "facts": _plain(seen.facts),
        "differs": _plain(seen.differs),
        "because": list(seen.because),
    }
    return {"question": answer.question, "status": answer.status, "witness": shown_witness}


def _print_answer(answer: Answer) -> None:
    words = {"none": "nothing, on any date", "some": "yes", "unsettled": "unsettled: the solver's time ran out"}
    click.echo(f"{answer.question}: {words[answer.status]}")
    if answer.witness is not None:
        click.echo(f"  For example on {answer.witness.as_of} a request like the first example, but:")
        _print_facts(answer.witness.differs)
        click.echo(f"  There it is stopped by: {', '.join(answer.witness.because) or 'the items it permits'}")


@law.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.argument("dockets", nargs=-1, required=True, type=click.Path(path_type=Path))
@AS_OF
@AS_JSON
def impact(old: Path, new: Path, dockets: tuple[Path, ...], as_of: dt.date | None, *, as_json: bool) -> None:
    """What the NEW pack would have done to past dockets that the OLD one decided.

    \b
    Example: gatehouse law impact packs/old packs/new site/dockets/ICE-2025-0003 --as-of 2025-08-07
    """
    import duckdb

    from gatehouse.law.impact import impact as compare_outcomes
    from gatehouse.law.pack import load

    changes = compare_outcomes(duckdb.connect(), load(old), load(new), dockets, as_of or clock.today())
    if as_json:
        click.echo(json.dumps([vars(change) for change in changes], indent=1))
        return
    for change in changes:
        same = "unchanged" if change.old == change.new else "CHANGED"
        click.echo(f"{change.docket}: {change.old} → {change.new}: {change.requests:,} requests ({same})")
        if change.begun:
            click.echo(f"    rules that now fire as well: {', '.join(change.begun)}")
        if change.ended:
            click.echo(f"    rules that no longer fire: {', '.join(change.ended)}")
        if change.old != change.new:
            click.echo(f"    for example rows {', '.join(map(str, change.samples))}")


@law.command()
@PACK
@click.argument("date", type=_Day())
def at(pack: Path, date: dt.date) -> None:
    """Print the law in force on DATE, as a lawyer reads it.

    \b
    Example: gatehouse law at packs/us-irs-6103-i-2 2025-11-22
    """
    from gatehouse.law.pack import load
    from gatehouse.law.timeline import law_at

    click.echo_via_pager(law_at(load(pack), date))


@law.command()
@PACK
@click.argument("rules", nargs=-1, required=True)
@AS_OF
@AS_JSON
def explain(pack: Path, rules: tuple[str, ...], as_of: dt.date | None, *, as_json: bool) -> None:
    """Explain rules by their ids: what they say to whom, with citation and certainty.

    \b
    Example: gatehouse law explain packs/us-irs-6103-i-2 i2-address depart-90-days
    """
    from gatehouse.law.explain import explain as explain_rules
    from gatehouse.law.explain import sentence
    from gatehouse.law.pack import load

    loaded = load(pack)
    texts = explain_rules(loaded, rules, {}, as_of or clock.today())
    if as_json:
        click.echo(json.dumps([_plain(vars(text)) for text in texts], indent=1, default=str))
        return
    for text in texts:
        click.echo(f"{text.id}: {text.cite} ({text.source}; {text.certainty})")
        if text.quote:
            click.echo(f"  “{text.quote}”" if text.exact else f"  In other words: {text.quote}")
        rule = loaded.by_id.get(text.id)
        if rule is not None:
            click.echo(f"  {sentence(rule)}: {text.condition}")
            click.echo(f"  In force from {text.begins}{f' until {text.until}' if text.until else ''}")
        click.echo(f"  To the requester ({text.code}): {text.say}")


for command in (new, crosscheck, sign, verify, adopt, page):
    law.add_command(command)
