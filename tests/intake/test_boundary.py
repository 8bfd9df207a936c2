"""One boundary, one rule: a located fault of the sender's bytes refuses, and whatever else happens is the machine's.

Drawn from good submissions by spoiling their bytes; `GATEHOUSE_DRAWS=5000` draws more than a few seconds take.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sender
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.intake import addresses, loading, mapping, parcel, reader, reading
from gatehouse.intake import normalise as normalising
from gatehouse.intake.limits import LIMITS
from gatehouse.intake.manifest import parse
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests, scratch
from gatehouse.kernel.errors import MachineFailed

DRAWS = int(os.environ.get("GATEHOUSE_DRAWS", "40"))
DRAWN = settings(
    max_examples=DRAWS, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
ROWS = [sender.ROW | {"request_id": f"R{number}", "reason": f"Reason {number}, é"} for number in range(20)]


@pytest.fixture(scope="module", autouse=True)
def plainly() -> Iterator[None]:
    """Normalising has its own tests; here it only hands the table on, so that a thousand submissions can be read."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(addresses, "load_places", lambda *_: None)
        patched.setattr(
            normalising, "normalise", lambda connection, wire, target, _: connection.execute(
                f"CREATE TABLE {target} AS FROM {wire}"
            ),
        )  # fmt: skip
        yield


def table(kind: str) -> bytes:
    if kind == "csv":
        return sender.csv_text(*ROWS)
    if kind == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    with scratch.folder() as folder, open_workspace("256MB", threads=1) as connection:
        (folder / "t.csv").write_bytes(sender.csv_text(*ROWS))
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{folder / 't.csv'}', all_varchar = true)) TO '{folder / 't.parquet'}'"
        )
        return (folder / "t.parquet").read_bytes()


TABLES = {kind: table(kind) for kind in ("csv", "jsonl", "parquet")}


def spoiled(data: bytes) -> st.SearchStrategy[bytes]:
    """A few bytes changed, cut out, doubled or put in, anywhere."""
    place = st.integers(0, len(data) - 1)
    change = st.tuples(
        st.sampled_from(["flip", "cut", "double", "put", "end"]), place, st.integers(1, 60), st.binary(max_size=8)
    )

    def applied(changes: list[tuple[str, int, int, bytes]]) -> bytes:
        found = data
        for act, at, length, text in changes:
            if act == "flip":
                found = (
                    found[:at]
                    + bytes(byte ^ 0x5A for byte in found[at : at + max(1, length % 4)])
                    + found[at + max(1, length % 4) :]
                )
            elif act == "cut":
                found = found[:at] + found[at + length :]
            elif act == "double":
                found = found[:at] + found[at : at + length] + found[at:]
            elif act == "put":
                found = found[:at] + text + found[at:]
            else:
                found = found[: max(1, at)]
        return found

    return st.lists(change, min_size=1, max_size=4).map(applied)


def asked(folder: Path, source: Path, **more: object) -> dict[str, object]:
    return {"source": str(source), "folder": str(folder), "limits": dataclasses.asdict(LIMITS), "signed": True, **more}


def read(source: Path, place: Path) -> dict[str, object]:
    manifest = parse((source / "submission.json").read_bytes())
    layout = dataclasses.asdict(mapping.CONTRACT) | {"absent": []}
    tables = [dataclasses.asdict(each) for each in manifest.tables]
    return reading.answer(
        asked(
            place,
            source,
            task="read",
            tables=tables,
            layout=layout,
            signed_on="2025-06-27",
            threads=1,
            places="-",
            ordered=False,
        )
    )


def fits_the_rule(answer: dict[str, object]) -> None:
    assert "failed" not in answer, answer
    if "refused" in answer:
        assert answer["refused"]["where"]
        assert answer["refused"]["what"]


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.slow
def test_a_spoiled_table_is_read_or_refused_with_its_place(kind: str) -> None:
    @DRAWN
    @given(spoiled(TABLES[kind]))
    def drawn(data: bytes) -> None:
        with scratch.folder() as folder:
            sender.put(folder / "s", data, file=f"requests.{kind}", rows=len(ROWS))
            fits_the_rule(read(folder / "s", folder))

    drawn()


