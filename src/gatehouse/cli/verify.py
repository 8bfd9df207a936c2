"""`gatehouse verify`: a ledger, a proof or a docket, checked against the verifier's own policy."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    from gatehouse.ledger.answer import Answered, Disclosure
    from gatehouse.ledger.signers import Verifier
    from gatehouse.ledger.since import Since
    from gatehouse.ledger.witnessed import Frame

_MAX_ANSWER = 1 << 17  # bytes that are read; longer ones are none

_POLICY = click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    required=True,
    help="Your own policy: the log and witnesses you trust (docs/verify.md).",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


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
@click.option("--timestamps", type=click.Path(path_type=Path), help="The time-stamping authority's certificates (PEM).")
@click.option(
    "--since", "noted", metavar="NOTED",
    help="What you saw earlier: 'SIZE ROOT', or a file that carries a checkpoint, such as a proof, a release's "
    "certificate, an answer or an officer's KEY.known.",
)  # fmt: skip
@_JSON
def ledger(
    ledgers: tuple[Path, ...], policy_file: Path, timestamps: Path | None, noted: str | None, *, as_json: bool
) -> None:
    """Verify a complete ledger: every entry, every tile, every published checkpoint and its signatures.

    Given several ledgers (the shards of successive years, earliest first), each must begin with a checkpoint of the one
    before it. The result shows the last.

    \b
    Examples:
      gatehouse verify ledger site/ledger --policy my.policy
      gatehouse verify ledger site-2026/ledger site-2027/ledger --policy my.policy
      gatehouse verify ledger site/ledger --policy my.policy --since "1280007 5b0c…"
      gatehouse verify ledger site/ledger --policy my.policy --since opened/certificate.json
    """
    from gatehouse.kernel import clock
    from gatehouse.ledger import policy, since, witnessed
    from gatehouse.ledger.shard import verify_shards

    believed = policy.read(policy_file)
    *earlier, last = verify_shards(ledgers, believed)
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

        for each in ledgers:
            verify_all(each, timestamps)
        answer["timestamps_checked"] = True
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
    seen_at = witnessed.cosigned_at(verified.checkpoint, believed)
    answer["seen_at"] = seen_at and clock.stamp(seen_at)
    lines.append(f"witnesses had seen it by: {answer['seen_at'] or 'your policy asks for no witness'}")
    if noted is not None:
        answer["since"], told = _since(since.compare(ledger, verified.checkpoint, since.read_noted(noted), believed))
        lines += told
    _answer(answer, lines, as_json=as_json)


def _since(found: Since) -> tuple[dict[str, Any], list[str]]:
    """What came since a note, for programs and for people."""
    from gatehouse.kernel import clock

    steps = [{"size": one.size, "seen_at": one.seen_at and clock.stamp(one.seen_at)} for one in found.steps]
    lines = [f"it continues what you noted at {found.noted.size} entries; since then {found.entries} entries came"]
    lines += [f"  up to {one['size']}, which witnesses had seen by {one['seen_at'] or '(not told)'}" for one in steps]
    return {"noted": found.noted.size, "entries": found.entries, "checkpoints": steps}, lines


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

    proven = verify_proof(_read(file, "proof"), policy.read(policy_file), where=file.name)
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
    "--ledger",
    "ledger_folder",
    type=click.Path(path_type=Path),
    help="The ledger's folder. Default: the site's, beside dockets/.",
)
@click.option(
    "--agency-key", "agency_file", type=click.Path(path_type=Path),
    help="The public key that the agency gave you. Default: the keys in the docket's own parties.toml.",
)  # fmt: skip
@click.option(
    "--receipt", "receipt_file", type=click.Path(path_type=Path), help="The receipt.json that the agency received."
)
@click.option(
    "--certificate", "certificates", multiple=True, type=click.Path(path_type=Path),
    help="The certificate of a release that the agency opened: the docket must account for it; may be given again.",
)  # fmt: skip
@_POLICY
@_JSON
def docket(
    docket: Path,
    ledger_folder: Path | None,
    agency_file: Path | None,
    receipt_file: Path | None,
    certificates: tuple[Path, ...],
    policy_file: Path,
    *,
    as_json: bool,
) -> None:
    """Verify that every request that was received has exactly one determination, committed in order.

    No request is added or missing: the manifest that the agency signed, the receipt, the ledger's entry and the
    docket state the same number, and every file of the docket is the one that was committed. The dates of the receipt
    and the law agree with the witnesses' times, which are printed. The complete ledger is verified first.

    \b
    Examples:
      gatehouse verify docket site/dockets/ICE-2025-0003 --policy my.policy
      gatehouse verify docket copy/ICE-2025-0003 --ledger ledger --policy my.policy --agency-key ice.vkey
      gatehouse verify docket copy/ICE-2025-0003 --policy my.policy --certificate opened/certificate.json
    """
    import duckdb

    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger import policy, since
    from gatehouse.ledger.docket_proof import dated, verify_docket
    from gatehouse.ledger.verify import verify_log
    from gatehouse.release import delivered

    folder = ledger_folder or docket.resolve().parent.parent / "ledger"
    believed = policy.read(policy_file)
    verified = verify_log(folder, believed)
    for path in certificates:
        shown = since.held(_read(path, "certificate"), where=path.name)
        since.compare(folder, verified.checkpoint, shown, believed, where=path.name)
    try:
        accounted = verify_docket(
            open_workspace(), docket, folder, verified.checkpoint, agency=_agency_keys(docket, agency_file)
        )
    except duckdb.Error:
        raise AnswerIsNo("the docket's tables cannot be read", where=docket.name) from None
    if receipt_file is not None and digests.of_file(receipt_file) != accounted.received.receipt:
        raise AnswerIsNo("the ledger's entry is about a different receipt from the agency's", where=receipt_file.name)
    delivered.compare(docket, certificates)
    times = dated(docket, folder, accounted, believed)
    answer = {
        "requests": accounted.requests,
        "first": accounted.first,
        "received": accounted.received.fields(),
        "docket_entry": accounted.entry,
        "signed_by": accounted.signed_by,
        "times": times,
        "size": verified.checkpoint.size,
        "root": verified.checkpoint.root.hex(),
    }
    last = accounted.first + accounted.requests - 1
    lines = [
        f"verified: {accounted.requests} requests, one determination each, in order",
        f"entries {accounted.first} to {last} of {verified.checkpoint.origin}",
        f"received from {accounted.received.agency}, entry {accounted.first - 1}, signed by {accounted.signed_by}",
        f"every file of the docket is the one that entry {accounted.entry} names",
        *times,
        f"root: {answer['root']}",
    ]
    _answer(answer, lines, as_json=as_json)


def _agency_keys(docket: Path, given: Path | None) -> tuple[Verifier, ...]:
    """The key in a file of one's own, or those that the custodian listed for the day on which the agency signed."""
    from gatehouse.intake import manifest, parties
    from gatehouse.ledger.signers import read_verifier

    if given is not None:
        return (read_verifier(given),)
    for name in ("submission.json", "parties.toml"):
        if not (docket / name).is_file():
            raise WrongInput(
                "a file of the docket is missing", where=name, remedy="Use the complete folder, or give --agency-key"
            )
    signed = manifest.parse((docket / "submission.json").read_bytes())
    listed = parties.read(docket / "parties.toml").agencies.get(signed.agency)
    return listed.keys_on(signed.signed_on) if listed else ()


@verify.command()
@click.argument("file", type=click.Path(path_type=Path))
@_POLICY
@click.option("--not-before", metavar="DATE", help="Refuse an answer that is dated before this day.")
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
        raise WrongInput("this is not a date", where="--not-before", remedy="Write it as 2026-01-31")
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
    lines += [_framed(found.framed), _told(found), *(_row(one) for one in found.disclosures), found.limits]
    _answer(document, lines, as_json=as_json)


def _read(file: Path, what: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise WrongInput(f"the {what} cannot be read ({error.strerror})", where=file.name) from None


def _framed(frame: Frame) -> str:
    from gatehouse.kernel import clock

    if frame.after is None or frame.before is None:
        return "its day rests on the custodian's word: your policy asks for no witness"
    return f"witnesses saw it enter the ledger between {clock.stamp(frame.after)} and {clock.stamp(frame.before)}"


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
