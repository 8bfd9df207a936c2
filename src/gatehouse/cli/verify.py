"""`gatehouse verify`: a ledger, a proof or a docket, checked against the verifier's own policy."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    from gatehouse.ledger.answer import Answered, Disclosure

_MAX_ANSWER = 1 << 17  # bytes that are read; longer ones are none

_POLICY = click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    required=True,
    help="Your own policy: which log and which witnesses you believe (docs/verify.md).",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


class _LedgerOrMore(click.Group):
    """`verify LEDGER` beside `verify proof FILE`: what names no subcommand is a ledger."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in {"-h", "--help"})
        return super().parse_args(ctx, args if named or not args else ["ledger", *args])


@click.group(cls=_LedgerOrMore)
def verify() -> None:
    """Verify a ledger, a proof, a docket or an answer without trusting the custodian.

    What you believe comes from your own policy file, never from what is being verified. On failure one line says what
    does not hold, and nothing else is shown.

    \b
    Examples:
      gatehouse verify site/ledger --policy my.policy
      gatehouse verify proof case-17.tlog-proof --policy my.policy
      gatehouse verify docket site/dockets/ICE-2025-0003 --ledger site/ledger --policy my.policy
      gatehouse verify answer 4711.answer --policy my.policy
    """


@verify.command()
@click.argument("ledgers", metavar="LEDGER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_POLICY
@click.option(
    "--timestamps", type=click.Path(path_type=Path), help="Certificates (PEM) of the time-stamping authority."
)
@_JSON
def ledger(ledgers: tuple[Path, ...], policy_file: Path, timestamps: Path | None, *, as_json: bool) -> None:
    """Verify a whole ledger: every entry, every tile, every published checkpoint and its signatures.

    Of several, the shards of successive years with the earliest first, each must begin with a checkpoint of the one
    before it; the last is shown.

    \b
    Examples:
      gatehouse verify ledger site/ledger --policy my.policy
      gatehouse verify ledger site-2026/ledger site-2027/ledger --policy my.policy
    """
    from gatehouse.ledger import policy
    from gatehouse.ledger.shard import verify_shards

    *earlier, last = verify_shards(ledgers, policy.read(policy_file))
    verified, ledger = last.verified, ledgers[-1]
    answer: dict[str, Any] = {
        "origin": verified.checkpoint.origin,
        "size": verified.checkpoint.size,
        "root": verified.checkpoint.root.hex(),
        "checkpoints": verified.checkpoints,
        "files_ahead": verified.ahead,
        "timestamps": verified.timestamps,
        "timestamps_checked": False,
    }
    if timestamps is not None:
        from gatehouse.ledger.timestamps import verify_all

        answer["timestamps_checked"] = verify_all(ledger, timestamps) == verified.timestamps
    shards = [*earlier, last]
    if earlier:
        answer["earlier"] = [
            {"origin": one.verified.checkpoint.origin, "size": one.verified.checkpoint.size, "late": after.late}
            for one, after in pairwise(shards)
        ]
    lines = [
        f"verified: {one.verified.checkpoint.origin}, {one.verified.checkpoint.size} entries"
        + (f", {after.late} of them after the next had begun" if after.late else "")
        for one, after in pairwise(shards)
    ]
    lines.append(f"verified: {verified.checkpoint.origin}, {verified.checkpoint.size} entries")
    lines.append(f"root: {answer['root']}")
    lines.append(f"checkpoints that agree: {verified.checkpoints}")
    if verified.timestamps:
        state = "checked" if answer["timestamps_checked"] else "not checked: give --timestamps"
        lines.append(f"time-stamps: {verified.timestamps} ({state})")
    _answer(answer, lines, as_json=as_json)


@verify.command()
@click.argument("file", type=click.Path(path_type=Path))
@_POLICY
@_JSON
def proof(file: Path, policy_file: Path, *, as_json: bool) -> None:
    """Verify one proof and show the fields it opens.

    \b
    Example:
      gatehouse verify proof case-17.tlog-proof --policy my.policy
    """
    from gatehouse.ledger import policy
    from gatehouse.ledger.proof import verify_proof

    try:
        data = file.read_bytes()
    except OSError as error:
        raise WrongInput(f"the proof cannot be read ({error.strerror})", where=file.name) from None
    proven = verify_proof(data, policy.read(policy_file), where=file.name)
    answer = {
        "origin": proven.checkpoint.origin,
        "index": proven.index,
        "size": proven.checkpoint.size,
        "root": proven.checkpoint.root.hex(),
        "fields": proven.fields,
    }
    lines = [f"verified: entry {proven.index} of {proven.checkpoint.origin}, under {proven.checkpoint.size} entries"]
    lines += [f"{name}: {json.dumps(value)}" for name, value in proven.fields.items()]
    _answer(answer, lines, as_json=as_json)


@verify.command()
@click.argument("docket", type=click.Path(path_type=Path))
@click.option(
    "--ledger", "ledger_folder", type=click.Path(path_type=Path), help="Default: the site's, beside dockets/."
)
@_POLICY
@_JSON
def docket(docket: Path, ledger_folder: Path | None, policy_file: Path, *, as_json: bool) -> None:
    """Verify that every request of a docket has exactly one determination, committed in order, none added or missing.

    The whole ledger is verified first.

    \b
    Example:
      gatehouse verify docket site/dockets/ICE-2025-0003 --policy my.policy
    """
    import duckdb

    from gatehouse.ledger import policy
    from gatehouse.ledger.docket_proof import verify_docket
    from gatehouse.ledger.verify import verify_log

    folder = ledger_folder or docket.resolve().parent.parent / "ledger"
    verified = verify_log(folder, policy.read(policy_file))
    try:
        accounted = verify_docket(duckdb.connect(), docket, folder, verified.checkpoint)
    except duckdb.Error:
        raise AnswerIsNo("the docket's tables cannot be read", where=docket.name) from None
    answer = {
        "requests": accounted.requests,
        "first": accounted.first,
        "size": verified.checkpoint.size,
        "root": verified.checkpoint.root.hex(),
    }
    last = accounted.first + accounted.requests - 1
    lines = [
        f"verified: {accounted.requests} requests, one determination each, in order",
        f"entries {accounted.first} to {last} of {verified.checkpoint.origin}",
        f"root: {answer['root']}",
    ]
    _answer(answer, lines, as_json=as_json)


@verify.command()
@click.argument("file", type=click.Path(path_type=Path))
@_POLICY
@click.option("--not-before", metavar="DATE", help="Refuse an answer as of an earlier day.")
@_JSON
def answer(file: Path, policy_file: Path, not_before: str | None, *, as_json: bool) -> None:
    """Verify an answer about one person: the exact list of disclosures, or that there was none.

    \b
    Example:
      gatehouse verify answer 4711.answer --policy my.policy --not-before 2026-01-01
    """
    from gatehouse.kernel.clock import read_date
    from gatehouse.ledger import policy
    from gatehouse.ledger.answer import verify as verify_answer

    least = read_date(not_before) if not_before else None
    if not_before and least is None:
        raise WrongInput("a date reads 2026-01-31", where="--not-before")
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_ANSWER)
    except OSError as error:
        raise WrongInput(f"the answer cannot be read ({error.strerror})", where=file.name) from None
    found = verify_answer(data, policy.read(policy_file), not_before=least, where=file.name)
    rows = [
        {**vars(one), "released_on": str(one.released_on), "told_from": one.told_from and str(one.told_from)}
        for one in found.disclosures
    ]
    document = {
        "map": str(found.map), "person": found.person, "as_of": str(found.as_of), "registered": found.registered,
        "disclosures": rows, "page": found.page, "pages": found.pages, "size": found.checkpoint.size,
        "root": found.checkpoint.root.hex(), "limits": found.limits,
    }  # fmt: skip
    lines = [f"verified: number {found.person} as of {found.as_of}, {found.map} map"]
    lines += [_told(found), *(_row(one) for one in found.disclosures), found.limits]
    _answer(document, lines, as_json=as_json)


def _told(found: Answered) -> str:
    if not found.registered:
        return "no such number stood in the register"
    if not found.disclosures:
        return "no disclosure" if found.map == "sealed" else "no disclosure that may be told"
    return f"page {found.page} of {found.pages}:" if found.pages > 1 else f"disclosures: {len(found.disclosures)}"


def _row(one: Disclosure) -> str:
    return f"  {one.released_on} to {one.agency}: {one.items.replace(',', ', ')} (entry {one.entry})"


def _answer(answer: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    click.echo(json.dumps(answer) if as_json else "\n".join(lines))
