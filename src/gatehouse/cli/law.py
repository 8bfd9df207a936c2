"""`gatehouse law`: counsel's bench. Write law as data, see it fail its examples, prove it, compare it, sign it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.cli.law_compare import diff, impact, within
from gatehouse.cli.law_crosscheck import crosscheck
from gatehouse.cli.law_office import adopt, new, page, sign, verify
from gatehouse.cli.law_watch import watch
from gatehouse.cli.law_words import AS_JSON, AS_OF, DAY, PACK, fact_lines, plain
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    from gatehouse.law.check import Report
    from gatehouse.law.pack import Pack
    from gatehouse.law.prove import Verdict


@click.group()
def law() -> None:
    """Counsel's bench: law written as data, executed, explained and proved.

    Begin with docs/tutorial-law.md. The language is in docs/law.md.

    \b
    Example: gatehouse law check packs/us-irs-6103-i-2
    """


@law.command()
@PACK
@click.option("--record", is_flag=True, help="Record the result in the pack's proof.json.")
@AS_JSON
def check(pack: Path, *, record: bool, as_json: bool) -> None:
    """Check a pack: load and lint it, run its examples, prove its properties and test its mutations.

    \b
    Example: gatehouse law check packs/us-irs-6103-i-2
    """
    from gatehouse.law import signing
    from gatehouse.law.check import check as check_pack
    from gatehouse.law.reading import load

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
            _print_verdict(verdict, pack)
    for survivor in report.survivors:
        click.echo(
            f"  no example or property noticed: rule {survivor.rule.id} {survivor.mutation}. Add an example or "
            f"a property"
        )
    proved = sum(verdict.status == "proved" for verdict in report.verdicts)
    click.echo(f"  {len(pack.examples) - len(report.failures)} of {len(pack.examples)} examples decide as written")
    click.echo(f"  {proved} of {len(report.verdicts)} properties proved, for every request and every date 1900-2199")
    click.echo(f"  {report.mutants - len(report.survivors)} of {report.mutants} mutations noticed")
    click.echo("  passed" if report.passed else "  NOT passed")


@law.command()
@PACK
@click.option("--property", "only", help="Prove only the property with this id.")
@click.option("--solver", type=click.Choice(["z3", "cvc5"]), default="z3", show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Write the counter-examples to this example file.")
@AS_JSON
def prove(pack: Path, only: str | None, solver: str, keep: Path | None, *, as_json: bool) -> None:
    """Prove the properties over every request and every date; show a request that breaks one.

    \b
    Example: gatehouse law prove packs/us-irs-6103-i-2 --property never-civil
    """
    from gatehouse.law import prove as proving
    from gatehouse.law.reading import load

    loaded = load(pack)
    wanted = [each for each in loaded.properties if only in (None, each.id)]
    if not wanted:
        raise WrongInput(
            f"there is no property {only or ''}", where=str(pack / "properties.toml"), remedy="Check the id"
        )
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
            _print_verdict(verdict, loaded)
    if keep is not None:
        _keep(keep, verdicts)
    elif not as_json and any(verdict.counterexample for verdict in verdicts):
        click.echo(f"Keep it as an example: add --keep {pack / 'examples' / 'found.toml'}", err=True)
    if any(verdict.status != "proved" for verdict in verdicts):
        raise AnswerIsNo("a property does not hold, or the solver could not settle it", where=str(pack))


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
    click.echo(f"{len(found)} counter-examples written to {path}. Correct the expected outcome and rules", err=True)


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    found = verdict.counterexample
    return {
        "id": verdict.id,
        "says": verdict.says,
        "status": str(verdict.status),
        "seconds": round(verdict.seconds, 3),
        "why": verdict.why,
        "counterexample": None if found is None else {"as_of": str(found.as_of), "facts": plain(found.facts)},
    }


def _print_verdict(verdict: Verdict, pack: Pack) -> None:
    click.echo(f"  {verdict.status}: {verdict.id} ({verdict.seconds:.2f} s): {verdict.says}")
    if verdict.status != "proved":
        click.echo(f"    {verdict.why}")
    if verdict.counterexample is not None:
        click.echo(f"    On {verdict.counterexample.as_of} this request clears. DuckDB agrees.")
        click.echo("    It is like the first example, but:")
        click.echo("\n".join(fact_lines(verdict.counterexample.differs, pack.fields)))


@law.command()
@PACK
@click.argument("date", type=DAY)
def at(pack: Path, date: dt.date) -> None:
    """Print the law in force on DATE, as a lawyer reads it.

    \b
    Example: gatehouse law at packs/us-irs-6103-i-2 2025-11-22
    """
    from gatehouse.law.reading import load
    from gatehouse.law.timeline import law_at

    click.echo_via_pager(law_at(load(pack), date))


@law.command()
@PACK
@click.argument("rules", nargs=-1, required=True)
@AS_OF
@AS_JSON
def explain(pack: Path, rules: tuple[str, ...], as_of: dt.date | None, *, as_json: bool) -> None:
    """Explain rules by id: what each says, to whom, with its citation and certainty.

    \b
    Example: gatehouse law explain packs/us-irs-6103-i-2 i2-address depart-90-days
    """
    from gatehouse.law.explain import explain as explain_rules
    from gatehouse.law.explain import sentence
    from gatehouse.law.reading import load

    loaded = load(pack)
    texts = explain_rules(loaded, rules, {}, as_of or clock.today())
    if as_json:
        click.echo(json.dumps([plain(vars(text)) for text in texts], indent=1, default=str))
        return
    for text in texts:
        click.echo(f"{text.id}: {text.cite} ({text.source}; {text.certainty})")
        if text.quote:
            click.echo(f"  “{text.quote}”" if text.exact else f"  In other words: {text.quote}")
        if text.provisions:
            click.echo(f"  Official text: {', '.join(text.provisions)}")
        rule = loaded.by_id.get(text.id)
        if rule is not None:
            click.echo(f"  {sentence(rule)}: {text.condition}")
            click.echo(f"  In force from {text.begins}{f' until {text.until}' if text.until else ''}")
        click.echo(f"  To the requester ({text.code}): {text.say}")


for command in (new, crosscheck, diff, within, impact, sign, verify, adopt, page, watch):
    law.add_command(command)
