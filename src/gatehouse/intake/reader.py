"""Having untrusted bytes read by another process: what comes back is a manifest, a table of requests, or a refusal.

That process (`intake.reading`) works in a private folder with bounds on memory, file size, disk and processor time, and
is ended with its parent. It says by itself whether the bytes are wrong; if it says nothing, the machine failed, and
nothing is decided about the submission.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.intake import manifest as manifests
from gatehouse.intake import reading
from gatehouse.intake.limits import LIMITS, Limits
from gatehouse.intake.manifest import Manifest
from gatehouse.intake.mapping import Layout
from gatehouse.intake.workspace import quoted
from gatehouse.kernel import scratch
from gatehouse.kernel.errors import MachineFailed, WrongInput

_log = logging.getLogger("gatehouse.reader")
_SOURCE = str(Path(__file__).parents[2])
_MOST_ANSWER = 64 << 10
_MOST_THREADS = 8


@dataclass(frozen=True)
class Described:
    """What a submission says of itself."""

    manifest: Manifest
    original: bytes
    """submission.json as it came."""
    signature: bytes
    """Its detached signature as it came; empty where none was asked for."""


def describe(source: Path, *, signed: bool = False, place: Path | None = None, limits: Limits = LIMITS) -> Described:
    """Read submission.json, and with `signed` its signature, from a folder or a zip; tables stay untouched.

    `place` is where the private folder is made. Raises WrongInput when the bytes are wrong, MachineFailed when they
    could not be read.
    """
    with scratch.folder(place) as folder:
        _ask("describe", {"source": str(source.absolute()), "signed": signed}, folder, limits, limits.seconds)
        original = (folder / reading.MANIFEST).read_bytes()
        signature = (folder / reading.SIGNATURE).read_bytes()
    return Described(manifests.parse(original), original, signature)


def read(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    manifest: Manifest,
    layout: Layout,
    target: str,
    *,
    place: Path | None = None,
    kept: Path | None = None,
    limits: Limits = LIMITS,
) -> None:
    """Make the table `target` (`requests` of docs/architecture.md) from the tables that a manifest names.

    With `kept` its rows become that Parquet file, in their order and as a docket keeps them, and `target` is a view of
    it. Raises WrongInput when the bytes are wrong, MachineFailed when they could not be read; then there is no table.
    """
    [(threads,)] = connection.execute("SELECT current_setting('threads')").fetchall()
    asked = {
        "source": str(source.absolute()),
        "tables": [asdict(table) for table in manifest.tables],
        "layout": asdict(layout) | {"absent": sorted(layout.absent)},
        "signed_on": manifest.signed_on.isoformat(),
        "threads": min(threads, _MOST_THREADS),
        "places": str(_places()),
        "ordered": kept is not None,
    }
    with scratch.folder(place) as folder:
        _ask("read", asked, folder, limits, limits.time(_size(source, manifest, limits)))
        path = folder / reading.REQUESTS
        counted = f"SELECT sum(num_rows) FROM parquet_file_metadata({quoted(path)})"
        if connection.execute(counted).fetchall() != [(manifest.rows,)]:
            raise _failed("it gave another number of requests than there are")
        if kept is None:
            connection.execute(f"CREATE OR REPLACE TABLE {target} AS FROM read_parquet({quoted(path)})")
        else:  # read from there, a few columns at a time: a second copy would cost as much as the file
            path.rename(kept)
            connection.execute(f"CREATE OR REPLACE VIEW {target} AS FROM read_parquet({quoted(kept)})")


@functools.cache
def _prepared() -> scratch.Scratch:
    """A folder of this process with the table of places, made by a reader that is shown no byte of anybody's."""
    folder = scratch.take()
    atexit.register(folder.close)
    _ask("prepare", {}, folder.path, LIMITS, LIMITS.seconds)
    return folder


def processor() -> float:
    """Seconds of processor time that readers of this process said they took, for benchmarks."""
    return _readers.processor


def _places() -> Path:
    return _prepared().path / reading.PLACES


def _size(source: Path, manifest: Manifest, limits: Limits) -> int:
    """Bytes that may have to be read, for the time that it may take: known of a folder, bounded for a zip."""
    if not source.is_dir():
        return min(limits.content, source.stat().st_size * limits.ratio, limits.text(manifest.rows))
    return sum(path.stat().st_size for table in manifest.tables if (path := source / table.file).is_file())


def _ask(task: str, asked: dict[str, Any], folder: Path, limits: Limits, seconds: int) -> None:
    """Have one task done. Raises WrongInput where the bytes are refused, MachineFailed for want of an answer."""
    stated = {**asked, "task": task, "folder": str(folder.absolute()), "limits": asdict(limits), "seconds": seconds}
    data = b""
    with _readers.connect() as line:
        line.settimeout(60 + 4 * seconds)  # it may wait for a disk, or for its turn
        try:
            line.sendall(json.dumps(stated).encode())
            line.shutdown(socket.SHUT_WR)
            while len(data) <= _MOST_ANSWER and (piece := line.recv(1 << 16)):
                data += piece
        except OSError as failed:
            raise _failed(f"it did not answer ({failed.strerror or 'it took too long'})") from None
        finally:
            number, _, told = data.partition(b"\n")
            if not told.endswith(b"}") and number.isdigit():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)
    _heed(told, seconds)


def _heed(told: bytes, seconds: int) -> None:
    try:
        answer = json.loads(told)
    except ValueError:
        raise _failed(
            f"it ended without an answer, after at most {seconds} seconds of processor time or for want of memory"
        ) from None
    said = answer if isinstance(answer, dict) else {}
    if isinstance(used := said.get("processor"), float):
        _readers.processor += used
    if isinstance(left := said.get("open"), list):
        _tell_open(", ".join(map(str, left)))
    if isinstance(said.get("refused"), dict):
        raise WrongInput(**said["refused"])
    if "done" not in said:
        raise _failed(str(said.get("failed", "it gave no answer")))


@functools.cache
def _tell_open(left: str) -> None:
    """Say once what this machine cannot lock up of the process that reads submissions."""
    if left:
        _log.warning("this machine leaves open to the process that reads submissions: %s", left)


class _Readers:
    """The process that splits off readers, started when it is first needed and again when it is gone."""

    def __init__(self) -> None:
        self.processor = 0.0
        self._turn = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> socket.socket:
        """A connection to a fresh reader."""
        ours, theirs = socket.socketpair()
        with self._turn, theirs:
            for _ in range(2):
                try:
                    socket.send_fds(self._running(), [b"!"], [theirs.fileno()])
                except OSError:
                    self._control = None
                else:
                    return ours
        ours.close()
        raise _failed("it cannot be started")

    def _running(self) -> socket.socket:
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        # No folder of anybody's is on the path to programs: a file of the sender's may be called like one of them.
        command = [sys.executable, "-P", "-m", "gatehouse.intake.reading"]
        environment = {"PYTHONPATH": _SOURCE, "PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=environment, cwd="/", start_new_session=True,
            )  # fmt: skip
        return self._control


_readers = _Readers()


def _failed(why: str) -> MachineFailed:
    return MachineFailed(
        f"the process that reads submissions failed: {why}",
        remedy="Nothing was decided. It is safe to try again. See the limits in docs/submission.md",
    )
