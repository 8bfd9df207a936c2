"""Sealing as the release stage uses it: which cases may leave today, to whom, and one officer's package at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

from gatehouse.casework.board import Blocked
from gatehouse.casework.roster import Roster
from gatehouse.casework.selection import Selection
from gatehouse.determine.docket import Docket
from gatehouse.intake import parties
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import policy as policies
from gatehouse.match import Register, open_excerpt
from gatehouse.pipeline import certifying, keys, planning
from gatehouse.pipeline import lawful as passing
from gatehouse.pipeline.approve import manifest_of
from gatehouse.pipeline.dockets import Placed as OpenedDocket
from gatehouse.pipeline.planning import Packet, Share
from gatehouse.pipeline.site import Site
from gatehouse.release import certificate as certificates
from gatehouse.release import items
from gatehouse.release.seal import seal
from gatehouse.release.trust import Trust


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
    # one reading for both: an address and a restriction that was entered at the same instant are seen together
    register = open_excerpt(site.register, _people(connection))
    restricted = _unrestrict(connection, register, today)
    agreement = parties.read(site.parties).agreements.get(manifest.agreement)
    agreed = agreement.items if agreement is not None and agreement.span.holds(today) else ()
    register.last_known(connection, "release_persons", "release_homes")
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
        "stopped by the law in force today": len(approved - lawful),
        "restricted since": restricted,
        "without an item to release or an officer to receive it": len(lawful - cases) - restricted,
    }
    return cases, {reason: count for reason, count in left.items() if count}


def _people(connection: duckdb.DuckDBPyConnection) -> list[int]:
    found = connection.sql("SELECT DISTINCT person_id FROM release_persons WHERE person_id IS NOT NULL").fetchall()
    return [person for (person,) in found]


def _unrestrict(connection: duckdb.DuckDBPyConnection, register: Register, today: dt.date) -> int:
    [(count,)] = connection.execute(
        f"DELETE FROM release_persons WHERE person_id IN "
        f"(SELECT person_id FROM {register.relation('restrictions')} "
        "WHERE determined_on IS NULL OR determined_on <= $today)",
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
class Looked:
    """What may leave of some cases on a day."""

    cases: Selection
    left: Mapping[str, int]
    """Why others stay, and how many each."""
    officers: tuple[str, ...]
    """Who would receive something, in the manifest's order."""


@dataclass(frozen=True)
class Done:
    """A sealed package, and the certificate inside it."""

    certificate: bytes
    package: bytes


class Sealer(Protocol):
    """Whoever reads items and seals: this process, or one of its own (`parts.asked`)."""

    def look(self, docket: OpenedDocket, cases: Selection) -> Looked:
        """Which of these cases may leave today."""

    def prepare(self, docket: OpenedDocket, plan: Mapping[str, Any]) -> tuple[Share, ...]:
        """Fix what each package of a plan holds. Raises Blocked when its cases may not all leave any more."""

    def seal(self, release: str, certificate: bytes) -> Done:
        """Seal one package of the plan that was prepared, or raise and have done nothing."""


class Own:
    """Sealing by this process's own hand, which needs the custodian's key and the register."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, site: Site, roster: Roster, today: dt.date, secrets: Path
    ) -> None:
        self._connection = connection
        self._site = site
        self._roster = roster
        self._today = today
        self._secrets = secrets
        self._docket: OpenedDocket | None = None
        self._plan: Mapping[str, Any] = {}
        self._packets: Mapping[str, Packet] = {}

    def look(self, docket: OpenedDocket, cases: Selection) -> Looked:
        """Which of these cases may leave today."""
        found, left = permitted(self._connection, self._site, docket, cases, self._today)
        return Looked(found, left, tuple(eligible(self._connection, manifest_of(docket))))

    def prepare(self, docket: OpenedDocket, plan: Mapping[str, Any]) -> tuple[Share, ...]:
        """Read the items of the cases planned, and fix what each package holds; again, it is the same."""
        planned = Selection.of_text(plan["cases"])
        refuse_changed(planned, self.look(docket, planned))
        self._docket, self._plan = docket, plan
        self._packets = {
            one["release"]: planning.packet(
                self._connection, docket, plan, one, inside=planning.secrets_of(self._secrets, one["release"]),
                demonstration=self._site.demonstration,
            )
            for one in plan["officers"]
        }  # fmt: skip
        return tuple(one.share for one in self._packets.values())

    def seal(self, release: str, certificate: bytes) -> Done:
        """Seal one package. Raises Blocked (`changed`) when it would not hold what its entry in the ledger says."""
        docket, packet = self._docket, self._packets.get(release)
        if docket is None or packet is None:
            raise WrongInput("this package was not prepared", where=release)
        opening = certifying.opening_of(docket, f"release-{release}")
        given = certificates.parse(certificate)
        said = planning.entry(docket, self._plan, packet.share, opening.fields().get("decisions", []))
        if opening.fields() != said.fields() or given.release.opening.entry != opening.entry:
            raise Blocked("changed", "the records changed after the release was planned", remedy="Run it again")
        sealed = seal(
            certificate, self._trust(), keys.custodian(self._site), terms=packet.terms, rows=packet.rows,
            receipt_key=packet.inside.receipt_key, salt=packet.inside.salt,
        )  # fmt: skip
        return Done(certificate, sealed.data)

    def _trust(self) -> Trust:
        known = parties.read(self._site.parties).agencies
        return Trust(
            policies.read(self._site.policy),
            keys.custodian(self._site).verifier,
            self._roster,
            {name: agency.keys for name, agency in known.items()},
        )


def refuse_changed(planned: Selection, looked: Looked) -> None:
    """Raise Blocked (`changed`) when the cases planned may not all leave any more."""
    if looked.cases != planned:
        raise Blocked(
            "changed", "the register or the law changed while a release was being sealed", remedy="Run it again"
        )
