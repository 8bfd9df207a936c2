"""One record's proof: its determination opened from the ledger's commitment, and the path from there to a checkpoint.

Shown are the request's id and the answer (outcome, codes, items, date, pack); the rules that fired and the person stay
hidden behind their salts. Proofs of many records share their upper hashes, so each node is computed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb

from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import tree
from gatehouse.ledger.commitments import DETERMINATION, determination
from gatehouse.ledger.opening import Opening, make
from gatehouse.ledger.tiles import HEIGHT, TileReader
from gatehouse.release.certificate import Pool, Record

SHOWN = ("request", "answer")


def take(
    connection: duckdb.DuckDBPyConnection, *, determinations: str, vault: Path, cases: Selection, target: str
) -> None:
    """Make `target`: the committed texts and keys of some cases, read once for all packages of a batch.

    The JSON texts are those of `ledger.commitments`, or the proof fails and nothing leaves.
    """
    fields = determination(connection, determinations)
    texts = ", ".join(f"{_json(columns)} AS {name}" for name, columns in fields.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS "
        f"WITH chosen AS (SELECT * FROM {determinations} "
        "WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1) "
        f"SELECT seq, ledger_index, vault.batch, vault.key, {texts} "
        "FROM chosen LEFT JOIN read_parquet($vault) vault USING (seq)",
        {"vault": str(vault), "cases": cases.bitstring(1)},
    )


def records(
    connection: duckdb.DuckDBPyConnection,
    *,
    taken: str,
    cases: Selection,
    items: Mapping[int, list[str]],
    read: tree.ReadNode,
    size: int,
    pool: Pool,
) -> Iterator[Record]:
    """The records of a certificate for these cases of `taken`, in row order; `items` says what is released of each.

    Raises AnswerIsNo when a record's key was destroyed or it was never committed: no proof, no data.
    """
    for seq, index, opened in _openings(connection, taken, cases):
        if index is None:
            raise AnswerIsNo(f"row {seq} is not in the ledger yet", remedy="`gatehouse run` commits a docket")
        path = pool.numbers(audit_path(index, size, read))
        yield Record(seq, tuple(sorted(items[seq])), opened.digests, opened.shown, path)


def _openings(
    connection: duckdb.DuckDBPyConnection, taken: str, cases: Selection
) -> Iterator[tuple[int, int | None, Opening]]:
    rows = connection.execute(
        f"SELECT seq, ledger_index, batch, key, {', '.join(DETERMINATION)} FROM {taken} "
        "WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1 ORDER BY seq",
        {"cases": cases.bitstring(1)},
    ).fetchall()
    for seq, index, batch, key, *values in rows:
        if key is None:
            raise AnswerIsNo(f"the key of row {seq} was destroyed: nothing can be proven about it any more")
        whole = make(batch, seq, key, dict(zip(DETERMINATION, values, strict=True)))
        shown = tuple(text for name, text in zip(DETERMINATION, whole.shown, strict=True) if name in SHOWN)
        yield seq, index, replace(whole, shown=shown)


def _json(columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return f"coalesce(to_json({columns[0]})::VARCHAR, 'null')"
    members = ", ".join(f"'{column}': {column}" for column in columns)
    return f"to_json({{{members}}})::VARCHAR"


def audit_path(index: int, size: int, read: tree.ReadNode) -> list[bytes]:
    """What `tree.inclusion_proof` gives, climbing one level a step instead of dividing ranges: for many at once."""
    path: list[bytes] = []
    level, last = 0, size - 1
    while last:
        if index & 1:
            path.append(read(level, index - 1))
        elif index < last:
            whole = (index + 2) << level <= size
            path.append(read(level, index + 1) if whole else tree.range_hash((index + 1) << level, size, read))
        level, index, last = level + 1, index >> 1, last >> 1
    return path


def shared(reader: TileReader) -> tree.ReadNode:
    """Nodes of the tree, each computed once however many proofs need it."""

    @cache
    def node(level: int, index: int) -> bytes:
        if level % HEIGHT == 0:
            return reader.node(level, index)
        return tree.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node
