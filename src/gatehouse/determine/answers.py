"""What the requester may see: `answers.csv`, without an oracle (design §5.4).

A fault that depends only on what was sent, or on public facts, is answered at once with its reasons, and then nothing
about the subject stands beside it. Everything else is `pending` until the docket closes, and then one text for all.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from gatehouse.kernel import files, formulas
from gatehouse.law.pack import NO_GRANT, Pack

PUBLIC_CODES = ("AGREEMENT", "AUTHORITY", "FORM", "ORDER", "SAFEGUARD")

SUBJECT_TEXT = "No information is disclosed for this request. This answer is the same whether or not a record exists."
PENDING_TEXT = "Received and under review. All such requests are answered together when the docket closes."
ANSWERED_TEXT = "Answered. The release is sealed to the officers named in the request."


def is_told(code: str, outcome: str) -> bool:
    """Whether a rule of that code and outcome is answered at once.

    Only rules that by themselves refuse or return count. A public hold, or a cut of items, that were told only where
    something else refuses would tell that something else does.
    """
    return code in PUBLIC_CODES and outcome in {"refused", "incomplete"}


def publish(
    connection: duckdb.DuckDBPyConnection,
    *,
    determinations: str,
    pack: Pack,
    path: Path,
    released: str | None = None,
) -> None:
    """Write answers.csv for a table of determinations, all or nothing.

    While the docket is open `released` is None. At its close it names a table with the `seq` of every released request;
    all that is neither released nor answered before becomes `not_answered` with `SUBJECT`.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE answer_rules (rule VARCHAR, code VARCHAR, say VARCHAR)")
    texts = [[NO_GRANT, "AUTHORITY", pack.default_say]]
    texts += [[rule.id, rule.code, rule.say] for rule in pack.rules if is_told(rule.code, rule.outcome)]
    connection.executemany("INSERT INTO answer_rules VALUES (?, ?, ?)", texts)
    closing = (
        f"CASE WHEN seq IN (SELECT seq FROM {released}) THEN 'answered' ELSE 'not_answered' END"
        if released
        else "'pending'"
    )
    with files.replacing(path) as temporary:
        connection.execute(_query(determinations, closing, str(temporary)))


def _query(determinations: str, closing: str, path: str) -> str:
    # The texts are put together once for each distinct list of rules, a few hundred, and joined to the rows.
    escaped = path.replace("'", "''")
    return f"""
        COPY (
            WITH lists AS (
                SELECT DISTINCT fired FROM {determinations}
            ), texts AS (
                SELECT fired, string_agg(DISTINCT code, ';' ORDER BY code) AS codes,
                       string_agg(DISTINCT say, ' ' ORDER BY say) AS text
                FROM (SELECT fired, unnest(fired) AS rule FROM lists) JOIN answer_rules USING (rule)
                GROUP BY fired
            ), answered AS (
                SELECT seq, request_id,
                       texts.codes AS public_codes, texts.text,
                       {closing} AS later
                FROM {determinations} LEFT JOIN texts USING (fired)
            )
            SELECT {formulas.sql("request_id")} AS request_id,
                   CASE WHEN public_codes IS NOT NULL THEN 'not_answered' ELSE later END AS outcome,
                   CASE WHEN public_codes IS NOT NULL THEN public_codes
                        WHEN later = 'not_answered' THEN 'SUBJECT' ELSE '' END AS codes,
                   CASE WHEN public_codes IS NOT NULL THEN text
                        WHEN later = 'answered' THEN '{ANSWERED_TEXT}'
                        WHEN later = 'not_answered' THEN '{SUBJECT_TEXT}'
                        ELSE '{PENDING_TEXT}' END AS text
            FROM answered ORDER BY seq
        ) TO '{escaped}' (FORMAT csv, HEADER, DELIMITER ',')
    """
