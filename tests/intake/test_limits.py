"""Every limit of docs/submission.md, at it and one past it, and what comes of the bounds of the process that reads."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sender

from gatehouse.intake import columnar, loading, mapping, parcel, reader, reading
from gatehouse.intake.limits import LIMITS, MIB, Limits
from gatehouse.intake.manifest import Table
from gatehouse.intake.wire import COLUMNS, MAX_ROW
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests, scratch
from gatehouse.kernel.errors import MachineFailed, WrongInput

HOSTILE = Path(__file__).parents[1] / "hostile" / "submissions"
DOCUMENT = Path(__file__).parents[2] / "docs" / "submission.md"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workspace("512MB", threads=2) as opened:
        yield opened


def load(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, limits: Limits = LIMITS) -> None:
    table = Table(path.name, digests.of_file(path), rows)
    loading.load(connection, [(path, table)], mapping.CONTRACT, "wire", limits)


def unpacked(path: Path, tmp_path: Path, limits: Limits = LIMITS) -> list[str]:
    into = tmp_path / f"into-{time.monotonic_ns()}"
    return [one.name for one in parcel.members(path, ["submission.json"], into, limits) if one.is_file()]


def test_the_document_states_the_limits_that_hold() -> None:
    text = DOCUMENT.read_text()
    for stated in (
        f"{LIMITS.files} files", f"{LIMITS.names >> 10} KiB of names", f"{LIMITS.content >> 30} GiB unpacked",
        f"{LIMITS.ratio} times", f"{LIMITS.manifest >> 20} MiB", f"{LIMITS.rows:,} requests",
        f"{LIMITS.row >> 10} KiB a request", f"{LIMITS.breaks} lines a request", f"{MAX_ROW >> 10} KiB",
        f"{LIMITS.addressable >> 30} GiB of memory", f"{LIMITS.seconds} seconds",
    ):  # fmt: skip
        assert stated in text, stated


# --- zips ---


def zipped(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return path


def test_files_of_a_zip(tmp_path) -> None:
    names = ["submission.json", *(f"f{number}.csv" for number in range(LIMITS.files - 1))]
    assert unpacked(zipped(tmp_path / "at.zip", names), tmp_path) == ["submission.json"]
    with pytest.raises(WrongInput, match="more than 64 files"):
        unpacked(zipped(tmp_path / "past.zip", [*names, "one-more.csv"]), tmp_path)


def test_two_million_names_are_refused_from_the_end_record_alone(tmp_path, monkeypatch) -> None:
    """The list itself is 94 MB, and would be a gigabyte of objects."""
    entry = b"PK\x01\x02" + b"\0" * 42 + b"x"
    listed = entry * 2_000_000
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(listed), 0, 0)
    (tmp_path / "many.zip").write_bytes(listed + end)
    few = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), 0, 0)  # it may also lie about the number
    (tmp_path / "few.zip").write_bytes(listed + few)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("its list of names was read"))
    with pytest.raises(WrongInput, match="more than 64 files"):
        unpacked(tmp_path / "many.zip", tmp_path)
    with pytest.raises(WrongInput, match="list of names is too long"):
        unpacked(tmp_path / "few.zip", tmp_path)


def test_a_zip64_record_elsewhere_than_where_it_is_read_is_refused(tmp_path) -> None:
    path = zipped(tmp_path / "s.zip", ["submission.json"])
    data = path.read_bytes()
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
    path.write_bytes(data[:-22] + locator + data[-22:])
    with pytest.raises(WrongInput, match="damaged or of an unsupported kind"):
        unpacked(path, tmp_path)


def test_names_of_a_zip(tmp_path) -> None:
    path = zipped(tmp_path / "s.zip", ["submission.json"])
    listed = len(path.read_bytes().split(b"PK\x01\x02")[1].split(b"PK\x05\x06")[0]) + 4
    assert unpacked(path, tmp_path, dataclasses.replace(LIMITS, names=listed))
    with pytest.raises(WrongInput, match="list of names is too long"):
        unpacked(path, tmp_path, dataclasses.replace(LIMITS, names=listed - 1))


@pytest.mark.parametrize(("bound", "stated"), [("content", 2 * MIB), ("ratio", None)])
def test_what_a_zip_unpacks_to(tmp_path, bound: str, stated: int | None) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("submission.json", b"0" * (2 * MIB))
        packed = archive.infolist()[0].compress_size
    at = stated or 2 * MIB // packed + 1
    loose = dataclasses.replace(LIMITS, ratio=10_000)
    assert unpacked(tmp_path / "s.zip", tmp_path, dataclasses.replace(loose, **{bound: at}))
    with pytest.raises(WrongInput, match="unpacks to far more than its size"):
        unpacked(tmp_path / "s.zip", tmp_path, dataclasses.replace(loose, **{bound: at - 1}))


def test_a_manifest_of_a_gigabyte_in_a_megabyte(tmp_path) -> None:
    """The list of names says how large it is: nothing of it is unpacked."""
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("submission.json", "w") as stream:
        for _ in range(64):
            stream.write(b" " * MIB)
    with pytest.raises(WrongInput, match="unpacks to far more than its size"):
        unpacked(path, tmp_path)
    assert not list(tmp_path.glob("into-*/*"))


def test_a_size_that_the_zip_understates(tmp_path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("submission.json", b"0" * (4 * MIB))
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 4 * MIB), struct.pack("<I", 10)))
    with pytest.raises(WrongInput, match=r"damaged|far more"):
        unpacked(path, tmp_path)


def test_a_disk_without_room_waits(tmp_path, monkeypatch) -> None:
    path = zipped(tmp_path / "s.zip", ["submission.json"])
    monkeypatch.setattr(parcel.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1}))
    with pytest.raises(MachineFailed, match="not enough disk space to unpack"):
        unpacked(path, tmp_path)


# --- submission.json ---


def described(folder: Path, limits: Limits = LIMITS) -> dict[str, object]:
    place = folder / f"answer-{time.monotonic_ns()}"
    place.mkdir()
    asked = {"task": "describe", "source": str(folder), "signed": True, "folder": str(place)}
    return reading.answer({**asked, "limits": dataclasses.asdict(limits)})


def test_bytes_of_a_manifest(tmp_path) -> None:
    sender.put(tmp_path, sender.csv_text(sender.ROW))
    size = (tmp_path / "submission.json").stat().st_size
    assert "done" in described(tmp_path, dataclasses.replace(LIMITS, manifest=size))
    refused = described(tmp_path, dataclasses.replace(LIMITS, manifest=size - 1))["refused"]
    assert refused["what"] == "the file is too large"


def test_requests_of_a_submission(tmp_path) -> None:
    for rows, outcome in ((LIMITS.rows, "done"), (LIMITS.rows + 1, "refused")):
        document = {**sender.MANIFEST, "tables": [{"file": "r.csv", "sha256": "0" * 64, "rows": rows}]}
        sender.seal(tmp_path, json.dumps(document).encode())
        assert outcome in described(tmp_path)


# --- text tables ---


def test_bytes_of_a_row(connection, tmp_path) -> None:
    path, row = tmp_path / "requests.csv", sender.ROW | {"reason": ""}
    plain = len(sender.csv_text(row).splitlines(keepends=True)[1])
    texts = sum(map(len, row.values()))
    for size in (MAX_ROW - plain, MAX_ROW - texts + 1):  # a line of just so many bytes, and texts of one byte more
        path.write_bytes(sender.csv_text(row | {"reason": "x" * size}))
        if size == MAX_ROW - plain:
            load(connection, path, 1)
            continue
        with pytest.raises(WrongInput, match="row 1: the row is longer than 64 KiB"):
            load(connection, path, 1)


def test_bytes_of_a_table_for_its_requests(connection, tmp_path) -> None:
    path = tmp_path / "requests.csv"
    path.write_bytes(sender.csv_text(sender.ROW))
    small = dataclasses.replace(LIMITS, row=0, spare_text=path.stat().st_size)
    load(connection, path, 1, small)
    with pytest.raises(WrongInput, match="is larger than 0 KiB a request"):
        load(connection, path, 1, dataclasses.replace(small, spare_text=path.stat().st_size - 1))


def test_blank_lines_and_line_breaks_of_a_table(connection, tmp_path) -> None:
    path = tmp_path / "requests.csv"
    for blank, taken in ((LIMITS.lines(1) - 2, True), (LIMITS.lines(1) - 1, False)):
        path.write_bytes(sender.csv_text(sender.ROW) + b"\n" * blank)
        if taken:
            load(connection, path, 1)
            continue
        with pytest.raises(WrongInput, match="far more lines than the requests stated"):
            load(connection, path, 1)


def test_eighty_megabytes_of_blank_lines_are_not_walked_through(connection, tmp_path) -> None:
    path = tmp_path / "requests.csv"
    path.write_bytes(sender.csv_text(sender.ROW) + b"\n" * (80 * MIB))
    begun = time.process_time()
    with pytest.raises(WrongInput, match="far more lines"):
        load(connection, path, 1)
    assert time.process_time() - begun < 20  # it took 130 seconds; this is for the kind, not for the speed


# --- Parquet ---


def parquet(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, reason: str, **options: object) -> Path:
    values = ["'R' || i AS request_id", *(f"'' AS {name}" for name in COLUMNS[1:] if name != "reason")]
    said = "".join(f", {name} {value}" for name, value in options.items())
    query = f"SELECT {', '.join(values)}, {reason} AS reason FROM range({rows}) t(i)"
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{said})")
    return path


def test_rows_of_a_footer_are_compared_before_a_row_is_read(connection, tmp_path, monkeypatch) -> None:
    path = parquet(connection, tmp_path / "requests.parquet", 200_000, "'x'")
    monkeypatch.setattr(columnar, "_measured", lambda *_: pytest.fail("its rows were read"))
    with pytest.raises(WrongInput, match="rows found: 200000; rows stated in the manifest: 3"):
        load(connection, path, 3)


def test_text_of_a_footer(connection, tmp_path, monkeypatch) -> None:
    path = parquet(connection, tmp_path / "requests.parquet", 3, f"repeat('x', {MIB})")
    monkeypatch.setattr(columnar, "_measured", lambda *_: pytest.fail("its rows were read"))
    with pytest.raises(WrongInput, match="is larger than 8 KiB a request"):
        load(connection, path, 3)


def test_one_text_that_every_row_names(connection, tmp_path) -> None:
    """A few kilobytes of Parquet are more than half a gigabyte of text: seen by adding lengths, not by making them."""
    path = parquet(connection, tmp_path / "requests.parquet", 20_000, "repeat('x', 32768)", COMPRESSION="zstd")
    columnar._check_stated(connection, path, 20_000, LIMITS)  # its footer says nothing of it
    with pytest.raises(WrongInput, match="is larger than 8 KiB a request"):
        load(connection, path, 20_000)


def test_bytes_of_a_row_of_parquet(connection, tmp_path) -> None:
    for size in (MAX_ROW - 2, MAX_ROW - 1):
        path = parquet(connection, tmp_path / f"{size}.parquet", 3, f"CASE WHEN i = 1 THEN repeat('x', {size}) END")
        if size == MAX_ROW - 2:
            load(connection, path, 3)
            continue
        with pytest.raises(WrongInput, match="row 2: the row is longer than 64 KiB"):
            load(connection, path, 3)


def test_a_footer_longer_than_the_file_or_than_any_needs(connection, tmp_path) -> None:
    path = parquet(connection, tmp_path / "requests.parquet", 3, "'x'")
    good = path.read_bytes()
    path.write_bytes(good[:-8] + struct.pack("<I", len(good)) + b"PAR1")
    with pytest.raises(WrongInput, match="not a readable Parquet file"):
        load(connection, path, 3)
    path.write_bytes(b"PAR1" + b"\0" * (9 << 20) + struct.pack("<I", (8 << 20) + 1) + b"PAR1")
    with pytest.raises(WrongInput, match="footer is too long"):
        load(connection, path, 3)


# --- the process that reads ---


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return sender.put(tmp_path / "good", sender.csv_text(sender.ROW))


@pytest.fixture
def slow(monkeypatch) -> None:
    """A table of places that stands in for the real one, so that a reader fails at once where it is meant to."""
    monkeypatch.setattr(reader, "_places", lambda: Path("/nonexistent"))


def read(connection, folder: Path, **limits: int) -> None:
    told = reader.describe(folder)
    bounds = dataclasses.replace(LIMITS, **limits)
    reader.read(connection, folder, told.manifest, mapping.CONTRACT, "requests", limits=bounds)


def test_a_reader_without_memory_fails_and_refuses_nothing(connection, good, slow) -> None:
    with pytest.raises(MachineFailed, match="the process that reads submissions failed"):
        read(connection, good, memory=1 * MIB, beside=200 * MIB)


def test_a_reader_that_takes_too_long_is_ended(tmp_path) -> None:
    """Making the table of places takes longer than a second."""
    with pytest.raises(MachineFailed, match="without an answer, after at most 1 seconds"):
        reader._ask("prepare", {}, tmp_path, LIMITS, 1)


def test_a_reader_cannot_fill_the_disk(connection, good, slow) -> None:
    with pytest.raises(MachineFailed):
        read(connection, good, content=1)


def test_a_reader_ends_with_whoever_asked(connection, good, monkeypatch) -> None:
    """Whoever is interrupted while it waits ends the reader, and nothing of it stays."""
    monkeypatch.setattr(reader.socket.socket, "recv", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with scratch.folder() as place, pytest.raises(KeyboardInterrupt):
        reader.describe(good, place=place)
    assert not place.exists()


KILLED = """
import sys
from pathlib import Path
from gatehouse.intake import reader
from gatehouse.kernel import scratch
with scratch.folder(Path(sys.argv[1])) as folder:
    print(reader._readers._running() and reader._readers._process.pid, flush=True)
    reader._ask("prepare", {}, folder, reader.LIMITS, 300)