def test_a_spoiled_zip_is_read_or_refused_with_its_place(tmp_path: Path) -> None:
    good = sender.put(tmp_path / "good", TABLES["csv"], rows=len(ROWS))
    for packing in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / "good.zip", "w", packing) as archive:
            for path in sorted(good.iterdir()):
                archive.write(path, path.name)

        @DRAWN
        @given(spoiled((tmp_path / "good.zip").read_bytes()))
        def drawn(data: bytes) -> None:
            with scratch.folder() as folder:
                (folder / "s.zip").write_bytes(data)
                fits_the_rule(reading.answer(asked(folder, folder / "s.zip", task="describe")))
                with zipfile.ZipFile(tmp_path / "good.zip"):
                    names = ["requests.csv"]
                answer = reading.answer({**asked(folder, folder / "s.zip", task="unpack"), "names": names})
                fits_the_rule(answer)

        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(reading._TASKS, "unpack", _unpack)
            drawn()


def _unpack(asked: reading.Asked, folder: Path, limits: object) -> dict[str, object]:
    for path in parcel.members(Path(asked["source"]), asked["names"], folder / "unpacked"):
        parcel.plain(path)
    return {}


def test_a_spoiled_manifest_is_read_or_refused_with_its_place() -> None:
    document = json.dumps({**sender.MANIFEST, "tables": [{"file": "r.csv", "sha256": "0" * 64, "rows": 3}]}).encode()

    @DRAWN
    @given(spoiled(document))
    def drawn(data: bytes) -> None:
        with scratch.folder() as folder:
            (folder / "s").mkdir()
            sender.seal(folder / "s", data)
            fits_the_rule(reading.answer(asked(folder, folder / "s", task="describe")))

    drawn()


# --- and the other way round: nothing that befalls the machine refuses a good submission ---


def full_disk(*_: object, **__: object) -> object:
    raise OSError(errno.ENOSPC, "No space left on device")


FAULTS = {
    "a full disk while unpacking": (parcel, "_content", full_disk),
    "a disk that fails while hashing": (loading.readers, "digest", full_disk),
    "no memory while loading": (loading, "load", lambda *_: (_ for _ in ()).throw(MemoryError())),
    "no memory in the database": (
        loading, "check_ids", lambda *_: (_ for _ in ()).throw(duckdb.OutOfMemoryException("QUILLFEATHER"))
    ),
    "a full disk in the database": (
        loading, "check_ids", lambda *_: (_ for _ in ()).throw(duckdb.IOException("QUILLFEATHER"))
    ),
    "a fault of our own": (loading, "check_ids", lambda *_: (_ for _ in ()).throw(KeyError("QUILLFEATHER"))),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_machine_waits_and_repeats_no_data(tmp_path: Path, monkeypatch, fault: str) -> None:
    good = sender.put(tmp_path / "good", TABLES["csv"], rows=len(ROWS))
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        for path in good.iterdir():
            archive.write(path, path.name)
    manifest = parse((good / "submission.json").read_bytes())
    monkeypatch.setattr(*FAULTS[fault])
    layout = dataclasses.asdict(mapping.CONTRACT) | {"absent": []}
    answer = reading.answer(
        asked(
            tmp_path,
            tmp_path / "good.zip",
            task="read",
            tables=[dataclasses.asdict(each) for each in manifest.tables],
            layout=layout,
            signed_on="2025-06-27",
            threads=1,
            places="-",
            ordered=False,
        )
    )
    assert set(answer) == {"failed"}
    assert "QUILL" not in json.dumps(answer)


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_that_does_not_fit_the_memory_waits(tmp_path: Path, kind: str) -> None:
    """Read whole it would be refused by nobody; here DuckDB has a megabyte."""
    path = tmp_path / f"requests.{kind}"
    path.write_bytes(TABLES[kind])
    with open_workspace("1MiB", threads=1) as connection:
        connection.execute("SET temp_directory = ''")
        stated = [(path, loading.Table(path.name, digests.of_file(path), len(ROWS)))]
        with pytest.raises((MachineFailed, duckdb.OutOfMemoryException)):
            loading.load(connection, stated, mapping.CONTRACT, "wire", LIMITS)


@pytest.mark.parametrize(
    "told", [b"", b"{", b"[]", b'{"done": 1', b'{"failed": "x"}', b"{}", b"null", b'"refused"', b"7"]
)
def test_whatever_the_reader_says_that_is_no_answer_is_the_machines(told: bytes) -> None:
    with pytest.raises(MachineFailed):
        reader._heed(told, 1)
