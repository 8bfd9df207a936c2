"""What the cases of a decision are about, read from a docket that came through the door.

The candidate of a case is the one agreeing record of its evidence, as a release would take it; its line in the digest
is `<seq> <SHA-256 of KEY:candidate:PERSON>`, with the record's own key in the vault, one a case, in row order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse.casework.about import About, Recipient
from gatehouse.casework.selection import Selection
from gatehouse.intake import manifest as manifests
from gatehouse.intake.manifest import Manifest
from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel import digests
from gatehouse.kernel.line import Call
from gatehouse.pipeline import dockets
from gatehouse.pipeline.dockets import Placed
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.site import Site

_IN = "seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1"


def ask(site: Site, docket: str, cases: Selection) -> About:
    """The same by a docket's name: of the decider, which has the keys of its records, or read here."""
    decider = site.parts.of(Part.DECIDER) if site.parts else None
    if decider is None:
        return of(dockets.find(site, docket), cases)
    with Call(decider, messages.FROM_DECIDER, most=0) as call:
        said, _ = call.ask(messages.AskAbout(docket, cases.text()))
    return _about(said.fields)


def of(docket: Placed, cases: Selection) -> About:
    """What a decision about these cases of a docket is about. A case without one agreeing record has no candidate."""
    manifest = manifests.parse(docket.manifest.read_bytes())
    with open_workspace("1GB", threads=2) as connection:
        items, officers = _asked(connection, docket, cases)
        candidates = _candidates(connection, docket, cases)
    return About(
        index=docket.index,
        entry=docket.entry,
        batch=docket.received.batch,
        candidates=candidates,
        items=tuple(items),
        recipients=able(manifest, set(officers)),
        pack=docket.received.pack,
        as_of=docket.received.as_of,
    )


def able(manifest: Manifest, named: set[str]) -> tuple[Recipient, ...]:
    """Those of the officers named who may receive: employees who attest sole use and can be reached, by id."""
    found = (one for one in manifest.officers if one.employee and one.attests_sole_use and one.reachable)
    return tuple(Recipient(one.id, one.recipient) for one in sorted(found, key=lambda one: one.id) if one.id in named)


def _asked(connection: duckdb.DuckDBPyConnection, docket: Placed, cases: Selection) -> tuple[list[str], list[str]]:
    """The items that law, agreement and request name of these cases, and the officers whom they name; both sorted."""
    [(items, officers)] = connection.execute(
        f"""
        WITH chosen AS (
            SELECT list_intersect(decided.items, request.item_list) AS items, request.officer_list AS officers
            FROM read_parquet({quoted(docket.table("determinations"))}) decided
            JOIN read_parquet({quoted(docket.table("requests"))}) request USING (seq)
            WHERE {_IN}
        )
        SELECT (SELECT list_sort(list_distinct(flatten(list(DISTINCT items)))) FROM chosen),
               (SELECT list_sort(list_distinct(flatten(list(DISTINCT officers)))) FROM chosen)
        """,
        {"cases": cases.bitstring(1)},
    ).fetchall()
    return items or [], officers or []


def _candidates(connection: duckdb.DuckDBPyConnection, docket: Placed, cases: Selection) -> str:
    [(lines,)] = connection.execute(
        f"""
        WITH agreeing AS (
            SELECT seq, min(person_id) AS person_id FROM read_parquet({quoted(docket.table("evidence"))})
            WHERE agrees AND {_IN}
            GROUP BY seq HAVING count(DISTINCT person_id) = 1
        )
        SELECT string_agg(seq || ' ' || sha256(key || ':candidate:' || person_id) || chr(10), '' ORDER BY seq)
        FROM agreeing JOIN read_parquet({quoted(docket.vault)}) USING (seq)
        """,
        {"cases": cases.bitstring(1)},
    ).fetchall()
    return digests.of_bytes((lines or "").encode())


def _about(document: Mapping[str, Any]) -> About:
    entry, law = document["docket_entry"], document["law"]
    return About(
        index=entry["index"], entry=entry["sha256"], batch=document["batch"], candidates=document["candidates"],
        items=tuple(document["items"]), recipients=tuple(Recipient(**each) for each in document["recipients"]),
        pack=law["pack_digest"], as_of=law["as_of"],
    )  # fmt: skip
