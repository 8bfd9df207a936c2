"""The ledger's benchmark: commit, append, publish, verify, beside the SHA-256 rate of the same run.

Two floors, both of the tree's own hashes (one a leaf, one a node): calling `hashlib` that often on bytes that lie
ready, which is what any Python pays; and the blocks alone at the rate at which this processor hashes one long text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from gatehouse.cli.measure import Measure, measure, table

_NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
_LONG = 1 << 26
_BLOCK = 64
_LEAF_BLOCKS, _NODE_BLOCKS = 1, 2


def bench_ledger(requests: int, folder: Path, say: Callable[[str], None] = lambda _: None) -> str:
    """Measure each step for so many determinations in a process of its own; returns the table in Markdown."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    measured: dict[str, Measure] = {}
    for name, step in (("floor", floor), ("write", write), ("verify", verify), ("pymerkle", pymerkle)):
        if name == "pymerkle" and find_spec("pymerkle") is None:
            continue
        say(f"{name} …")
        measured[name] = measure(step, folder, requests)
    calls, blocks = measured["floor"].result
    rows: list[tuple[str, float, object]] = [("floor: hashlib calls", calls, ""), ("floor: SHA-256 blocks", blocks, "")]
    rows += [(name, seconds, "") for name, seconds in measured["write"].result.items()]
    rows += [("all of writing", sum(measured["write"].result.values()), measured["write"].peak_mib)]
    rows += [("verify in full", measured["verify"].result, measured["verify"].peak_mib)]
    if "pymerkle" in measured:
        rows.append(
            ("pymerkle: append, in memory, no files", measured["pymerkle"].result, measured["pymerkle"].peak_mib)
        )
    cells = [
        (name, f"{seconds:.2f}", f"{seconds / calls:.1f}", f"{seconds / blocks:.1f}", peak)
        for name, seconds, peak in rows
    ]
    return table(("step", "seconds", "× calls", "× blocks", "peak MiB"), cells)


def floor(_folder: Path, count: int) -> tuple[float, float]:
    """Seconds for the tree's hashes: as calls of hashlib on ready bytes, and as blocks of one long text."""
    sha256, leaf, node = hashlib.sha256, bytes(54), bytes(65)
    started = time.perf_counter()
    for _ in range(count):
        sha256(leaf).digest()
        sha256(node).digest()
    calls = time.perf_counter() - started
    text = bytes(_LONG)
    started = time.perf_counter()
    sha256(text).digest()
    rate = _LONG / _BLOCK / (time.perf_counter() - started)
    return calls, count * (_LEAF_BLOCKS + _NODE_BLOCKS) / rate


def write(folder: Path, count: int) -> dict[str, float]:
    """Seconds to commit so many determinations, append them (tree, tiles, bundles, durable) and publish."""
    import duckdb

    from gatehouse.ledger.commitments import DETERMINATION, commit
    from gatehouse.ledger.log import Log
    from gatehouse.ledger.signers import read_signer, write_key

    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE determinations AS SELECT range AS seq, 'REQ-' || range AS request_id, 'refused' AS outcome, "
        "['FORM', 'SUBJECT'] AS codes, ['us.irs.a', 'us.irs.b'] AS fired, ['last_known_address'] AS items, "
        "NULL::BIGINT AS person_id, DATE '2025-08-07' AS as_of, repeat('ab', 32) AS pack_digest FROM range(?)",
        [count],
    )
    write_key(folder / "log.key", "log.example/bench")
    taken: dict[str, float] = {}

    def timed(name: str, started: float) -> None:
        taken[name] = time.perf_counter() - started

    with Log.create(folder / "ledger", read_signer(folder / "log.key"), state=folder / "state") as log:
        started = time.perf_counter()
        made = commit(connection, "determinations", DETERMINATION, folder / "vault.parquet")
        timed("commit", started)
        started = time.perf_counter()
        log.append("determinations", made.entries)
        timed("append", started)
        started = time.perf_counter()
        log.publish(_NOW)
        timed("publish", started)
    return taken


def verify(folder: Path, _: int) -> float:
    """Seconds to verify that ledger in full."""
    from gatehouse.ledger.policy import without_witnesses
    from gatehouse.ledger.signers import read_signer
    from gatehouse.ledger.verify import verify_log

    started = time.perf_counter()
    verify_log(folder / "ledger", without_witnesses(read_signer(folder / "log.key").verifier))
    return time.perf_counter() - started


def pymerkle(_folder: Path, count: int) -> float:
    """Seconds for pymerkle to append so many entries to a tree in memory and give its root."""
    from pymerkle import InmemoryTree  # type: ignore[import-not-found]  # a benchmark's own environment has it

    tree = InmemoryTree(algorithm="sha256")
    started = time.perf_counter()
    for number in range(count):
        tree.append_entry(number.to_bytes(53, "big"))
    tree.get_state()
    return time.perf_counter() - started
