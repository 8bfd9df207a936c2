"""Whether a site's ledger, its files and its database tell one story, and where they do not.

Asked after a restore, and whenever somebody doubts. The ledger is believed before files and database: what it commits
to happened. Nothing is mended or entered here; each difference says where it is and what mends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import policy, since
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import read_signer
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import history, record
from gatehouse.pipeline.consistency import accounts, database, dockets, files, standing
from gatehouse.pipeline.consistency.story import Difference, Story
from gatehouse.pipeline.history import History
from gatehouse.pipeline.hold import Hold
from gatehouse.pipeline.site import Site

__all__ = ["Difference", "Story", "compare"]

_NEWEST = "Put the newest checkpoint back, with every tile under it. A witness has it as well"
_RESTORE = "Restore it from a backup. If it is lost for good, two officers must run `gatehouse roster acknowledge-loss`"


def compare(connection: duckdb.DuckDBPyConnection, site: Site) -> Story:
    """Compare the ledger, every file and every table of a site that something binds; docs/ledger.md lists what does.

    Entries that no checkpoint covers yet count too. Raises AnswerIsNo when the ledger itself does not verify,
    MachineFailed while another process writes to it.
    """
    believed = policy.read(site.policy)
    head = verify_log(site.ledger, believed).checkpoint
    with _held(site):
        known = history.read(site)
        placed = dockets.of(site)
        found = [
            *_history(known),
            *_continues(site, believed, head, placed),
            *files.differences(site, known),
            *dockets.differences(connection.cursor(), site, known, head),
            *database.differences(connection.cursor(), site, known, placed),
            *standing.differences(site, known, placed),
            *accounts.differences(site, known),
        ]
    return Story(known.size, len(placed), len(known.events), tuple(found), known.lost)


def _continues(site: Site, believed: Policy, head: Checkpoint, placed: Mapping[str, Docket]) -> Iterator[Difference]:
    """The ledger against the checkpoints in the certificates that the site keeps: what was shown must be in it."""
    for docket in placed.values():
        for path in sorted(docket.certificates.glob("*.json")):
            where = path.relative_to(site.root).as_posix()
            try:
                since.compare(site.ledger, head, since.held(path.read_bytes(), where=where), believed, where=where)
            except AnswerIsNo as wrong:
                yield Difference(where, wrong.what, _NEWEST)
            except (OSError, WrongInput):
                continue  # it is named where files are compared


def _held(site: Site) -> Hold:
    """A hold on the ledger: by the log's key, or of the log writer."""
    if site.parts is not None:
        return record.open_log(site)
    return Log.open(site.ledger, read_signer(site.log_key), state=site.ledger_state)


def _history(known: History) -> Iterator[Difference]:
    for fault in known.faults:
        yield Difference(fault.where, fault.what, _RESTORE)
