"""A submission that is wrong as a whole is refused with one line, leaves no table, and repeats none of its data."""

from __future__ import annotations

import json
import os
import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sender

from gatehouse.intake.submission import receive
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import new_key, parse_signer

HOSTILE = Path(__file__).parents[1] / "hostile" / "submissions"
EXPECTED = tomllib.loads((HOSTILE / "expected.toml").read_text(encoding="utf-8"))
SECRETS = ("QUILL", "OPHELIA", "900-70", "MAIN ST", "SPRINGFIELD", "62701", "Whitlock")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workspace("512MB", threads=2) as opened:
        yield opened


def refusal(connection: duckdb.DuckDBPyConnection, source: Path, **options) -> str:
    with pytest.raises(WrongInput) as refused:
        receive(connection, source, options.pop("parties", sender.known()), **options)
    message = str(refused.value)
    assert "\n" not in message
    assert not [secret for secret in SECRETS if secret in message]
    assert connection.execute("SHOW TABLES").fetchall() == []
    return message


def test_every_hostile_file_is_expected_and_every_expected_file_is_there() -> None:
    for kind in ("tables", "manifests", "zips"):
        assert {path.name for path in (HOSTILE / kind).iterdir()} == set(EXPECTED[kind])


@pytest.mark.parametrize("name", EXPECTED["tables"])
def test_a_hostile_table(connection, tmp_path, name: str) -> None:
    path = HOSTILE / "tables" / name
    stated = EXPECTED["rows"].get(name, 3)
    folder = sender.put(tmp_path / "s", path.read_bytes(), file=f"requests{path.suffix}", rows=stated)
    assert refusal(connection, folder) == EXPECTED["tables"][name]


@pytest.mark.parametrize("name", EXPECTED["manifests"])
def test_a_hostile_manifest(connection, tmp_path, name: str) -> None:
    sender.seal(tmp_path, (HOSTILE / "manifests" / name).read_bytes())
    assert refusal(connection, tmp_path) == EXPECTED["manifests"][name]


@pytest.mark.parametrize("name", EXPECTED["zips"])
def test_a_hostile_zip_as_it_was_uploaded(connection, name: str) -> None:
    assert refusal(connection, HOSTILE / "zips" / name, parties=None) == EXPECTED["zips"][name]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return sender.put(tmp_path / "good", sender.csv_text(sender.ROW))


def test_a_changed_table(connection, good) -> None:
    table = good / "requests.csv"
    table.write_bytes(table.read_bytes().replace(b"900-70-0001", b"900-70-0002"))
    assert "the digest is not the one that was signed" in refusal(connection, good)


def test_a_changed_manifest(connection, good) -> None:
    document = good / "submission.json"
    document.write_bytes(document.read_bytes().replace(b"ICE-2025-0003", b"ICE-2025-0004"))
    assert "the signature of us.dhs.ice is wrong" in refusal(connection, good)


def test_a_wrong_row_count(connection, tmp_path) -> None:
    folder = sender.put(tmp_path, sender.csv_text(sender.ROW), rows=2)
    assert refusal(connection, folder).startswith("requests.csv: rows found: 1; rows stated in the manifest: 2")


def test_a_key_that_nobody_knows(connection, good) -> None:
    stranger, _ = new_key("us.dhs.ice")
    document = (good / "submission.json").read_bytes()
    (good / "submission.json.sig").write_text(sign_detached(document, parse_signer(stranger)), encoding="utf-8")
    assert "with an unknown key" in refusal(connection, good)


def test_a_key_that_had_expired_on_the_day(connection, good) -> None:
    assert "has no valid key on that day" in refusal(connection, good, parties=sender.known(until="2025-06-27"))


def test_an_unknown_agency(connection, good) -> None:
    assert "does not know the agency" in refusal(connection, good, parties=sender.known(agency="us.other"))


@pytest.mark.parametrize("missing", ["submission.json", "submission.json.sig", "requests.csv"])
def test_a_missing_part(connection, good, missing: str) -> None:
    (good / missing).unlink()
    assert refusal(connection, good).startswith(f"{missing}: the file is missing")


