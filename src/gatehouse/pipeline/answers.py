"""Answers about one person, as a site gives them: both maps built from what was released, their roots in the ledger.

An epoch is built on a schedule (every night, say), whether or not anything was released, so that neither its coming
nor its absence says anything. The answer to a person is the same statement for everybody: what may be told by then.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.workspace import open_workspace, write_parquet
from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger import checkpoint, dictionary, epoch, tiles, tree
from gatehouse.ledger.answer import Answer, Map, Stated
from gatehouse.ledger.epoch import Epoch
from gatehouse.ledger.note import Note
from gatehouse.ledger.opening import Opening
from gatehouse.match import open_register
from gatehouse.pipeline import disclosures, history, record
from gatehouse.pipeline.approve import Office
from gatehouse.pipeline.site import Site

_PLAIN = 72  # bytes of an Ed25519 cosignature; an answer carries no longer signatures
_NUMBERS = "numbers.parquet"
_TRIES = 3


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
    """Build a new epoch and put both its roots on record; of the one before stays what builds it again.

    Raises WrongInput when the register's numbers are not sound, MachineFailed when the ledger is held by another
    process or the witnesses' quorum is not met; then answers are still given from the epoch before.
    """
    site = place.site
    history.whole(site)
    with files.alone(site.answers / ".lock"):  # two that build at once would take each other's files
        making = site.answers / ".making"
        for _ in range(_TRIES):
            shutil.rmtree(making, ignore_errors=True)
            covered = history.whole(site).size
            built = _built(connection, site, now, covered, making=making, progress=progress)
            index = _enter(site, built, covered, now)
            if index is not None:
                break
        else:
            raise MachineFailed("releases were planned each time the answers were built", remedy="Build them again")
        making.rename(site.answers / str(index))
        files.sync_folder(site.answers)
        for older in _epochs(site)[:-1]:
            _shrink(site.answers / str(older))
        return epoch.read(site.answers / str(index))


def _built(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    now: dt.datetime,
    covered: int,
    *,
    making: Path,
    progress: Progress,
) -> Epoch:
    disclosures.gather(connection, site, entries=covered)
    register = open_register(site.register)  # held, since a snapshot goes with it
    held = register.relation("persons")
    persons = (  # whoever left the register since is still answered about what was disclosed
        f"(SELECT person_id FROM {held} UNION ALL SELECT DISTINCT person_id FROM answer_disclosures "
        f"WHERE person_id NOT IN (SELECT person_id FROM {held} WHERE person_id IS NOT NULL))"
    )
    return epoch.build(connection, persons, "answer_disclosures", now.date(), making, progress=progress)


def _enter(site: Site, built: Epoch, covered: int, now: dt.datetime) -> int | None:
    """Put an epoch on record; None where a release was planned or withdrawn since it was built.

    So an epoch covers every entry before its own, and nobody can be told less.
    """
    with record.open_log(site) as log:
        since = history.read(site, {"release", "unsealed"}).of("release", "unsealed")
        if any(one.index >= covered for one in since):
            return None
        # published directly before and after it, so that the witnesses' times around the entry bear out its date
        begun = {"event": "answers begun", "as_of": built.as_of.isoformat(), "nonce": built.nonce}
        entries = record.event(log, site.events, f"site/answers_begun-{built.nonce}", begun) + 1
        record.publish(site, log, now)
        stated = {str(which): Stated(built.as_of, entries, built.nonce, built.root(which)).document() for which in Map}
        index = record.event(log, site.events, f"site/answers-{built.nonce}", {"event": "answers", **stated})
        record.publish(site, log, now)
    return index


def latest(site: Site) -> Epoch | None:
    """The epoch that answers are given from; None before the first is built."""
    known = _epochs(site)
    return epoch.read(site.answers / str(known[-1])) if known else None


def are_built(site: Site) -> bool:
    """Whether answers were built at a site; asked without reading any."""
    return bool(_epochs(site))


def answer(
    connection: duckdb.DuckDBPyConnection, site: Site, person: int, which: Map = Map.NOTICE, *, page: int = 1
) -> bytes:
    """The answer's file for one person, by the number that the register gives them. `ledger.answer.verify` reads it.

    The notice map is for the person, the sealed one for oversight alone. Raises WrongInput when no epoch was built,
    when this is no number, or the list has no such page.
    """
    known = latest(site)
    if known is None:
        raise WrongInput(
            "no answers have been built yet", where=site.root.name, remedy="Build them with `gatehouse answer build`"
        )
    if not 0 <= person < 1 << 63:
        raise WrongInput("a person's number must be a whole number, 0 or greater")
    index = int(known.folder.name)
    earlier, shown = (_published(site, size) for size in (index, index + 1))
    found = epoch.find(connection, known, person, which)
    if page != 1 and not 1 <= page <= len(found.pages):
        raise WrongInput("the list has no such page", remedy=f"The list has {len(found.pages)} pages")
    opening = Opening.parse((site.events / f"answers-{known.nonce}.json").read_bytes())
    proof = tree.inclusion_proof(index, shown.size, tiles.TileReader(site.ledger, shown.size).node)
    return Answer(
        which, person, opening.only([str(which)]), index, b"".join(proof), _plain(earlier.note), _plain(shown.note),
        found.path, found.leaf, found.salt, dictionary.page_digests(found.pages), page if found.pages else 0,
        found.pages[page - 1] if found.pages else b"",
    ).encode()  # fmt: skip


def check(connection: duckdb.DuckDBPyConnection, place: Office, *, progress: Progress = silent) -> Checked:
    """Build the latest epoch again from the ledger's release entries and its own order of people; compare both roots.

    For an inspector at the custodian's: it shows that no release is missing from the sealed map and that the notice
    map lacks nothing but what may not be told yet. Each docket that something was released of must verify against the
    ledger. Raises AnswerIsNo when a root differs from the one on record, or a docket does not bind.
    """
    site = place.site
    known = latest(site)
    if known is None:
        raise WrongInput("no answers have been built yet", where=site.root.name)
    disclosures.verify(connection, site)
    connection.execute("CREATE OR REPLACE TEMP TABLE answer_persons (person_id BIGINT)")
    for some in epoch.numbers(known):
        connection.execute("INSERT INTO answer_persons SELECT unnest($1::BIGINT[])", [some])
    persons = _compare(connection, site, known, progress)
    register = open_register(site.register)  # held, since a snapshot goes with it
    held = register.relation("persons")
    [row] = connection.execute(
        f"SELECT (SELECT count(*) FROM answer_disclosures), "
        "(SELECT count(*) FROM answer_disclosures WHERE told_from <= $as_of), "
        f"(SELECT count(*) FROM {held} WHERE person_id NOT IN (SELECT person_id FROM answer_persons))",
        {"as_of": known.as_of},
    ).fetchall()
    return Checked(known.as_of, persons, *row)


def check_earlier(connection: duckdb.DuckDBPyConnection, place: Office, *, progress: Progress = silent) -> int:
    """Build every earlier epoch again from what is kept of it; gives how many there were.

    Each is a function of the release entries among the entries that it covers, which only ever grow, so whoever stood
    in one stands in all that follow. Raises AnswerIsNo naming the first whose roots are not those on record.
    """
    earlier = _epochs(place.site)[:-1]
    for index in earlier:
        kept = epoch.read(place.site.answers / str(index))
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE answer_persons AS SELECT person_id FROM read_parquet($1)",
            [str(kept.folder / _NUMBERS)],
        )
        _compare(connection, place.site, kept, progress)
    return len(earlier)


def _compare(connection: duckdb.DuckDBPyConnection, site: Site, known: Epoch, progress: Progress) -> int:
    """Build an epoch of `answer_persons` again and compare its roots with its entry; gives how many persons it has."""
    entered = next((one for one in history.whole(site).of("answers") if one.index == int(known.folder.name)), None)
    if entered is None:
        raise AnswerIsNo("no entry in the ledger names these answers", where=str(known.folder))
    disclosures.gather(connection, site, entries=entered.index)  # all before it, whatever it says that it covers
    again = site.answers / ".again"
    shutil.rmtree(again, ignore_errors=True)
    try:
        drawn = (known.nonce, known.secret)
        made = epoch.build(
            connection, "answer_persons", "answer_disclosures", known.as_of, again, drawn=drawn, progress=progress
        )
    finally:
        shutil.rmtree(again, ignore_errors=True)
    for which in Map:
        if made.root(which).hex() != entered.fields[str(which)]["root"]:
            raise AnswerIsNo(f"the {which} map on record does not match the releases", where=str(known.folder))
    return made.persons


def _shrink(folder: Path) -> None:
    """Keep of an epoch what builds it again: its secret and its numbers in order, a tenth of what answers need."""
    if (folder / _NUMBERS).is_file():
        return
    kept = epoch.read(folder)
    with open_workspace() as connection:
        connection.execute("CREATE TABLE numbers (person_id BIGINT)")
        for some in epoch.numbers(kept):
            connection.execute("INSERT INTO numbers SELECT unnest($1::BIGINT[])", [some])
        write_parquet(connection, "SELECT person_id FROM numbers ORDER BY person_id", folder / _NUMBERS)
    (folder / _NUMBERS).chmod(0o600)
    for name in ("persons", "buckets", "lists.parquet"):
        (folder / name).unlink(missing_ok=True)


def _epochs(site: Site) -> list[int]:
    """The epochs that are whole, by the index of their entry."""
    found = site.answers.iterdir() if site.answers.is_dir() else []
    return sorted(int(path.name) for path in found if path.name.isdecimal())


def _published(site: Site, size: int) -> checkpoint.Checkpoint:
    path = site.ledger / "checkpoints" / str(size)
    if not path.is_file():
        raise MachineFailed("a checkpoint around the answers is missing", where=f"checkpoints/{size}")
    return checkpoint.parse(path.read_bytes())


def _plain(signed: Note) -> str:
    """A checkpoint with its short signatures only: with those of ML-DSA-44 an answer would be twice as long."""
    return Note(signed.text, tuple(line for line in signed.lines if len(line.signature) <= _PLAIN)).encoded.decode()
