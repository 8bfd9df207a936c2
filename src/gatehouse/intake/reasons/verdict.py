"""The verdict on a reason: what its sentences hold together, with the words that decided.

Each distinct piece and each distinct sentence is judged once. A verdict depends on the text alone, never on the other
rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from gatehouse.intake import placeholders
from gatehouse.intake.reasons import sentences, templates, texts, weighing
from gatehouse.intake.reasons.strangers import SHOWN, STRANGER
from gatehouse.intake.reasons.vocabulary import civil, kinds
from gatehouse.intake.reasons.weighing import SAID, bit

VERDICTS = ("absent", "placeholder", "pointer", "unspecific", "unclear", "civil_purpose", "specific")
PURPOSES = kinds()
"""What a purpose that is no criminal proceeding may be."""
_SHORT = 120
"""Longer texts are no fillers: they say something, or nothing at length, which is another verdict."""
_MASK = "|".join(
    (
        r"X{3,}", r"(?:^|[^A-Z0-9])X{2,}(?:[^A-Z]|$)", r"_{3,}", r"[*#]{3,}", r"\[[^\]]*\]", r"\{[^}]*\}", r"<[^<>]*>",
        r"%[A-Z_]{2,}%", r"\b(?:MM|DD)/", r"/YYYY", r"\((?:INSERT|NAME|DATE|FILL)\b", r"\b(?:FIRST|LAST) ?NAME\b",
    )
)  # fmt: skip
_MASK_SIGNS = ("XX", "__", "*", "#", "[", "{", "<", "%", "/", "(", "NAME")
"""One of these stands in every mask; finding them all costs a third of trying the pattern."""
_TAG = r"</?[A-Z][A-Z0-9]{0,9}(?: [^<>]*)?/?>"


def judge(connection: duckdb.DuckDBPyConnection, source: str, target: str, key: str, own: Sequence[str] = ()) -> None:
    """Make `target` (key, reason_state, reason_purpose, reason_why, reason_template) from `source` (key, reason).

    `reason_state` is one of `VERDICTS`; `reason_purpose`, one of `PURPOSES`, stands only with `civil_purpose`;
    `reason_why` is the words that decided; `reason_template` the prints of `templates`, without what the columns `own`
    of `source` say.
    """
    texts.gather(connection, source, key, own)
    sentences.split(connection)
    weighing.weigh(connection)
    templates.mark(connection)
    connection.execute(templates.prints("(FROM reason_pieces WHERE counted)", "reason_prints"))
    _number_words(connection)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE reason_whole AS {_whole()}")
    _find_fillers(connection)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE reason_verdicts AS {_verdicts()}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT {key}, coalesce(reason_state, 'absent') AS reason_state, "
        f"reason_purpose, reason_why, reason_template FROM {source} LEFT JOIN reason_rows USING ({key}) "
        "LEFT JOIN reason_verdicts USING (text)"
    )
    for table in (
        "rows",
        "texts",
        "pieces",
        "sentences",
        "lines",
        "weighed",
        "said",
        "heard",
        "marks",
        "prints",
        "whole",
        "fillers",
        "verdicts",
    ):
        connection.execute(f"DROP TABLE reason_{table}")


def _number_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `reason_said` (number, said): the words that decided, each once, numbered as the alphabet orders them.

    `reason_heard` has for each line what was found and, under the names of `SAID`, these numbers: the first of some
    numbers costs a tenth of the first of some texts, and is the same.
    """
    each = " UNION ".join(f"SELECT {name} AS said FROM reason_weighed WHERE {name} IS NOT NULL" for name in SAID)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reason_said AS "
        f"SELECT (row_number() OVER (ORDER BY said))::INTEGER AS number, said FROM ({each})"
    )
    numbers = ", ".join(f"{name}.number AS {name}" for name in SAID)
    joins = " ".join(f"LEFT JOIN reason_said {name} ON weighed.{name} = {name}.said" for name in SAID)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE reason_heard AS
        WITH numbered AS (SELECT told, size, found, {numbers} FROM reason_weighed weighed {joins})
        SELECT line, found, {", ".join(SAID)} FROM reason_lines l
        JOIN numbered ON l.told = numbered.told AND l.size IS NOT DISTINCT FROM numbered.size
    """)


def _gathered(key: str, rows: str) -> str:
    """SQL: what all parts of a text hold. Of the words of each kind the first in the alphabet are kept, so that the
    order of rows decides nothing."""
    said = ", ".join(f"min({name}) AS {name}" for name in SAID)
    return f"SELECT {key}, bit_or(found) AS found, {said} FROM {rows} GROUP BY {key}"


def _whole() -> str:
    """SQL: text, stated, long, state (without fillers), found and what was said."""
    has = {name: f"found & {bit(name)} > 0" for name in weighing.BITS}
    words = ", ".join(f"{name}.said AS {name}" for name in SAID)
    joins = " ".join(f"LEFT JOIN reason_said {name} ON whole.{name} = {name}.number" for name in SAID)
    return f"""
        WITH pieces AS ({_gathered("piece", "reason_sentences JOIN reason_heard USING (line)")}),
        whole AS ({_gathered("text", "(FROM reason_pieces WHERE judged) JOIN pieces USING (piece)")}),
        borne AS (
            SELECT text, found, {words}, {has["bearing"]} OR {has["weak"]} AND {has["criminal"]} AS bears,
                   {has["fact"]} OR {has["event"]} AND {has["anchor"]} AS fact
            FROM whole {joins}
        )
        SELECT text, stated, long, fact, bears, found, {", ".join(SAID)}, CASE
            WHEN {has["civil"]} THEN 'civil_purpose'
            WHEN long THEN 'unclear'
            WHEN {has["told"]} THEN 'unspecific'
            WHEN {_masked()} THEN 'placeholder'
            WHEN fact AND bears AND found & {bit("doubt") | bit("other") | bit("spelled")} = 0 THEN 'specific'
            WHEN {has["pointer"]} AND NOT (fact AND bears) THEN 'pointer'
            WHEN fact OR {has["doubt"]} THEN 'unclear'
            ELSE 'unspecific' END AS state
        FROM reason_texts LEFT JOIN borne USING (text)
    """


def _masked() -> str:
    """SQL: a template was left unfilled. Tags of a page are none."""
    signs = " OR ".join(f"contains(stated, '{sign}')" for sign in _MASK_SIGNS)
    untagged = f"regexp_replace(stated, '{_TAG}', ' ', 'g')"
    return f"({signs}) AND regexp_matches(stated, '{_MASK}') AND regexp_matches({untagged}, '{_MASK}')"


def _find_fillers(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `reason_fillers` (text, filler): why each distinct short text that says nothing is no reason at all."""
    hollow = connection.execute(
        "SELECT text, stated FROM reason_whole WHERE state IN ('unspecific', 'pointer', 'placeholder') "
        f"AND length(stated) <= {_SHORT} AND NOT coalesce(fact OR bears, FALSE)"
    ).fetchall()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reason_fillers AS SELECT * FROM ("
        "SELECT unnest(?::BIGINT[]) AS text, unnest(?::VARCHAR[]) AS filler) WHERE filler IS NOT NULL",
        [[text for text, _ in hollow], [placeholders.finding(stated, "reason") for _, stated in hollow]],
    )


