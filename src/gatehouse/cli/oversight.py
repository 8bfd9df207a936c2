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

    from gatehouse.law.explain import RuleText
    from gatehouse.ledger.checkpoint import Checkpoint
    from gatehouse.oversight.explain import Explanation

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_WIDTH = 100


@click.command()
@click.argument("docket", type=_FOLDER)
@click.option("--at", "at", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="CHECKPOINT",
              help="A checkpoint's file: each determination must be the one committed under it.")  # fmt: skip
@click.option(
    "--ledger", type=_FOLDER, help="The copy of the ledger to look in; default: the one the checkpoint is in."
)
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), help="Your own policy; needed with --at.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def replay(docket: Path, at: Path | None, ledger: Path | None, policy_file: Path | None, as_json: bool) -> None:
    """Derive every determination of DOCKET again: same facts, same pack, same date.

    Says `identical`, or names the first difference and ends with status 1. Needs the docket and nothing else. With a
    CHECKPOINT that your own policy accepts, the facts are those of determinations that were committed by then, so that
    nobody can have mended docket and determinations together; this needs the ledger's folder and the docket's keys too.

    \b
    Examples:
      gatehouse replay custodian/dockets/ICE-2025-0003
      gatehouse replay ICE-2025-0003 --at ledger/checkpoints/1280007 --policy my.policy
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight.replay import replay as replay_docket

    with open_workspace() as connection:
        committed = None if at is None else _committed(connection, docket, at, ledger, policy_file)
        done = replay_docket(connection, docket)
    if as_json:
        answer = {"identical": True, "requests": done.requests, "as_of": str(done.as_of), "pack": done.pack_id}
        under = {} if committed is None else {"size": committed.size, "root": committed.root.hex()}
        click.echo(json.dumps({**answer, "pack_digest": done.pack_digest, **under}))
        return
    click.echo(
        f"identical: {done.requests:,} determinations derived again under {done.pack_id} as of {done.as_of} "
        f"(pack {done.pack_digest[:16]}…)"
    )
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
        raise WrongInput("whom do you believe?", where="--policy", remedy="Give your own policy with --at")
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
    help="The requester is told nothing that depends on the register.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def explain(docket: Path, request: str, reader: str, as_json: bool) -> None:
    """Explain one REQUEST of DOCKET in plain words: outcome, each rule with its citation, what was found.

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
        click.echo(
            json.dumps({"request_id": request, "text": found.for_requester()}) if as_json else found.for_requester()
        )
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
        "rules": [vars(rule) for rule in found.rules],
        "evidence": found.evidence,
        "for_requester": found.for_requester(),
    }


def _told(found: Explanation) -> Iterator[str]:
    yield f"{found.request_id}: {found.outcome}, under {found.pack} as of {found.as_of}"
    if found.items and found.outcome in {"cleared", "held"}:
        yield f"may be released after two approvals: {', '.join(found.items)}"
    for rule in found.rules:
        yield ""
        yield from _told_rule(rule)
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
    yield from _wrapped(found.for_requester())


def _told_rule(rule: RuleText) -> Iterator[str]:
    yield f"{rule.id} → {rule.outcome} ({rule.code})"
    yield from _wrapped(rule.note)
    quoted = f"“{rule.quote}”" if rule.exact else f"in substance: {rule.quote}"
    yield from _wrapped(f"{rule.cite}: {quoted} [known from: {rule.certainty}]")
    if rule.values:
        yield from _wrapped("found: " + ", ".join(f"{name} = {_shown(value)}" for name, value in rule.values.items()))


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")
