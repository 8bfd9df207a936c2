"""The reports that statute asks for, each a function of what was verified; nothing is kept beside it to go stale.

`CATALOGUE` names them all. Every number says the query it came from, and the same query over the same dockets and the
same checkpoint gives it again (`rebuild`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from gatehouse.kernel.errors import WrongInput
from gatehouse.law import wording
from gatehouse.oversight import declaration, errors, exports, incidents, inquiry
from gatehouse.oversight.report import Report, person_of, table
from gatehouse.oversight.sources import Record

Make = Callable[[duckdb.DuckDBPyConnection, Record, Mapping[str, Any]], Report]

_INSTANCE = "An instance of disclosure is the information of one request sealed to one officer."
_PERSON = (
    "A person is counted once, however many requests disclosed something about them: the one person of a cleared "
    "request's determination, or the one agreeing candidate of a held request that people cleared."
)


@dataclass(frozen=True)
class Kind:
    """A report that can be made: its name, what it is for, and what it must be told besides the period."""

    name: str
    title: str
    law: str
    make: Make
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    personal: bool = False
    paper: bool = True
    """Whether people read it: what is made for programs is written as data only."""


def make(
    connection: duckdb.DuckDBPyConnection, record: Record, name: str, asked: Mapping[str, Any] | None = None
) -> Report:
    """Make a report over the tables that `counted.gather` made of `record`.

    Raises WrongInput when there is no report of that name, or it is not told what it needs.
    """
    kind = CATALOGUE.get(name)
    if kind is None:
        raise WrongInput(f"there is no report {name}", remedy=f"Choose one of {', '.join(CATALOGUE)}")
    given = {key: value for key, value in (asked or {}).items() if value not in (None, "")}
    missing = set(kind.needs) - set(given)
    if missing:
        raise WrongInput(f"the report {name} needs: {', '.join(sorted(missing))}")
    unknown = set(given) - set(kind.needs) - set(kind.takes)
    if unknown:
        raise WrongInput(f"the report {name} does not accept: {', '.join(sorted(unknown))}")
    report = replace(kind.make(connection, record, given), paper=kind.paper)
    return report if report.law else replace(report, law=_law(kind, record))


def _law(kind: Kind, record: Record) -> str:
    """The provisions by which the packs of the dockets counted ask for a report."""
    asked = wording.law_of(kind.name, [one.pack.wording for one in record.dockets])
    return asked or kind.law


def disclosures(_: duckdb.DuckDBPyConnection, record: Record, __: Mapping[str, Any]) -> Report:
    """The public report: per agency requests, instances of disclosure, persons concerned, purposes."""
    received, disclosed = record.period.holds("received_at"), record.period.holds("disclosed_at")
    query = f"""
        WITH standing AS (
          SELECT agency, count(*) AS requests,
                 string_agg(DISTINCT coalesce(proceeding_kind, 'none stated'), '; '
                            ORDER BY coalesce(proceeding_kind, 'none stated')) AS purposes
          FROM asked GROUP BY agency
        ), numbers AS (
          SELECT agency, sum(requests) AS requests, sum(instances) AS instances FROM (
            SELECT agency, requests, 0 AS instances FROM standing
            UNION ALL SELECT agency, 0, count(*) FROM disclosed GROUP BY agency
            UNION ALL SELECT agency, requests, 0 FROM destroyed_dockets WHERE {received}
            UNION ALL SELECT agency, 0, destroyed_releases.requests
            FROM destroyed_releases JOIN destroyed_dockets USING (docket) WHERE {disclosed}
          ) GROUP BY agency
        ), persons AS (
          SELECT agency, count(DISTINCT person_id) AS persons FROM (
            SELECT agency, person_id FROM disclosed
            UNION ALL SELECT agency, person_id FROM kept_disclosures WHERE {record.period.holds("released_on")}
          ) GROUP BY agency
        ), provisions AS (
          SELECT agency, string_agg(DISTINCT basis, '; ' ORDER BY basis) AS provisions
          FROM (SELECT agency, basis FROM dockets UNION ALL SELECT agency, basis FROM destroyed_dockets) GROUP BY agency
        )
        SELECT agency, numbers.requests::BIGINT AS requests, instances::BIGINT AS instances_of_disclosure,
               coalesce(persons.persons, 0) AS persons, coalesce(purposes, '') AS general_purposes, provisions
        FROM numbers JOIN provisions USING (agency) LEFT JOIN standing USING (agency) LEFT JOIN persons USING (agency)
        ORDER BY agency
    """
    says = {
        "requests": "requests received in the period, answered or not",
        "instances_of_disclosure": "disclosures made in the period, also of requests received before it",
        "persons": "different persons about whom something was disclosed in the period",
        "general_purposes": "the kinds of proceeding that the requests state",
        "provisions": "the provisions of law that the submissions rest on",
    }
    return Report(
        "disclosures",
        "Disclosures, by agency",
        "",
        "For disclosure to the public, through whoever the law names. Nobody is named in it.",
        record,
        (table("agencies", "By agency", query, says=says),),
        notes=(
            _INSTANCE,
            "A disclosure that was recalled stays counted, also one that was recalled before anybody fetched it.",
            (
                "Counts are exact, small ones too: the statute asks for the number, and a number of requests names "
                "nobody. Causes of refusals are not in this report."
            ),
        ),
    )


def accounting(_: duckdb.DuckDBPyConnection, record: Record, __: Mapping[str, Any]) -> Report:
    """The permanent accounting of every request, released or not. Personal data."""
    query = """
        WITH given AS (
          SELECT docket, seq, count(*) AS disclosures, min(disclosed_at) AS first_at, max(disclosed_at) AS last_at,
                 string_agg(DISTINCT officer, '; ' ORDER BY officer) AS officers,
                 array_to_string(list_sort(list_distinct(flatten(list(given)))), '; ') AS items
          FROM every_disclosure GROUP BY docket, seq
        )
        SELECT docket, seq + 1 AS row, request_id, agency, written(received_at) AS requested_at, basis,
               authority_citation AS authority, proceeding_kind AS proceeding, day(period_from_on) AS period_from,
               day(period_to_on) AS period_to, reason, outcome, array_to_string(codes, '; ') AS codes, ledger_index,
               coalesce(disclosures, 0) AS disclosures, written(first_at) AS first_disclosed_at,
               written(last_at) AS last_disclosed_at, officers AS disclosed_to, given.items AS items_disclosed,
               CASE WHEN disclosures > 0 THEN person_id END AS person
        FROM asked LEFT JOIN given USING (docket, seq) ORDER BY docket, asked.seq
    """
    refused = """
        SELECT submission, written(received_at) AS received_at, digest, refusal FROM refused_submissions
        ORDER BY received_at, digest
    """
    kept = """
        SELECT docket, agency, person_id AS person, released_on::VARCHAR AS disclosed_on, items, entry AS ledger_index
        FROM kept_disclosures ORDER BY docket, entry, released_on
    """
    says = {
        "row": "the row of the submission, from 1",
        "reason": "as the requester stated it",
        "person": "the person's number in the register, only where something was disclosed",
        "ledger_index": "where the determination stands in the ledger",
    }
    return Report(
        "accounting",
        "Accounting of requests and disclosures",
        "",
        "The permanent record of all requests, with their reasons and dates, and of what was disclosed. Open to those "
        "whom the law lets examine it.",
        record,
        (
            table("requests", "Requests received in the period", query, says=says, cards=True),
            table("refused", "Submissions refused whole", refused,
                  note="From the signed receipts beside the dockets. No request of theirs was decided, and the ledger "
                  "has no entry for them."),
            table("destroyed", "Dockets destroyed on record", _DESTROYED, note=_DESTROYED_NOTE),
            table("kept", "Disclosures kept of destroyed dockets", kept),
        ),
        notes=("It holds the reasons as stated and the numbers of the persons: keep it as the register is kept.",),
        personal=True,
    )  # fmt: skip


_DESTROYED = """
    SELECT docket, agency, written(received_at) AS requested_at, requests,
           (SELECT count(*) FROM destroyed_releases WHERE destroyed_releases.docket = destroyed_dockets.docket)
             AS packages,
           (SELECT coalesce(sum(requests), 0)::BIGINT FROM destroyed_releases
            WHERE destroyed_releases.docket = destroyed_dockets.docket) AS disclosures,
           written(destroyed_at) AS destroyed_at, reason
    FROM destroyed_dockets ORDER BY received_at, docket
