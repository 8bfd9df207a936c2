"""What each package of a release will hold, fixed and committed before anything is sealed.

A plan names cases and officers; a packet is one officer's share of it, read from the docket and the register. Its
entry `release` goes into the ledger first. The two secrets that the entry commits to, the salt of the records and the
key of the receipts, lie in the staging folder until the package is sealed, and nowhere afterwards.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Decision
from gatehouse.casework.selection import Selection
from gatehouse.kernel import canonical, clock, digests, files
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.law.reading import load
from gatehouse.ledger.entries import Released
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.pipeline import record
from gatehouse.pipeline.approve import Office, manifest_of
from gatehouse.pipeline.dockets import Placed
from gatehouse.pipeline.hold import Hold
from gatehouse.release import items, package
from gatehouse.release.certificate import standing
from gatehouse.release.package import Row
from gatehouse.release.terms import Terms, expiry

STAGING = ".sealing"
"""Folder below `releases/` of packages whose publication is still to come."""
PERSONS = "persons"
"""Folder of the lists of whose data went out, one a release, readable by their owner alone."""


@dataclass(frozen=True)
class Share:
    """One officer's share of a release, as it is told outside of whoever seals it: no item's text is in it."""

    release: str
    officer: str
    recipient: str
    persons: tuple[tuple[int, int, list[str]], ...]
    """Case, person and items, in row order."""
    matters: tuple[str, ...]
    """The matters that the requests named."""
    records: str
    """SHA-256 of the salt and the records."""
    receipt_key: str
    """The key that verifies the receipts."""
    terms: str
    """SHA-256 of the use terms."""
    expires_on: dt.date

    @property
    def given(self) -> Mapping[int, list[str]]:
        """The items of each case."""
        return {seq: items for seq, _, items in self.persons}

    @property
    def cases(self) -> Selection:
        """The cases whose data are inside."""
        return Selection.of(seq for seq, _, _ in self.persons)

    @property
    def list_of_persons(self) -> bytes:
        """Whose data are inside: canonical JSON, whose SHA-256 the entry holds."""
        return canonical.encode([[seq, person, given] for seq, person, given in self.persons])

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {**vars(self), "expires_on": self.expires_on.isoformat()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Share:
        """Read `document` again."""
        persons = tuple((seq, person, items) for seq, person, items in document["persons"])
        day = dt.date.fromisoformat(document["expires_on"])
        return cls(**{**document, "persons": persons, "matters": tuple(document["matters"]), "expires_on": day})


@dataclass(frozen=True)
class Secrets:
    """What only the package will hold."""

    salt: bytes
    receipt_key: str

    @property
    def public(self) -> str:
        """The key that verifies the receipts."""
        return parse_signer(self.receipt_key).key_text


@dataclass(frozen=True)
class Packet:
    """One package's contents, and the share that says so."""

    share: Share
    rows: tuple[Row, ...]
    terms: bytes
    inside: Secrets


def packet(
    connection: duckdb.DuckDBPyConnection,
    docket: Placed,
    plan: Mapping[str, Any],
    one: Mapping[str, str],
    *,
    inside: Secrets,
    demonstration: bool,
) -> Packet:
    """One officer's part of `release_rows`, as `sealing.permitted` made it."""
    rows = connection.execute(
        f"""
        SELECT seq, person_id, {", ".join(items.COLUMNS)} FROM release_rows JOIN release_persons USING (seq)
        WHERE list_contains(officers, $officer) ORDER BY seq, item
        """,
        {"officer": one["id"]},
    ).fetchall()
    manifest = manifest_of(docket)
    given: dict[int, list[str]] = {}
    persons: dict[int, int] = {}
    for seq, person, *row in rows:
        given.setdefault(seq, []).append(row[2])
        persons[seq] = person
    day = instant(plan).date()
    expires_on = expiry(day)
    told = tuple(tuple(row[2:]) for row in rows)
    matters = sorted({row[1] for row in told if row[1]})
    terms = Terms(
        release=one["release"], docket=docket.id, agency=manifest.agency, officer=one["id"], basis=manifest.basis,
        matters=matters, released_on=day, expires_on=expires_on, demonstration=demonstration,
        wording=load(docket.pack).wording,
    ).text().encode()  # fmt: skip
    share = Share(
        release=one["release"],
        officer=one["id"],
        recipient=next(officer.recipient for officer in manifest.officers if officer.id == one["id"]),
        persons=tuple((seq, persons[seq], given[seq]) for seq in given),
        matters=tuple(matters),
        records=digests.of_bytes(inside.salt + package.write_csv(told)),
        receipt_key=inside.public,
        terms=digests.of_bytes(terms),
        expires_on=expires_on,
    )
    return Packet(share, told, terms, inside)


