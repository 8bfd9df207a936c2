"""The tables that reports count, made from what was verified: requests, disclosures, decisions, recalls, returns.

Every query of a report runs over these and nothing else, so whoever has dockets and ledger makes the same tables and
gets the same numbers. docs/reports.md lists their columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework import statement as statements
from gatehouse.casework.statement import Statement
from gatehouse.determine import answers, determinations
from gatehouse.intake.workspace import quoted
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.law.pack import NO_GRANT
from gatehouse.ledger.entries import Released
from gatehouse.ledger.signers import Verifier
from gatehouse.oversight import causes
from gatehouse.oversight.sources import Event, Record, Verified
from gatehouse.release import accounting, stated
from gatehouse.release.officer import DISPOSAL_FORM, RECEIPT_FORM, REPORT_FORM

_KINDS = {RECEIPT_FORM: ("receipt", "opened_at"), REPORT_FORM: ("report", "reported_at"),
          DISPOSAL_FORM: ("disposal", "disposed_at")}  # fmt: skip

_REQUESTED = (
    "proceeding_kind", "authority_citation", "reason", "tin_state", "address_verdict", "period_from_on", "period_to_on",
    "officer_list",
)  # fmt: skip


def gather(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Make the tables; what recipients sent back is checked by its signature.

    Raises AnswerIsNo when a certificate, notice or returned statement is not what the ledger or its key says.
    """
    connection.execute(
        "CREATE OR REPLACE MACRO written(instant) AS strftime(instant, '%Y-%m-%dT%H:%M:%SZ'); "
        "CREATE OR REPLACE MACRO day(instant) AS strftime(instant, '%Y-%m-%d')"
    )
    _dockets(connection, record)
    _rules(connection, record)
    _destroyed(connection, record)
    _requests(connection, record)
    _recalls(connection, record)
    keys = _releases(connection, record)
    _decisions(connection, record)
    _returns(connection, record.returned, keys)
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW asked AS SELECT * FROM every_request WHERE " + record.period.holds("received_at")
    )
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW disclosed AS SELECT every_request.*, released.release, officer, disclosed_at, "
        "given FROM every_disclosure released JOIN every_request USING (docket, seq) "
        "WHERE " + record.period.holds("disclosed_at")
    )


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """A table from rows, handed over as columns."""
    given = list(zip(*rows, strict=True)) or [()] * len(columns)
    unnested = ", ".join(f"unnest(${at}::{kind}[]) AS {column}" for at, (column, kind) in enumerate(columns.items(), 1))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {unnested}", [list(column) for column in given])


