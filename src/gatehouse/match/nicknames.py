"""Short forms of given names that stand for a formal one; they count only beside an agreeing TIN or birth date.

Each line of `data/nicknames.txt` is a formal name and its short forms in everyday English or Spanish use.
"""

from __future__ import annotations

import importlib.resources

import duckdb


def read_nicknames() -> list[tuple[str, str]]:
    """Pairs of one name and another that may stand for it, in both directions, folded."""
    text = importlib.resources.files("gatehouse.match").joinpath("data/nicknames.txt").read_text()
    pairs = set()
    for line in text.splitlines():
        formal, _, short = line.partition(":")
        for nickname in short.split():
            pairs |= {(formal.strip(), nickname), (nickname, formal.strip())}
    return sorted(pairs)


def load_nicknames(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `match_nicknames` (`one`, `other`)."""
    pairs = read_nicknames()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_nicknames AS "
        "SELECT unnest($1::VARCHAR[]) AS one, unnest($2::VARCHAR[]) AS other",
        [[one for one, _ in pairs], [other for _, other in pairs]],
    )
