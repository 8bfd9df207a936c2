"""A declaration for a court: "of N requests …", every number with the query and the checkpoint it came from.

It says what the record shows and nothing that is not counted. `rebuild` asks every query again over the dockets and
the ledger as of the same checkpoint, and names each number that differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse.oversight.causes import NOT_KNOWN, ON_FILE
from gatehouse.oversight.report import Figure, Report, figure, table
from gatehouse.oversight.sources import Record

_OF = "SELECT count(*) FROM asked"
_GIVEN = "SELECT count(*) FROM (SELECT DISTINCT docket, seq FROM disclosed)"

_FIGURES: tuple[tuple[str, str, str], ...] = (
    ("submissions", "submissions received", "SELECT count(*) FROM dockets WHERE {received}"),
    ("refused_submissions", "submissions refused whole",
     "SELECT count(*) FROM refused_submissions WHERE {received}"),
    ("agencies", "agencies that asked", "SELECT count(DISTINCT agency) FROM dockets WHERE {received}"),
    ("first_received", "day of the first submission", "SELECT day(min(received_at)) FROM dockets WHERE {received}"),
    ("last_received", "day of the last submission", "SELECT day(max(received_at)) FROM dockets WHERE {received}"),
    ("requests", "requests received, without those of destroyed dockets", _OF),
    ("destroyed_dockets", "dockets destroyed on record", "SELECT count(*) FROM destroyed_dockets WHERE {received}"),
    ("destroyed_requests", "requests of dockets destroyed on record",
     "SELECT coalesce(sum(requests), 0)::BIGINT FROM destroyed_dockets WHERE {received}"),
    ("cleared", "requests that the machine cleared for approval", f"{_OF} WHERE outcome = 'cleared'"),
    ("held", "requests held for a person", f"{_OF} WHERE outcome = 'held'"),
    ("incomplete", "requests returned as incomplete", f"{_OF} WHERE outcome = 'incomplete'"),
    ("refused", "requests refused", f"{_OF} WHERE outcome = 'refused'"),
    ("no_address", "requests whose text is no complete home address",
     f"{_OF} WHERE address_verdict IS DISTINCT FROM 'complete'"),
    ("tin_without_address", "of them, requests with a TIN that can be read",
     f"{_OF} WHERE address_verdict IS DISTINCT FROM 'complete' AND tin_state = 'valid'"),
    ("no_address_disclosed", "of them, requests for which anything was disclosed",
     f"{_GIVEN} JOIN every_request USING (docket, seq) WHERE address_verdict IS DISTINCT FROM 'complete'"),
    ("most_matters", "most requests that name one officer",
     ("SELECT coalesce(max(named), 0) FROM (SELECT count(*) AS named FROM "
     "(SELECT agency, unnest(officer_list) AS officer FROM asked) GROUP BY agency, officer)")),
    ("disclosed", "requests for which something was disclosed", _GIVEN),
    ("instances", "instances of disclosure: one request to one officer", "SELECT count(*) FROM disclosed"),
    ("persons", "different persons about whom something was disclosed",
     "SELECT count(DISTINCT person_id) FROM disclosed"),
    ("packages", "sealed packages", "SELECT count(*) FROM releases WHERE {disclosed}"),
    ("recipients", "officers who were sent one", "SELECT count(DISTINCT (docket, officer)) FROM disclosed"),
    ("unapproved", "packages whose certificate names fewer than two approving officers",
     ("SELECT count(*) FROM releases WHERE {disclosed} AND (SELECT count(DISTINCT officer) "
     "FROM approvals WHERE approvals.release = releases.release AND action = 'approve') < 2")),
    ("not_permitted", "requests disclosed although their determination neither cleared nor held them",
     "SELECT count(*) FROM disclosed WHERE outcome NOT IN ('cleared', 'held')"),
    ("recalled_packages", "packages taken back", "SELECT count(DISTINCT release) FROM recalls WHERE {recalled}"),
    ("recalled_requests", "requests found wrong in them",
     ("SELECT count(*) FROM (SELECT DISTINCT docket, request_id FROM recalled JOIN recalls USING (release, recall) "
     "WHERE {recalled})")),
)  # fmt: skip

_PARAGRAPHS = (
    (
        "I have access to the record of disclosures described below. The numbers in this declaration were counted from "
        "that record by the queries listed in the annex, and not from memory or from any summary."
    ),
    (
        "The record is a ledger to which entries can only be added. I make this declaration as of its checkpoint of "
        "size {checkpoint_size}, whose root is {checkpoint_root}. Of its entries, {unexplained:is|are} explained by "
        "none of the dockets and events that were counted."
    ),
    (
        "From {first_received} to {last_received} the number of submissions taken in was {submissions}, and the number "
        "of agencies that made them was {agencies}. The number of submissions refused whole was {refused_submissions}. "
        "The number of dockets that were destroyed on record and are in no number below was {destroyed_dockets}, with "
        "{destroyed_requests:request|requests}."
    ),
    (
        "The submissions held {requests:request|requests}. Each has one determination, made under the law in force on "
        "its date and committed to the ledger in the order of the submission; none is missing and none was added."
    ),
    (
        "Of {requests:request|requests}, {cleared:was|were} cleared for approval by people, {held:was|were} held for a "
        "person, {incomplete:was|were} returned as incomplete and {refused:was|were} refused."
    ),
    (
        "Of {requests:request|requests}, {no_address} gave a text that is no complete home address. "
        "{tin_without_address} of those gave a taxpayer identification number all the same. Something was disclosed "
        "for {no_address_disclosed} of them."
    ),
    "The officer whom most requests name is named in {most_matters:request|requests}.",
    (
        "Of {requests:request|requests}, something was disclosed for {disclosed}: {instances:instance|instances} of "
        "disclosure about {persons:person|persons}, in {packages:sealed package|sealed packages} to "
        "{recipients:officer|officers}."
    ),
    (
        "Of {packages:package|packages}, {unapproved:lacks|lack} the approvals of two different officers in the "
        "certificate. Of the instances of disclosure, {not_permitted:concerns|concern} a request that was refused or "
        "returned."
    ),
    (
        "Of the packages, {recalled_packages:was|were} taken back by recall, for {recalled_requests:request|requests} "
        "found wrong."
    ),
)

_LISTS = """
    WITH lists AS (
      SELECT pack_digest, fired, unknown, count(*) AS requests FROM asked WHERE outcome <> 'cleared' GROUP BY ALL
    )