def test_a_table_that_is_a_link_out_of_the_folder(connection, good, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere.csv"
    (good / "requests.csv").rename(elsewhere)
    (good / "requests.csv").symlink_to(elsewhere)
    assert refusal(connection, good).startswith("requests.csv: the file is missing")


def test_neither_folder_nor_zip(connection, tmp_path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    assert "neither a folder nor a zip" in refusal(connection, tmp_path / "note.txt")


def test_a_pipe_keeps_nobody_waiting(connection, tmp_path) -> None:
    os.mkfifo(tmp_path / "s.zip")
    assert "neither a folder nor a zip" in refusal(connection, tmp_path / "s.zip")


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([("../submission.json", b"{}")], "a path, a link or an unusual file name"),
        ([("/etc/submission.json", b"{}")], "a path, a link or an unusual file name"),
        ([("a/b/submission.json", b"{}")], "a path, a link or an unusual file name"),
        ([("a\\b.json", b"{}")], "a path, a link or an unusual file name"),
        ([("a/submission.json", b"{}"), ("b/requests.csv", b"")], "a duplicate name, or two folders"),
        ([(f"f{n}.csv", b"") for n in range(65)], "more than 64 files"),
        ([("submission.json", b"{}"), ("requests.csv", b"0" * (8 << 20))], "unpacks to far more than its size"),
    ],
    ids=["climbs", "absolute", "deep", "backslash", "two-folders", "many", "bomb"],
)
def test_a_hostile_zip(connection, tmp_path, members: list[tuple[str, bytes]], says: str) -> None:
    assert says in refusal(connection, zipped(tmp_path / "s.zip", *members))


def test_a_zip_with_a_link(connection, tmp_path) -> None:
    link = zipfile.ZipInfo("requests.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "a path, a link or an unusual file name" in refusal(connection, tmp_path / "s.zip")


def test_a_damaged_zip(connection, good, tmp_path) -> None:
    path = zipped(tmp_path / "s.zip", *((p.name, p.read_bytes()) for p in good.iterdir()))
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(bytes(data))
    assert "damaged" in refusal(connection, path)


def oversized(folder: Path, megabytes: int, *, lines: bool = False) -> Path:
    """A submission whose one row has one field of so many megabytes, all on one line or on many within quotes."""
    header, row, _ = sender.csv_text(sender.ROW).split(b"\n")
    at = row.index(b"The subject")
    folder.mkdir()
    path = folder / "requests.csv"
    with path.open("wb") as stream:
        stream.write(header + b"\n" + row[:at] + (b'"' if lines else b""))
        for _ in range(megabytes):
            stream.write((b"QUILL\n" if lines else b"QUILL ") * 174_763)
        stream.write((b'"' if lines else b"") + row[row.rindex(b",ICE-1") :] + b"\n")
    tables = [{"file": "requests.csv", "sha256": digests.of_file(path), "rows": 1}]
    sender.seal(folder, json.dumps(sender.MANIFEST | {"tables": tables}).encode())
    return folder


@pytest.mark.parametrize("lines", [False, True], ids=["one-line", "many-lines"])
@pytest.mark.parametrize("megabytes", [2, 40, pytest.param(1024, marks=pytest.mark.scale)])
def test_a_field_of_megabytes(connection, tmp_path, megabytes: int, lines: bool) -> None:
    """40 MB on one line is what the fast reader takes for an empty file."""
    message = refusal(connection, oversized(tmp_path / "s", megabytes, lines=lines))
    said = (
        "requests.csv: holds far more lines than the requests stated in the manifest. "
        "Remove blank lines and line breaks"
        if lines
        else "requests.csv, row 1: the row is longer than 64 KiB. Close an open quotation mark, or shorten the field"
    )
    assert message == said


def test_a_pointed_message_for_each_row_beyond_the_first_table(connection, tmp_path) -> None:
    """With several tables a row is counted in its own file."""
    first, second = sender.csv_text(sender.ROW), sender.csv_text({**sender.ROW, "request_id": "R2"}, sender.ROW)
    tables = []
    for name, data, rows in (("a.csv", first, 1), ("b.csv", second, 2)):
        (tmp_path / name).write_bytes(data)
        tables.append({"file": name, "sha256": digests.of_bytes(data), "rows": rows})
    sender.seal(tmp_path, json.dumps(sender.MANIFEST | {"tables": tables}).encode())
    assert re.match(
        r"b\.csv, row 2, column request_id: repeats the id of row 1 of a\.csv", refusal(connection, tmp_path)
    )
