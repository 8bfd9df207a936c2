"""A docket against the ledger: every request of the submission has exactly one determination, and it is the one that
was committed, in the order of the submission, with none added and none missing.

What was received counts, not what is found: the manifest that the agency signed, the receipt that it was given and the
entry `received` must name the same number of requests, and the determinations must be the batch that directly follows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import docket_files, naming, tiles, witnessed
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import commit, determination
from gatehouse.ledger.entries import Docketed, Received, Released, read_instant
from gatehouse.ledger.note import verify_detached
from gatehouse.ledger.opening import BATCH_BYTES, Opening
from gatehouse.ledger.policy import Policy, Unwitnessed
from gatehouse.ledger.signers import Verifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEEDED = ("requests.parquet", "determinations.parquet", "vault.parquet")


@dataclass(frozen=True)
class Accounted:
    """How many requests were found committed, where the first one stands in the ledger, and what was received."""

    requests: int
    first: int
    received: Received
    docketed: Docketed
    entry: int
    """The index of the entry that binds the docket's files."""
    signed_by: str | None
    """The name of the agency's key whose signature was checked; None where no key was given."""


def verify_docket(
    connection: DuckDBPyConnection,
    docket: Path,
    ledger: Path,
    checkpoint: Checkpoint,
    *,
    held: Mapping[bytes, int] | None = None,
    agency: Sequence[Verifier] | None = None,
) -> Accounted:
    """Check a docket against a ledger that was verified under `checkpoint`.

    `held` says how many entries of each batch the ledger holds, where the caller has counted them for many dockets.
    With `agency` its signature over the manifest must be by one of these keys. Raises AnswerIsNo with the first
    difference, by row of the submission; WrongInput when the docket is not whole.
    """
    for name in _NEEDED:
        if not (docket / name).is_file():
            raise WrongInput(
                "a file of the docket is missing",
                where=name,
                remedy="Verify the complete folder that `gatehouse run` made",
            )
    for table in ("requests", "determinations"):
        connection.read_parquet(str(docket / f"{table}.parquet")).create_view(f"docket_{table}", replace=True)
    _check_pairs(connection)
    first, count = _place(connection)
    if first + count > checkpoint.size:
        raise AnswerIsNo("the checkpoint does not cover every determination of the docket", where=docket.name)
    fields = determination(connection, "docket_determinations")
    made = commit(connection, "docket_determinations", fields, docket / "vault.parquet")
    reader = tiles.TileReader(ledger, checkpoint.size)
    for seq, (entry, committed) in enumerate(zip(made.entries, reader.span(first, count), strict=True)):
        if entry != committed:
            raise AnswerIsNo(
                "the determination differs from the one in the ledger", where=f"{docket.name}, row {seq + 1}"
            )
    batch = bytes.fromhex(made.batch)
    if (_count_batch(docket, reader, checkpoint.size, batch) if held is None else held.get(batch, 0)) != count:
        raise AnswerIsNo("the ledger contains more entries of this batch than the docket", where=docket.name)
    received = _received(docket, reader, first)
    _check_received(connection, docket, received, (made.batch, first, count))
    signed_by = _check_agency(docket, received, agency)
    entry_index, docketed = _docketed(docket, reader, checkpoint.size, received)
    events = _events(docket, received.docket)
    docket_files.compare(docket, docketed.files)
    _check_persons(connection, docket, events)
    _check_repeated(docket, reader, checkpoint.size, events)
    return Accounted(count, first, received, docketed, entry_index, signed_by)