"""
_DESTROYED_NOTE = (
    "Requests from the receipt, disclosures from the releases in the ledger. What was determined cannot be opened any "
    "more and is in no other number of this report."
)


def person(_: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """One person's accounting: what was asked and disclosed about them. Personal data."""
    number = person_of(asked)
    given = f"""
        SELECT written(disclosed_at) AS disclosed_at, agency, officer, basis, authority_citation AS authority,
               proceeding_kind AS proceeding, array_to_string(given, '; ') AS items, docket, seq + 1 AS row, release,
               EXISTS (FROM recalled WHERE recalled.release = disclosed.release
                       AND recalled.request_id = disclosed.request_id) AS recalled, ledger_index
        FROM disclosed WHERE person_id = {number} ORDER BY disclosed_at, release, seq
    """
    not_given = f"""
        SELECT written(received_at) AS requested_at, agency, basis, authority_citation AS authority,
               proceeding_kind AS proceeding, outcome, docket, seq + 1 AS row, ledger_index
        FROM asked ANTI JOIN every_disclosure USING (docket, seq)
        WHERE person_id = {number} ORDER BY received_at, docket, seq
    """
    kept = f"""
        SELECT docket, agency, released_on::VARCHAR AS disclosed_on, items, entry AS ledger_index
        FROM kept_disclosures WHERE person_id = {number} ORDER BY released_on, docket, entry
    """
    return Report(
        "person",
        "Accounting of one person",
        "",
        "For answering the person themselves or whoever lawfully examines the accounting about them. Whether it may be "
        "shown is for counsel: some laws except disclosures for law enforcement.",
        record,
        (
            table("disclosures", "Disclosed", given, cards=True),
            table("requests", "Asked about and not disclosed", not_given, cards=True,
                  note="Only requests that agree with exactly this person. A request that agreed with nobody, or with "
                  "several, is nobody's."),
            table("kept", "Disclosures kept of destroyed dockets", kept),
        ),
        asked={"person": number},
        notes=(
            "The person is named by their number in the register; this report holds no name, TIN or address.",
            "Disclosures of dockets that were destroyed are in the table of those kept.",
        ),
        personal=True,
    )  # fmt: skip


