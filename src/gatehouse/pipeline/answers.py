"""Answers about one person, as a site gives them: both maps built from what was released, their roots in the ledger.

An epoch is built on a schedule (every night, say), whether or not anything was released, so that neither its coming
nor its absence says anything. The answer to a person is the same statement for everybody: what may be told by then.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake import parties
from gatehouse.kernel import clock, digests, files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger import checkpoint, dictionary, epoch, tiles, tree
from gatehouse.ledger.answer import Answer, Map, Stated
from gatehouse.ledger.epoch import Epoch
from gatehouse.ledger.note import Note
from gatehouse.ledger.opening import Opening
from gatehouse.match import open_register
from gatehouse.pipeline import record
from gatehouse.pipeline.approve import Office, docket_of, manifest_of
from gatehouse.pipeline.site import Site
from gatehouse.release import items
from gatehouse.release.returns import ReleaseRecord
from gatehouse.store.shelf import Shelf

_PLAIN = 72  # bytes of an Ed25519 cosignature; an answer carries no longer signatures
_COLUMNS = "person_id, entry, released_on, agency, items, told_from"


@dataclass(frozen=True)
class Checked:
    """What building an epoch again found."""

    as_of: dt.date
    persons: int
    disclosures: int
    told: int
    """How many of them stand in the notice map."""
    unlisted: int
    """Numbers of the register that the epoch lacks; they came later, or it was not whole."""


def build(
    connection: duckdb.DuckDBPyConnection, place: Office, now: dt.datetime, *, progress: Progress = silent
) -> Epoch:
    """Build a new epoch and put both its roots on record; it takes the place of the one before.

    Raises WrongInput when the register's numbers are not sound, MachineFailed when the ledger is held by another
    process or the witnesses' quorum is not met; then answers are still given from the epoch before.
    """
    site = place.site
    with files.alone(site.answers / ".lock"):  # two that build at once would take each other's files
        making = site.answers / ".making"
        shutil.rmtree(making, ignore_errors=True)
        covered = _shown(site).size
        _gather(connection, place, now)
        register = open_register(site.register)
        held = register.relation("persons")
        persons = (  # whoever left the register since is still answered about what was disclosed
            f"(SELECT person_id FROM {held} UNION ALL SELECT DISTINCT person_id FROM answer_disclosures "
            f"WHERE person_id NOT IN (SELECT person_id FROM {held} WHERE person_id IS NOT NULL))"
        )
        built = epoch.build(connection, persons, "answer_disclosures", now.date(), making, progress=progress)
        stated = {str(which): Stated(built.as_of, covered, built.nonce, built.root(which)).document() for which in Map}
        with record.open_log(site) as log:
            index = record.event(log, site.events, f"site/answers-{built.nonce}", {"event": "answers", **stated})
            record.publish(site, log, now)
        files.write(making / "built_at", clock.stamp(now).encode(), mode=0o600)
        making.rename(site.answers / str(index))
        files.sync_folder(site.answers)
        for older in _epochs(site)[:-1]:
            shutil.rmtree(site.answers / str(older))
        return epoch.read(site.answers / str(index))


def latest(site: Site) -> Epoch | None:
    """The epoch that answers are given from; None before the first is built."""
    known = _epochs(site)
    return epoch.read(site.answers / str(known[-1])) if known else None


def answer(
    connection: duckdb.DuckDBPyConnection, site: Site, person: int, which: Map = Map.NOTICE, *, page: int = 1
) -> bytes:
    """The answer's file for one person, by the number that the register gives them. `ledger.answer.verify` reads it.

    The notice map is for the person, the sealed one for oversight alone. Raises WrongInput when no epoch was built,
    when this is no number, or the list has no such page.
    """
    known = latest(site)
    if known is None:
        raise WrongInput("no answers were built yet", where=site.root.name, remedy="`gatehouse answer build` does it")
    if not 0 <= person < 1 << 63:
        raise WrongInput("a person's number is whole and not negative")
    shown, index = _shown(site), int(known.folder.name)
    if index >= shown.size:
        raise MachineFailed("the checkpoint is older than the answers", where=site.ledger.name)
    found = epoch.find(connection, known, person, which)
    if page != 1 and not 1 <= page <= len(found.pages):
        raise WrongInput("the list has no such page", remedy=f"It has {len(found.pages)}")
    opening = Opening.parse((site.events / f"answers-{known.nonce}.json").read_bytes())
    proof = tree.inclusion_proof(index, shown.size, tiles.TileReader(site.ledger, shown.size).node)
    return Answer(
        which, person, opening.only([str(which)]), index, b"".join(proof), _plain(shown.note), found.path, found.leaf,
        found.salt, dictionary.page_digests(found.pages), page if found.pages else 0,
        found.pages[page - 1] if found.pages else b"",
    ).encode()  # fmt: skip


def check(connection: duckdb.DuckDBPyConnection, place: Office, *, progress: Progress = silent) -> Checked:
    """Build the latest epoch again from dockets, releases and its own order of people, and compare both roots.

    For an inspector at the custodian's: it shows that no release is missing from the sealed map and that the notice
    map lacks nothing but what may not be told yet. Raises AnswerIsNo when a root differs from the one on record.
    """
    known = latest(place.site)
    if known is None:
        raise WrongInput("no answers were built yet", where=place.site.root.name)
    built_at = dt.datetime.fromisoformat((known.folder / "built_at").read_text().replace("Z", "+00:00"))
    _gather(connection, place, built_at)
    connection.execute("CREATE OR REPLACE TEMP TABLE answer_persons (person_id BIGINT)")
    for some in epoch.numbers(known):
        connection.execute("INSERT INTO answer_persons SELECT unnest($1::BIGINT[])", [some])
    again = place.site.answers / ".again"
    shutil.rmtree(again, ignore_errors=True)
    try:
        drawn = (known.nonce, known.secret)
        made = epoch.build(
            connection, "answer_persons", "answer_disclosures", known.as_of, again, drawn=drawn, progress=progress
        )
    finally:
        shutil.rmtree(again, ignore_errors=True)
    on_record = Opening.parse((place.site.events / f"answers-{known.nonce}.json").read_bytes()).fields()
    for which in Map:
        if made.root(which).hex() != on_record[str(which)]["root"]:
            raise AnswerIsNo(f"the {which} map on record is not made of the releases", where=str(known.folder))
    persons = open_register(place.site.register).relation("persons")
    [row] = connection.execute(
        f"SELECT (SELECT count(*) FROM answer_disclosures), "
        "(SELECT count(*) FROM answer_disclosures WHERE told_from <= $as_of), "
        f"(SELECT count(*) FROM {persons} WHERE person_id NOT IN (SELECT person_id FROM answer_persons))",
        {"as_of": known.as_of},
    ).fetchall()
    return Checked(known.as_of, made.persons, *row)


def keep_disclosures(connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, now: dt.datetime) -> Path:
    """Write a docket's disclosures into it, so that they stay when its other tables are destroyed."""
    from gatehouse.intake.workspace import write_parquet

    _gather(connection, place, now, only=docket.id)
    write_parquet(connection, f"SELECT {_COLUMNS} FROM answer_disclosures ORDER BY ALL", _kept(docket))
    _kept(docket).chmod(0o600)
    return _kept(docket)


