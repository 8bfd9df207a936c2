"""Killed at any write, the ledger is the old one or the new one, and the same work done again ends the same way."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import itertools
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from gatehouse.kernel.errors import MachineFailed
from gatehouse.ledger import policy, signers
from gatehouse.ledger.log import Log, batches, place
from gatehouse.ledger.verify import verify_log

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
SIGNER = signers.parse_signer(signers.new_key("log.example/2026")[0])
POLICY = policy.without_witnesses(SIGNER.verifier)
STEPS = [("a", 3), ("b", 252), ("c", 2)]
SIZES = list(itertools.accumulate(size for _, size in STEPS))
FULL = 7  # how a child ends that met a full disk
WRITES = {"os.rename", "os.remove", "os.mkdir", "sqlite3.connect"}


def entries(name, count):
    return [hashlib.sha512(f"{name}{n}".encode()).digest()[:53] for n in range(count)]


def work(folder):
    state = folder / "state"
    begin = Log.open if (state / "ledger.sqlite3").exists() else Log.create
    with begin(folder / "ledger", SIGNER, state=state) as log:
        for (name, count), size in zip(STEPS, SIZES, strict=True):
            assert log.append(name, entries(name, count)) == size - count
            if log.size == size:  # a later run finds the batches in, and publishes only what is new
                log.publish(NOW)


@pytest.fixture
def disk(tmp_path):
    """A folder in memory where there is one: a kill leaves what was written, synced or not, and syncing takes long."""
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own in it
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as name:
        yield Path(name)


def killed_child(folder, at=None, after=None, full=False, limit=None):
    """Run the work in a child that dies by SIGKILL at its `at`-th write, or after some seconds.

    With `full` that write and all later ones fail as on a full disk instead; with `limit` no file can grow beyond so
    many bytes, so writes end in the middle, SQLite's too. True when the child did not finish its work.
    """
    child = os.fork()
    if child == 0:
        writes = itertools.count(1)

        def watch(event, arguments):
            writing = event in WRITES or (event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
            if at is None or not writing or (number := next(writes)) < at:
                return
            if full:
                raise OSError(errno.ENOSPC, "No space left on device")
            if number == at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watch)
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            work(folder)
            os._exit(0)
        except (OSError, sqlite3.Error, MachineFailed):
            os._exit(FULL if full or limit is not None else 9)
        finally:
            os._exit(9)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in {0, FULL}
    return os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == FULL


def roots(folder):
    return {path.name: path.read_bytes() for path in (folder / "ledger/checkpoints").glob("*")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    work(folder)
    return roots(folder)


def check(folder, undisturbed):
    if (folder / "ledger/checkpoint").exists():
        assert verify_log(folder / "ledger", POLICY).checkpoint.size in SIZES
    work(folder)
    verified = verify_log(folder / "ledger", POLICY)
    assert (verified.checkpoint.size, verified.ahead) == (SIZES[-1], 0)
    kept = roots(folder)
    assert all(undisturbed[name] == data for name, data in kept.items())
    assert sorted(path.name for path in (folder / "state").iterdir()) == ["ledger.sqlite3", "lock"]


@pytest.mark.slow
def test_killed_at_every_write(disk, undisturbed):
    for at in itertools.count(1):
        folder = disk / str(at)
        folder.mkdir()
        if not killed_child(folder, at=at):
            break
        check(folder, undisturbed)
    assert at > 30


def test_killed_at_every_write_of_the_recovery_too(disk, undisturbed):
    for at in range(10, 40, 7):
        folder = disk / str(at)
        folder.mkdir()
        killed_child(folder, at=at)
        for again in range(2, 12, 3):
            killed_child(folder, at=again)
        check(folder, undisturbed)


def test_killed_at_any_instant(disk, undisturbed):
    chance = random.Random(5)  # noqa: S311 - repeatable instants
    for number in range(8):
        folder = disk / str(number)
        folder.mkdir()
        killed_child(folder, after=chance.uniform(0.0, 0.25))
        check(folder, undisturbed)


@pytest.mark.slow
def test_a_full_disk_at_every_write_leaves_the_old_ledger_or_the_new(disk, undisturbed):
    for at in itertools.count(1):
        folder = disk / str(at)
        folder.mkdir()
        if not killed_child(folder, at=at, full=True):
            break
        check(folder, undisturbed)
    assert at > 30


@pytest.mark.parametrize(
    "limit", [0, 1, 54, 164, 165, 400, 4095, 4096, 6000, 8191, 8192, 12_288, 14_000, 14_080, 14_500]
)
def test_a_write_that_ends_in_the_middle_leaves_the_old_ledger_or_the_new(disk, undisturbed, limit):
    folder = disk / "one"
    folder.mkdir()
    for _ in range(2):  # and the attempt to finish it, on the same full disk
        killed_child(folder, limit=limit)
    if not (folder / "state/ledger.sqlite3").exists() or (folder / "state/ledger.sqlite3").stat().st_size == 0:
        assert not (folder / "ledger/checkpoint").exists()
    check(folder, undisturbed)


def test_a_full_disk_leaves_the_old_ledger(disk, undisturbed, monkeypatch):
    folder = disk
    with Log.create(folder / "ledger", SIGNER, state=folder / "state") as log:
        log.append("a", entries("a", 3))
        log.publish(NOW)
        from gatehouse.ledger import growth

        placed = []

        def full(root, name, data):
            placed.append(name)
            if len(placed) > 1:
                raise OSError(28, "No space left on device")
            (root / name).write_bytes(data[: len(data) // 2])

        with monkeypatch.context() as patched:
            patched.setattr(growth, "_place", full)
            with pytest.raises(OSError, match="No space"):
                log.append("b", entries("b", 252))
        assert log.size == 3
        assert verify_log(folder / "ledger", POLICY).checkpoint.size == 3
        assert log.append("c", entries("c", 2)) == 255
    check(folder, undisturbed)


SPILLED = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 4")
database.execute("BEGIN IMMEDIATE")
database.execute("CREATE TABLE filler (x BLOB)")
database.executemany("INSERT INTO filler VALUES (?)", [(b"x" * 4096,)] * 200)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_only_reads_finds_the_batches_after_a_writer_was_killed_within_a_step(tmp_path):
    """A step that a killed writer left in the file is undone first; who opens the file to read alone cannot do that."""
    work(tmp_path)
    state, before = tmp_path / "state", batches(tmp_path / "state")
    ended = subprocess.run([sys.executable, "-c", SPILLED, state / "ledger.sqlite3"], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (state / "ledger.sqlite3-journal").is_file()
    assert list(before) == [name for name, _ in STEPS]
    assert batches(state) == before
    assert place(state, "b") == before["b"]
    assert not (state / "ledger.sqlite3-journal").exists()
