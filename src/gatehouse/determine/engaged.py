"""Which officers are one: whoever shares a key, or a name and title up to spelling and counters, holds one's matters.

Ceilings count people, and a manifest can name one person many times. Officers of one agency are joined across all its
dockets: by identifier, by the key a release is sealed to, by folded name and title, and all who are named after a rank
or a placeholder, for they name nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake import officers
from gatehouse.intake.manifest import Manifest, Officer

HERE = ""
"""How this submission's own docket is called in the table."""


def join(connection: duckdb.DuckDBPyConnection, target: str, manifest: Manifest, earlier: Sequence[Docket]) -> None:
    """Make the table `target` (docket, officer, one): of each officer of each docket, whom they are counted as.

    `docket` is the folder of an earlier docket as its files name it, or `HERE`. An officer whom a row names and no
    manifest lists is in no row, and counts as themselves.
    """
    listed = {HERE: manifest.officers} | {str(docket.root): _officers(docket) for docket in earlier}
    places = [(docket, officer) for docket, of_docket in listed.items() for officer in of_docket]
    ones = united([officer for _, officer in places])
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT unnest($dockets::VARCHAR[]) AS docket, "
        "unnest($officers::VARCHAR[]) AS officer, unnest($ones::VARCHAR[]) AS one",
        {
            "dockets": [docket for docket, _ in places],
            "officers": [officer.id for _, officer in places],
            "ones": ones,
        },
    )


def _officers(docket: Docket) -> tuple[Officer, ...]:
    # A docket made before manifests were kept, or destroyed since, has only the identifiers in its rows.
    return manifests.parse(docket.manifest.read_bytes()).officers if docket.manifest.is_file() else ()


def united(people: Sequence[Officer]) -> list[str]:
    """For each officer the identifier of the first with whom they are one, directly or through others."""
    parent = list(range(len(people)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    for at, officer in enumerate(people):
        for key in keys(officer):
            other = root(first.setdefault(key, at))
            mine = root(at)
            parent[max(mine, other)] = min(mine, other)
    return [people[root(at)].id for at in range(len(people))]


def keys(officer: Officer) -> Iterable[str]:
    """What an officer shares with another only if the two are one."""
    yield f"id:{officer.id}"
    if officer.recipient:
        yield f"recipient:{officer.recipient.strip().lower()}"
    name = officers.folded_name(officer.name)
    if not name or not officer.named:
        yield "nobody"
    else:
        yield f"name:{name}:{officers.folded_title(officer.title)}"