def _dockets(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    _table(
        connection,
        "dockets",
        {"docket": "VARCHAR", "agency": "VARCHAR", "basis": "VARCHAR", "agreement": "VARCHAR", "signed_on": "DATE",
         "signatory_title": "VARCHAR", "signatory_capacity": "VARCHAR", "officers": "BIGINT",
         "received_at": "TIMESTAMP", "requests": "BIGINT", "first_entry": "BIGINT", "as_of": "DATE",
         "pack": "VARCHAR", "pack_version": "VARCHAR", "pack_digest": "VARCHAR"},
        ((one.docket.id, one.manifest.agency, one.manifest.basis, one.manifest.agreement, one.manifest.signed_on,
          one.manifest.signatory.title, one.manifest.signatory.capacity, len(one.manifest.officers),
          one.received_at.replace(tzinfo=None), one.requests, one.first, one.as_of, one.pack.id, one.pack.version,
          one.pack.digest) for one in record.dockets),
    )  # fmt: skip
    _table(
        connection,
        "refused_submissions",
        {"submission": "VARCHAR", "received_at": "TIMESTAMP", "digest": "VARCHAR", "refusal": "VARCHAR"},
        (
            (one["submission"], str(one["received_at"]).removesuffix("Z"), one["digest"], one["refusal"])
            for one in record.refused
        ),
    )


def _destroyed(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """What is left of destroyed dockets: receipts, release events, and the list of disclosures that was kept."""
    _table(
        connection,
        "destroyed_dockets",
        {"docket": "VARCHAR", "agency": "VARCHAR", "basis": "VARCHAR", "received_at": "TIMESTAMP", "requests": "BIGINT",
         "destroyed_at": "TIMESTAMP", "reason": "VARCHAR"},
        ((one.docket.id, one.manifest.agency, one.manifest.basis, one.received_at.replace(tzinfo=None), one.requests,
          one.at.removesuffix("Z"), one.reason) for one in record.destroyed),
    )  # fmt: skip
    folders = {one.docket.root / "events" for one in record.destroyed}
    _table(
        connection,
        "destroyed_releases",
        {"docket": "VARCHAR", "release": "VARCHAR", "officer": "VARCHAR", "disclosed_at": "TIMESTAMP",
         "requests": "BIGINT", "ledger_index": "BIGINT"},
        ((event.fields["docket"], event.fields["release"], event.fields["officer"],
          event.fields["released_at"].removesuffix("Z"), event.fields["selection"]["cases"], event.index)
         for event in record.events if event.kind == "release" and event.folder in folders),
    )  # fmt: skip
    kept = [
        f"SELECT {quoted(Path(one.docket.id))} AS docket, agency, person_id, released_on, items, entry "
        f"FROM read_parquet({quoted(one.docket.root / 'disclosures.parquet')})"
        for one in record.destroyed
        if (one.docket.root / "disclosures.parquet").is_file()
    ]
    nobody = (
        "SELECT NULL::VARCHAR docket, NULL::VARCHAR agency, NULL::BIGINT person_id, NULL::DATE released_on, "
        "NULL::VARCHAR items, NULL::BIGINT entry WHERE false"
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW kept_disclosures AS {' UNION ALL '.join(kept) or nobody}")


def _rules(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    packs = {one.pack.digest: one.pack for one in record.dockets}
    rows = [
        (
            digest,
            rule.id,
            str(rule.code),
            rule.outcome,
            str(rule.effect),
            rule.cite,
            *causes.of_rule(rule, pack),
            answers.is_told(rule.code, rule.outcome),
            pack.reveals(rule.id),
        )
        for digest, pack in packs.items()
        for rule in pack.rules
    ]
    rows += [
        (digest, NO_GRANT, "AUTHORITY", "refused", "grant", "Default deny", *causes.NO_GRANT, True, False)
        for digest in packs
    ]
    names = ("pack_digest", "rule", "code", "stops_as", "effect", "cite", "party", "cause")
    _table(connection, "rules", dict.fromkeys(names, "VARCHAR") | {"told": "BOOLEAN", "reveals": "BOOLEAN"}, rows)


def _requests(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    parts = [_of_docket(connection, one) for one in record.dockets]
    empty = (
        "SELECT * FROM (SELECT NULL::VARCHAR docket, NULL::VARCHAR agency, NULL::VARCHAR basis, "
        "NULL::TIMESTAMP received_at, NULL::BIGINT seq, NULL::VARCHAR request_id, NULL::VARCHAR outcome, "
        "NULL::VARCHAR[] fired, NULL::VARCHAR[] unknown, NULL::VARCHAR[] codes, NULL::VARCHAR[] items, "
        "NULL::DATE as_of, "
        "NULL::VARCHAR pack_digest, NULL::BIGINT ledger_index, NULL::VARCHAR proceeding_kind, "
        "NULL::VARCHAR authority_citation, NULL::VARCHAR reason, NULL::VARCHAR tin_state, "
        "NULL::VARCHAR address_verdict, NULL::DATE period_from_on, NULL::DATE period_to_on, "
        "NULL::VARCHAR[] officer_list, NULL::BIGINT person_id) WHERE false"
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW every_request AS {' UNION ALL '.join(parts) or empty}")
    best = [
        f"SELECT {quoted(Path(one.docket.id))} AS docket, seq, verdict "
        f"FROM read_parquet({quoted(one.docket.table('evidence'))}) WHERE rank = 1"
        for one in record.dockets
    ]
    nobody = "SELECT NULL::VARCHAR docket, NULL::BIGINT seq, NULL::VARCHAR verdict WHERE false"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW every_candidate AS {' UNION ALL '.join(best) or nobody}")


def _of_docket(connection: duckdb.DuckDBPyConnection, one: Verified) -> str:
    """SQL for the requests of one docket, each with the one person it concerns, where there is exactly one."""
    docket, table = quoted(Path(one.docket.id)), one.docket.table
    asked = ", ".join(f"request.{name}" for name in _REQUESTED)
    return (
        f"SELECT {docket} AS docket, {quoted(Path(one.manifest.agency))} AS agency, "
        f"{quoted(Path(one.manifest.basis))} AS basis, TIMESTAMP '{one.received_at:%Y-%m-%d %H:%M:%S}' AS received_at, "
        "decided.seq, decided.request_id, outcome, fired, unknown, codes, decided.items, as_of, pack_digest, "
        f"ledger_index, {asked}, "
        "CASE outcome WHEN 'cleared' THEN decided.person_id WHEN 'held' THEN agreeing.person_id END AS person_id "
        f"FROM {determinations.source(connection, table('determinations'))} decided "
        f"JOIN read_parquet({quoted(table('requests'))}) request USING (seq) "
        f"LEFT JOIN (SELECT seq, min(person_id) AS person_id FROM read_parquet({quoted(table('evidence'))}) "
        "WHERE agrees GROUP BY seq HAVING count(DISTINCT person_id) = 1) agreeing USING (seq)"
    )


@dataclass(frozen=True)
class _Sealed:
    """One release: its entries in the ledger, its certificate, and the record made of it at the time."""

    event: Event
    sealed: Mapping[str, Any]
    certificate: stated.Stated
    made: dict[str, Any]
    kept: bool
    """Whether the record made at the time is there."""


def _releases(connection: duckdb.DuckDBPyConnection, record: Record) -> dict[str, str]:
    """Make `releases`, `every_disclosure` and `approvals`; gives each release's receipt key."""
    folders = {one.docket.root / "events": one for one in record.dockets}
    own = [event for event in record.events if event.folder in folders]
    said = {str(event.fields["release"]): event.fields for event in own if event.kind == "sealed"}
    sealed = [
        _sealed(event, said[str(event.fields["release"])], folders[event.folder])
        for event in own
        if event.kind == "release" and event.fields["release"] in said
    ]
    certificates = [one.certificate for one in sealed]
    _table(
        connection,
        "releases",
        {"release": "VARCHAR", "docket": "VARCHAR", "officer": "VARCHAR", "disclosed_at": "TIMESTAMP",
         "expires_on": "DATE", "requests": "BIGINT", "package": "VARCHAR",
         "certificate": "VARCHAR", "ledger_index": "BIGINT", "record": "VARCHAR", "kept": "BOOLEAN"},
        ((one.event.fields["release"], one.event.fields["docket"], one.event.fields["officer"],
          one.event.fields["released_at"].removesuffix("Z"), one.event.fields["expires_on"],
          one.event.fields["selection"]["cases"], one.sealed["package"], one.sealed["certificate"], one.event.index,
          json.dumps(one.made, sort_keys=True), one.kept) for one in sealed),
    )  # fmt: skip
    _table(
        connection,
        "every_disclosure",
        {"release": "VARCHAR", "docket": "VARCHAR", "seq": "BIGINT", "officer": "VARCHAR", "disclosed_at": "TIMESTAMP",
         "given": "VARCHAR[]", "recipient": "VARCHAR"},
        ((one.release.release, one.release.docket, row.seq, one.release.officer,
          one.release.released_at.removesuffix("Z"), list(row.items), one.release.recipient)
         for one in certificates for row in one.records),
    )  # fmt: skip
    _table(
        connection,
        "approvals",
        {"release": "VARCHAR", "officer": "VARCHAR", "action": "VARCHAR", "decided_at": "TIMESTAMP"},
        ((one.release.release, body["officer"], body["action"], body["decided_at"].removesuffix("Z"))
         for one in certificates for body in one.decisions),
    )  # fmt: skip
    return {one.release.release: one.release.receipt_key for one in certificates}


def _sealed(event: Event, said: Mapping[str, Any], one: Verified) -> _Sealed:
    fields = event.fields
    release, where = str(fields["release"]), f"{one.docket.id}, certificates/{fields['release']}.json"
    if fields["docket"] != one.docket.id:
        raise AnswerIsNo("a release's entry in the ledger is about a different docket", where=where)
    path = one.docket.certificates / f"{release}.json"
    if not path.is_file():
        raise AnswerIsNo(
            "the certificate of a release is missing", where=where, remedy="Finish the release: gatehouse release"
        )
    data = path.read_bytes()
    if digests.of_bytes(data) != said["certificate"]:
        raise AnswerIsNo("the certificate differs from the one in the ledger", where=where)
    found = stated.read(data, where=where)
    if found.release != Released.of({name: fields[name] for name in fields if name != "persons"}, where=where):
        raise AnswerIsNo("the certificate and its entry in the ledger disagree", where=where)
    made = accounting.record(data, str(said["package"]), where=where)
    kept = accounting.check(one.docket.root / accounting.FOLDER / f"{release}.json", made)
    return _Sealed(event, said, found, made, kept)


def _recalls(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Make `recalls`, `recalled` (each request found wrong in a release) and `incidents`."""
    folders = {one.docket.root / "events": one for one in record.dockets}
    recalls, rows, incidents = [], [], []
    for event in record.events:
        if event.kind != "recall" or event.folder not in folders:
            continue
        one = folders[event.folder]
        for body in _notices(event, one):
            rows += [(str(body["release"]), str(event.fields["recall"]), str(name)) for name in body["request_ids"]]
            recalls.append((event.fields["recall"], one.docket.id, body["release"], body["officer"],
                            body["cause"]["kind"], body["cause"]["about"], body["recalled_at"].removesuffix("Z"),
                            body["dispose_by"], len(body["request_ids"]), event.index))  # fmt: skip
        incidents.append(_incident(event, one))
    _table(
        connection,
        "recalls",
        {"recall": "VARCHAR", "docket": "VARCHAR", "release": "VARCHAR", "officer": "VARCHAR", "cause": "VARCHAR",
         "about": "VARCHAR", "recalled_at": "TIMESTAMP", "dispose_by": "DATE", "requests": "BIGINT",
         "ledger_index": "BIGINT"},
        recalls,
    )  # fmt: skip
    names = {"release": "VARCHAR", "recall": "VARCHAR", "request_id": "VARCHAR"}
    _table(connection, "recalled", names, rows)
    names = {"recall": "VARCHAR", "docket": "VARCHAR", "statement": "VARCHAR", "ledger_index": "BIGINT"}
    _table(connection, "incidents", names, incidents)


def _notices(event: Event, one: Verified) -> Iterator[Mapping[str, Any]]:
    folder = one.docket.root / "recalls" / str(event.fields["recall"])
    wanted = set(event.fields["notices"])
    for path in sorted(folder.glob("rel-*.json")):
        signed = statements.parse(path.read_bytes(), where=path.name)
        if signed.digest in wanted:
            wanted.discard(signed.digest)
            yield signed.body
    if wanted:
        raise AnswerIsNo(
            f"{len(wanted)} recall notices that the ledger names are missing or altered",
            where=f"{one.docket.id}, recalls/{event.fields['recall']}",
        )


def _incident(event: Event, one: Verified) -> tuple[str, str, str, int]:
    recall = str(event.fields["recall"])
    where = f"{one.docket.id}, recalls/{recall}/incident.json"
    path = one.docket.root / "recalls" / recall / "incident.json"
    if not path.is_file():
        raise AnswerIsNo("the incident report of a recall is missing", where=where)
    signed = statements.parse(path.read_bytes(), where=where)
    if signed.digest != event.fields["incident"]:
        raise AnswerIsNo("the incident report differs from the one in the ledger", where=where)
    return recall, one.docket.id, json.dumps(signed.body, sort_keys=True), event.index


def _decisions(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    _table(
        connection,
        "decisions",
        {"docket": "VARCHAR", "number": "BIGINT", "action": "VARCHAR", "party": "VARCHAR", "cause": "VARCHAR",
         "requests": "BIGINT", "statement": "VARCHAR", "ledger_index": "BIGINT"},
        ((event.fields["docket"], event.fields["number"], event.fields["action"],
          *causes.PEOPLE.get(event.fields["action"], ("officer", event.fields["action"])), event.fields["cases"],
          event.fields["statement"], event.index) for event in record.events if event.kind == "decision"),
    )  # fmt: skip
    names = {"kind": "VARCHAR", "scope": "VARCHAR", "fields": "VARCHAR", "ledger_index": "BIGINT"}
    docketed = {one.docket.root / "events": one.docket.id for one in record.dockets}
    _table(connection, "events", names, (
        (event.kind, docketed.get(event.folder, "site"), json.dumps(event.fields, sort_keys=True), event.index)
        for event in record.events))  # fmt: skip


def _returns(connection: duckdb.DuckDBPyConnection, returned: Iterable[Statement], keys: Mapping[str, str]) -> None:
    """Make `returns`: what recipients sent back, each signed by the key that only whoever opened the release has."""
    rows = []
    for signed in returned:
        release, form = str(signed.body.get("release")), str(signed.body.get("format"))
        if release not in keys:
            continue  # of a release that this report is not about
        kind, at = _KINDS[form]
        statements.verify(signed, [Verifier.parse(keys[release])], form=form, where=f"{kind} of {release}")
        rows.append((release, kind, signed.text(at).removesuffix("Z"), signed.body.get("method"), signed.digest))
    names = {"release": "VARCHAR", "kind": "VARCHAR", "stated_at": "TIMESTAMP", "method": "VARCHAR",
             "statement": "VARCHAR"}  # fmt: skip
    _table(connection, "returns", names, rows)