def disclosure_records(_: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """The records made at the time of each disclosure, in the shape of the IRS's Form 5466-B."""
    only = f"AND release = '{_name(asked['release'])}'" if asked.get("release") else ""
    query = f"""
        SELECT release, written(disclosed_at) AS disclosed_at, record->>'custodian' AS custodian,
               record->>'agency' AS agency, record->>'purpose' AS purpose,
               record->>'agreement' AS agreement, docket, officer, record->>'method' AS method,
               array_to_string(from_json(record->'items', '["VARCHAR"]'), '; ') AS items, requests,
               (SELECT count(DISTINCT person_id) FROM every_disclosure JOIN every_request USING (docket, seq)
                WHERE every_disclosure.release = releases.release) AS persons,
               array_to_string(from_json(record->'approved_by', '["VARCHAR"]'), '; ') AS approved_by,
               package, certificate, ledger_index, kept
        FROM releases WHERE {record.period.holds("disclosed_at")} {only} ORDER BY ledger_index
    """
    says = {
        "purpose": "the purpose code of the form: the provision of law",
        "agency": "the agency's identifier; the Service's own agency types and codes are not known here",
        "requests": "requests disclosed in this package: the form's multiple record of disclosure",
        "ledger_index": "where the release stands in the ledger",
        "kept": "whether the record made at the time lies beside the certificate; if so, it says the same",
    }
    return Report(
        "disclosure-records",
        "Records of disclosure",
        "",
        "One record a sealed package, made at the time of disclosure beside its certificate (disclosures/ID.json) and "
        "made again here from the certificate whose digest the ledger holds.",
        record,
        (table("records", "One record a package", query, says=says, cards=True),),
        asked={"release": asked["release"]} if asked.get("release") else {},
        notes=(
            (
                "Modelled on what the Internal Revenue Manual says of Form 5466-B (agency type, code and name; purpose "
                "code; made at the time of disclosure). It is not the form: the Service's code tables are its own."
            ),
            _PERSON,
        ),
    )


def safeguards_log(_: duckdb.DuckDBPyConnection, record: Record, __: Mapping[str, Any]) -> Report:
    """The log that safeguards ask for: what was received, by whom, where it is, and when and how it was destroyed."""
    query = """
        WITH back AS (
          SELECT release, min(stated_at) FILTER (kind = 'receipt') AS received_at,
                 min(stated_at) FILTER (kind = 'disposal') AS disposed_at,
                 min(method) FILTER (kind = 'disposal') AS method
          FROM returns GROUP BY release
        )
        SELECT docket || '/' || (seq + 1) AS identifier, release, day(period_from_on) AS period_from,
               day(period_to_on) AS period_to, replace(array_to_string(given, '; '), '_', ' ') AS type_of_information,
               authority_citation AS authority, proceeding_kind AS reason_for_request,
               day(disclosed.received_at) AS requested_on, day(disclosed_at) AS disclosed_on,
               day(back.received_at) AS received_on, agency || '/' || officer AS held_by,
               (SELECT day(min(recalled_at)) FROM recalls WHERE recalls.release = disclosed.release) AS recalled_on,
               day(disposed_at) AS disposed_on, method AS disposal_method
        FROM disclosed LEFT JOIN back USING (release) ORDER BY disclosed_at, release, seq
    """
    bulk = f"""
        SELECT release, written(disclosed_at) AS disclosed_at, docket, officer, requests AS records,
               array_to_string(from_json(record->'items', '["VARCHAR"]'), '; ') AS description, expires_on::VARCHAR
                 AS expires_on, package
        FROM releases WHERE {record.period.holds("disclosed_at")} ORDER BY ledger_index
    """
    says = {
        "identifier": "the docket and the row of the submission: it names the record and no person",
        "reason_for_request": "the kind of proceeding; the requester's own words may name a person and are left out",
        "held_by": "the agency and its officer, who alone has the key: so where the information is",
        "received_on": "as the recipient's signed receipt says",
        "disposed_on": "as the recipient's signed disposal certificate says",
    }
    return Report(
        "safeguards-log",
        "Log of information disclosed, without data about persons",
        "",
        "For whoever looks after safeguards and for the recipient's own log: what was disclosed, to whom, when and "
        "why, where it is, and when and how it was destroyed. It holds nothing that was disclosed.",
        record,
        (
            table("records", "Records", query, says=says),
            table("transfers", "Bulk transfers", bulk, note="One line a sealed package."),
        ),
        notes=(
            (
                "Receipts, use reports and disposal certificates are the recipients' signed statements, each checked "
                "by its signature and its entry in the ledger; one that has not come in is not here."
            ),
        ),
    )


def _name(text: object) -> str:
    from gatehouse.kernel import ids

    if not isinstance(text, str) or not ids.is_name(text):
        raise WrongInput("this is not a valid identifier", remedy="Copy it from the record of disclosures")
    return text


_ASKED = "the law of the packs counted"

CATALOGUE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("disclosures", "The public report of disclosures by agency", _ASKED, disclosures),
        Kind("accounting", "The permanent accounting of every request", _ASKED, accounting, personal=True),
        Kind("disclosure-records", "Records made at the time of disclosure", _ASKED, disclosure_records,
             takes=("release",)),
        Kind("errors", "Requests not cleared, by party and cause", _ASKED, errors.errors,
             takes=("reader",)),
        Kind("person", "One person's accounting", _ASKED, person, needs=("person",),
             personal=True),
        Kind("safeguards-log", "The log of what was disclosed, without data about persons", _ASKED, safeguards_log),
        Kind("inquiry", "What a congressional inquiry asks for", _ASKED, inquiry.inquiry),
        Kind("declaration", "Numbers for a court, each with its query", "28 U.S.C. § 1746", declaration.declaration,
             takes=("court", "case", "declarant", "title")),
        Kind("incident", "The incident report of a recall", _ASKED, incidents.incident, needs=("recall",),
             takes=("contact", "address", "systems")),
        Kind("notices", "Whom a recall concerns, for notices", _ASKED, incidents.notices,
             needs=("recall",), personal=True),
        Kind("audit-events", "Disclosures as FHIR AuditEvents", "IHE BALP", exports.audit_events, paper=False),
        Kind("usage", "One person's disclosures as findUsage answers them", "Data Tracker", exports.usage,
             needs=("person",), personal=True, paper=False),
    )
}  # fmt: skip
"""Every report, by its name on the command line."""
