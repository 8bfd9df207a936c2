"""Prints of the persons in a register, by which a later snapshot shows who changed.

Persons are taken in blocks of eight ids: of each block an index keeps two sums over hashes of all rows, one plain and
one with each row weighed by whose it is. Where one person of a block changed, the two differences say which; where
several did, all of it count as changed. That is one reading of the register, and an eighth of the sums.
"""

from __future__ import annotations

from gatehouse.match.register import TABLES, Register

COLUMNS = {
    table: [column for column in TABLES[table] if column != "person_id"] for table in ("persons", "names", "addresses")
}
"""What an index or the contract depends on by person; filings and restrictions are read where they are."""

_BLOCK = 8
_ALL = 2**60 - 1
"""Sums are kept modulo 2⁶⁰: a hash of as many bits still fits a BIGINT when it is weighed."""
_LONG = {"persons": "last_name", "names": "last_name", "addresses": "line1"}
_MOST_BITS = 23


def of(register: Register) -> str:
    """A query of `block`, `plain` and `weighed` (BIGINT): the sums of each block, whatever the order of rows."""
    return _sums(_weighed(register))


def changed(register: Register, before: str) -> str:
    """A query of `person_id`: whose rows are not as when the relation `before` was made by `of`.

    Of a block in which several changed, all ids are given, also those of nobody. A change goes unseen only where sums
    of 60-bit hashes coincide; rows that are alike count like others.
    """
    rows = f"{_weighed(register)} UNION ALL SELECT block, -plain, -weighed FROM {before}"
    return (
        f"WITH moved AS ({_sums(rows)} HAVING plain <> 0 OR weighed <> 0), "
        f"places AS (SELECT *, unnest(range(1 - {_BLOCK}, {_BLOCK})) AS place FROM moved), "
        f"ids AS (SELECT *, try_cast(block::HUGEINT * {_BLOCK} + place AS BIGINT) AS person_id FROM places), "
        f"persons AS (SELECT block, person_id, (plain::HUGEINT * {_weight()} - weighed) & {_ALL} = 0 AS alone "
        f"FROM ids WHERE {_block()} = block) "
        "SELECT person_id FROM persons QUALIFY alone OR NOT bool_or(alone) OVER (PARTITION BY block)"
    )


def places(persons: int) -> int:
    """For DuckDB's `perfect_ht_threshold`: the bits of a table of sums that has a place for every block, filled or not.

    It takes a third of the time of a hash table while ids lie close together; where they do not, DuckDB makes that. The
    bound keeps it below a gigabyte.
    """
    return min(persons.bit_length(), _MOST_BITS)


def _block() -> str:
    return f"person_id // {_BLOCK}"


def _weight() -> str:
    return f"(person_id % {_BLOCK})"


def _weighed(register: Register) -> str:
    """A query of each row's block, and its print, plain and weighed by whose it is.

    The hash of a long text is weak: it stays the same where the last letters of two neighbouring groups of eight bytes
    change together in some ways. With a letter put before the text the groups are others, so both are hashed.
    """
    tables = (
        f"SELECT {_block()} AS block, {_weight()} AS weight, "
        f"(hash({', '.join(columns)}, '-' || {_LONG[table]}) >> 4)::BIGINT AS print "
        f"FROM {register.relation(table)} WHERE person_id IS NOT NULL"
        for table, columns in COLUMNS.items()
    )
    return f"SELECT block, print AS plain, print * weight AS weighed FROM ({' UNION ALL '.join(tables)})"


def _sums(rows: str) -> str:
    return (
        f"SELECT block::BIGINT AS block, (sum(plain) & {_ALL})::BIGINT AS plain, "
        f"(sum(weighed) & {_ALL})::BIGINT AS weighed FROM ({rows}) _ GROUP BY block"
    )
