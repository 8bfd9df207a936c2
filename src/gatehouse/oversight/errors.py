"""Why requests were not cleared, by party and cause, so that whoever causes an error can mend it.

For the requester and the public all that depends on the register stands in one line, as in the answers: a count of
opaque refusals by cause would tell of a small docket what an answer never tells of a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse.kernel.errors import WrongInput
from gatehouse.oversight.causes import NOT_KNOWN, ON_FILE
from gatehouse.oversight.report import Report, Table, table
from gatehouse.oversight.sources import Period, Record

READERS = ("custodian", "requester")
_ADDS_UP = (
    "A request that several rules stop is counted under each of their causes, and under 'alone' only where nothing "
    "else stops it; so the causes add up to more than the requests."
)
_NOT_TOLD = (
    "For the requester and the public: only rules that the answers tell at once are counted. What depends on the "
    "register, and what waits for a person, is one number, so that no count tells more than the answers do."
)
_STOPS = """
    WITH lists AS (
      SELECT agency, pack_digest, fired, unknown, count(*) AS requests
      FROM asked WHERE outcome <> 'cleared' GROUP BY ALL
    ), stopping AS (
      SELECT lists.agency, lists.fired, lists.unknown, lists.pack_digest, requests, rule, stops_as, cite, code, party,
             cause, reveals
      FROM (SELECT *, unnest(fired) AS rule FROM lists) lists JOIN rules USING (pack_digest, rule)
      WHERE effect <> 'limit' AND {counted}
    ), known AS (
      FROM stopping WHERE NOT list_contains(unknown, rule)
    )
