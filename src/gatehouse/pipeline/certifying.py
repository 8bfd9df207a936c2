"""The certificate of one package, put together from a docket, its decisions and the ledger; nothing is checked here.

Whoever seals checks all of it, and so does whoever opens. No key and no register is needed to make one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from gatehouse.casework.records import Decision
from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import log
from gatehouse.ledger import policy as policies
from gatehouse.ledger.entries import Released
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import history, packs
from gatehouse.pipeline.approve import manifest_of
from gatehouse.pipeline.dockets import Placed as OpenedDocket
from gatehouse.pipeline.planning import Share
from gatehouse.pipeline.site import Site
from gatehouse.release import certificate, proofs
from gatehouse.release.assembly import Grove
from gatehouse.release.certificate import Certificate, Placed, Pool, Taken


@dataclass(frozen=True)
class Certifying:
    """What the certificates of one batch share."""

    connection: duckdb.DuckDBPyConnection
    site: Site
    docket: OpenedDocket
    decisions: Sequence[Decision]
    grove: Grove
    plan: Mapping[str, Any]

    @classmethod
    def prepare(
        cls,
        connection: duckdb.DuckDBPyConnection,
        site: Site,
        docket: OpenedDocket,
        decisions: Sequence[Decision],
        plan: Mapping[str, Any],
    ) -> Certifying:
        """Read what all certificates of a batch share; leaves the table `release_taken`."""
        determinations = docket.table("determinations")
        connection.read_parquet(str(determinations)).create_view("release_committed", replace=True)
        proofs.take(
            connection,
            determinations="release_committed",
            vault=docket.vault,
            cases=Selection.of_text(plan["cases"]),
            target="release_taken",
        )
        grove = Grove.of(site.ledger, policies.read(site.policy))
        return cls(connection, site, docket, decisions, grove, plan)

    def witnessed(self) -> Certifying:
        """The same, under the newest checkpoint."""
        return replace(self, grove=Grove.of(self.site.ledger, self.grove.policy))

    def certificate(self, share: Share) -> bytes:
        """The certificate of one package, whose entry is in the ledger."""
        pool, grove, docket = Pool(), self.grove, self.docket
        opening = self.opening(f"release-{share.release}")
        release = self._place(f"release-{share.release}")
        decided = [
            (one.ledger_index or 0, one, self.opening(f"decision-{one.number}"))
            for one in certificate.standing(self.decisions, share.cases)
        ]
        received = docket.received.first - 1
        basis = manifest_of(docket).basis
        law: dict[int, Opening] = {}
        for digest, before in ((docket.received.pack, received), (self.plan["pack"], release)):
            if not any(adopted.fields()["digest"] == digest for adopted in law.values()):
                law |= dict([packs.adopted(self.site, basis, digest, before)])
        records = proofs.records(
            self.connection, taken="release_taken", cases=share.cases, items=share.given, read=grove.read,
            size=grove.checkpoint.size, pool=pool,
        )  # fmt: skip
        framed = [received, release, *(index for index, _, _ in decided)]
        made = Certificate(
            checkpoint=grove.checkpoint.encoded,
            earlier=grove.earlier(framed, pool),
            nodes=(),
            manifest=docket.manifest.read_bytes(),
            manifest_signature=docket.signature.read_bytes(),
            receipt=docket.receipt.read_bytes(),
            received=grove.placed(received, self.opening("received"), pool),
            docket=grove.placed(docket.index, docket.opening, pool),
            adopted=tuple(grove.placed(index, adopted, pool) for index, adopted in sorted(law.items())),
            roster=self._roster(release, pool),
            decisions=tuple(
                Taken(one.statement, one.selection, grove.placed(index, entry, pool)) for index, one, entry in decided
            ),
            release=grove.placed(release, opening.only(set(opening.fields()) - Released.HIDDEN), pool),
            records=tuple(records),
        )
        return replace(made, nodes=pool.nodes).encode()

    def _roster(self, before: int, pool: Pool) -> Placed:
        """Who may decide, as the ledger had it before the release."""
        found = [one for one in history.whole(self.site, {"roster"}).of("roster") if one.index < before]
        if not found:
            raise AnswerIsNo("the ledger has no roster of officers", where=self.docket.id)
        path = history.opening_of(self.site, found[-1].scope, found[-1].name)
        return self.grove.placed(found[-1].index, Opening.parse(path.read_bytes(), where=path.name), pool)

    def opening(self, name: str) -> Opening:
        """The opening of an entry of the docket. Raises AnswerIsNo where it is gone."""
        return opening_of(self.docket, name)

    def _place(self, name: str) -> int:
        found = log.place(self.site.ledger_state, f"{self.docket.id}/{name}")
        if found is None or found.start >= self.grove.checkpoint.size:
            raise AnswerIsNo("an entry of the docket has not been published yet", where=f"{self.docket.id}, {name}")
        return found.start


def opening_of(docket: OpenedDocket, name: str) -> Opening:
    """The opening of an entry of a docket. Raises AnswerIsNo where it is gone."""
    path = docket.events / f"{name}.json"
    if not path.is_file():
        raise AnswerIsNo("an entry of the docket cannot be opened", where=f"{docket.id}, events/{path.name}")
    return Opening.parse(path.read_bytes(), where=path.name)
