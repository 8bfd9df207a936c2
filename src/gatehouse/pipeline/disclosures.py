"""Who was disclosed to whom, told from the ledger's release entries and nothing else.

Each entry names the list of whose data its package holds, and the list on disk must be that one. What a database says
of releases is not asked, so nothing is left out by editing a row. A release that was planned and never sealed counts
for nothing once the ledger says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties
from gatehouse.intake.workspace import quoted, write_parquet
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import docket_proof, policy
from gatehouse.ledger.entries import Released
from gatehouse.pipeline import history
from gatehouse.pipeline.event import Event
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site

KEPT = "disclosures.parquet"
"""What reports count of a destroyed docket: for whom the custodian must account (26 USC 6103(p)(3)(A))."""
_COLUMNS = "person_id, entry, released_on, agency, items, told_from, release"
_REMEDY = "Restore it from a backup, and report the change as a finding"


def gather(connection: duckdb.DuckDBPyConnection, site: Site, *, entries: int | None = None, only: str = "") -> None:
    """Make `answer_disclosures` of the releases among the first `entries` entries of the ledger, or among all.

    One row a person, determination and day: `person_id`, `entry` (of the determination), `released_on`, `agency`,
    `items` (joined by commas), `told_from` (null: never), `release` (of the first release's entry). `only` takes one
    docket. Raises AnswerIsNo where a list is missing or is not the one that its entry names.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE answer_disclosures (
          person_id BIGINT, entry BIGINT, released_on DATE, agency VARCHAR, items VARCHAR, told_from DATE,
          release BIGINT
        )
        """
    )
    known = history.whole(site)
    limit = known.size if entries is None else entries
    for received in known.of("received", scope=only or None):
        docket = Docket(site.dockets / received.scope)
        _take_releases(connection, site, docket, received, list(_counting(known, docket.id, limit)))


def verify(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Check every docket that something was released of against the ledger, as `verify docket` does.

    Also that each release is of the docket and the agency of its receipt. What was destroyed proves nothing more than
    its list. Raises AnswerIsNo with the first thing that does not bind.
    """
    known, believed = history.whole(site), policy.read(site.policy)
    newest = believed.accept((site.ledger / "checkpoint").read_bytes(), where="checkpoint")
    for received in known.of("received"):
        docket, releases = Docket(site.dockets / received.scope), list(_counting(known, received.scope, known.size))
        if not releases or next(known.of("destroyed", scope=docket.id), None) is not None:
            continue
        found = docket_proof.verify_docket(connection, docket.root, site.ledger, newest)
        docket_proof.dated(docket.root, site.ledger, found, believed)
        for one in releases:
            said = Released.of(one.fields, where=f"{docket.id}, {one.name}")
            if (said.docket, said.agency, said.entry) != (docket.id, found.received.agency, found.entry):
                raise AnswerIsNo("a release is for a different docket or agency from its receipt", where=docket.id)


def keep(connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket) -> Path:
    """Write a docket's disclosures into it, readable by their owner alone, so that they stay when it is destroyed."""
    gather(connection, site, only=docket.id)
    path = docket.root / KEPT
    write_parquet(connection, f"SELECT {_COLUMNS} FROM answer_disclosures ORDER BY ALL", path)
    path.chmod(0o600)
    return path


def is_kept(connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket) -> bool:
    """Whether what a destroyed docket keeps of its disclosures is what its releases say; of when it may be told, the
    terms of that day count. Raises AnswerIsNo as `gather` does.
    """
    gather(connection, site, only=docket.id)
    kept = f"SELECT * EXCLUDE told_from FROM read_parquet({quoted(docket.root / KEPT)})"
    made = "SELECT * EXCLUDE told_from FROM answer_disclosures"
    differing = " UNION ALL ".join(f"({one} EXCEPT ALL {other})" for one, other in ((kept, made), (made, kept)))
    return not connection.execute(f"SELECT 1 FROM ({differing}) LIMIT 1").fetchall()


def _counting(known: History, docket: str, limit: int) -> Iterator[Event]:
    """The releases of a docket within the first entries, less those that the ledger says were never sealed."""
    withdrawn = known.unsealed(docket)
    for one in known.of("release", scope=docket):
        if one.index < limit and one.text("release") not in withdrawn:
            yield one


def _take_releases(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, received: Event, releases: list[Event]
) -> None:
    if not releases:
        return
    agreement = parties.read(site.parties).agreements.get(manifests.parse(docket.manifest.read_bytes()).agreement)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE answer_given "
        "(person_id BIGINT, seq BIGINT, released_on DATE, item VARCHAR, release BIGINT)"
    )
    for one in releases:
        rows = [{"seq": seq, "person": person, "items": given} for seq, person, given in _persons(docket, one)]
        connection.execute(
            """
            INSERT INTO answer_given
            SELECT row.person, row.seq, $day::DATE, unnest(row.items), $release
            FROM (SELECT unnest($rows::STRUCT(seq BIGINT, person BIGINT, items VARCHAR[])[]) AS row)
            """,
            {"day": one.text("released_at")[:10], "release": one.index, "rows": rows},
        )
    connection.execute(
        """
        INSERT INTO answer_disclosures
        SELECT person_id, seq + $first, released_on, $agency, string_agg(DISTINCT item, ',' ORDER BY item),
               released_on + $after::INTEGER, min(release)
        FROM answer_given
        GROUP BY person_id, seq, released_on
        """,
        {
            "first": received.fields["first"],
            "agency": received.text("agency"),
            "after": agreement.notice_after_days if agreement else None,
        },
    )


def _persons(docket: Docket, release: Event) -> list[tuple[int, int, list[str]]]:
    """Whose data a package holds, by case: the list that the release's entry names."""
    path = docket.root / "persons" / f"{release.text('release')}.json"
    data = path.read_bytes() if path.is_file() else b""
    if digests.of_bytes(data) != release.text("persons"):
        raise AnswerIsNo(
            "the list of persons in a release is missing or was altered",
            where=f"dockets/{docket.id}/persons/{path.name}",
            remedy=_REMEDY,
        )
    found: list[tuple[int, int, list[str]]] = json.loads(data)
    return found
