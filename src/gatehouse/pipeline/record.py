"""The site's ledger as the stages use it: open it, record an event exactly once, publish a witnessed checkpoint.

An event's opening (the only copy of its salts) is on disk before its commitment is in the ledger, so a crash between
the two is finished by recording the same event again. Whoever opens the ledger enters first what changed at the site
since it was last open: configuration, parties, policies, public keys, and the overseers' halts.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gatehouse.casework import endorsement
from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import CustodianFault, GatehouseError, WrongInput
from gatehouse.ledger import checkpoint, naming, policy, shard
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.log import Log
from gatehouse.ledger.note import Note
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.policy import Witness
from gatehouse.ledger.signers import read_signer
from gatehouse.ledger.witness_client import CarriedWitness, HttpWitness
from gatehouse.pipeline import events, history, stamping
from gatehouse.pipeline.event import SITE
from gatehouse.pipeline.hold import Hold, Lent
from gatehouse.pipeline.parts import Part
from gatehouse.pipeline.site import Site, open_site
from gatehouse.site import configuration

WATCHED = {
    "configuration": (configuration.NAME, "parties.toml", "witnesses.policy", "oversight.policy"),
    "key": ("log.vkey", "custodian.vkey"),
}
"""Files of a site whose every change is an entry, by the kind of event."""
OVERSIGHT = "oversight.policy"
_HEAD = 40  # characters of a statement that hold its first line and its action
_MOST = 1 << 17  # bytes of a halt that are committed


def open_log(site: Site) -> Hold:
    """Take hold of the site's ledger for writing, and enter what changed; close it soon, others wait.

    Where the log writer is a process of its own, that one holds it for us.
    """
    writer = site.parts.of(Part.WRITER) if site.parts else None
    return Lent(writer) if writer else own_log(site)


def own_log(site: Site) -> Log:
    """The same by this process's own hand, which needs the log's key."""
    log = Log.open(site.ledger, read_signer(site.log_key), state=site.ledger_state)
    try:
        notice(site, log)
    except BaseException:
        log.close()
        raise
    log.covering = None  # what was noticed by the way is not what whoever opens it will want published
    return log


def notice(site: Site, log: Log) -> None:
    """Enter every change of the files watched since it was last noticed, and every halt that was laid in.

    A change of a file is committed as its SHA-256, null for one that is not there; of who oversees and who may decide
    the whole text goes in, for what they sign is judged by it.
    """
    _state_exception(site)
    for kind, names in WATCHED.items():
        now = {name: digests.of_file(site.root / name) if (site.root / name).is_file() else None for name in names}
        _notice_change(site, log, kind, {"event": f"{kind} change", "files": now})
    policy_text = _text_of(site.root / OVERSIGHT)
    if policy_text is not None or history.read(site, {"overseers"}).events:
        _notice_change(site, log, "overseers", {"event": "overseers", "policy": policy_text})
    with contextlib.suppress(CustodianFault):  # a roster that cannot be read gives nobody authority
        stated = site.configuration.roster
        vouched = [statement.document() for statement in endorsement.read(site.root / endorsement.FOLDER)]
        if stated.officers or history.read(site, {"roster"}).events:
            fields = {"event": "roster", "officers": stated.document(), "endorsements": vouched}
            _notice_change(site, log, "roster", fields)
    _notice_halts(site, log)


def _notice_change(site: Site, log: Log, kind: str, fields: Mapping[str, Any]) -> None:
    """Enter the numbered event of a kind, unless the last one says the same."""
    kept = sorted(site.events.glob(f"{kind}-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))
    last = dict(Opening.parse(kept[-1].read_bytes(), where=str(kept[-1])).fields()) if kept else None
    if last is not None:
        event(log, site.events, f"site/{kept[-1].stem}", last)  # again: a crash may have come between
    if last != fields:
        event(log, site.events, f"site/{kind}-{len(kept)}", fields)


def _text_of(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.is_file() else None


def _notice_halts(site: Site, log: Log) -> None:
    """Enter every overseers' statement that is no entry yet, in the order in which they were laid in."""
    for data, spoken in unentered(site):
        digest = digests.of_bytes(spoken.encode())
        action = "resume" if "\nresume " in spoken[:_HEAD] else "halt"
        kept = site.events / f"{action}-{digest[:32]}.json"
        fields = {"event": action, "statement": digest, "text": data}
        if kept.exists():  # a crash came between its opening and its entry
            fields = dict(Opening.parse(kept.read_bytes(), where=kept.name).fields())
        event(log, site.events, f"site/{kept.stem}", fields)