def dated(docket: Path, ledger: Path, found: Accounted, policy: Policy) -> tuple[str, ...]:
    """What witnesses say of when the docket was received and decided, one line each, under a policy of one's own.

    The ledger was verified under the policy. Raises AnswerIsNo where the receipt, or the date of the law, does not lie
    within the stated bound of the witnesses' times around the receipt's entry.
    """
    index = found.first - 1
    try:
        received_at = read_instant(str(_json(docket / "receipt.json")["received_at"]))
    except (KeyError, ValueError):
        raise AnswerIsNo("the receipt does not state its time", where=f"{docket.name}, receipt.json") from None
    framed = _framed(ledger, index, policy)
    stated = {"the receipt": received_at, "the law of the determinations": dt.date.fromisoformat(found.received.as_of)}
    for what, time in stated.items():
        witnessed.refuse(time, framed, what, where=docket.name)
    return tuple(witnessed.said(time, framed, what) for what, time in stated.items())


def _framed(ledger: Path, index: int, policy: Policy) -> witnessed.Frame:
    """The witnesses' times over the nearest published checkpoints on both sides of an entry."""
    sizes = sorted(int(path.name) for path in (ledger / "checkpoints").iterdir() if path.name.isdecimal())
    below, above = (size for size in reversed(sizes) if size <= index), (size for size in sizes if size > index)
    return witnessed.Frame(_seen(ledger, below, policy), _seen(ledger, above, policy))


def _seen(ledger: Path, sizes: Iterable[int], policy: Policy) -> dt.datetime | None:
    if policy.quorum == "none":
        return None
    for size in sizes:
        data = (ledger / "checkpoints" / str(size)).read_bytes()
        with contextlib.suppress(Unwitnessed):  # one that the policy excepts says nothing of when
            return witnessed.cosigned_at(policy.accept(data, where=f"checkpoints/{size}"), policy)
    return None


def _received(docket: Path, reader: tiles.TileReader, first: int) -> Received:
    """The entry directly before the determinations, opened."""
    opening = _opening(docket, "received")
    if first == 0 or reader.entry(first - 1) != opening.entry:
        raise AnswerIsNo("the receipt's entry is not directly before the determinations", where=docket.name)
    return Received.of(opening.fields(), where=f"{docket.name}, events/received.json")


def _check_received(
    connection: DuckDBPyConnection, docket: Path, received: Received, found: tuple[str, int, int]
) -> None:
    """What the receipt's entry says, against the manifest, the receipt and the determinations."""
    manifest, receipt = (_json(docket / name) for name in ("submission.json", "receipt.json"))
    signature = docket / "submission.json.sig"
    law = connection.execute(
        "SELECT DISTINCT pack_digest, as_of::VARCHAR FROM docket_determinations LIMIT 2"
    ).fetchall()
    try:
        rows = sum(int(table["rows"]) for table in manifest["tables"])
    except (KeyError, TypeError, ValueError):
        raise AnswerIsNo("the manifest does not state the number of requests", where=docket.name) from None
    agreeing = {
        "batch": (received.batch, found[0]),
        "first determination": (received.first, found[1]),
        "number of requests, as the docket holds them": (received.requests, found[2]),
        "number of requests, as the manifest says it": (received.requests, rows),
        "number of requests, as the receipt says it": (received.requests, receipt.get("requests")),
        "manifest": (received.manifest, digests.of_file(docket / "submission.json")),
        "manifest, as the receipt names it": (received.manifest, receipt.get("digest")),
        "signature": (received.signature, digests.of_file(signature) if signature.is_file() else None),
        "receipt": (received.receipt, digests.of_file(docket / "receipt.json")),
        "agency": (received.agency, manifest.get("agency")),
        "submission": (received.submission, manifest.get("id")),
        "submission, as the receipt names it": (received.submission, receipt.get("submission")),
        "law and its date": ([(received.pack, received.as_of)], law),
    }
    for what, (committed, given) in agreeing.items():
        if committed != given:
            raise AnswerIsNo(f"the received submission differs in the {what}", where=docket.name)


def _check_agency(docket: Path, received: Received, agency: Sequence[Verifier] | None) -> str | None:
    if agency is None:
        return None
    if received.signature is None:
        raise AnswerIsNo("the agency did not sign this submission", where=docket.name)
    signature = (docket / "submission.json.sig").read_bytes()
    return verify_detached(
        (docket / "submission.json").read_bytes(), signature, agency, where=f"{docket.name}, submission.json.sig"
    ).name


