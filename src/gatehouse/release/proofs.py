"""One record's proof: its determination opened from the ledger's commitment, and the path from there to a checkpoint.

Shown are the request's id and the answer (outcome, codes, items, date, pack); the rules that fired and the person stay
hidden behind their salts. Proofs of many records share their upper hashes, so each node is computed once.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework.selection import Selection
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import DETERMINATION
from gatehouse.ledger.opening import Opening, make
from gatehouse.ledger.tiles import HEIGHT, TileReader

SHOWN = ("request", "answer")
_RECORD = {"seq", "request_id", "items", "index", "opened", "proof"}


@dataclass(frozen=True)
class Proven:
    """What the ledger proves about one request."""

    seq: int
    batch: str
    request_id: str
    outcome: str
    items: tuple[str, ...]
    as_of: dt.date
    pack_digest: str


def prove(record: Mapping[str, Any], checkpoint: Checkpoint, *, where: str) -> Proven:
    """Check one record of a certificate. Raises WrongInput on its form, AnswerIsNo when it proves nothing."""
    if not isinstance(record, dict) or set(record) != _RECORD or type(record["index"]) is not int:
        raise WrongInput("a record of the certificate has other fields than it must", where=where)
    opened = Opening.parse(str(record["opened"]).encode(), where=where)
    leaf = tree.leaf_hash(opened.entry)
    path = _path(record["proof"], where)
    if not tree.verify_inclusion(leaf, record["index"], checkpoint.size, path, checkpoint.root):
        raise AnswerIsNo(f"row {opened.seq} is not in the ledger under this checkpoint", where=where)
    fields = opened.fields()
    answer = fields.get("answer")
    if set(fields) != set(SHOWN) or not isinstance(answer, dict) or not isinstance(fields["request"], str):
        raise AnswerIsNo(f"row {opened.seq} does not show its request and answer", where=where)
    if (record["seq"], record["request_id"]) != (opened.seq, fields["request"]):
        raise AnswerIsNo(f"row {opened.seq} is not the request it is said to be", where=where)
    return _proven(opened, fields["request"], answer, where)


def _proven(opened: Opening, request_id: str, answer: Mapping[str, Any], where: str) -> Proven:
    as_of = clock.read_date(str(answer.get("as_of")))
    items = answer.get("items")
    if as_of is None or not isinstance(items, list):
        raise AnswerIsNo(f"row {opened.seq} has no whole answer", where=where)
    return Proven(
        opened.seq,
        opened.batch,
        request_id,
        str(answer.get("outcome")),
        tuple(map(str, items)),
        as_of,
        str(answer.get("pack_digest")),
    )


def _path(text: object, where: str) -> list[bytes]:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b"?"
    except (binascii.Error, ValueError):
        data = b"?"
    if len(data) % tree.HASH:
        raise WrongInput("a proof of the certificate cannot be read", where=where)
    return [data[at : at + tree.HASH] for at in range(0, len(data), tree.HASH)]


def take(
    connection: duckdb.DuckDBPyConnection, *, determinations: str, vault: Path, cases: Selection, target: str
) -> None:
    """Make `target`: the committed texts and keys of some cases, read once for all packages of a batch.

    The JSON texts are those of `ledger.commitments`, or the proof fails and nothing leaves.
    """
    texts = ", ".join(f"{_json(columns)} AS {name}" for name, columns in DETERMINATION.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS "
        f"WITH chosen AS (SELECT * FROM {determinations} "
        "WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1) "
        f"SELECT seq, request_id, ledger_index, vault.batch, vault.key, {texts} "
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
) -> Iterator[dict[str, Any]]:
    """The records of a certificate for these cases of `taken`, in row order; `items` says what is released of each.

    Raises AnswerIsNo when a record's key was destroyed or it was never committed: no proof, no data.
    """
    for seq, request_id, index, opened in _openings(connection, taken, cases):
        if index is None:
            raise AnswerIsNo(f"row {seq} is not in the ledger yet", remedy="`gatehouse run` commits a docket")
        path = _audit_path(index, size, read)
        yield {
            "seq": seq,
            "request_id": request_id,
            "items": items[seq],
            "index": index,
            "opened": opened.encode().decode(),
            "proof": base64.b64encode(b"".join(path)).decode("ascii"),
        }


def _openings(
    connection: duckdb.DuckDBPyConnection, taken: str, cases: Selection
) -> Iterator[tuple[int, str, int | None, Opening]]:
    rows = connection.execute(
        f"SELECT seq, request_id, ledger_index, batch, key, {', '.join(DETERMINATION)} FROM {taken} "
        "WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1 ORDER BY seq",
        {"cases": cases.bitstring(1)},
    ).fetchall()
    for seq, request_id, index, batch, key, *values in rows:
        if key is None:
            raise AnswerIsNo(f"the key of row {seq} was destroyed: nothing can be proven about it any more")
        whole = make(batch, seq, key, dict(zip(DETERMINATION, values, strict=True)))
        shown = tuple(text for name, text in zip(DETERMINATION, whole.shown, strict=True) if name in SHOWN)
        yield seq, request_id, index, replace(whole, shown=shown)


def _json(columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return f"coalesce(to_json({columns[0]})::VARCHAR, 'null')"
    members = ", ".join(f"'{column}': {column}" for column in columns)
    return f"to_json({{{members}}})::VARCHAR"


def _audit_path(index: int, size: int, read: tree.ReadNode) -> list[bytes]:
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