def unentered(site: Site) -> list[tuple[str, str]]:
    """The overseers' statements that were laid in and are no entry yet, oldest first: as signed, and their texts."""
    laid = sorted(site.halts.iterdir(), key=lambda path: path.stat().st_mtime_ns) if site.halts.is_dir() else []
    known = statement_entries(site) if laid else {}
    read = [read_statement(path).decode(errors="replace") for path in laid]
    return [(data, said(data)) for data in read if digests.of_bytes(said(data).encode()) not in known]


def statement_entries(site: Site) -> dict[str, int]:
    """Where each overseers' statement first stands in the ledger, by the digest of its text. Read beside a writer."""
    found: dict[str, int] = {}
    for one in history.read(site, {"halt", "resume"}).events:
        found.setdefault(digests.of_bytes(said(one.text("text")).encode()), one.index)
    return found


def read_statement(path: Path) -> bytes:
    """The bytes of an overseers' statement, so many of them as are committed."""
    with path.open("rb") as stream:
        return stream.read(_MOST)


def said(signed: str) -> str:
    """The text of a signed statement, without its signatures; of what is no statement, all of it."""
    try:
        return Note.parse(signed.encode()).text
    except GatehouseError:
        return signed


def _state_exception(site: Site) -> None:
    """Where witnesses were named after the ledger had begun, let the site's own policy say up to where it had none.

    Whoever else verifies must state the exception in their own policy.
    """
    text = site.policy.read_text(encoding="utf-8")
    trusted = policy.parse_policy(text.encode(), where=site.policy.name)
    if trusted.quorum == "none" or site.name in dict(trusted.unwitnessed):
        return
    alone = 0
    for size in sorted(int(path.name) for path in (site.ledger / "checkpoints").glob("*") if path.name.isdecimal()):
        kept = checkpoint.parse((site.ledger / "checkpoints" / str(size)).read_bytes(), where=str(size))
        if any(line.name != site.name for line in kept.note.lines):
            break
        alone = size
    if alone:
        files.write(site.policy, f"{text.rstrip()}\n{policy.exception(site.name, alone)}\n".encode())


def begin(site: Site, now: dt.datetime, *, after: Path | None = None) -> Checkpoint:
    """Begin the ledger of a new site; its first entry commits to the site's name and configuration.

    Where it comes `after` the site of another year, the entry before that is the link to that one's newest checkpoint.
    """
    with Log.create(site.ledger, read_signer(site.log_key), state=site.ledger_state) as log:
        if after is not None:
            earlier = open_site(after)
            shard.begin(log, final(earlier))
        fields = {"event": "founded", "site": site.name, "configuration": site.configuration.text}
        event(log, site.events, "site/founded", fields)
        return publish(site, log, now)


def inherit(site: Site, after: Path) -> None:
    """Let a new site believe whom the one before it believes: its logs, its witnesses and their quorum.

    The witnesses do not know the new log yet, so what was published at its founding is an exception that is stated.
    """
    own, earlier = (site.root / "log.vkey").read_text().strip(), open_site(after).policy.read_text(encoding="utf-8")
    lines = [f"log {own}", earlier.rstrip()]
    if policy.parse_policy(earlier.encode()).quorum != "none":
        lines.append(policy.exception(site.name, final(site).size))
    files.write(site.policy, ("\n".join(lines) + "\n").encode())


def close_year(site: Site, following: str) -> None:
    """Put on record that another year's ledger follows: from then on this site decides nothing new."""
    with open_log(site) as log:
        event(log, site.events, "site/continued", {"event": "continued", "by": following})


