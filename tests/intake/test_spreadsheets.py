"""What a spreadsheet exports is read by both sides alike, and the layout that is signed is the one that counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatehouse.intake import drafting, mapping, rowfaults
from gatehouse.intake import manifest as manifests
from gatehouse.intake.submission import receive
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.signers import new_key, parse_signer

VALUES = {"request_id": "R1", "last_name": "LE", "first_name": "MINH", "address_line1": "12 MAIN ST\nAPT 4",
          "city": "SPRINGFIELD", "state": "IL"}  # fmt: skip


def cells(request: str, line1: str) -> list[str]:
    values = VALUES | {"request_id": request, "address_line1": f'"{line1}"'}
    return [values.get(column, "") for column in COLUMNS]


def submission(folder: Path, table: bytes) -> Path:
    folder.mkdir()
    document = {
        "format": manifests.FORMAT, "id": "X-1", "agency": "a", "basis": "b", "agreement": "c",
        "signed_on": "2025-06-27",
        "signatory": {"name": "N", "title": "T", "capacity": "agency_head"}, "officers": [],
        "tables": [{"file": "requests.csv"}],
    }  # fmt: skip
    (folder / "submission.json").write_text(json.dumps(document))
    (folder / "requests.csv").write_bytes(table)
    return folder


def export(line_end: str, breaks: list[str], separator: str = ",") -> bytes:
    rows = [list(COLUMNS), *(cells(f"R{n}", f"12 MAIN ST{text}APT 4") for n, text in enumerate(breaks, 1))]
    return "".join(separator.join(row) + line_end for row in rows).encode()


def received(folder: Path, **options: object) -> list[tuple[str, str]]:
    with open_workspace("1GB") as connection:
        receive(connection, folder, None, unsigned=True, **options)  # type: ignore[arg-type]
        return connection.sql("SELECT request_id, address_line1 FROM requests ORDER BY seq").fetchall()


@pytest.mark.parametrize(
    ("line_end", "inside"), [("\r\n", "\n"), ("\r\n", "\r\n"), ("\r\n", "\r"), ("\n", "\n"), ("\n", "\r\n")]
)
def test_a_line_break_in_a_quoted_cell_is_the_cells_own(tmp_path: Path, line_end: str, inside: str) -> None:
    folder = submission(tmp_path / "s", export(line_end, [inside, " ", inside]))
    manifest = drafting.sign(folder, parse_signer(new_key("a")[0]))
    assert manifest.rows == 3
    assert [request for request, _ in received(folder)] == ["R1", "R2", "R3"]


@pytest.mark.parametrize("table", [export("\r\n", ["\n"]) + export("\n", [" "]).split(b"\n", 1)[1]])
def test_rows_that_end_in_two_ways_are_refused_by_both_sides(tmp_path: Path, table: bytes) -> None:
    (tmp_path / "requests.csv").write_bytes(table)
    with pytest.raises(WrongInput, match=r"requests\.csv, row 2: mixes kinds of line ends"):
        rowfaults.count(tmp_path / "requests.csv", mapping.CONTRACT)
    with pytest.raises(WrongInput, match=r"requests\.csv, row 2: mixes kinds of line ends"):
        drafting.sign(submission(tmp_path / "s", table), parse_signer(new_key("a")[0]))


def semicolons(tmp_path: Path) -> tuple[Path, Path]:
    """A submission whose tables are not of the contract's layout, and the mapping that brings them to it."""
    table = export("\r\n", ["\n", " "], ";").replace(b"last_name", b"SURNAME", 1)
    layout = tmp_path / "columns.toml"
    layout.write_text('separator = ";"\n[columns]\nlast_name = "SURNAME"\n')
    return submission(tmp_path / "s", table), layout


def test_the_layout_travels_in_the_signed_submission(tmp_path: Path) -> None:
    folder, layout = semicolons(tmp_path)
    manifest = drafting.sign(folder, parse_signer(new_key("a")[0]), layout)
    assert manifest.layout == mapping.read(layout)
    assert [request for request, _ in received(folder)] == ["R1", "R2"]
    again = drafting.sign(folder, parse_signer(new_key("a")[0]))
    assert again == manifest, "signed again, it keeps the layout that it states"


def test_another_layout_beside_the_signed_one_is_refused(tmp_path: Path) -> None:
    folder, layout = semicolons(tmp_path)
    drafting.sign(folder, parse_signer(new_key("a")[0]), layout)
    layout.write_text('separator = ","\n[columns]\nlast_name = "SURNAME"\n')
    with pytest.raises(WrongInput, match="the submission states a different layout"):
        received(folder, mapping=layout)


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ({"separator": ";;"}, "layout.separator must be one character"),
        ({"columns": {"surname": "x"}}, "layout.columns.surname is not a known key"),
        ({"values": {"state": "IL"}}, "layout.values is not a known key"),
        ("columns.toml", "layout must be an object"),
        ({"fixed": {"last_name": [0, 3]}}, "must be .first character, width."),
    ],
)
def test_a_layout_that_is_none_is_refused_by_its_path(layout: object, says: str) -> None:
    document = {"format": manifests.FORMAT, "id": "X-1", "agency": "a", "basis": "b", "agreement": "c",
                "signed_on": "2025-06-27", "signatory": {"name": "N", "title": "T", "capacity": "other"},
                "officers": [], "tables": [{"file": "r.csv", "sha256": "0" * 64, "rows": 1}],
                "layout": layout}  # fmt: skip
    with pytest.raises(WrongInput, match=says):
        manifests.parse(json.dumps(document).encode())
