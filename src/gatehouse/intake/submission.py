"""Receiving a submission: checked whole, or refused whole with one line; then normalised once (design §5.2).

A fault of the whole (signature, digest, row count, columns, bytes, ids) raises WrongInput and leaves no table. A fault
of a row is that row's own outcome later on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake import manifest as manifests
from gatehouse.intake import mapping as mapping_file
from gatehouse.intake import reader
from gatehouse.intake.manifest import Manifest
from gatehouse.intake.parties import Parties
from gatehouse.intake.workspace import spills
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger.note import verify_detached


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
    file: Path | None = None
    """The table in a Parquet file, in the order of its rows, for as long as the connection is open."""


def receive(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    parties: Parties | None,
    *,
    table: str = "requests",
    mapping: Path | None = None,
    unsigned: bool = False,
    for_docket: bool = False,
    progress: Progress = silent,
) -> Received:
    """Check a submission and make the table `requests` of docs/architecture.md.

    With `unsigned` no signature is asked for and `signature_valid` is None; without `parties` it cannot be checked and
    is None too. The bytes are read in a process of its own (`intake.reader`), the signature is checked before a table
    is. Raises WrongInput naming file, row, column and remedy, MachineFailed when the bytes could not be read; then no
    table is left, and after MachineFailed nothing is known about the submission. With `for_docket` the table is also a
    file (`Received.file`), which a docket then need not write again.
    """
    given = mapping_file.read(mapping) if mapping else None
    place = spills(connection)
    described = reader.describe(source, signed=not unsigned, place=place)
    manifest, signature = described.manifest, described.signature
    signer = _check_signature(described.original, signature, manifest, parties) if signature and parties else None
    if manifest.rows == 0:
        raise WrongInput("the submission has no requests", where=manifests.NAME, remedy="Send at least one request")
    if given and manifest.layout and given != manifest.layout:
        remedy = "Leave the mapping out: the signed one counts"
        raise WrongInput("the submission states a different layout", where=manifests.NAME, remedy=remedy)
    layout = manifest.layout or given or mapping_file.CONTRACT
    progress("read", 0, 1)
    kept = place / "requests.parquet" if for_docket and place else None
    reader.read(connection, source, manifest, layout, table, place=place, kept=kept)
    progress("read", 1, 1)
    return Received(
        manifest=manifest,
        signature_valid=True if signer else None,
        digest=digests.of_bytes(described.original),
        requests=manifest.rows,
        signer=signer,
        original=described.original,
        signature=signature,
        file=kept,
    )


def _check_signature(data: bytes, signature: bytes, manifest: Manifest, parties: Parties) -> str:
    """The name of the agency's key that signed on that day; raises WrongInput otherwise."""
    agency = parties.agencies.get(manifest.agency)
    if agency is None:
        remedy = "Ask the custodian to list it in parties.toml"
        raise WrongInput("this custodian does not know the agency", where=f"{manifests.NAME}, agency", remedy=remedy)
    keys = agency.keys_on(manifest.signed_on)
    if not keys:
        remedy = "Ask the custodian to list a key valid on signed_on"
        raise WrongInput("the agency has no valid key on that day", where=f"{manifests.NAME}, signed_on", remedy=remedy)
    try:
        return verify_detached(data, signature, keys, where=manifests.SIGNATURE).name
    except AnswerIsNo as wrong:
        raise WrongInput(wrong.what, where=wrong.where, remedy="Sign again: gatehouse submission sign DIR") from None
