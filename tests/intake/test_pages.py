"""Page headers of Parquet that lie are found before a page is read, and every honest file passes."""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from gatehouse.intake import pages
from gatehouse.intake.columnar import check
from gatehouse.intake.limits import LIMITS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import WrongInput

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def connection():
    with open_workspace("1GB", threads=2) as opened:
        yield opened


def written(connection: duckdb.DuckDBPyConnection, path: Path, **options: object) -> Path:
    said = "".join(f", {name} {value}" for name, value in options.items())
    query = (
        "SELECT 'R' || i AS request_id, 'a reason of row ' || (i % 7) AS reason, "
        "CASE WHEN i % 3 = 0 THEN 'x' END AS suffix"
    )
    connection.execute(f"COPY ({query} FROM range(5000) t(i)) TO '{path}' (FORMAT parquet{said})")
    return path


FORMS = [
    dict(zip(("COMPRESSION", "PARQUET_VERSION", "ROW_GROUP_SIZE"), each, strict=True))
    for each in itertools.product(("uncompressed", "snappy", "zstd", "gzip"), ("v1", "v2"), (2048, 122_880))
]


@pytest.mark.parametrize("options", FORMS, ids=str)
def test_every_honest_file_passes(connection, tmp_path, options) -> None:
    check(connection, written(connection, tmp_path / "t.parquet", **options), 5000, LIMITS)


def headers(connection, path: Path) -> list[tuple[int, int, int]]:
    """Where the first header of each chunk begins, how long it is, and what it says of its size unpacked."""
    found = []
    for begins, packed in connection.execute(
        "SELECT least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset)), "
        f"total_compressed_size FROM parquet_metadata('{path}')"
    ).fetchall():
        header = pages._Header(path.read_bytes()[begins : begins + packed])
        _, whole, _, _ = header.page()
        found.append((begins, header.at, whole))
    return found


def varint(value: int) -> bytes:
    value, out = value << 1, bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def test_a_header_that_claims_gigabytes_is_the_sender_s_fault(connection, tmp_path) -> None:
    """In a few kilobytes: the number is written over the old one, as long as it was or longer within the header."""
    path = written(connection, tmp_path / "t.parquet", COMPRESSION="snappy", PARQUET_VERSION="v1")
    lied = 0
    for begins, length, whole in headers(connection, path):
        data = bytearray(path.read_bytes())
        old = varint(whole)
        place = data.index(old, begins, begins + length)
        data[place : place + len(old)] = varint((1 << 7 * len(old) - 1) - 1)  # the most that its bytes can say
        (tmp_path / "lie.parquet").write_bytes(data)
        with pytest.raises(WrongInput, match="the file is not a readable Parquet file"):
            check(connection, tmp_path / "lie.parquet", 5000, LIMITS)
        lied += 1
    assert lied >= 3


def test_a_claim_of_two_gigabytes_is_refused_before_anybody_makes_room(connection, tmp_path) -> None:
    """One page alone, its header rewritten: the reader would ask for 2 GiB, and the machine would be blamed."""
    path = tmp_path / "t.parquet"
    connection.execute(f"COPY (SELECT 'reason ' || i AS reason FROM range(9) t(i)) TO '{path}' (COMPRESSION snappy)")
    [(begins, length, whole)] = headers(connection, path)
    data = path.read_bytes()
    old, claim = varint(whole), varint((1 << 31) - 1)
    place = data.index(old, begins, begins + length)
    lie = tmp_path / "lie.parquet"
    lie.write_bytes(data[:place] + claim + data[place + len(old) :])
    with pytest.raises(WrongInput, match=r"lie\.parquet, column reason: the file is not a readable Parquet file"):
        check(connection, lie, 9, LIMITS)


def test_no_byte_of_a_header_makes_it_anything_but_read_or_refused(connection, tmp_path) -> None:
    path = written(connection, tmp_path / "t.parquet", COMPRESSION="zstd")
    begins, length, _ = headers(connection, path)[0]
    chunk = pages.Chunk("reason", begins, 10_000, 10_000, 5000)
    for at, value in itertools.product(range(length), (0, 1, 0x7F, 0x80, 0xFF)):
        data = bytearray(path.read_bytes())
        data[begins + at] = value
        (tmp_path / "m.parquet").write_bytes(data)
        try:
            pages.check(tmp_path / "m.parquet", [chunk])
        except pages.Lies:
            continue


SHUT = """
import json, os, socket, subprocess, sys
from gatehouse.intake import sandbox

def second_number(): # a socket by the x32 number of the call, which a kernel may know
    import ctypes
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.syscall(0x40000000 + 41, 2, 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "refused")

left = sandbox.shut()
said = {"left": left}
for name, act in (
    ("socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    ("local", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
    ("program", lambda: os.execv("/bin/true", ["true"])),
    ("child", lambda: subprocess.run(["/bin/true"], check=True)),
    ("second number", lambda: second_number()),
):
    try:
        act()
        said[name] = "done"
    except OSError as refused:
        said[name] = refused.errno
print(json.dumps(said))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has these locks")
def test_a_process_that_reads_has_no_network_and_starts_no_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHUT], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    if "calls" in said["left"]:
        pytest.skip("this kernel takes no filter of calls")
    assert {said[name] for name in ("socket", "local", "program", "child")} == {1}, said  # EPERM
    if platform.machine() == "x86_64":
        assert said["second number"] == 1, said  # ENOSYS (38) would mean that only the kernel's build saved us