def _openings(docket: Path) -> dict[str, Opening]:
    return {path.stem: _opening(docket, path.stem) for path in sorted((docket / "events").glob("*.json"))}


def _events(docket: Path, identifier: str) -> dict[str, Mapping[str, Any]]:
    """What each event of the docket says, by its name. Raises AnswerIsNo where it is not about what its name says."""
    found: dict[str, Mapping[str, Any]] = {name: one.fields() for name, one in _openings(docket).items()}
    for name, fields in found.items():
        if not naming.is_about(name, identifier, fields):
            raise AnswerIsNo("the event is not what its name says", where=f"{docket.name}, events/{name}.json")
    return found


def _check_repeated(docket: Path, reader: tiles.TileReader, size: int, events: Mapping[str, Mapping[str, Any]]) -> None:
    """No release rests on a signed decision that was entered once more: what it did may have been undone before."""
    signed = {name: said.get("statement") for name, said in events.items() if naming.kind(name) == "decision"}
    if len(set(signed.values())) == len(signed):
        return
    kept = {opening.entry: signed[name] for name, opening in _openings(docket).items() if name in signed}
    first: set[Any] = set()
    again: set[int] = set()
    for index, entry in enumerate(reader.span(0, size)):
        if entry in kept:
            again |= {index} if kept[entry] in first else set()
            first.add(kept[entry])
    for name, said in events.items():
        rests = said.get("decisions") if naming.kind(name) == "release" else None
        if isinstance(rests, list) and f"unsealed-{said.get('release')}" not in events and again & set(rests):
            what = "a release rests on a signed decision that was entered once more"
            raise AnswerIsNo(what, where=f"{docket.name}, events/{name}.json")


def _check_persons(connection: DuckDBPyConnection, docket: Path, events: Mapping[str, Mapping[str, Any]]) -> None:
    """Whose data each release held: the list that its entry names, and the one agreeing record of the evidence each."""
    for name in [each for each in events if naming.kind(each) == "release"]:
        said = Released.of(events[name], where=f"{docket.name}, events/{name}.json")
        if f"unsealed-{said.release}" in events:
            if f"sealed-{said.release}" in events:
                what = "the release was sealed, and is said not to have been"
                raise AnswerIsNo(what, where=f"{docket.name}, events/unsealed-{said.release}.json")
            continue
        listed, where = docket / "persons" / f"{said.release}.json", f"{docket.name}, persons/{said.release}.json"
        if not listed.is_file() or digests.of_file(listed) != said.persons:
            raise AnswerIsNo("the list of persons in a release does not match its entry", where=where)
        rows = json.loads(listed.read_bytes())
        connection.execute("CREATE OR REPLACE TEMP TABLE docket_given (seq BIGINT, person_id BIGINT)")
        connection.execute(
            "INSERT INTO docket_given SELECT unnest($1::BIGINT[]), unnest($2::BIGINT[])",
            [[seq for seq, _, _ in rows], [person for _, person, _ in rows]],
        )
        stray = _row(
            connection.execute(
                """
            WITH agreeing AS (
                SELECT seq, min(person_id) AS person_id FROM read_parquet($1) WHERE agrees
                GROUP BY seq HAVING count(DISTINCT person_id) = 1
            )
            SELECT min(seq) FROM docket_given given LEFT JOIN agreeing USING (seq)
            WHERE agreeing.person_id IS DISTINCT FROM given.person_id
            """,
                [str(docket / "evidence.parquet")],
            )
        )
        if stray is not None and stray[0] is not None:
            raise AnswerIsNo(
                f"the release contained data of a different person from the one in row {stray[0]}", where=where
            )