"""
_RULES = (
    _LISTS
    + """
    , stopping AS (
      SELECT *, unnest(list_filter(fired, lambda id: NOT list_contains(unknown, id))) AS rule FROM lists
    )
    SELECT rule, cite, stops_as, sum(requests)::BIGINT AS requests,
           coalesce(sum(requests) FILTER (len(fired) = 1), 0)::BIGINT AS alone
    FROM stopping JOIN rules USING (pack_digest, rule)
    WHERE effect <> 'limit' GROUP BY ALL ORDER BY requests DESC, rule
"""
)
_UNKNOWN = (
    _LISTS
    + f"""
    , lacking AS (
      SELECT DISTINCT pack_digest, fired, unknown, requests, CASE WHEN reveals THEN '{ON_FILE}' ELSE rule END AS rule
      FROM (SELECT *, unnest(unknown) AS rule FROM lists) JOIN rules USING (pack_digest, rule)
      WHERE effect <> 'limit'
    )
    SELECT rule, sum(requests)::BIGINT AS requests FROM lacking GROUP BY ALL ORDER BY requests DESC, rule
"""
)


def declaration(connection: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """The declaration, with blanks for who declares. `asked` may name `court`, `case`, `declarant` and `title`."""
    periods = {name: record.period.holds(f"{name}_at") for name in ("received", "disclosed", "recalled")}
    figures = tuple(figure(connection, name, says, query.format(**periods)) for name, says, query in _FIGURES)
    under = record.checkpoint
    stated = (
        Figure("checkpoint_size", "size of the ledger", "the checkpoint", under.size),
        Figure("checkpoint_root", "root of the ledger", "the checkpoint", under.root.hex()),
        Figure("unexplained", "entries that nothing explains", "the ledger against dockets and events",
               record.unexplained),
    )  # fmt: skip
    return Report(
        "declaration",
        "Declaration of counts from the record of disclosures",
        "28 U.S.C. § 1746",
        "For filing in a court: every number names the query that gave it and the checkpoint it is as of.",
        record,
        (
            table(
                "rules",
                "Rules that stopped requests",
                _RULES,
                says={"alone": "requests that no other rule stops"},
                note="Only rules that a fact in the record answers; a rule that a missing fact left open is not here.",
            ),
            table("unknown", "What could not be known, and so stopped requests too", _UNKNOWN, note=NOT_KNOWN),
        ),
        asked={name: str(asked[name]) for name in ("court", "case", "declarant", "title") if asked.get(name)},
        figures=(*stated, *figures),
        paragraphs=_PARAGRAPHS,
        notes=(
            (
                "Proceedings, authorities, periods, addresses and TINs as given are read from the docket's tables of "
                "requests; the ledger commits to the determinations made of them and to the receipt of the submission."
            ),
            "Rebuild it: gatehouse report verify FILE, with the dockets and the ledger.",
        ),
    )