"""


def test_a_reader_does_not_outlive_a_killed_parent(tmp_path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(reader.__file__).parents[2])}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = int(process.stdout.readline())

    def readers() -> list[int]:
        """The process that splits off readers, and those it split off."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                number, parent = int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])
                found += [number] if first in (number, parent) else []
        return found

    for _ in range(200):
        if len(readers()) > 1:
            break
        time.sleep(0.1)
    assert len(readers()) > 1
    process.kill()
    process.wait()
    for _ in range(200):
        if not readers():
            break
        time.sleep(0.1)
    assert readers() == []
    scratch._swept.discard(tmp_path)
    with scratch.folder(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_a_dead_process_is_started_again(connection, good) -> None:
    assert reader.describe(good).manifest.rows == 1
    os.kill(reader._readers._process.pid, signal.SIGKILL)
    reader._readers._process.wait()
    assert reader.describe(good).manifest.rows == 1


def test_a_file_of_the_senders_is_never_taken_for_a_program(tmp_path) -> None:
    folder = sender.put(tmp_path / "s", sender.csv_text(sender.ROW))
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
        for name in ("json.py", "duckdb.py", "socket.py", "sitecustomize.py"):
            archive.writestr(name, "raise SystemExit(7)")
    reader._readers = reader._Readers()
    assert reader.describe(tmp_path / "s.zip", signed=True).manifest.rows == 1
