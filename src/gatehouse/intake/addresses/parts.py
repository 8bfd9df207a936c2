"""Parts of addresses, in columns: fold, split into words, class each word once, read each shape once, pick by position.

Nothing here judges. Two spellings of one place give equal parts, column by column.
"""

from __future__ import annotations

import duckdb

from gatehouse.intake.addresses import grammar, places
from gatehouse.intake.addresses.folding import folded, prepare_fold
from gatehouse.intake.addresses.vocabulary import class_of, load_vocabulary

PARTS = (
    "address_kind", "house_number", "pre_direction", "street_name", "street_type", "post_direction",
    "unit_kind", "unit_number", "box_number", "city_key", "state_key", "zip5", "zip4", "country_key",
)  # fmt: skip
"""The columns that `standardise` makes beside the key, all VARCHAR."""

_LINES = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
_SHORT = 10  # words; most addresses have no more, so most need no more look-ups than that

# Words that begin something written in several words. Most addresses hold none, and skip the replacements.
_SEVERAL_WORDS = (
    "BOX|OFFICE|COUNTY|STATE|US|U|INTERSTATE|FARM|RANCH|RURAL|STAR|CONTRACT|DELIVERY|GENERAL|LISTA|POSTE|ENTREGA|"
    "CO|COLLEGE|APARTADO|CASILLA|PRIVATE|SAN|SANTA|TWENTY|THIRTY|FORTY|FIFTY|SIXTY|SEVENTY|EIGHTY|NINETY|MARTIN"
)
_REWRITES = (
    (r"\bPOST OFFICE BOX\b|\bPOST BOX\b|\bP O BOX\b|\bPO BOX\b|\bP O B\b|\bAPARTADO( POSTAL)?\b|\bCASILLA( POSTAL)?\b", "POBOX"),
    (r"\b(CO|COUNTY) (RD|ROAD|ROUTE|RTE|RT)\b|\bCNTY (RD|ROAD)\b", "CR"),
    (r"\b(CO|COUNTY) (HWY|HIGHWAY)\b", "CH"),
    (r"\b(ST|STATE) (RD|ROAD|ROUTE|RTE|RT) ([0-9])", r"SR \3"),
    (r"\b(ST|STATE) (HWY|HIGHWAY) ([0-9])", r"SH \3"),
    (r"\b(US|U S) (HWY|HIGHWAY|ROUTE|RTE|RT)\b", "USHWY"),
    (r"\bINTERSTATE( HWY| HIGHWAY)?\b", "IH"),
    (r"\bFARM (TO|2) MARKET( RD| ROAD)?\b", "FM"),
    (r"\bRANCH (TO|2) MARKET( RD| ROAD)?\b", "RM"),
    (r"\bRURAL (ROUTE|RTE|RT)\b", "RR"),
    (r"\bSTAR (ROUTE|RTE|RT)\b|\bHIGHWAY CONTRACT( ROUTE| RTE)?\b|\bHWY CONTRACT( ROUTE| RTE)?\b", "HC"),
    (r"\bGENERAL DELIVERY\b|\bGEN DELIVERY\b|\bLISTA DE CORREOS\b|\bENTREGA GENERAL\b|\bPOSTE RESTANTE\b", "GENERALDELIVERY"),
)  # fmt: skip
_GLUED = r"\b(APT|STE|UNIT|BOX|RR|HC|FL|BLDG|RM|LOT|PMB|PSC|CMR|SUITE|KM|POBOX|PO)-?([0-9])"


def standardise(connection: duckdb.DuckDBPyConnection, source: str, target: str, key: str) -> None:
    """Make `target` (key, then `PARTS`) from the address columns of `source`; parts only, no verdict.

    `source` has the key and `address_line1 address_line2 city state postal_code country`, all VARCHAR, NULL or empty
    where absent. A part that an address does not have is NULL; `country_key` is `US` when no country was given.
    """
    read_parts(connection, source, key)
    columns = ", ".join(PARTS)
    connection.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT {key}, {columns} FROM address_parts")
    drop_working_tables(connection)


def read_parts(connection: duckdb.DuckDBPyConnection, source: str, key: str) -> None:
    """Make the temporary table `address_parts`: the key, `PARTS`, and what the verdict needs besides."""
    load_vocabulary(connection)
    places.load_places(connection)
    prepare_fold(connection, source, _LINES)
    _split(connection, source, key)
    _class_words(connection)
    _shape(connection, key)
    _read_shapes(connection)
    places.read_places(connection)
    _pick(connection, key)


