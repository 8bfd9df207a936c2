"""The ledger's benchmark: commit, append, publish, verify, beside the SHA-256 rate of the same run.

Two floors, both of the tree's own hashes (one a leaf, one a node): calling `hashlib` that often on bytes that lie
ready, which is what any Python pays; and the blocks alone at the rate at which this processor hashes one long text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Measure, measure, table
from gatehouse.kernel.errors import MachineFailed
from gatehouse.ledger import hashing, tiles, tree
from gatehouse.ledger.opening import ENTRY_BYTES, PACKED_BYTES

_NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
_LONG = 1 << 26
_BLOCK = 64
_LEAF_BLOCKS, _NODE_BLOCKS = 1, 2
_NOTE = """
*The tree* is the hashing alone: from entries in memory to the hashes of every level, by the functions that appending
uses, against as many calls of hashlib on bytes that lie ready. *Append* adds checking, packing, the copy that survives
a crash, ten thousand files and making them durable. *Commit* hashes nine times a determination, in DuckDB, before there
is a tree.
"""


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and seconds of processor time, helpers included."""

    wall: float
    processor: float


def bench_ledger(
    requests: int, folder: Path, say: Callable[[str], None] = lambda _: None, *, peers: Path | None = None
) -> str:
    """Measure each step for so many determinations in a process of its own; returns the table in Markdown.

    The ratios are of processor seconds, which other work on the machine disturbs least. `peers` is a Python that has
    pymerkle. Raises MachineFailed when that does not run, or its root of the same entries is another.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows: list[tuple[str, Spent, object]] = []
    for step in (floor, hashes, write, verify):
        say(f"{step.__name__} …")
        one: Measure = measure(step, folder, requests)
        rows += [(name, spent, one.peak_mib) for name, spent in one.result.items()]
    if peers is not None:
        say("pymerkle …")
        rows.append(_pymerkle(peers, requests))
    calls, blocks = rows[0][1].processor, rows[1][1].processor
    cells = [
        (name, f"{spent.wall:.2f}", f"{spent.processor:.2f}", *_ratios(spent, calls, blocks), peak)
        for name, spent, peak in rows
    ]
    return table(("step", "seconds", "processor", "× calls", "× blocks", "peak MiB"), cells) + _NOTE


def floor(_folder: Path, count: int) -> dict[str, Spent]:
    """The tree's hashes: as calls of hashlib on ready bytes, and as blocks at the rate of one long text."""
    sha256, leaf, node, text = hashlib.sha256, bytes(54), bytes(65), bytes(_LONG)

    def calls() -> None:
        for _ in range(count):
            sha256(leaf).digest()
            sha256(node).digest()

    long = timed(lambda: sha256(text).digest())
    share = count * (_LEAF_BLOCKS + _NODE_BLOCKS) * _BLOCK / _LONG
    return {
        "floor: hashlib calls": timed(calls),
        "floor: SHA-256 blocks": Spent(long.wall * share, long.processor * share),
    }


def hashes(_folder: Path, count: int) -> dict[str, Spent]:
    """The tree part alone: from packed entries to the hashes of every level, by the functions that appending uses."""
    packed = _packed(count)
    return {"the tree: leaves and nodes": timed(lambda: _root(packed))}


def write(folder: Path, count: int) -> dict[str, Spent]:
    """Commit so many determinations, append them (tree, tiles, bundles, durable) and publish."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger.commitments import DETERMINATION, Commitments, commit
    from gatehouse.ledger.log import Log
    from gatehouse.ledger.signers import read_signer, write_key

    connection = open_workspace()
    connection.execute(
        "CREATE TABLE determinations AS SELECT range AS seq, 'REQ-' || range AS request_id, 'refused' AS outcome, "
        "['FORM', 'SUBJECT'] AS codes, ['us.irs.a', 'us.irs.b'] AS fired, ['us.irs.b'] AS unknown, "
        "['last_known_address'] AS items, NULL::BIGINT AS person_id, DATE '2025-08-07' AS as_of, "
        "repeat('ab', 32) AS pack_digest FROM range(?)",
        [count],
    )
    write_key(folder / "log.key", "log.example/bench")
    made: list[Commitments] = []
    with Log.create(folder / "ledger", read_signer(folder / "log.key"), state=folder / "state") as log:
        steps: dict[str, Callable[[], object]] = {
            "commit": lambda: made.append(
                commit(connection, "determinations", DETERMINATION, folder / "vault.parquet")
            ),
            "append": lambda: log.append("determinations", made[0].entries),
            "publish": lambda: log.publish(_NOW),
        }
        taken = {name: timed(step) for name, step in steps.items()}
    taken["all of writing"] = Spent(
        sum(spent.wall for spent in taken.values()), sum(spent.processor for spent in taken.values())
    )
    return taken


def verify(folder: Path, _: int) -> dict[str, Spent]:
    """Verify that ledger in full."""
    from gatehouse.ledger.policy import without_witnesses
    from gatehouse.ledger.signers import read_signer
    from gatehouse.ledger.verify import verify_log

    believed = without_witnesses(read_signer(folder / "log.key").verifier)
    return {"verify in full": timed(lambda: verify_log(folder / "ledger", believed))}


def _pymerkle(python: Path, count: int) -> tuple[str, Spent, object]:
    script = Path(__file__).parents[1] / "tests" / "peers" / "pymerkle_append.py"
    ended = subprocess.run([python, script, str(count)], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ended.returncode:
        raise MachineFailed(
            f"pymerkle ended with status {ended.returncode}", remedy="Run without --peers to leave it out"
        )
    told = json.loads(ended.stdout)
    if told["root"] != _root(_packed(count)).hex():
        raise MachineFailed("pymerkle found another root for the same entries")
    return f"pymerkle {told['version']}: append in memory, root", Spent(*told["seconds"]), told["peak"]


def _packed(count: int) -> bytes:
    return tiles.encode_bundle([number.to_bytes(ENTRY_BYTES, "big") for number in range(count)])


def _root(packed: bytes) -> bytes:
    """The root over packed entries, tile level by tile level."""
    levels = [hashing.leaf_hashes(packed)]
    while full := len(levels[-1]) // tiles.TILE_BYTES * tiles.TILE_BYTES:
        levels.append(hashing.tile_roots(levels[-1][:full]))

    def read(level: int, index: int) -> bytes:
        tile_level, inner = divmod(level, tiles.HEIGHT)
        return tiles.tile_root(levels[tile_level][index * tree.HASH << inner : (index + 1) * tree.HASH << inner])

    return tree.range_hash(0, len(packed) // PACKED_BYTES, read)


def timed(step: Callable[[], object]) -> Spent:
    """What one step takes, helpers included."""
    wall, before = time.perf_counter(), os.times()
    step()
    after = os.times()
    return Spent(time.perf_counter() - wall, sum(after[:4]) - sum(before[:4]))


def _ratios(spent: Spent, calls: float, blocks: float) -> tuple[str, str]:
    return f"{spent.processor / calls:.1f}", f"{spent.processor / blocks:.1f}"
