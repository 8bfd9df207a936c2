"""Commitments over columns: one entry of 53 bytes for each record of a table, and the keys that open them.

The construction is `opening`'s; here it is done in SQL for a million records at once. The keys go to the vault, a file
that only the custodian keeps: without a record's key nobody, the custodian included, can show what it said, and every
proof in the ledger stays valid.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatehouse.kernel import canonical, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import opening
from gatehouse.ledger.opening import BATCH_BYTES, VERSION, Opening

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Fields = Mapping[str, Sequence[str]]
"""Field name → the columns it holds; what is shown together is one field, and fewer fields are faster."""

DETERMINATION: Fields = {
    "request": ("request_id",),
    "answer": ("outcome", "codes", "items", "as_of", "pack_digest"),
    "grounds": ("fired", "unknown"),
    "person": ("person_id",),
}
"""How a determination is committed: an officer is shown the answer, an inspector the grounds, nobody the person."""


def determination(connection: DuckDBPyConnection, table: str) -> Fields:
    """How the determinations of a table are committed: `DETERMINATION`, or as it was before they said what was unknown.

    A docket of an earlier version has no column `unknown`, and its grounds are the list `fired` alone. Whoever takes
    the column away from a later docket, or adds one to an earlier, makes other entries than the ledger holds.
    """
    columns = {str(name) for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()}
    return DETERMINATION if "unknown" in columns else {**DETERMINATION, "grounds": ("fired",)}


@dataclass(frozen=True)
class Commitments:
    """The entries of one batch, in the order of `seq`, and the batch's random identifier (32 hexadecimal digits)."""

    batch: str
    entries: list[bytes]


def commit(connection: DuckDBPyConnection, table: str, fields: Fields, vault: Path) -> Commitments:
    """Commit every record of a table, by `seq` from 0 without gaps.

    `vault` receives `seq`, `batch` and `key` (Parquet, readable by its owner alone) before anything is committed; if
    it is there already, its keys are used again and the result is the same, so that a crash may be followed by
    another call. Raises WrongInput when `seq` has gaps or the vault belongs to other records.
    """
    count = _count(connection, table)
    batch = _load_vault(connection, vault, count) if vault.exists() else _make_vault(connection, count, vault)
    head = f"'\\x{VERSION:02x}'::BLOB || unhex('{batch}')"
    rows = connection.execute(
        f"SELECT {head} || unhex(printf('%08x', seq)) || unhex(sha256({_digest_list(fields)})) FROM "
        f"(SELECT * EXCLUDE (key), {_salt_blocks(fields)} FROM {table} JOIN ledger_vault USING (seq)) ORDER BY seq"
    ).fetchall()
    connection.execute("DROP TABLE ledger_vault")
    return Commitments(batch, [entry for (entry,) in rows])


def open_record(
    connection: DuckDBPyConnection,
    table: str,
    fields: Fields,
    vault: Path,
    *,
    seq: int,
    show: Collection[str] | None = None,
) -> Opening:
    """Open one committed record: all its fields, or only those to `show`.

    Raises AnswerIsNo when the record's key was destroyed, WrongInput when there is no such record.
    """
    found = _row(connection.execute("SELECT batch, key FROM read_parquet(?) WHERE seq = ?", [str(vault), seq]))
    if found is None:
        raise AnswerIsNo("the vault has no key for this record: it was destroyed or never made", where=vault.name)
    values = ", ".join(_value(columns) for columns in fields.values())
    record = _row(connection.execute(f"SELECT {values} FROM {table} WHERE seq = ?", [seq]))
    if record is None:
        raise WrongInput("there is no such record", where=table)
    whole = opening.make(found[0], seq, found[1], dict(zip(fields, record, strict=True)))
    return whole if show is None else whole.only(show)


def commit_event(fields: Mapping[str, Any]) -> tuple[bytes, Opening]:
    """Commit one event: the entry, and the opening with every field shown, which is the only copy of its salts.

    Values are JSON without floating-point numbers. Whoever destroys the opening leaves an entry that says nothing.
    """
    if not fields or not all(opening.is_field_name(name) for name in fields):
        raise WrongInput("an event needs fields, named in lower-case letters, digits and underscores")
    texts = {name: canonical.encode(value).decode() for name, value in fields.items()}
    whole = opening.make(secrets.token_hex(BATCH_BYTES), 0, secrets.token_hex(32), texts)
    return whole.entry, whole


