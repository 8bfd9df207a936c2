"""Whether overseers have stopped a docket: read from the site's `halts/` under its `oversight.policy`.

A site without overseers has no halts. One that has halts but no policy, or a file in `halts/` that cannot be believed,
stops everything: silence must not mean go. Halts and resumptions count in the order of their entries in the ledger.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput, following, own
from gatehouse.ledger import halt, note
from gatehouse.ledger.note import Note
from gatehouse.pipeline import history, record
from gatehouse.pipeline.site import Site

POLICY, WAITING = record.OVERSIGHT, "halts-waiting"


@own()
def is_halted(site: Site, *, agency: str, docket: str) -> bool:
    """Whether a halt in force covers a docket. Raises AnswerIsNo or CustodianFault when halts cannot be believed."""
    return any(one.scope.covers(agency, docket) for one in standing(site))


@own()
def oversight(site: Site) -> halt.Oversight | None:
    """Whose word counts at a site and how many must sign; None where nobody oversees it.

    Raises CustodianFault where the file that says so cannot be used.
    """
    policy = site.root / POLICY
    if not policy.is_file():
        return None
    try:
        return halt.Oversight.parse(policy.read_text(encoding="utf-8"), where=policy.name)
    except UnicodeDecodeError:
        raise WrongInput("this is not UTF-8 text", where=policy.name, remedy="Restore the file") from None


@own()
def standing(site: Site) -> list[halt.Statement]:
    """The halts in force, rebuilt from the ledger. Raises AnswerIsNo or CustodianFault when they cannot be believed.

    Each halt is lifted by overseers who made the number needed under the policy that stood when it was entered, so that
    nobody lifts one by naming other overseers, nor by letting those halt the same once more. A halt on record whose
    file is gone, and a file that cannot be believed, stop everything.
    """
    trusted = oversight(site)
    spoken = _on_record(site, trusted)
    entered = {one.said.digest: one.data for one in spoken}
    laid, fresh = _laid(site, trusted, entered)
    missing = entered.keys() - laid
    if missing:
        raise AnswerIsNo(
            f"{len(missing)} overseers' statements that are on record are missing from the folder",
            where=str(site.halts),
            remedy="Restore the folder. Only a resumption ends a halt; removing its file does not",
        )
    standing: list[_Spoken] = []
    for one in spoken:
        if one.said.action is halt.Action.HALT:
            standing.append(one)
        else:
            standing = [held for held in standing if not _lifts(one, held)]
    return [*(one.said for one in standing), *(one for one in fresh if one.action is halt.Action.HALT)]


@dataclass(frozen=True)
class _Spoken:
    """A statement on record, its bytes, and the overseers' policy that stood when it was entered."""

    said: halt.Statement
    data: bytes
    trusted: halt.Oversight


def _on_record(site: Site, trusted: halt.Oversight | None) -> list[_Spoken]:
    """The overseers' statements in the order of the ledger, each accepted under the policy of its time."""
    found: list[_Spoken] = []
    policy = None
    for one in history.whole(site, {"overseers", "halt", "resume"}).events:
        if one.kind == "overseers":
            text = one.fields.get("policy")
            policy = halt.Oversight.parse(str(text), where=one.name) if text is not None else policy
            continue
        believed = policy or trusted
        if believed is None:
            raise _nobody(site)
        data = one.text("text").encode()
        with contextlib.suppress(AnswerIsNo, WrongInput):  # what nobody signed was laid in, and never in force
            found.append(_Spoken(believed.accept(data, where=one.name), data, believed))
    return found


def _lifts(resumption: _Spoken, held: _Spoken) -> bool:
    """Whether a resumption ends a halt: each halt of a scope by the overseers who counted when it was entered."""
    if resumption.said.scope != held.said.scope:
        return False
    try:
        held.trusted.accept(resumption.data)
    except (AnswerIsNo, WrongInput):
        return False
    return True


def _laid(
    site: Site, trusted: halt.Oversight | None, entered: Mapping[str, bytes]
) -> tuple[set[str], list[halt.Statement]]:
    """Which statements lie in the folder of halts, by digest, and those among them that are no entry yet."""
    known: set[str] = set()
    fresh: list[halt.Statement] = []
    for path in sorted(site.halts.iterdir()) if site.halts.is_dir() else []:
        data = record.read_statement(path)
        digest = digests.of_bytes(record.said(data.decode(errors="replace")).encode())
        known.add(digest)
        if trusted is None:
            raise _nobody(site)
        if digest not in entered:
            fresh.append(trusted.accept(data, where=path.name))
        elif data != entered[digest]:  # signed by one more overseer since, or altered
            trusted.accept(data, where=path.name)
    return known, fresh


