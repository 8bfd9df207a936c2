"""Sealing as the release stage uses it: which cases may leave today, to whom, and one officer's package at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from gatehouse.casework.board import Blocked
from gatehouse.casework.records import CaseFile, Decision
from gatehouse.casework.selection import Selection
from gatehouse.determine.docket import Docket
from gatehouse.intake import parties
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import digests, files
from gatehouse.ledger import policy as policies
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.signers import new_key, read_signer
from gatehouse.ledger.tiles import TileReader
from gatehouse.ledger.tree import ReadNode
from gatehouse.match import open_register
from gatehouse.pipeline import lawful as passing
from gatehouse.pipeline.approve import Office, manifest_of
from gatehouse.pipeline.site import Site
from gatehouse.release import certificate, items, proofs
from gatehouse.release.certificate import Header
from gatehouse.release.returns import ReleaseRecord
from gatehouse.release.seal import seal
from gatehouse.release.terms import Terms, expiry
from gatehouse.release.trust import Trust

STAGING = ".sealing"
"""Folder below `releases/` of packages whose publication is still to come."""


def permitted(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, approved: Selection, today: dt.date
) -> tuple[Selection, dict[str, int]]:
    """Make the table `release_rows` of everything that may leave today; gives its cases and why others stay.

    The law is asked again as of today with the pack now in force: an order entered after the determination, a lapsed
    safeguard approval or overdue reports stop what was approved before. So does an (i)(6) determination made meanwhile.
    """
    for name in ("requests", "determinations", "evidence"):
        connection.read_parquet(str(docket.table(name))).create_view(f"release_{name}", replace=True)
    manifest = manifest_of(docket)
    lawful = approved & passing.today(connection, site, docket, approved, today).cases
    items.persons(
        connection,
        determinations="release_determinations",
        evidence="release_evidence",
        cases=lawful,
        target="release_persons",
    )
    restricted = _unrestrict(connection, site, today)
    agreement = parties.read(site.parties).agreements.get(manifest.agreement)
    agreed = agreement.items if agreement is not None and agreement.span.holds(today) else ()
    open_register(site.register).last_known(connection, "release_persons", "release_homes")
    items.least(
        connection,
        requests="release_requests",
        determinations="release_determinations",
        persons="release_persons",
        last_known="release_homes",
        lawful="lawful_decided",
        agreed=agreed,
        target="release_rows",
    )
    _name_officers(connection, manifest)
    cases = Selection.of(row[0] for row in connection.sql("SELECT DISTINCT seq FROM release_rows").fetchall())
    left = {
        "stopped by the law as of today": len(approved - lawful),
        "restricted since": restricted,
        "without an item to give or an officer to give it to": len(lawful - cases) - restricted,
    }
    return cases, {reason: count for reason, count in left.items() if count}


def still_permitted(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, planned: Selection, today: dt.date
) -> None:
    """Raise Blocked (`changed`) when the cases planned may not all leave any more; makes `release_rows` as before."""
    cases, _ = permitted(connection, site, docket, planned, today)
    if cases != planned:
        raise Blocked(
            "changed", "the register or the law changed while a release was being sealed", remedy="Run it again"
        )


def _unrestrict(connection: duckdb.DuckDBPyConnection, site: Site, today: dt.date) -> int:
    relation = open_register(site.register).relation("restrictions")
    [(count,)] = connection.execute(
        f"DELETE FROM release_persons WHERE person_id IN "
        f"(SELECT person_id FROM {relation} WHERE determined_on IS NULL OR determined_on <= $today)",
        {"today": today},
    ).fetchall()
    return int(count)


def _name_officers(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Keep only officers whom the manifest names as employees who attest sole use and can be reached."""
    able = [one.id for one in manifest.officers if one.employee and one.attests_sole_use and one.reachable]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE release_rows AS "
        "SELECT * REPLACE (list_intersect(officers, $able::VARCHAR[]) AS officers) FROM release_rows "
        "WHERE list_has_any(officers, $able::VARCHAR[])",
        {"able": able},
    )