def _docketed(docket: Path, reader: tiles.TileReader, size: int, received: Received) -> tuple[int, Docketed]:
    """The entry that binds the docket's files: where it stands, after the determinations, and what it says."""
    opening = _opening(docket, "docket")
    after = received.first + received.requests
    index = next((at for at, entry in enumerate(reader.span(after, size - after), after) if entry == opening.entry), 0)
    if not index:
        raise AnswerIsNo("the ledger has no entry for the docket's files", where=f"{docket.name}, events/docket.json")
    docketed = Docketed.of(opening.fields(), where=f"{docket.name}, events/docket.json")
    if (docketed.docket, docketed.received) != (received.docket, received.first - 1):
        raise AnswerIsNo("the entry for the docket's files is about a different receipt", where=docket.name)
    return index, docketed


def _opening(docket: Path, name: str) -> Opening:
    path = docket / "events" / f"{name}.json"
    if not path.is_file():
        raise WrongInput(
            "a file of the docket is missing", where=f"events/{name}.json", remedy="Use the complete folder"
        )
    return Opening.parse(path.read_bytes(), where=f"{docket.name}, events/{name}.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError:
        raise WrongInput("a file of the docket is missing", where=path.name, remedy="Use the complete folder") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AnswerIsNo("the file is not valid JSON", where=f"{path.parent.name}, {path.name}")
    return found


def batch_of(entry: bytes) -> bytes:
    """Which batch an entry belongs to."""
    return entry[1 : 1 + BATCH_BYTES]


def _check_pairs(connection: DuckDBPyConnection) -> None:
    row = _row(
        connection.execute(
            "SELECT coalesce(r.seq, d.seq) + 1, r.seq IS NULL, d.seq IS NULL "
            "FROM docket_requests r FULL JOIN docket_determinations d ON r.seq = d.seq AND r.request_id = d.request_id "
            "WHERE r.seq IS NULL OR d.seq IS NULL ORDER BY 1 LIMIT 1"
        )
    )
    if row is not None:
        what = "a determination answers no request" if row[1] else "a request has no determination"
        raise AnswerIsNo(what, where=f"determinations.parquet, row {row[0]}")
    counts = _row(
        connection.execute(
            "SELECT (SELECT count(*) FROM docket_requests), (SELECT count(*) FROM docket_determinations), "
            "(SELECT count(DISTINCT request_id) FROM docket_requests)"
        )
    )
    assert counts is not None  # noqa: S101 - an aggregate always answers
    if len(set(counts)) != 1:
        raise AnswerIsNo("a request or a determination appears twice", where="determinations.parquet")


def _place(connection: DuckDBPyConnection) -> tuple[int, int]:
    row = _row(
        connection.execute(
            "SELECT min(ledger_index - seq), max(ledger_index - seq), count(*), count(ledger_index) "
            "FROM docket_determinations"
        )
    )
    if row is None or row[2] == 0 or row[2] != row[3]:
        raise AnswerIsNo("a determination was never committed to the ledger", where="determinations.parquet")
    if row[0] != row[1] or row[0] < 0:
        raise AnswerIsNo(
            "the order in the ledger differs from the order in the submission", where="determinations.parquet"
        )
    return int(row[0]), int(row[2])


def _count_batch(docket: Path, reader: tiles.TileReader, size: int, batch: bytes) -> int:
    """How many entries of a batch the ledger holds; every event that the docket keeps must be among the others."""
    kept = {opening.entry: f"{name}.json" for name, opening in _openings(docket).items()}
    count = 0
    for entry in reader.span(0, size):
        count += batch_of(entry) == batch
        kept.pop(entry, None)
    if kept:
        raise AnswerIsNo(
            "this event is not an entry of the ledger", where=f"{docket.name}, events/{min(kept.values())}"
        )
    return count


def _row(result: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - DuckDB's connection and relation alike
    """The first row of a result that is read to its end, so that the connection may be used again."""
    rows = result.fetchall()
    return rows[0] if rows else None