def _nobody(site: Site) -> AnswerIsNo:
    where = str(site.root / POLICY)
    return AnswerIsNo("halts exist, but oversight.policy is missing", where=where, remedy="Restore the file")


def waiting(site: Site) -> list[tuple[str, bytes, halt.Statement]]:
    """Statements that too few overseers signed so far: name, bytes, and what they say."""
    trusted = oversight(site)
    if trusted is None:
        return []
    paths = sorted((site.root / WAITING).glob("*.halt"))
    return [(path.stem, path.read_bytes(), trusted.claimed(path.read_bytes(), where=path.name)) for path in paths]


@dataclass(frozen=True)
class Taken:
    """What became of one overseer's signature."""

    said: halt.Statement
    complete: bool
    """Whether enough overseers have signed."""
    in_force: bool
    """A halt is in force once enough overseers signed; a resumption once it is an entry of the ledger besides."""


def take(site: Site, text: str, line: str, now: dt.datetime) -> Taken:
    """Take in one overseer's signature on a statement, and enter the statement in the ledger when it is complete.

    With too few signatures it waits for the others. Raises AnswerIsNo when no overseer of this site signed it, or for
    a resumption that was written before the halt it would lift.
    """
    trusted = _trusted(site)
    name = digests.of_bytes(text.encode())[:32]
    waiting, laid = site.root / WAITING / f"{name}.halt", site.halts / f"{name}.halt"
    with files.alone(site.root / ".halts.lock"):  # two overseers who sign at once must both count
        known = next((path for path in (waiting, laid) if path.is_file()), None)
        before = Note.parse(known.read_bytes(), where=known.name) if known is not None else Note(text, ())
        signed = before.plus([line]).encoded
        said = trusted.claimed(signed, where="halt")
        if not said.signers or not note.verify_detached(text.encode(), line, trusted.keys):
            raise AnswerIsNo(
                "no overseer's key made this signature", where=POLICY, remedy="Sign with a key that the policy names"
            )
        _refuse_unaware(site, said)
        files.write(waiting, signed)
        complete = len(said.signers) >= trusted.needed(said.action)
        if complete:
            _lay(waiting, site)
    if complete:
        with contextlib.suppress(MachineFailed):  # the next opening of the ledger enters it
            enter_all(site, now)
    entered = complete and said.digest in record.statement_entries(site)
    return Taken(said, complete, complete and (entered or said.action is halt.Action.HALT))


def _trusted(site: Site) -> halt.Oversight:
    trusted = oversight(site)
    if trusted is None:
        raise WrongInput("this site has no overseers", where=POLICY, remedy="Add the overseers' keys to it")
    return trusted


def _refuse_unaware(site: Site, said: halt.Statement) -> None:
    """Refuse a resumption whose signers cannot have known the halt that it would lift."""
    if said.action is halt.Action.RESUME and any(
        one.scope == said.scope and one.at > said.at for one in standing(site)
    ):
        raise AnswerIsNo(
            "this resumption was written before the halt that it would end",
            where=str(said.scope),
            remedy="Write it again. Its signers must know of that halt",
        )


def enter_all(site: Site, now: dt.datetime) -> None:
    """Enter every statement that was laid in and is no entry yet, and publish."""
    with record.open_log(site) as log:
        record.publish(site, log, now)


def _lay(kept: Path, site: Site) -> None:
    """Put a statement in force, whole at once: a reader of halts must never find half of one."""
    target = site.halts / kept.name
    target.parent.mkdir(exist_ok=True)
    kept.replace(target)
    files.sync_folder(target.parent)


def enter(site: Site, data: bytes, now: dt.datetime, *, where: str = "halt") -> halt.Statement:
    """Lay in a statement that enough overseers signed, and enter it in the ledger.

    Raises WrongInput when it is no statement, AnswerIsNo when too few overseers signed, or for a resumption that was
    written before the halt it would lift. After MachineFailed a halt is in force and a resumption is not; the next
    opening of the ledger enters it.
    """
    statement = _trusted(site).accept(data, where=where)
    _refuse_unaware(site, statement)
    kept = site.root / WAITING / f"{statement.digest[:32]}.halt"
    files.write(kept, data)
    _lay(kept, site)
    with following("the statement is in the folder, and its entry is being made", where=where):
        enter_all(site, now)
    return statement


def refuse(site: Site, *, agency: str, docket: str) -> None:
    """Raise AnswerIsNo when a halt covers a docket. What was laid in since is entered first, for then it counts."""
    with contextlib.suppress(MachineFailed):  # held by another process: a resumption waits, a halt does not
        record.open_log(site).close()
    if is_halted(site, agency=agency, docket=docket):
        raise AnswerIsNo(
            "overseers have halted this docket",
            where=docket,
            remedy="Only they can resume it. See `gatehouse halt show`",
        )