def eligible(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[str]:
    """The officers who receive something of `release_rows`, in the manifest's order."""
    found = {row[0] for row in connection.sql("SELECT DISTINCT unnest(officers) FROM release_rows").fetchall()}
    return [officer.id for officer in manifest.officers if officer.id in found]


@dataclass(frozen=True)
class Sealing:
    """All that the packages of one batch share."""

    connection: duckdb.DuckDBPyConnection
    place: Office
    docket: Docket
    manifest: Manifest
    file: CaseFile
    decisions: Sequence[Decision]
    checkpoint: Checkpoint
    trust: Trust
    released_at: dt.datetime
    law: tuple[str, dt.date]
    read: ReadNode
    """Nodes of the ledger's tree at the checkpoint, shared by all proofs."""

    @classmethod
    def prepare(
        cls, connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, plan: Mapping[str, Any]
    ) -> Sealing:
        """Read what all packages share. Raises Blocked when the cases planned may not all leave any more."""
        planned = Selection.of_text(plan["cases"])
        released_at = dt.datetime.fromisoformat(str(plan["released_at"]).replace("Z", "+00:00"))
        still_permitted(connection, place.site, docket, planned, released_at.date())
        proofs.take(
            connection,
            determinations="release_determinations",
            vault=docket.vault,
            cases=planned,
            target="release_taken",
        )
        policy = policies.read(place.site.policy)
        checkpoint = policy.accept((place.site.ledger / "checkpoint").read_bytes())
        custodian = read_signer(place.site.custodian_key).verifier
        [(pack, as_of)] = connection.sql(
            "SELECT any_value(pack_digest), any_value(as_of) FROM release_determinations"
        ).fetchall()
        return cls(
            connection,
            place,
            docket,
            manifest_of(docket),
            place.casebook.file(docket.id),
            place.casebook.decisions(docket.id),
            checkpoint,
            Trust(policy, custodian, place.roster),
            released_at,
            (pack, as_of),
            proofs.shared(TileReader(place.site.ledger, checkpoint.size)),
        )

    def seal(self, officer: str, release: str) -> ReleaseRecord:
        """Seal one officer's package into the staging folder; gives the record that must be kept before publication."""
        rows = self.connection.execute(
            f"SELECT seq, {', '.join(items.COLUMNS)} FROM release_rows WHERE list_contains(officers, $officer) "
            "ORDER BY seq, item",
            {"officer": officer},
        ).fetchall()
        given: dict[int, list[str]] = {}
        for row in rows:
            given.setdefault(row[0], []).append(row[3])
        matters = tuple(sorted({row[2] for row in rows if row[2]}))
        expires_on = expiry(self.released_at.date())
        terms = self._terms(release, officer, matters, expires_on)
        private, public = new_key(f"{release}/receipt")
        header = self._header(release, officer, expires_on, digests.of_bytes(terms), public)
        proof = certificate.assemble(header, self.checkpoint, self.decisions, self._records(given))
        custodian = read_signer(self.place.site.custodian_key)
        given_rows = [row[1:] for row in rows]
        sealed = seal(proof, self.trust, custodian, terms=terms, rows=given_rows, receipt_key=private)
        staging = self.docket.releases / STAGING
        files.write(staging / f"{sealed.verified.digest}.json", proof)
        files.write(staging / f"{sealed.digest}.age", sealed.data)
        return ReleaseRecord(
            release,
            self.docket.id,
            self.manifest.agency,
            officer,
            sealed.digest,
            sealed.verified.digest,
            public,
            sealed.verified.cases,
            matters,
            self.law[0],
            self.released_at,
            expires_on,
        )

    def _records(self, given: Mapping[int, list[str]]) -> list[dict[str, Any]]:
        return list(
            proofs.records(
                self.connection,
                taken="release_taken",
                cases=Selection.of(given),
                items=given,
                read=self.read,
                size=self.checkpoint.size,
            )
        )

    def _terms(self, release: str, officer: str, matters: Sequence[str], expires_on: dt.date) -> bytes:
        return (
            Terms(
                release=release,
                docket=self.docket.id,
                agency=self.manifest.agency,
                officer=officer,
                basis=self.manifest.basis,
                matters=matters,
                released_on=self.released_at.date(),
                expires_on=expires_on,
                demonstration=self.place.site.demonstration,
            )
            .text()
            .encode()
        )

    def _header(self, release: str, officer: str, expires_on: dt.date, terms: str, receipt_key: str) -> Header:
        recipient = next(one.recipient for one in self.manifest.officers if one.id == officer)
        return Header(
            release=release,
            file=self.file,
            basis=self.manifest.basis,
            agreement=self.manifest.agreement,
            officer=officer,
            recipient=recipient,
            pack_digest=self.law[0],
            as_of=self.law[1],
            released_at=self.released_at,
            expires_on=expires_on,
            terms=terms,
            receipt_key=receipt_key,
        )
