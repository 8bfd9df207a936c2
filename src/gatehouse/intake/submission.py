"""Receiving a submission: checked whole, or refused whole with one line; then normalised once (design §5.2).

A fault of the whole (signature, digest, row count, columns, bytes, ids) raises WrongInput and leaves no table. A fault
of a row is that row's own outcome later on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake import manifest as manifests
from gatehouse.intake import mapping, parcel, readers
from gatehouse.intake.manifest import Manifest, Table
from gatehouse.intake.normalise import normalise
from gatehouse.intake.parties import Parties
from gatehouse.intake.wire import COLUMNS, MAX_ID
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput, place
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger.note import verify_detached

MAX_MANIFEST = 64 << 20
MAX_SIGNATURE = 4096


@dataclass(frozen=True)
class Received:
    """A submission that was received whole."""

    manifest: Manifest
    signature_valid: bool | None
    """True where a key of the agency signed; None where nobody asked or could tell."""
    digest: str
    """SHA-256 of submission.json, which binds every table."""
    requests: int
    signer: str | None
    """The name of the key that signed."""
    original: bytes
    """submission.json as it came."""
    signature: bytes
    """Its detached signature as it came; empty without one."""


def receive(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    parties: Parties | None,
    *,
    table: str = "requests",
    mapping: Path | None = None,
    unsigned: bool = False,
    progress: Progress = silent,
) -> Received:
    """Check a submission and make the table `requests` of docs/architecture.md.

    With `unsigned` no signature is asked for and `signature_valid` is None; without `parties` it cannot be checked and
    is None too. Raises WrongInput naming file, row, column and remedy; then no table is left.
    """
    with parcel.opened(source) as folder:
        data = _bounded(parcel.member(folder, manifests.NAME), MAX_MANIFEST)
        manifest = manifests.parse(data)
        signature = b"" if unsigned else _bounded(parcel.member(folder, manifests.SIGNATURE), MAX_SIGNATURE)
        signer = _check_signature(data, signature, manifest, parties) if signature and parties else None
        try:
            _load(connection, folder, manifest, mapping, progress)
            _check_ids(connection, manifest)
        except WrongInput:
            connection.execute("DROP TABLE IF EXISTS wire")
            raise
    progress("normalise", 0, 1)
    normalise(connection, "wire", table, manifest.signed_on)
    progress("normalise", 1, 1)
    return Received(
        manifest=manifest,
        signature_valid=True if signer else None,
        digest=digests.of_bytes(data),
        requests=manifest.rows,
        signer=signer,
        original=data,
        signature=signature,
    )


def _bounded(path: Path, limit: int) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise WrongInput("is too large", where=path.name, remedy=f"At most {limit} bytes are read")
    return data


def _check_signature(data: bytes, signature: bytes, manifest: Manifest, parties: Parties) -> str:
    """The name of the agency's key that signed on that day; raises WrongInput otherwise."""
    agency = parties.agencies.get(manifest.agency)
    if agency is None:
        remedy = "Ask the custodian to list it in parties.toml"
        raise WrongInput("the agency is not known to this custodian", where=f"{manifests.NAME}, agency", remedy=remedy)
    keys = agency.keys_on(manifest.signed_on)
    if not keys:
        remedy = "Ask the custodian to list a key valid on signed_on"
        raise WrongInput("the agency has no key on that day", where=f"{manifests.NAME}, signed_on", remedy=remedy)
    try:
        return verify_detached(data, signature, keys, where=manifests.SIGNATURE).name
    except AnswerIsNo as wrong:
        raise WrongInput(wrong.what, where=wrong.where, remedy="Sign again: gatehouse submission sign DIR") from None


def _load(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    layout_file: Path | None,
    progress: Progress,
) -> None:
    """Append the tables in the manifest's order to the table `wire`, each bound by its digest and row count."""
    layout = mapping.read(layout_file) if layout_file else mapping.CONTRACT
    readers.create(connection, "wire")
    for number, table in enumerate(manifest.tables):
        progress("read", number, len(manifest.tables))
        _load_table(connection, parcel.member(folder, table.file), table, layout)
    progress("read", len(manifest.tables), len(manifest.tables))
    if manifest.rows == 0:
        raise WrongInput("the batch is empty", where=manifests.NAME, remedy="Send at least one request")


def _load_table(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, layout: mapping.Layout) -> None:
    before = path.stat()
    if readers.digest(path, layout) != table.sha256:
        problem, remedy = "the digest is not the one that was signed", "Send the table as it was when signed"
        raise WrongInput(problem, where=path.name, remedy=remedy)
    rows = readers.load(connection, path, layout, "wire")
    after = path.stat()
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
        raise WrongInput("the table changed while it was read", where=path.name, remedy="Send it again")
    if rows != table.rows:
        problem = f"rows found: {rows}; rows stated in the manifest: {table.rows}"
        raise WrongInput(problem, where=path.name, remedy="State the true number and sign again")


def _check_ids(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Each request has its own plain id, and no text anywhere holds a NUL; raises WrongInput naming the row."""
    shaped = connection.execute(
        f"SELECT min(rowid) FROM wire WHERE request_id IS NULL OR length(request_id) > {MAX_ID} "
        r"OR regexp_matches(request_id, '\p{C}')"
    ).fetchone()
    if shaped and shaped[0] is not None:
        remedy = f"Give each request an id of 1 to {MAX_ID} printable characters"
        raise WrongInput("is missing, too long or unprintable", where=_place(manifest, shaped[0]), remedy=remedy)
    twice = connection.execute(
        "SELECT min(rowid) AS first, min(rowid) FILTER (rowid <> first_row) AS second FROM ("
        "SELECT rowid, request_id, min(rowid) OVER (PARTITION BY request_id) AS first_row FROM wire "
        "WHERE request_id IN (SELECT request_id FROM wire GROUP BY request_id HAVING count(*) > 1)"
        ") GROUP BY request_id ORDER BY second LIMIT 1"
    ).fetchone()
    if twice:
        first, second = twice
        (file, row), (other, _) = _row(manifest, first), _row(manifest, second)
        problem = f"is the id of row {row}{'' if file == other else f' of {file}'} again"
        raise WrongInput(problem, where=_place(manifest, second), remedy="Give each request its own id")
    nul = " OR ".join(f"contains({column}, chr(0))" for column in COLUMNS)
    if any(not table.file.lower().endswith(".csv") for table in manifest.tables):
        found = connection.execute(f"SELECT min(rowid) FROM wire WHERE {nul}").fetchone()
        if found and found[0] is not None:
            file, row = _row(manifest, found[0])
            raise WrongInput("holds a NUL character", where=place(file, row), remedy="Remove it")


def _row(manifest: Manifest, rowid: int) -> tuple[str, int]:
    """The file of a row, and the row's number in it, from 1."""
    for table in manifest.tables:
        if rowid < table.rows:
            return table.file, rowid + 1
        rowid -= table.rows
    raise IndexError(rowid)


def _place(manifest: Manifest, rowid: int) -> str:
    file, row = _row(manifest, rowid)
    return place(file, row, "request_id")
