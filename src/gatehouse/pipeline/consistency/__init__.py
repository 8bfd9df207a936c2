"""Whether a site's ledger, its files and its database tell one story, and where they do not.

Asked after a restore, and whenever somebody doubts. The ledger is believed before files and database: what it commits
to happened. Nothing is mended or entered here; each difference says where it is and what mends it.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from gatehouse.ledger import policy
from gatehouse.ledger.log import Log
from gatehouse.ledger.signers import read_signer
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import history, record
from gatehouse.pipeline.consistency import database, dockets, files, standing
from gatehouse.pipeline.consistency.story import Difference, Story
from gatehouse.pipeline.history import History
from gatehouse.pipeline.hold import Hold
from gatehouse.pipeline.site import Site

__all__ = ["Difference", "Story", "compare"]

_RESTORE = "Restore it from a backup. If it is lost for good, two officers must run `gatehouse roster acknowledge-loss`"


def compare(connection: duckdb.DuckDBPyConnection, site: Site) -> Story:
    """Compare the ledger, every file and every table of a site that something binds; docs/ledger.md lists what does.

    Entries that no checkpoint covers yet count too. Raises AnswerIsNo when the ledger itself does not verify,
    MachineFailed while another process writes to it.
    """
    head = verify_log(site.ledger, policy.read(site.policy)).checkpoint
    with _held(site):
        known = history.read(site)
        placed = dockets.of(site)
        found = [
            *_history(known),
            *files.differences(site, known),
            *dockets.differences(connection.cursor(), site, known, head),
            *database.differences(connection.cursor(), site, known, placed),
            *standing.differences(site, known, placed),
        ]
    return Story(known.size, len(placed), len(known.events), tuple(found), known.lost)


def _held(site: Site) -> Hold:
    """A hold on the ledger: by the log's key, or of the log writer."""
    if site.parts is not None:
        return record.open_log(site)
    return Log.open(site.ledger, read_signer(site.log_key), state=site.ledger_state)


def _history(known: History) -> Iterator[Difference]:
    for fault in known.faults:
        yield Difference(fault.where, fault.what, _RESTORE)
