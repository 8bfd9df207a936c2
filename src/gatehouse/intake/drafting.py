"""The requesting side's own hand: a new submission folder, and its signature over exactly what it holds.

Signing binds every table by digest and row count into submission.json and then signs those bytes; a later change of any
byte is seen by the custodian.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gatehouse.intake import loading, mapping, parcel, readers, rowfaults
from gatehouse.intake import manifest as manifests
from gatehouse.intake.document import Faults, Section
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock, files, scratch
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
        raise WrongInput("the folder is not empty", where=str(folder), remedy="Name a new folder")
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
    """Bind the tables, and the layout that they have, into submission.json and sign it; returns the manifest.

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
    with scratch.folder() as copy:
        for table in document["tables"]:
            shutil.copyfile(source / table["file"], copy / table["file"])
        (copy / manifests.NAME).write_bytes(_written(document))
        yield copy


def bound(folder: Path, layout_file: Path | None = None) -> dict[str, Any]:
    """submission.json with the digests and row counts of its tables as they are now."""
    data = parcel.plain(folder / manifests.NAME).read_bytes()
    try:
        document = json.loads(data)
        tables = [table["file"] for table in document["tables"]]
    except (ValueError, KeyError, TypeError):
        raise WrongInput(
            "the manifest lists no tables", where=manifests.NAME, remedy='Write "tables": [{"file": "requests.csv"}]'
        ) from None
    if layout_file:
        document["layout"] = mapping.document(mapping.read(layout_file))
    layout = _stated(document) or mapping.CONTRACT
    counted = []
    with open_workspace() as connection:
        readers.create(connection, "wire")
        for file in tables:
            path = parcel.plain(folder / str(file))
            digest = readers.digest(path, layout, lines=sys.maxsize)
            rows = readers.load(connection, path, layout, "wire")
            # The number that is signed is counted by another reader than the custodian's, so that a row which either
            # of them overlooked is seen there.
            if path.suffix.lower() != ".parquet" and rows != rowfaults.count(path, layout):
                raise WrongInput(
                    "two readers count different numbers of rows", where=path.name, remedy="Write it again as CSV"
                )
            counted.append({"file": file, "sha256": digest, "rows": rows})
        listed = [manifests.Table(**table) for table in counted]
        loading.check_length(connection, "wire", listed)
        loading.check_ids(connection, "wire", listed)  # nothing is signed that the custodian would refuse whole
    return {**document, "tables": counted}


def _stated(document: dict[str, Any]) -> mapping.Layout | None:
    if "layout" not in document:
        return None
    faults = Faults(manifests.NAME)
    layout = mapping.stated(Section(document, "", faults, list(document)).section("layout", mapping.KEYS))
    faults.finish("See docs/submission.md")
    return layout


def _written(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
