"""Proofs for outsiders: one field or more of one determination, or of one event, opened with its place in the ledger.

What is not to be shown stays behind its salt. The fourth field of a determination, the person, is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import checkpoint, proof, tiles
from gatehouse.ledger.commitments import DETERMINATION, determination, open_record
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Site

SHOWN = tuple(name for name in DETERMINATION if name != "person")
"""What may be shown of a determination, and is unless less is asked for."""


def prove_case(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, request: str, show: Collection[str] = SHOWN
) -> bytes:
    """The proof file of one request's determination with these fields opened. `verify proof` and the stranger read it.

    Raises WrongInput for a request or a field that is not there, AnswerIsNo when the docket's keys were destroyed.
    """
    if not show or not set(show) <= set(SHOWN):
        raise WrongInput(f"the fields of a determination are {', '.join(SHOWN)}", where="--show")
    if docket.is_destroyed:
        raise AnswerIsNo("the keys of this docket were destroyed, so it can no longer be opened", where=docket.id)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE proving AS SELECT * FROM read_parquet($file) WHERE request_id = $request",
        {"file": str(docket.table("determinations")), "request": request},
    )
    found = connection.execute("SELECT seq, ledger_index FROM proving").fetchall()
    if len(found) != 1 or found[0][1] is None:
        raise WrongInput("no determination of this request is in the ledger", where=docket.id)
    [(seq, index)] = found
    fields = determination(connection, "proving")
    opened = open_record(connection, "proving", fields, docket.vault, seq=seq, show=show)
    return _prove(site, index, opened)


def prove_event(site: Site, path: Path, show: Collection[str] = ()) -> bytes:
    """The proof file of an event from its opening, all fields shown or only these.

    `path` lies in the `events/` of the site or of one of its dockets. Raises WrongInput when it is no such opening.
    """
    opening = Opening.parse(path.read_bytes(), where=path.name)
    if not set(show) <= set(opening.fields()):
        raise WrongInput(f"the event's fields are {', '.join(opening.fields())}", where="--show")
    scope = "site" if path.resolve().parent == site.events.resolve() else path.resolve().parent.parent.name
    with record.open_log(site) as log:
        place = log.batch(f"{scope}/{path.stem}")
    if place is None:
        raise WrongInput("the event is not in this site's ledger", where=path.name)
    return _prove(site, place.start, opening.only(show) if show else opening)


def _prove(site: Site, index: int, opening: Opening) -> bytes:
    shown = checkpoint.parse((site.ledger / "checkpoint").read_bytes())
    return proof.prove_inclusion(tiles.TileReader(site.ledger, shown.size), index, shown, opening)