def _verdicts() -> str:
    purpose = " ".join(f"WHEN regexp_matches(heard, '{civil('acts', kind)}') THEN '{kind}'" for kind in kinds())
    purpose += " " + " ".join(f"WHEN regexp_matches(heard, '{civil('words', kind)}') THEN '{kind}'" for kind in kinds())
    heard = f"replace(replace(upper(civil_said), '#', '0'), '{SHOWN}', '{STRANGER}')"
    return f"""
        WITH purposes AS (
            SELECT civil_said, CASE {purpose} ELSE 'removal' END AS purpose FROM (
                SELECT DISTINCT civil_said, ' ' || {heard} || ' ' AS heard
                FROM reason_whole WHERE state = 'civil_purpose')
        )
        SELECT text, reason_state,
               CASE WHEN reason_state = 'civil_purpose' THEN purpose END AS reason_purpose,
               CASE reason_state
                   WHEN 'civil_purpose' THEN civil_said
                   WHEN 'placeholder' THEN coalesce(filler, 'template')
                   WHEN 'specific' THEN concat_ws('; ', fact_said, bearing_said)
                   WHEN 'pointer' THEN doubt_said
                   WHEN 'unclear' THEN CASE WHEN long THEN 'too long to be judged'
                       WHEN NOT bears THEN 'says no bearing' ELSE
                       concat_ws('; ', 'a purpose beside it', civil_said, doubt_said) END
                   ELSE coalesce(doubt_said, CASE WHEN bears THEN 'says no fact' ELSE 'says no fact and no bearing' END)
               END AS reason_why, reason_template
        FROM (
            SELECT whole.*, filler,
                   CASE WHEN state IN ('unspecific', 'pointer') AND filler IS NOT NULL
                             AND NOT (state = 'pointer' AND filler = 'filler')
                             OR state = 'unspecific' AND found IS NULL THEN 'placeholder' ELSE state END AS reason_state
            FROM reason_whole whole LEFT JOIN reason_fillers USING (text)
        ) LEFT JOIN purposes USING (civil_said) LEFT JOIN reason_prints USING (text)
    """
