"""`gatehouse verify`: a ledger, a proof or a docket, checked against the verifier's own policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gatehouse.kernel.errors import AnswerIsNo, WrongInput

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
    """Verify a ledger, a proof or a docket without trusting the custodian.

    What you believe comes from your own policy file, never from what is being verified. On failure one line says what
    does not hold, and nothing else is shown.

    \b
    Examples:
      gatehouse verify site/ledger --policy my.policy
      gatehouse verify proof case-17.tlog-proof --policy my.policy
      gatehouse verify docket site/dockets/ICE-2025-0003 --ledger site/ledger --policy my.policy
    """


@verify.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@_POLICY
@click.option(
    "--timestamps", type=click.Path(path_type=Path), help="Certificates (PEM) of the time-stamping authority."
)
@_JSON
def ledger(ledger: Path, policy_file: Path, timestamps: Path | None, *, as_json: bool) -> None:
    """Verify a whole ledger: every entry, every tile, every published checkpoint and its signatures.

    \b
    Example:
      gatehouse verify ledger site/ledger --policy my.policy
    """
    from gatehouse.ledger import policy
    from gatehouse.ledger.verify import verify_log

    verified = verify_log(ledger, policy.read(policy_file))
    answer = {
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
    lines = [f"verified: {verified.checkpoint.origin}, {verified.checkpoint.size} entries"]
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


def _answer(answer: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    click.echo(json.dumps(answer) if as_json else "\n".join(lines))
