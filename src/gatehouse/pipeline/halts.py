"""Whether overseers have stopped a docket: read from the site's `halts/` under its `oversight.policy`.

A site without overseers has no halts. One that has halts but no policy, or a file in `halts/` that cannot be believed,
stops everything: silence must not mean go.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput, own
from gatehouse.ledger import halt, note
from gatehouse.ledger.note import Note
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Site

POLICY, WAITING = "oversight.policy", "halts-waiting"


@own()
def is_halted(site: Site, *, agency: str, docket: str) -> bool:
    """Whether a halt in force covers a docket. Raises AnswerIsNo or CustodianFault when halts cannot be believed."""
    folder, trusted = site.halts, oversight(site)
    if trusted is None:
        if folder.is_dir() and any(folder.iterdir()):
            where = str(site.root / POLICY)
            raise AnswerIsNo("there are halts and nobody to believe", where=where, remedy="Restore the file")
        return False
    return halt.is_halted(halt.read_folder(folder, trusted), agency=agency, docket=docket)


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
    """The halts in force. Raises AnswerIsNo or CustodianFault when they cannot be believed, which stops everything."""
    trusted = oversight(site)
    return halt.standing(halt.read_folder(site.halts, trusted)) if trusted is not None else []


def waiting(site: Site) -> list[tuple[str, bytes, halt.Statement]]:
    """Statements that too few overseers signed so far: name, bytes, and what they say."""
    trusted = oversight(site)
    if trusted is None:
        return []
    paths = sorted((site.root / WAITING).glob("*.halt"))
    return [(path.stem, path.read_bytes(), trusted.claimed(path.read_bytes(), where=path.name)) for path in paths]


def take(site: Site, text: str, line: str) -> tuple[halt.Statement, bool]:
    """Take in one overseer's signature on a statement; gives what it says and whether it is in force now.

    With too few signatures it waits for the others. Raises AnswerIsNo when no overseer of this site signed it.
    """
    trusted = oversight(site)
    if trusted is None:
        raise WrongInput("nobody oversees this site", where=POLICY, remedy="Write the overseers' keys into it")
    name = digests.of_bytes(text.encode())[:32]
    kept = site.root / WAITING / f"{name}.halt"
    with files.alone(site.root / ".halts.lock"):  # two overseers who sign at once must both count
        before = Note.parse(kept.read_bytes(), where=kept.name) if kept.is_file() else Note(text, ())
        signed = before.plus([line]).encoded
        said = trusted.claimed(signed, where="halt")
        if not said.signers or not note.verify_detached(text.encode(), line, trusted.keys):
            raise AnswerIsNo("this is no overseer's signature", where=POLICY, remedy="Sign with a key named there")
        files.write(kept, signed)
        in_force = len(said.signers) >= trusted.needed(said.action)
        if in_force:
            _lay(kept, site)
    return said, in_force


def _lay(kept: Path, site: Site) -> None:
    """Put a statement in force, whole at once: a reader of halts must never find half of one."""
    target = site.halts / kept.name
    target.parent.mkdir(exist_ok=True)
    kept.replace(target)
    files.sync_folder(target.parent)


def enter(site: Site, data: bytes, now: dt.datetime, *, where: str = "halt") -> halt.Statement:
    """Lay in a statement that enough overseers signed: it is in force at once, and an entry of the ledger.

    Raises WrongInput when it is no statement, AnswerIsNo when too few overseers signed. After MachineFailed it is in
    force, and its entry comes with the next one.
    """
    trusted = oversight(site)
    if trusted is None:
        raise WrongInput("nobody oversees this site", where=POLICY, remedy="Write the overseers' keys into it")
    statement = trusted.accept(data, where=where)
    kept = site.root / WAITING / f"{digests.of_bytes(data)[:32]}.halt"
    files.write(kept, data)
    _lay(kept, site)
    with record.open_log(site) as log:
        record.publish(site, log, now)
    return statement


def refuse(site: Site, *, agency: str, docket: str) -> None:
    """Raise AnswerIsNo when a halt covers a docket."""
    if is_halted(site, agency=agency, docket=docket):
        raise AnswerIsNo(
            "overseers have halted this docket", where=docket, remedy="Only they can let it go on: gatehouse halt show"
        )
