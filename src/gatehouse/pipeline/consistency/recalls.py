"""What a docket's recalls and reports left in its folder, each against the entry that names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gatehouse.casework import statement as statements
from gatehouse.casework.statement import Statement
from gatehouse.determine.docket import Docket
from gatehouse.kernel import digests
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger.signers import read_verifier
from gatehouse.pipeline.consistency.story import LOST, Difference
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site


def notices(docket: Docket, known: History) -> dict[str, Statement]:
    """The notices that recalls on record name, by release."""
    named = {digest for one in known.of("recall", scope=docket.id) for digest in one.fields.get("notices", ())}
    found = {}
    for path in sorted((docket.root / "recalls").glob("*/*.json")):
        signed = _read(path)
        if signed is not None and signed.digest in named:
            found[str(signed.body.get("release"))] = signed
    return found


def differences(site: Site, docket: Docket, known: History) -> Iterator[Difference]:
    """Every notice, incident report, list of persons and reconciliation that differs, lacks or is of nothing."""
    named: dict[str, str] = {}
    for one in known.of("recall", scope=docket.id):
        named |= {digest: f"recalls/{one.text('recall')}" for digest in one.fields.get("notices", ())}
        named[one.text("incident")] = f"recalls/{one.text('recall')}"
    for one in known.of("reconciliation", scope=docket.id):
        named[one.text("report")] = "reconciliations"
    seen: set[str] = set()
    for path in [*sorted(docket.root.glob("recalls/*/*.json")), *sorted(docket.root.glob("reconciliations/*.json"))]:
        where, signed = f"dockets/{docket.id}/{path.relative_to(docket.root).as_posix()}", _read(path)
        if signed is None or signed.digest not in named:
            yield Difference(where, "nothing on record names this statement", LOST)
            continue
        seen.add(signed.digest)
        if not _is_signed(site, signed):
            yield Difference(where, "the custodian's key did not sign this statement", LOST)
    if not docket.is_destroyed:
        for digest in sorted(named.keys() - seen):
            yield Difference(f"dockets/{docket.id}/{named[digest]}", "a statement on record is missing", LOST)
        yield from _persons(docket, known)


def _persons(docket: Docket, known: History) -> Iterator[Difference]:
    """The lists of whom recalls concern, by the digests in their entries."""
    for one in known.of("recall", scope=docket.id):
        path = docket.root / "recalls" / one.text("recall") / "persons.parquet"
        if (digests.of_file(path) if path.is_file() else None) != one.fields.get("persons"):
            where = f"dockets/{docket.id}/{path.relative_to(docket.root).as_posix()}"
            yield Difference(where, "the list differs from the one on record", LOST)


def _read(path: Path) -> Statement | None:
    try:
        return statements.parse(path.read_bytes(), where=path.name)
    except (OSError, GatehouseError):
        return None


def _is_signed(site: Site, signed: Statement) -> bool:
    try:
        key = read_verifier(site.root / "custodian.vkey")
        statements.verify(signed, [key], form=str(signed.body.get("format")))
    except (OSError, GatehouseError):
        return False
    return True
