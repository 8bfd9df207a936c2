"""`gatehouse replay` and `gatehouse explain`: derive a docket again; say why one request was decided as it was."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    import duckdb

    from gatehouse.law.explain import Grounds, RuleText
    from gatehouse.ledger.checkpoint import Checkpoint
    from gatehouse.oversight.explain import Explanation

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_WIDTH = 100


@click.command()
@click.argument("docket", type=_FOLDER)
@click.option("--at", "at", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CHECKPOINT",
              help="A checkpoint file. Each determination must be the one committed under it.")  # fmt: skip
@click.option(
    "--ledger", type=_FOLDER, help="The copy of the ledger to use. Default: the ledger that contains the checkpoint."
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Your own policy: the log and witnesses you trust. Required with --at.",
)
@click.option("--submission", type=click.Path(exists=True, path_type=Path),
              help="The agency's own copy of the submission. The docket's requests must match it.")  # fmt: skip
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The columns.toml that was used to read it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def replay(
    docket: Path,
    at: Path | None,
    ledger: Path | None,
    policy_file: Path | None,
    submission: Path | None,
    mapping: Path | None,
    *,
    as_json: bool,
) -> None:
    """Derive every determination of DOCKET again from the same facts, pack and date.

    Prints `identical`, or names the first difference and exits with status 1. Needs only the docket. With a
    CHECKPOINT that your own policy accepts, it also checks that the determinations were committed by then, so that
    nobody can have altered docket and determinations together. This also needs the ledger's folder and the
    docket's keys.

    \b
    Examples:
      gatehouse replay custodian/dockets/ICE-2025-0003
      gatehouse replay ICE-2025-0003 --at ledger/checkpoints/1280007 --policy my.policy
      gatehouse replay ICE-2025-0003 --submission from-the-agency/ICE-2025-0003
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight import asked
    from gatehouse.oversight.replay import replay as replay_docket

    with open_workspace() as connection:
        committed = None if at is None else _committed(connection, docket, at, ledger, policy_file)
        done = replay_docket(connection, docket)
        if submission is not None:
            asked.compare(connection, docket, submission, mapping=mapping)
    if as_json:
        answer = {"identical": True, "requests": done.requests, "as_of": str(done.as_of), "pack": done.pack_id}
        under = {} if committed is None else {"size": committed.size, "root": committed.root.hex()}
        click.echo(json.dumps({**answer, "pack_digest": done.pack_digest, **under}))
        return
    click.echo(
        f"identical: {done.requests:,} determinations derived again under {done.pack_id} as of {done.as_of} "
        f"(pack {done.pack_digest[:16]}…)"
    )
    if submission is not None:
        click.echo("and every request is as the agency sent it")
    if committed is not None:
        click.echo(f"and committed under the checkpoint of {committed.size:,} entries, root {committed.root.hex()}")


def _committed(
    connection: duckdb.DuckDBPyConnection, docket: Path, at: Path, ledger: Path | None, policy_file: Path | None
) -> Checkpoint:
    """The checkpoint, once the whole ledger up to it and every determination of the docket was verified under it."""
    from gatehouse.ledger import policy
    from gatehouse.ledger.docket_proof import verify_docket
    from gatehouse.ledger.verify import verify_at

    if policy_file is None:
        raise WrongInput(
            "--policy is required with --at",
            where="--policy",
            remedy="Name your own policy file, with the log and witnesses you trust",
        )
    folder = ledger or (at.parent.parent if at.parent.name == "checkpoints" else at.parent)
    newest, asked = verify_at(folder, at.read_bytes(), policy.read(policy_file), where=at.name)
    found = verify_docket(connection, docket, folder, newest)
    if found.first + found.requests > asked.size:
        raise AnswerIsNo("the checkpoint does not cover every determination of the docket", where=docket.name)
    return asked