def destroy(connection: DuckDBPyConnection, vault: Path, seqs: Collection[int]) -> int:
    """Destroy the keys of some records; returns how many there were. The caller appends the destruction as an event.

    The vault is written anew without them and takes the old file's place. Copies and backups of the vault must go the
    same way, and on flash media only the encryption of the medium makes an erasure certain.
    """
    query = "FROM read_parquet($1) WHERE seq IN (SELECT unnest($2::BIGINT[]))"
    gone = _row(connection.execute(f"SELECT count(*) {query}", [str(vault), list(seqs)]))
    kept = f"SELECT * FROM read_parquet('{_literal(vault)}') WHERE seq NOT IN (SELECT seq FROM ledger_gone)"
    connection.execute("CREATE OR REPLACE TEMP TABLE ledger_gone AS SELECT unnest($1::BIGINT[]) AS seq", [list(seqs)])
    _write_vault(connection, kept, vault)
    connection.execute("DROP TABLE ledger_gone")
    return int(gone[0]) if gone else 0


def _count(connection: DuckDBPyConnection, table: str) -> int:
    row = _row(
        connection.execute(
            f"SELECT count(*), count(DISTINCT seq), coalesce(min(seq), 0), coalesce(max(seq), -1) FROM {table}"
        )
    )
    assert row is not None  # noqa: S101 - an aggregate always answers
    count, distinct, least, most = row
    if (distinct, least, most) != (count, 0, count - 1) or count == 0:
        raise WrongInput("the records' seq must run from 0 without gaps or repeats", where=table)
    return int(count)


def _make_vault(connection: DuckDBPyConnection, count: int, vault: Path) -> str:
    # keys are SHA-256(secret, seq) of a secret that is forgotten at once: as good as chance, and made in columns
    batch = secrets.token_hex(BATCH_BYTES)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE ledger_vault AS "
        "SELECT range AS seq, $1 AS batch, sha256($2 || ':' || range) AS key FROM range($3)",
        [batch, secrets.token_hex(32), count],
    )
    _write_vault(connection, "FROM ledger_vault", vault)
    return batch


def _write_vault(connection: DuckDBPyConnection, query: str, vault: Path) -> None:
    with files.replacing(vault) as temporary:
        temporary.touch(mode=0o600)
        connection.execute(f"COPY ({query}) TO '{_literal(temporary)}' (FORMAT parquet, COMPRESSION snappy)")
        temporary.chmod(0o600)


def _load_vault(connection: DuckDBPyConnection, vault: Path, count: int) -> str:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE ledger_vault AS SELECT seq, batch, key FROM read_parquet('{_literal(vault)}')"
    )
    row = _row(
        connection.execute(
            "SELECT count(*), count(DISTINCT seq), max(seq), count(DISTINCT batch), bool_and(length(key) = 64), "
            "any_value(batch) FROM ledger_vault"
        )
    )
    if row is None or row[:5] != (count, count, count - 1, 1, True) or not opening.is_batch(row[5]):
        raise WrongInput("the vault belongs to different records, or some keys were destroyed", where=vault.name)
    return str(row[5])


def _salt_blocks(fields: Fields) -> str:
    return ", ".join(f"sha256(key || ':{block}') AS salts_{block}" for block in range((len(fields) + 1) // 2))


def _digest_list(fields: Fields) -> str:
    digests = []
    for at, (name, columns) in enumerate(fields.items()):
        if not opening.is_field_name(name):
            raise WrongInput("a field's name may contain only lower-case letters, digits and underscores", where=name)
        salt = f"substr(salts_{at // 2}, {1 + at % 2 * 32}, 32)"
        digests.append(f"""sha256('["' || {salt} || '","{name}",' || {_value(columns)} || ']')""")
    return """ '["' || """ + """ || '","' || """.join(digests) + """ || '"]' """


def _value(columns: Sequence[str]) -> str:
    """SQL for the JSON text of a field: the value of its one column, or an object of several."""
    if not columns or not all(opening.is_field_name(column) for column in columns):
        raise WrongInput("a field needs columns, named in lower-case letters, digits and underscores")
    if len(columns) == 1:
        return f"coalesce(to_json({columns[0]})::VARCHAR, 'null')"
    return f"to_json(struct_pack({', '.join(f'{column} := {column}' for column in columns)}))::VARCHAR"


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")


def _row(result: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - DuckDB's connection and relation alike
    """The first row of a result that is read to its end, so that the connection may be used again."""
    rows = result.fetchall()
    return rows[0] if rows else None