def drop_working_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what one call leaves behind; the vocabulary and the places stay for the next."""
    for name in ("address_words", "address_lexicon", "address_shaped", "address_readings", "address_parts",
                 "address_place"):  # fmt: skip
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def _split(connection: duckdb.DuckDBPyConnection, source: str, key: str) -> None:
    lines = "concat_ws(',', nullif(address_line1, ''), nullif(address_line2, ''))"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_words AS "
        f"WITH joined AS (SELECT {key}, city, state, postal_code, country, {lines} AS line FROM {source}), "
        f"seen AS (SELECT * EXCLUDE (line), {folded('line')} AS line FROM joined), "
        f"plain AS (SELECT * EXCLUDE (line), {_spaced('line')} AS line FROM seen), "
        f"expanded AS (SELECT * EXCLUDE (line), {_rewritten('line')} AS line FROM plain) "
        f"SELECT * EXCLUDE (line), list_filter(string_split(line, ' '), lambda word: word <> '') AS words FROM expanded"
    )


def _spaced(line: str) -> str:
    """SQL that leaves capitals, digits, `,` `#` `/` `-` and decimal points, each mark a word where it parts words."""
    text = f"replace({line}, '''', '')"
    text = f"regexp_replace({text}, '([0-9])[.]([0-9])', '\\1~\\2', 'g')"
    text = f"regexp_replace({text}, '\\b([A-Z])[.] ?([A-Z])[.]?([^A-Z]|$)', '\\1\\2\\3', 'g')"
    text = f"replace(replace({text}, '.', ' '), '~', '.')"
    text = f"regexp_replace({text}, '[,;|()\\[\\]]', ' , ', 'g')"
    text = f"replace({text}, '#', ' # ')"
    text = f"regexp_replace({text}, '([A-Z]{{2}})-([A-Z])', '\\1 \\2', 'g')"
    text = f"regexp_replace({text}, '[^A-Z0-9,#/.&-]+| [-/]+ ', ' ', 'g')"
    return f"CASE WHEN NOT regexp_matches({line}, '[^A-Z0-9 ]') THEN {line} ELSE {text} END"


def _rewritten(line: str) -> str:
    text = line
    for pattern, meant in _REWRITES:
        text = f"regexp_replace({text}, '{pattern}', '{meant}', 'g')"
    unglued = f"regexp_replace({line}, '{_GLUED}', '\\1 \\2', 'g')"
    line = f"CASE WHEN regexp_matches({line}, '{_GLUED}') THEN {unglued} ELSE {line} END"
    return f"CASE WHEN regexp_matches({line}, '\\b({_SEVERAL_WORDS})\\b') THEN {text} ELSE {line} END"


def _class_words(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_lexicon AS "
        "WITH met AS (SELECT DISTINCT unnest(words) AS word FROM address_words) "
        f"SELECT met.word, coalesce(known.class, {class_of('met.word')}) AS class, "
        f"coalesce(known.standard, {_standard('met.word')}) AS standard "
        "FROM met LEFT JOIN address_vocabulary known USING (word)"
    )


def _standard(word: str) -> str:
    """Ordinals and numbered names without leading zeros; `12-B` as `12B`."""
    bare = f"CASE WHEN {word} LIKE '0%' THEN coalesce(nullif(ltrim({word}, '0'), ''), '0') ELSE {word} END"
    return f"CASE WHEN regexp_full_match({word}, '[0-9]+-[A-Z]+|[A-Z]+-[0-9]+') THEN replace({word}, '-', '') ELSE {bare} END"


def _shape(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    carried = f"{key}, city, state, postal_code, country"
    selects = [
        _shape_of(carried, _SHORT, f"len(words) <= {_SHORT}"),
        _shape_of(carried, grammar.LONGEST, f"len(words) > {_SHORT} AND len(words) <= {grammar.LONGEST}"),
        f"SELECT {carried}, words, NULL AS shape FROM address_words WHERE len(words) > {grammar.LONGEST}",
    ]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE address_shaped AS {' UNION ALL '.join(selects)}")


def _shape_of(carried: str, length: int, where: str) -> str:
    numbers = range(1, length + 1)
    joins = " ".join(f"LEFT JOIN address_lexicon w{n} ON w{n}.word = words[{n}]" for n in numbers)
    standards = ", ".join(f"w{n}.standard" for n in numbers)
    classes = ", ".join(f"w{n}.class" for n in numbers)
    return (
        f"SELECT {carried}, [{standards}] AS words, concat({classes}) AS shape "
        f"FROM (SELECT * FROM address_words WHERE {where}) {joins}"
    )


def _read_shapes(connection: duckdb.DuckDBPyConnection) -> None:
    shapes = [row[0] for row in connection.execute(
        "SELECT DISTINCT shape FROM address_shaped WHERE shape IS NOT NULL").fetchall()]  # fmt: skip
    readings = [grammar.read(shape) for shape in shapes]
    columns: dict[str, list[object]] = {"shape": list(shapes), "kind": [reading.kind for reading in readings]}
    columns["words_left"] = [reading.left for reading in readings]
    for part in grammar.PARTS:
        columns[f"{part}_first"] = [reading.spans.get(part, (None, None))[0] for reading in readings]
        columns[f"{part}_last"] = [reading.spans.get(part, (None, None))[1] for reading in readings]
    types = {"shape": "VARCHAR", "kind": "VARCHAR"}
    select = ", ".join(f"unnest(${name}::{types.get(name, 'SMALLINT')}[]) AS {name}" for name in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE address_readings AS SELECT {select}", columns)


def _pick(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    picked = ", ".join(f"{_picked(part)} AS {part}" for part in grammar.PARTS)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_parts AS SELECT a.{key}, a.shape, a.words, r.words_left, "
        f"CASE WHEN place.country_key <> 'US' THEN 'foreign' ELSE r.kind END AS address_kind, {picked}, "
        "place.* EXCLUDE (city, state, postal_code, country) "
        "FROM address_shaped a LEFT JOIN address_readings r ON r.shape = a.shape "
        "LEFT JOIN address_place place ON place.city IS NOT DISTINCT FROM a.city "
        "AND place.state IS NOT DISTINCT FROM a.state AND place.postal_code IS NOT DISTINCT FROM a.postal_code "
        "AND place.country IS NOT DISTINCT FROM a.country"
    )


def _picked(part: str) -> str:
    first, last = f"r.{part}_first", f"r.{part}_last"
    return (
        f"CASE WHEN {first} IS NULL THEN NULL WHEN {first} = {last} THEN a.words[{first}] "
        f"ELSE array_to_string(a.words[{first}:{last}], ' ') END"
    )
