"""Templates: which reasons are one text with other names, dates, numbers and places put in.

A reason is the set of its pairs of neighbouring words, without numbers, months and the row's own names and places. Of
each set twelve least hashes are kept (MinHash: Broder, 1997); two sets with a share s of their pairs in common agree in
each with probability about s. Two groups of six make two prints: texts that share one are near-identical. Least
hashes of sentences merge into those of a text, so each distinct sentence is hashed once. The hash is the low half of
MD5, for prints are kept and compared with those of later years.
"""

from __future__ import annotations

import math

import duckdb

PRINTS = 2
MOST = 10_000
"""Characters of a reason that are read; a person reads what is longer."""
READ = f"upper(CASE WHEN strlen(reason) > {MOST} THEN left(reason, {MOST}) ELSE reason END)"
_HASHES = 12
_GROUP = _HASHES // PRINTS
# What each of the twelve hashes is turned by (exclusive or): digits of the square roots of the first primes.
_TURNS = tuple(math.isqrt(prime << 128) % (1 << 64) for prime in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37))


def mark(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `reason_marks` (line, m0 … m11): the least hashes of each line of `reason_lines` that a template counts."""
    least = ", ".join(f"min(xor(pair, {turn}::UBIGINT)) AS m{number}" for number, turn in enumerate(_TURNS))
    numbers = " [A-Z]*[0$][A-Z0$]*\\b| (?:JAN|FEB|MAR|APR|MAY|JUNE?|JULY?|AUG|SEPT?|OCT|NOV|DEC)[A-Z]*\\b"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE reason_marks AS
        WITH told AS (
            SELECT line, string_split(trim(regexp_replace(sentence, '{numbers}', '', 'g')), ' ') AS words
            FROM reason_lines WHERE line IN (
                SELECT line FROM reason_sentences JOIN reason_pieces USING (piece) WHERE counted)
        ), pairs AS MATERIALIZED (
            SELECT line, unnest(list_transform(
                list_zip(words[:-2], words[2:]), lambda pair: pair[1] || ' ' || pair[2])) AS words
            FROM told
        ), hashed AS (SELECT words, md5_number_lower(words) AS pair FROM (SELECT DISTINCT words FROM pairs))
        SELECT line, {least} FROM pairs JOIN hashed USING (words) GROUP BY line
    """)


def prints(pieces: str, target: str) -> str:
    """SQL that makes the table `target` (text, reason_template UBIGINT[]) from pieces (text, piece)."""
    least = ", ".join(f"min(m{number}) AS m{number}" for number in range(_HASHES))
    groups = ", ".join(
        " + ".join(f"(m{group * _GROUP + place} >> {place + 2})" for place in range(_GROUP)) for group in range(PRINTS)
    )
    return f"""
        CREATE OR REPLACE TEMP TABLE {target} AS
        WITH marked AS (
            SELECT piece, {least} FROM reason_sentences JOIN reason_marks USING (line) GROUP BY piece
        ), whole AS (SELECT text, {least} FROM {pieces} JOIN marked USING (piece) GROUP BY text)
        SELECT text, CASE WHEN m0 IS NOT NULL THEN [{groups}] END AS reason_template FROM whole
    """
