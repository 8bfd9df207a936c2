"""The requesting side's own hand: a new submission folder, and its signature over exactly what it holds.

Signing binds every table by digest and row count into submission.json and then signs those bytes; a later change of any
byte is seen by the custodian.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.intake import manifest as manifests
from gatehouse.intake import mapping, parcel, readers, rowfaults
from gatehouse.intake.wire import COLUMNS
from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import Signer

README = """\
A submission to a Gatehouse. Fill in:

1. submission.json: who asks, on what basis, the signatory, and the officers who are personally and directly engaged,
   each with an age recipient (make one with: gatehouse key new officer.key --kind recipient).
2. requests.csv: one row a person. Every element stands in every row; nothing in a covering letter fills a gap.

Then, in this order:
   gatehouse submission check .        names every fault of form by row and column; searches no record
   gatehouse submission sign . --key agency.key
"""


def new(folder: Path) -> None:
    """Make a submission folder to fill in. Raises WrongInput when the folder holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise WrongInput("the folder is not empty", where=str(folder), remedy="Name a new one")
    today = clock.today().isoformat()
    officer = {"id": "", "name": "", "title": "", "employee": True, "recipient": "", "attests_sole_use": False}
    document = {
        "format": manifests.FORMAT,
        "id": folder.name,
        "agency": "",
        "basis": "us.irs.6103-i-2",
        "agreement": "",
        "signed_on": today,
        "signatory": {"name": "", "title": "", "capacity": "agency_head"},
        "officers": [officer],
        "tables": [{"file": "requests.csv", "sha256": "", "rows": 0}],
    }
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(COLUMNS)
    files.write(folder / "requests.csv", header.getvalue().encode())
    files.write(folder / "README.txt", README.encode())
    files.write(folder / manifests.NAME, _written(document))


def sign(folder: Path, signer: Signer, layout_file: Path | None = None) -> manifests.Manifest:
    """Bind the tables into submission.json and sign it; returns the manifest.

    Raises WrongInput when the manifest or a table is not well formed; then nothing was changed.
    """
    document = bound(folder, layout_file)
    data = _written(document)
    manifest = manifests.parse(data)
    signature = sign_detached(data, signer)
    # The signature goes first: between the two writes it fits neither, and nothing half-signed can pass.
    files.write(folder / manifests.SIGNATURE, signature.encode())
    files.write(folder / manifests.NAME, data)
    return manifest


@contextmanager
def as_it_stands(source: Path, layout_file: Path | None = None) -> Iterator[Path]:
    """A submission to check: itself once it is signed, else a temporary copy with its tables bound as they are now."""
    if not source.is_dir() or (source / manifests.SIGNATURE).exists():
        yield source
        return
    document = bound(source, layout_file)
    with tempfile.TemporaryDirectory(prefix="gatehouse-check-") as name:
        for table in document["tables"]:
            shutil.copyfile(source / table["file"], Path(name) / table["file"])
        (Path(name) / manifests.NAME).write_bytes(_written(document))
        yield Path(name)


def bound(folder: Path, layout_file: Path | None = None) -> dict[str, Any]:
    """submission.json with the digests and row counts of its tables as they are now."""
    data = parcel.member(folder, manifests.NAME).read_bytes()
    try:
        document = json.loads(data)
        tables = [table["file"] for table in document["tables"]]
    except (ValueError, KeyError, TypeError):
        raise WrongInput(
            "the tables are not listed", where=manifests.NAME, remedy='Write "tables": [{"file": "requests.csv"}]'
        ) from None
    layout = mapping.read(layout_file) if layout_file else mapping.CONTRACT
    counted = []
    with duckdb.connect() as connection:
        readers.create(connection, "wire")
        for file in tables:
            path = parcel.member(folder, str(file))
            digest = readers.digest(path, layout)
            rows = readers.load(connection, path, layout, "wire")
            # The number that is signed is counted by another reader than the custodian's, so that a row which either
            # of them overlooked is seen there.
            if path.suffix.lower() != ".parquet" and rows != rowfaults.count(path, layout):
                raise WrongInput("two readers count different rows", where=path.name, remedy="Write it again as CSV")
            counted.append({"file": file, "sha256": digest, "rows": rows})
    return {**document, "tables": counted}


def _written(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
