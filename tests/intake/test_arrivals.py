"""The good ways in: folder or zip, CSV, JSON Lines, Parquet or another layout, and the receipt for each."""

from __future__ import annotations

import csv
import datetime as dt
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sender

from gatehouse.intake import drafting, form, mapping, parcel, parties, readers, receipt
from gatehouse.intake.submission import receive
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import WrongInput
from gatehouse.law import shipped
from gatehouse.law.reading import load
from gatehouse.ledger.note import verify_detached
from gatehouse.ledger.signers import new_key, parse_signer

LATER = sender.ROW | {"request_id": "R2", "last_name": "O'BRIEN", "reason": 'He said "no",\nthen left'}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workspace("1GB", threads=2) as opened:
        yield opened


def read(connection, path: Path, layout: mapping.Layout = mapping.CONTRACT) -> list[dict[str, str | None]]:
    readers.create(connection, "wire")
    readers.load(connection, path, layout, "wire")
    rows = connection.execute("SELECT * FROM wire ORDER BY rowid").fetchall()
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


EXPECTED = [{column: row.get(column) for column in COLUMNS} for row in (sender.ROW, LATER)]


def test_csv_jsonl_and_parquet_are_one_table(connection, tmp_path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(sender.csv_text(sender.ROW, LATER))
    objects = tmp_path / "t.jsonl"
    objects.write_text("\ufeff" + json.dumps(sender.ROW) + "\n\n" + json.dumps(LATER | {"tin": LATER["tin"]}) + "\n")
    columns = tmp_path / "t.parquet"
    assert read(connection, table) == EXPECTED
    connection.execute(f"COPY wire TO '{columns}' (FORMAT parquet)")
    assert read(connection, columns) == EXPECTED
    objects.write_text(objects.read_text().removeprefix("\ufeff"))
    assert read(connection, objects) == EXPECTED


def test_columns_may_stand_in_any_order(connection, tmp_path) -> None:
    backwards = list(reversed(COLUMNS))
    lines = [",".join(backwards), ",".join(sender.ROW.get(column, "") for column in backwards)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    assert read(connection, tmp_path / "t.csv") == EXPECTED[:1]


def test_a_zip_of_the_folder_is_the_folder(connection, tmp_path) -> None:
    folder = sender.put(tmp_path / "ICE", sender.csv_text(sender.ROW))
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"ICE/{path.name}")
    first = receive(connection, folder, sender.known())
    second = receive(connection, tmp_path / "s.zip", sender.known())
    assert (first.digest, first.manifest, first.signer) == (second.digest, second.manifest, second.signer)
    assert parcel.digest(folder) == first.digest


@pytest.mark.slow
def test_unsigned_or_without_parties_the_signature_is_unknown(connection, tmp_path) -> None:
    folder = sender.put(tmp_path, sender.csv_text(sender.ROW))
    assert receive(connection, folder, None).signature_valid is None
    assert receive(connection, folder, sender.known(), unsigned=True).signature_valid is None
    assert receive(connection, folder, sender.known()).signature_valid is True


LAYOUT = """
separator = ";"
absent = ["middle_name", "suffix"]
[columns]
last_name = "SURNAME"
address = "FULL ADDRESS"
"""


def test_another_layout_is_mapped(connection, tmp_path) -> None:
    (tmp_path / "columns.toml").write_text(LAYOUT)
    layout = mapping.read(tmp_path / "columns.toml")
    given = {"SURNAME": "QUILLFEATHER", "FULL ADDRESS": "12 MAIN ST, SPRINGFIELD, IL 62701"}
    names = [layout.file_column(target) for target in layout.targets]
    values = [given.get(name, sender.ROW.get(name, "")) for name in names]
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table, delimiter=layout.separator).writerows([names, values])  # the reason holds a semicolon
    assert read(connection, tmp_path / "t.csv", layout) == EXPECTED[:1]


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("12 Main St, Springfield, IL 62701", ("12 Main St", "Springfield", "IL", "62701")),
        ("12 Main St Apt 4, New York NY 10001-1234, USA", ("12 Main St Apt 4", "New York", "NY", "10001-1234")),
        ("12 Main St\nAlbany, NY", ("12 Main St", "Albany", "NY", None)),
        ("12 Main St Springfield IL 62701", ("12 Main St Springfield IL 62701", None, None, None)),
        ("Don't Care 12345", ("Don't Care 12345", None, None, None)),
        ("62701", ("62701", None, None, None)),
    ],
)
def test_a_whole_address_is_cut_only_where_it_says_so(connection, tmp_path, whole: str, cut: tuple) -> None:
    (tmp_path / "columns.toml").write_text(LAYOUT.replace('separator = ";"', ""))
    layout = mapping.read(tmp_path / "columns.toml")
    (tmp_path / "t.jsonl").write_text(json.dumps({"request_id": "R1", "FULL ADDRESS": whole}))
    (row,) = read(connection, tmp_path / "t.jsonl", layout)
    assert tuple(row[name] for name in ("address_line1", "city", "state", "postal_code")) == cut