def _gather(connection: duckdb.DuckDBPyConnection, place: Office, until: dt.datetime, *, only: str = "") -> None:
    """Make `answer_disclosures`: who was disclosed to whom, by the certificates of everything published so far."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE answer_disclosures (person_id BIGINT, entry BIGINT, released_on DATE, "
        "agency VARCHAR, items VARCHAR, told_from DATE)"
    )
    for name in [only] if only else place.casebook.known():
        docket = docket_of(place.site, name)
        if _kept(docket).is_file():
            connection.execute(
                f"INSERT INTO answer_disclosures SELECT {_COLUMNS} FROM read_parquet($1) WHERE released_on <= $2",
                [str(_kept(docket)), until.date()],
            )
        else:
            _gather_docket(connection, place, docket, until)


def _gather_docket(connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, until: dt.datetime) -> None:
    published = [
        one for one in Shelf().releases(docket.id) if one.published_at is not None and one.published_at <= until
    ]
    if not published:
        return
    agreement = parties.read(place.site.parties).agreements.get(manifest_of(docket).agreement)
    after = agreement.notice_after_days if agreement else None
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE answer_given (seq BIGINT, entry BIGINT, released_on DATE, item VARCHAR)"
    )
    cases = published[0].cases
    for one in published:
        cases |= one.cases
        connection.execute(
            "INSERT INTO answer_given SELECT record.seq, record.index, $day, unnest(record.items) FROM "
            "(SELECT unnest($records::STRUCT(seq BIGINT, index BIGINT, items VARCHAR[])[]) AS record)",
            {"day": one.published_at and one.published_at.date(), "records": list(_records(docket, one))},
        )
    for table in ("determinations", "evidence"):
        connection.read_parquet(str(docket.table(table))).create_view(f"answer_{table}", replace=True)
    items.persons(
        connection, determinations="answer_determinations", evidence="answer_evidence", cases=cases,
        target="answer_concerned",
    )  # fmt: skip
    connection.execute(
        "INSERT INTO answer_disclosures SELECT person_id, entry, released_on, $agency, "
        "string_agg(DISTINCT item, ',' ORDER BY item), released_on + $after::INTEGER "
        "FROM answer_given JOIN answer_concerned USING (seq) GROUP BY person_id, entry, released_on",
        {"agency": published[0].agency, "after": after},
    )


def _records(docket: Docket, release: ReleaseRecord) -> Iterator[dict[str, object]]:
    """What one release's certificate says was given. Raises AnswerIsNo when it is not the one that was recorded."""
    path = docket.certificates / f"{release.id}.json"
    data = path.read_bytes() if path.is_file() else b""
    if digests.of_bytes(data) != release.certificate:
        raise AnswerIsNo("a certificate is missing or was altered", where=path.name, remedy="Restore it from a backup")
    for one in json.loads(data)["records"]:
        yield {"seq": one["seq"], "index": one["index"], "items": one["items"]}


def _kept(docket: Docket) -> Path:
    return docket.root / "disclosures.parquet"


def _epochs(site: Site) -> list[int]:
    """The epochs that are whole, by the index of their entry."""
    found = site.answers.iterdir() if site.answers.is_dir() else []
    return sorted(int(path.name) for path in found if path.name.isdecimal())


def _shown(site: Site) -> checkpoint.Checkpoint:
    return checkpoint.parse((site.ledger / "checkpoint").read_bytes())


def _plain(signed: Note) -> str:
    """A checkpoint with its short signatures only: with those of ML-DSA-44 an answer would be twice as long."""
    return Note(signed.text, tuple(line for line in signed.lines if len(line.signature) <= _PLAIN)).encoded.decode()
