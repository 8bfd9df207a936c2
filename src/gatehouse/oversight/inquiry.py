"""What a congressional inquiry asks for: requests, disclosures, who had access, rules followed, errors and remedies.

Modelled on what the resolution of inquiry H.Res. 1097 (119th Congress) asks the executive for, as public accounts of it
say. Everything is counts, identifiers and places in the ledger: no name, address, TIN or person's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse.oversight.report import Report, table
from gatehouse.oversight.sources import Record

_SUBMISSIONS = """
    SELECT docket, agency, basis, agreement, signed_on::VARCHAR AS signed_on, signatory_capacity, signatory_title,
           officers AS officers_named, written(received_at) AS received_at, requests, pack, pack_version,
           as_of::VARCHAR AS law_as_of, first_entry
    FROM dockets WHERE {period} ORDER BY received_at, docket
"""
_OUTCOMES = """
    SELECT docket, outcome, count(*) AS requests, count(DISTINCT fired) AS different_reasons FROM asked
    GROUP BY ALL ORDER BY ALL
"""
_ADDRESSES = """
    SELECT docket, coalesce(address_verdict, 'none given') AS address, tin_state = 'valid' AS tin_given,
           count(*) AS requests, count(*) FILTER (outcome = 'cleared') AS cleared, count(given.seq) AS disclosed
    FROM asked LEFT JOIN (SELECT DISTINCT docket, seq FROM every_disclosure) given USING (docket, seq)
    GROUP BY ALL ORDER BY ALL
"""
_OFFICERS = """
    WITH named AS (
      SELECT docket, officer, count(*) AS requests
      FROM (SELECT docket, unnest(officer_list) AS officer FROM asked) GROUP BY ALL
    ), given AS (
      SELECT docket, officer, count(*) AS disclosed FROM disclosed GROUP BY ALL
    )
    SELECT docket, officer, coalesce(requests, 0) AS requests_naming_them, coalesce(disclosed, 0) AS disclosed_to_them
    FROM named FULL JOIN given USING (docket, officer) ORDER BY docket, requests_naming_them DESC, officer
"""
_RELEASES = """
    SELECT release, docket, officer, written(disclosed_at) AS disclosed_at, requests, expires_on::VARCHAR
             AS expires_on,
           (SELECT string_agg(DISTINCT officer, '; ' ORDER BY officer) FROM approvals
            WHERE approvals.release = releases.release AND action = 'approve') AS approved_by,
           (SELECT written(min(stated_at)) FROM returns WHERE returns.release = releases.release AND kind = 'receipt')
             AS opened_at,
           (SELECT written(min(stated_at)) FROM returns WHERE returns.release = releases.release AND kind = 'disposal')
             AS disposed_at,
           certificate, ledger_index
    FROM releases WHERE {period} ORDER BY ledger_index
"""
_DECISIONS = """
    SELECT docket, number, action, requests, statement, ledger_index FROM decisions
    WHERE docket IN (SELECT docket FROM dockets WHERE {period}) ORDER BY ledger_index
"""
_RULES = """
    SELECT ledger_index, kind, coalesce(fields->>'pack', fields->>'order', fields->>'docket', '') AS about,
           coalesce(fields->>'version', fields->>'from', fields->>'stage', '') AS version_or_date,
           coalesce(fields->>'digest', fields->>'record', fields->>'report', fields->>'key', '') AS digest
    FROM events WHERE scope = 'site' ORDER BY ledger_index
"""
_REMEDIES = """
    SELECT recall, docket, release, officer, cause, about, written(recalled_at) AS recalled_at, requests,
           dispose_by::VARCHAR AS dispose_by,
           (SELECT written(max(stated_at)) FROM returns WHERE returns.release = recalls.release AND kind = 'disposal')
             AS disposed_at,
           ledger_index
    FROM recalls WHERE {period} ORDER BY ledger_index, release
"""
_REFUSED = """
    SELECT submission, written(received_at) AS received_at, digest, refusal FROM refused_submissions
    ORDER BY received_at, digest
"""


_DESTROYED = """
    SELECT docket, agency, basis, written(received_at) AS received_at, requests,
           (SELECT coalesce(sum(requests), 0)::BIGINT FROM destroyed_releases
            WHERE destroyed_releases.docket = destroyed_dockets.docket) AS disclosures,
           written(destroyed_at) AS destroyed_at, reason
    FROM destroyed_dockets ORDER BY received_at, docket
"""


def inquiry(_: duckdb.DuckDBPyConnection, record: Record, __: Mapping[str, Any]) -> Report:
    """The export for an inquiry: ten tables, none with anything about a person."""
    received, disclosed = record.period.holds("received_at"), record.period.holds("disclosed_at")
    return Report(
        "inquiry",
        "Export for an inquiry of Congress",
        "",
        "All requests, all disclosures and everyone they went to, under which law and rules, decided by whom, and what "
        "was found wrong and done about it.",
        record,
        (
            table("submissions", "Submissions received", _SUBMISSIONS.format(period=received)),
            table("refused", "Submissions refused whole", _REFUSED, note="From signed receipts; not in the ledger."),
            table("destroyed", "Dockets destroyed on record", _DESTROYED,
                  note="Requests from the receipt, disclosures from the releases in the ledger; in no other table."),
            table("outcomes", "What was determined", _OUTCOMES),
            table("addresses", "Addresses given, identifiers given, and what became of them", _ADDRESSES,
                  says={"address": "the judgement of the text given as the person's address"}),
            table("officers", "Officers of the requester, and how many requests name each", _OFFICERS),
            table("releases", "Disclosures, one line a sealed package", _RELEASES.format(period=disclosed)),
            table("decisions", "Decisions of people, in the order of the ledger", _DECISIONS.format(period=received)),
            table("rules", "Law, orders and the site's own events, in the order of the ledger", _RULES),
            table("remedies", "What was taken back in the period",
                  _REMEDIES.format(period=record.period.holds("recalled_at"))),
        ),
        notes=(
            "Officers and signatories appear by identifier, title and capacity.",
            "Modelled on a resolution of inquiry (H.Res. 1097, 119th Congress).",
            "What was disclosed is not itself in this export; access to it is another matter of law.",
        ),
    )  # fmt: skip