"""


def errors(_: duckdb.DuckDBPyConnection, record: Record, asked: Mapping[str, Any]) -> Report:
    """Requests that were not cleared by party and cause; what people decided, and what was taken back."""
    reader = str(asked.get("reader") or "custodian")
    if reader not in READERS:
        raise WrongInput(f"there is no audience {reader}", remedy=f"Choose one of {', '.join(READERS)}")
    full = reader == "custodian"
    tables = (_outcomes(full=full), _causes(full=full), _rules(full=full), _unknown(full=full))
    return Report(
        "errors",
        "Requests not cleared, by party and cause",
        "",
        "Who causes what: the requester's form and authority, the register, the match, the law, the custodian's own "
        "ceilings, and what officers decided.",
        record,
        (*tables, *((_identity(), _people(record.period), _recalls(record.period), _reviews()) if full else ())),
        asked={"reader": reader},
        notes=(_ADDS_UP,) if full else (_ADDS_UP, _NOT_TOLD),
    )


def _outcomes(*, full: bool) -> Table:
    told = (
        "EXISTS (FROM rules WHERE rules.pack_digest = asked.pack_digest AND list_contains(fired, rule) AND told "
        "AND effect <> 'limit')"
    )
    outcome = "outcome" if full else f"CASE WHEN {told} THEN 'not answered, and told why' ELSE 'told at the close' END"
    query = f"""
        SELECT agency, {outcome} AS outcome, sum(requests)::BIGINT AS requests
        FROM (SELECT agency, pack_digest, fired, outcome, count(*) AS requests FROM asked GROUP BY ALL) asked
        GROUP BY ALL ORDER BY ALL
    """
    return table("outcomes", "Outcomes", query)


def _stops(*, full: bool) -> str:
    """For the requester only rules that the answers tell: counted so, nothing follows about the others."""
    return _STOPS.format(counted="true" if full else "told")


def _causes(*, full: bool) -> Table:
    query = (
        _stops(full=full)
        + """
        , each AS (
          SELECT agency, pack_digest, fired, unknown, requests, party, cause,
                 count(*) OVER (PARTITION BY agency, pack_digest, fired, unknown) = 1 AS alone
          FROM (SELECT DISTINCT agency, pack_digest, fired, unknown, requests, party, cause FROM known)
        )
        SELECT agency, party, cause, sum(requests)::BIGINT AS requests,
               coalesce(sum(requests) FILTER (alone), 0)::BIGINT AS alone
        FROM each GROUP BY ALL ORDER BY agency, requests DESC, party, cause
    """
    )
    return table("causes", "By party and cause", query, says={"alone": "requests that nothing else listed here stops"})


def _rules(*, full: bool) -> Table:
    query = (
        _stops(full=full)
        + """
        , each AS (
          SELECT *, count(*) OVER (PARTITION BY agency, pack_digest, fired, unknown) = 1 AS alone FROM known
        )
        SELECT agency, rule, code, party, cite, sum(requests)::BIGINT AS requests,
               coalesce(sum(requests) FILTER (alone), 0)::BIGINT AS alone
        FROM each GROUP BY ALL ORDER BY agency, requests DESC, rule
    """
    )
    return table("rules", "By rule", query, says={"cite": "where the rule is written"})


def _unknown(*, full: bool) -> Table:
    query = (
        _stops(full=full)
        + f"""
        , lacking AS (
          SELECT DISTINCT agency, pack_digest, fired, unknown, requests,
                 CASE WHEN reveals THEN '{ON_FILE}' ELSE rule END AS rule
          FROM stopping WHERE list_contains(unknown, rule)
        )
        SELECT agency, rule, sum(requests)::BIGINT AS requests
        FROM lacking GROUP BY ALL ORDER BY agency, requests DESC, rule
    """
    )
    return table("unknown", "What could not be known, and so stopped requests too", query, note=NOT_KNOWN)


def _identity() -> Table:
    query = """
        SELECT agency, coalesce(verdict, 'nobody of that name on file') AS best_candidate,
               CASE verdict WHEN 'several_agree' THEN 'register' WHEN 'tin_not_on_file' THEN 'register'
                            WHEN 'birth_date_not_on_file' THEN 'register' ELSE 'match' END AS party,
               count(*) AS requests
        FROM asked LEFT JOIN every_candidate USING (docket, seq)
        WHERE list_contains(codes, 'SUBJECT') GROUP BY ALL ORDER BY agency, requests DESC, best_candidate
    """
    return table(
        "identity",
        "Where the person was not established: the best candidate's verdict",
        query,
        note="For the custodian alone. docs/matching.md says what each verdict means.",
    )


def _people(period: Period) -> Table:
    query = f"""
        SELECT docket, action, cause, count(*) AS decisions, sum(requests)::BIGINT AS requests
        FROM decisions WHERE docket IN (SELECT docket FROM dockets WHERE {period.holds("received_at")})
        GROUP BY ALL ORDER BY docket, action
    """
    note = "Decisions in the ledger about the dockets received in the period."
    return table("people", "What officers decided", query, note=note)


def _reviews() -> Table:
    query = """
        SELECT fields->>'docket' AS drill, (fields->>'planted')::BIGINT AS known_cases,
               (fields->>'decided')::BIGINT AS decided, (fields->>'caught')::BIGINT AS caught,
               fields->>'report' AS report, ledger_index
        FROM events WHERE kind = 'review' AND fields->>'stage' = 'measured' ORDER BY ledger_index
    """
    note = (
        "Drills of reviewers: known cases in a copy of a docket, and how many were caught. The report, by its digest, "
    )
    return table("reviews", "What reviewers catch", query, note=note + "has the intervals, by officer and by kind.")


def _recalls(period: Period) -> Table:
    query = f"""
        SELECT docket, recall, cause,
               CASE cause WHEN 'requests' THEN 'officer' ELSE 'law' END AS party,
               about AS rule_or_order, count(*) AS releases, sum(requests)::BIGINT AS requests
        FROM recalls WHERE {period.holds("recalled_at")} GROUP BY ALL ORDER BY docket, recall
    """
    return table("recalls", "Found after release, and taken back", query)