def entry(docket: Placed, plan: Mapping[str, Any], share: Share, decisions: Sequence[int]) -> Released:
    """What the ledger will hold of a package; `decisions` are the entries that its cases rest on."""
    return Released(
        release=share.release,
        docket=docket.id,
        entry=docket.index,
        agency=docket.received.agency,
        officer=share.officer,
        recipient=share.recipient,
        selection={"cases": len(share.cases), "sha256": share.cases.digest()},
        items=sorted({item for given in share.given.values() for item in given}),
        persons=digests.of_bytes(share.list_of_persons),
        records=share.records,
        receipt_key=share.receipt_key,
        terms=share.terms,
        released_at=plan["released_at"],
        expires_on=share.expires_on.isoformat(),
        pack=plan["pack"],
        as_of=instant(plan).date().isoformat(),
        decisions=list(decisions),
    )


def resting_on(decisions: Sequence[Decision], cases: Selection, *, where: str) -> list[int]:
    """The entries of the decisions that cases rest on. Raises AnswerIsNo while one is not in the ledger."""
    indexes = [one.ledger_index for one in standing(decisions, cases)]
    if None in indexes:
        raise AnswerIsNo("a decision is not in the ledger yet", where=where)
    return [index for index in indexes if index is not None]


def put_on_record(log: Hold, docket: Placed, share: Share, said: Released) -> int:
    """Commit a release's entry, with the list of persons on disk before it; again, it changes nothing.

    Raises Blocked (`changed`) when the entry went in and the register or the docket says otherwise now.
    """
    kept = docket.events / f"release-{share.release}.json"
    name = f"{docket.id}/{kept.stem}"
    other = kept.exists() and Opening.parse(kept.read_bytes(), where=kept.name).fields() != said.fields()
    if other and log.batch(name) is not None:
        raise Blocked("changed", "the records changed while the release was being planned", remedy="Run it again")
    files.write(persons_of(docket.root, share.release), share.list_of_persons, mode=0o600)
    return record.event(log, docket.events, name, said.fields())


def secrets_of(folder: Path, release: str) -> Secrets:
    """The secrets of a package that is not sealed yet: made once, kept in a folder until it is."""
    path = folder / f"{release}.secret"
    if not path.exists():
        private, _ = new_key(f"{release}/receipt")
        made = {"salt": secrets.token_hex(package.SALT_BYTES), "receipt_key": private}
        files.write(path, canonical.encode(made), mode=0o600)
    kept = json.loads(path.read_bytes())
    return Secrets(bytes.fromhex(kept["salt"]), kept["receipt_key"])


def persons_of(root: Path, release: str) -> Path:
    """Where the list of persons of a release lies."""
    return root / PERSONS / f"{release}.json"


def withdraw(place: Office, docket: Placed, releases: Sequence[str], code: str, now: dt.datetime) -> None:
    """Say in the ledger that releases which were planned are not sealed, and forget what was prepared for them.

    One whose entry never went in leaves nothing. Done again, it changes nothing.
    """
    with record.open_log(place.site) as log:
        for release in releases:
            kept = docket.events / f"release-{release}.json"
            if log.batch(f"{docket.id}/{kept.stem}") is None:
                kept.unlink(missing_ok=True)
            else:
                fields = {"event": "unsealed", "release": release, "docket": docket.id, "why": code}
                record.event(log, docket.events, f"{docket.id}/unsealed-{release}", fields)
            persons_of(docket.root, release).unlink(missing_ok=True)
        record.publish(place.site, log, now)


def is_withdrawn(events: Path, release: str) -> bool:
    """Whether a release was planned and then withdrawn; one that was sealed cannot be withdrawn any more."""
    unsealed, sealed = ((events / f"{kind}-{release}.json").exists() for kind in ("unsealed", "sealed"))
    return unsealed and not sealed


def released_before(docket: Placed, besides: Sequence[str] = ()) -> Selection:
    """The cases that release entries of this docket name, whatever any database says of them.

    Raises AnswerIsNo when the list of a release is missing or is not the one that its entry names.
    """
    cases = Selection()
    for path in sorted(docket.events.glob("release-*.json")):
        said = Released.of(Opening.parse(path.read_bytes(), where=path.name).fields(), where=path.name)
        if is_withdrawn(docket.events, said.release) or said.release in besides:
            continue
        listed = persons_of(docket.root, said.release)
        data = listed.read_bytes() if listed.is_file() else b""
        if digests.of_bytes(data) != said.persons:
            raise AnswerIsNo(
                "the list of persons in a release cannot be read", where=f"{docket.id}, persons/{listed.name}"
            )
        cases |= Selection.of(seq for seq, _, _ in json.loads(data))
    return cases


def instant(plan: Mapping[str, Any]) -> dt.datetime:
    """When a plan was made: the instant of its releases."""
    return clock.read_instant(str(plan["released_at"]))