def test_columns_by_position(connection, tmp_path) -> None:
    absent = [column for column in COLUMNS if column not in ("request_id", "last_name", "tin")]
    (tmp_path / "columns.toml").write_text(
        f"absent = {json.dumps(absent)}\n[fixed]\nrequest_id = [1, 4]\nlast_name = [5, 12]\ntin = [17, 9]\n"
    )
    (tmp_path / "t.csv").write_text("R1  MUÑOZ       900700001\nR2  O'BRIEN \n")
    rows = read(connection, tmp_path / "t.csv", mapping.read(tmp_path / "columns.toml"))
    assert [(row["request_id"], row["last_name"], row["tin"]) for row in rows] == [
        ("R1", "MUÑOZ", "900700001"),
        ("R2", "O'BRIEN", None),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[columns]\nfingerprint = "F"', "columns.fingerprint is not a known key"),
        ('separator = ";;"', "separator must be one character"),
        ('absent = ["request_id"]', "absent must name columns of the request table, and not request_id"),
        ('[columns]\ncity = "C"\naddress = "A"', "address stands instead of address_line1"),
        ('[columns]\ncity = "X"\nstate = "X"', "must not use one column of the file twice"),
        ('[constants]\nreason = "as in the letter"', "constants is not a known key"),
        ("[fixed]\nrequest_id = [0, 4]", "fixed.request_id must be [first character, width]"),
    ],
)
def test_a_layout_that_cannot_be(tmp_path, text: str, says: str) -> None:
    (tmp_path / "columns.toml").write_text(text)
    with pytest.raises(WrongInput) as wrong:
        mapping.read(tmp_path / "columns.toml")
    assert says in str(wrong.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("from = 2025-01-01", "", "keys[0].from is missing"),
        ("until = 2026-01-01", "until = 2024-01-01", "keys[0].until must be after from"),
        ("us.dhs.ice+", "us.dhs.other+", "keys[0].key cannot be used"),
        ('name = "An agency"', 'name = "An agency"\nphone = "1"', ".phone is not a known key"),
        ('name = "An agency"', "", ".name is missing"),
    ],
)
def test_a_parties_file_that_cannot_be(old: str, new: str, says: str) -> None:
    text = f"""
[agencies."us.dhs.ice"]
name = "An agency"
[[agencies."us.dhs.ice".keys]]
key = "{sender.PUBLIC}"
from = 2025-01-01
until = 2026-01-01
[agencies."us.dhs.ice".safeguards]
"""
    parties.parse(text.encode())
    with pytest.raises(WrongInput) as wrong:
        parties.parse(text.replace(old, new).encode())
    assert says in str(wrong.value)


def test_a_ceiling_needs_its_reason() -> None:
    with pytest.raises(WrongInput, match="reason is missing"):
        parties.parse(b"[policy.officer_matters_hold]\nceiling = 50\n")


def test_a_receipt_is_signed_over_its_bytes(tmp_path) -> None:
    private, _ = new_key("custodian")
    signer = parse_signer(private)
    now = dt.datetime(2025, 6, 28, 9, 0, tzinfo=dt.UTC)
    receipt.write(
        receipt.Receipt("ICE-1", "0" * 64, 0, now, "custodian", refusal="the batch is empty"), tmp_path, signer
    )
    data = (tmp_path / "receipt.json").read_bytes()
    verify_detached(data, (tmp_path / "receipt.json.sig").read_bytes(), [signer.verifier])
    assert json.loads(data)["refusal"] == "the batch is empty"
    assert json.loads(data)["received_at"] == "2025-06-28T09:00:00Z"


def test_the_requesting_side_makes_signs_and_checks(connection, tmp_path) -> None:
    folder = tmp_path / "ICE-1"
    drafting.new(folder)
    document = json.loads((folder / "submission.json").read_bytes())
    tables = document["tables"]
    (folder / "submission.json").write_text(json.dumps(sender.MANIFEST | {"tables": tables}))
    faulty = sender.ROW | {"request_id": "R2", "period_from": "", "tin": "12", "officer_ids": "ICE-9"}
    (folder / "requests.csv").write_bytes(sender.csv_text(sender.ROW, faulty))
    manifest = drafting.sign(folder, parse_signer(sender.PRIVATE))
    assert manifest.rows == 2
    received = receive(connection, folder, sender.known())
    law = next(pack for pack in map(load, shipped.packs()) if pack.basis == received.manifest.basis)
    asked = form.Asked(law.wording.form, law.wording.proceedings)
    faults = form.find(connection, "requests", received.manifest, asked)
    found = [(fault.row, fault.request_id, fault.column) for fault in faults]
    assert found == [(2, "R2", "tin"), (2, "R2", "period_from"), (2, "R2", "officer_ids")]