@click.command()
@click.argument("docket", type=_FOLDER)
@click.argument("request")
@click.option(
    "--for",
    "reader",
    type=click.Choice(["custodian", "requester"]),
    default="custodian",
    show_default=True,
    help="The audience. For requester, nothing that depends on the register is shown.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def explain(docket: Path, request: str, reader: str, as_json: bool) -> None:
    """Explain one REQUEST of DOCKET in plain words: the outcome, each rule with its citation, and what was found.

    \b
    Examples:
      gatehouse explain custodian/dockets/ICE-2025-0003 R-000017
      gatehouse explain custodian/dockets/ICE-2025-0003 R-000017 --for requester
    """
    from gatehouse.determine.docket import Docket
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight.explain import explain as explain_request

    with open_workspace() as connection:
        found = explain_request(connection, Docket(docket), request)
    if reader == "requester":
        click.echo(json.dumps({"request_id": request, "text": found.told}) if as_json else found.told)
    elif as_json:
        click.echo(json.dumps(_document(found), default=str, indent=2))
    else:
        click.echo("\n".join(_told(found)))


def _document(found: Explanation) -> dict[str, object]:
    return {
        "request_id": found.request_id,
        "outcome": found.outcome,
        "codes": found.codes,
        "items": found.items,
        "as_of": found.as_of,
        "pack": found.pack,
        "decided_by": [rule.id for rule in found.grounds.decided],
        "rules": [vars(rule) for rule in found.grounds.rules],
        "unseen": found.grounds.unseen,
        "reason": found.reason,
        "evidence": found.evidence,
        "for_requester": found.told,
    }


def _told(found: Explanation) -> Iterator[str]:
    yield f"{found.request_id}: {found.outcome}, under {found.pack} as of {found.as_of}"
    if found.items and found.outcome in {"cleared", "held"}:
        yield f"may be released after two approvals: {', '.join(found.items)}"
    yield from _grounds(found.grounds)
    if found.reason:
        yield ""
        yield from _wrapped(f"The reason given: {found.reason}")
    for candidate in found.evidence:
        compared = [
            f"{name.removesuffix('_comparison').replace('_', ' ')} {value}"
            for name, value in candidate.items()
            if name.endswith("_comparison") and value is not None
        ]
        yield ""
        yield f"candidate {candidate['rank']} in the register: {candidate['verdict']}"
        yield from _wrapped(", ".join(compared))
    yield ""
    yield "The requester is told:"
    yield from _wrapped(found.told)


def _grounds(found: Grounds) -> Iterator[str]:
    """What decided, in full; what else stopped the request, a line each; what could not be known, in a sentence."""
    for rule in found.decided:
        yield ""
        yield from _told_rule(rule)
    if found.further:
        yield ""
        yield "It was stopped besides by:"
        yield from (line for rule in found.further for line in _wrapped(f"{rule.id} → {rule.outcome}: {rule.note}"))
    if found.unknown:
        yield ""
        yield "Facts are missing, so these rules stopped it too, which says nothing of anybody:"
        for rule in found.unknown:
            missing = ", ".join(name for name, value in rule.values.items() if value is None)
            yield from _wrapped(f"{rule.id} → {rule.outcome}: not known: {missing or 'the items permitted'}")
    if found.unseen:
        yield ""
        yield from textwrap.wrap(
            f"No single record agreed, so nothing on file could be asked; {found.unseen} further "
            f"rule{'s' if found.unseen > 1 else ''} about the record stopped it for that reason alone.",
            _WIDTH,
        )


def _told_rule(rule: RuleText) -> Iterator[str]:
    lacking = ", for want of a fact" if rule.unknown else ""
    yield f"{rule.id} → {rule.outcome} ({rule.code}){lacking}"
    yield from _wrapped(rule.note)
    quoted = f"“{rule.quote}”" if rule.exact else f"in substance: {rule.quote}"
    yield from _wrapped(f"{rule.cite}: {quoted} [known from: {rule.certainty}]")
    if rule.values:
        yield from _wrapped("found: " + ", ".join(f"{name} = {_shown(value)}" for name, value in rule.values.items()))


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")