def refuse_closed_year(site: Site) -> None:
    """Raise WrongInput where another year's site follows this one."""
    kept = site.events / "continued.json"
    if kept.is_file():
        following = Opening.parse(kept.read_bytes(), where=kept.name).fields().get("by")
        raise WrongInput(
            f"this site's year is over, and the ledger {following} continues it", where=str(site.root),
            remedy="Decide new submissions at that site. Record what comes back about this site's releases here",
        )  # fmt: skip


def final(site: Site) -> Checkpoint:
    """A site's newest checkpoint, accepted under its own policy. Raises as the policy does, or where there is none."""
    path = site.ledger / "checkpoint"
    if not path.is_file():
        raise WrongInput("there is no ledger to continue", where=str(site.root))
    return policy.read(site.policy).accept(path.read_bytes(), where=str(path))


def event(log: Hold, folder: Path, name: str, fields: Mapping[str, Any]) -> int:
    """Commit one event and return its index in the ledger; the same again changes nothing.

    The name `<scope>/<event>` is the batch's, unique in the ledger; the opening is kept as `<folder>/<event>.json`.
    One whose entry never went in is made anew. Raises WrongInput when the name went in with other fields, and
    ValueError for a kind that `events` has no words for or an event that its name does not tell.
    """
    scope, _, stem = name.partition("/")
    if events.kind(name) not in events.WORDS:
        raise ValueError(f"{name}: this kind of event has no description. Add one to gatehouse.pipeline.events")
    if not naming.is_about(stem, None if scope == SITE else scope, fields):
        raise ValueError(f"{name}: the event is of another kind than its name, or about something else")
    if isinstance(log, Lent):
        return log.enter(name, fields)
    return _own(log).append(name, [_kept(log, folder, name, fields).entry])


def receive(log: Hold, folder: Path, name: str, fields: Mapping[str, Any], entries: Sequence[bytes]) -> int:
    """Commit a receipt as `event` does, and directly behind it the determinations that it names."""
    if isinstance(log, Lent):
        return log.receive(name, fields, entries)
    return _own(log).append(name, [_kept(log, folder, name, fields).entry, *entries])


def _kept(log: Hold, folder: Path, name: str, fields: Mapping[str, Any]) -> Opening:
    """The opening of an event, on disk before its entry is in the ledger."""
    kept = folder / f"{name.rpartition('/')[2]}.json"
    if kept.exists():
        opening = Opening.parse(kept.read_bytes(), where=str(kept))
        if opening.fields() == dict(fields):
            return opening
    if log.batch(name) is not None:
        what = "with different content" if kept.exists() else "and its opening is missing"
        raise WrongInput(f"an event with this name is already recorded {what}", where=str(kept))
    files.sweep(folder, kept.name)  # whoever holds the log alone writes events
    _, opening = commit_event(fields)
    files.write(kept, opening.encode(), mode=0o644)  # whom it shows to is for the process's umask to say
    return opening


def publish(site: Site, log: Hold, now: dt.datetime) -> Checkpoint:
    """Sign the tree as it stands, have it cosigned to the policy's quorum, and time-stamped where the site asks."""
    if isinstance(log, Lent):
        return log.publish()
    trusted = policy.read(site.policy)
    witnesses = [HttpWitness(each) if each.url else _carried(site, each) for each in trusted.witnesses]
    published = _own(log).publish(now, policy=trusted, witnesses=witnesses)
    stamping.stamp(site, _own(log))
    return published


def _own(log: Hold) -> Log:
    assert isinstance(log, Log)  # noqa: S101 - a hold is this process's own, or the log writer's
    return log


def _carried(site: Site, witness: Witness) -> CarriedWitness:
    """A witness without an address: requests for it are laid into a folder of its own, and answers looked for there.

    What it last cosigned is the newest answer in the folder, or the newest published checkpoint that it signed.
    """
    folder, history = site.carried / witness.name, site.ledger / "checkpoints"
    seen = max((int(path.stem) for path in folder.glob("*.cosignature") if path.stem.isdecimal()), default=0)
    for size in sorted((int(path.name) for path in history.glob("*") if path.name.isdecimal()), reverse=True):
        if size <= seen:
            break
        shown = checkpoint.parse((history / str(size)).read_bytes())
        if any(line.is_by(witness.verifier) for line in shown.note.lines):
            seen = size
    return CarriedWitness(witness, folder, seen)
