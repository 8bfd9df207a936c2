"""Parts of addresses, in columns: fold, split into words, class each word once, read each shape once, pick by position.

Nothing here judges. Two spellings of one place give equal parts, column by column.
"""

from __future__ import annotations

import csv
import functools
import string
from importlib.resources import files

import duckdb

from gatehouse.intake.addresses import abroad, grammar, places, reality
from gatehouse.intake.addresses.folding import folded, prepare_fold
from gatehouse.intake.addresses.vocabulary import class_of, load_vocabulary

PARTS = (
    "address_kind", "house_number", "pre_direction", "street_name", "street_type", "post_direction",
    "unit_kind", "unit_number", "box_number", "city_key", "state_key", "zip5", "zip4", "country_key",
)  # fmt: skip
"""The columns that `standardise` makes beside the key, all VARCHAR."""

_LINES = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
_SHORT = 10  # words; most addresses have no more, so most need no more look-ups than that

_UNIT_WORDS = "APT|APTO|STE|UNIT|BOX|RR|HC|FL|BLDG|RM|LOT|PMB|PSC|CMR|SUITE|KM|POBOX|PO|NO"
_TENS = {"TWENTY": 20, "THIRTY": 30, "FORTY": 40, "FIFTY": 50, "SIXTY": 60, "SEVENTY": 70, "EIGHTY": 80, "NINETY": 90}
_ONES = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH", "EIGHTH", "NINTH")
_ENDINGS = {1: "ST", 2: "ND", 3: "RD"}


def standardise(connection: duckdb.DuckDBPyConnection, source: str, target: str, key: str) -> None:
    """Make `target` (key, then `PARTS`) from the address columns of `source`; parts only, no verdict.

    `source` has the key and `address_line1 address_line2 city state postal_code country`, all VARCHAR, NULL or empty
    where absent. A part that an address does not have is NULL; `country_key` is `US` when no country was given.
    """
    parts = read_parts(connection, source, key)
    columns = ", ".join(PARTS)
    connection.execute(f"CREATE OR REPLACE TABLE {target} AS SELECT {key}, {columns} FROM ({parts})")
    drop_working_tables(connection)


def read_parts(connection: duckdb.DuckDBPyConnection, source: str, key: str, *, judging: bool = False) -> str:
    """Prepare the working tables and give the query over them: the key, `PARTS`, and what the verdict needs besides.

    Only with `judging` does the query say what words are hollow (`finding`, `flags`); `drop_working_tables` ends it.
    """
    load_vocabulary(connection)
    places.load_places(connection)
    prepare_fold(connection, source, _LINES)
    _split(connection, source, key)
    places.move_places(connection, key)
    abroad.move_abroad(connection, key)
    _class_words(connection)
    if judging:
        reality.load_reality(connection)
        reality.flag_words(connection)
    _shape(connection, key, judging=judging)
    _read_shapes(connection)
    places.read_places(connection)
    return _pick(key)


def drop_working_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what one call leaves behind; the vocabulary and the places stay for the next."""
    for name in ("words", "lexicon", "shaped", "readings", "place", "ends"):
        connection.execute(f"DROP TABLE IF EXISTS address_{name}")


def _split(connection: duckdb.DuckDBPyConnection, source: str, key: str) -> None:
    lines = (
        "CASE WHEN coalesce(address_line2, '') = '' THEN address_line1 "
        "ELSE concat(address_line1, ',', address_line2) END"
    )
    steps = f"SELECT {key}, city, state, postal_code, country, {lines} AS line FROM {source}"
    for step in (folded("line"), *_spacing(), _rewritten()):
        steps = f"SELECT * REPLACE ({step} AS line) FROM ({steps})"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_words AS SELECT * EXCLUDE (line), "
        f"list_filter(string_split(line, ' '), lambda word: word <> '') AS words FROM ({steps})"
    )


def _spacing() -> list[str]:
    """SQL steps that leave capitals, digits, `,` `#` `/` `-` and decimal points, each mark a word where it parts words.

    A step touches only the rows that hold its mark: finding a mark costs a tenth of replacing it.
    """
    dotted = "regexp_replace(line, '\\b([A-Z])[.] ?([A-Z])[.] ?([A-Z])[.]', '\\1\\2\\3', 'g')"
    dotted = f"regexp_replace({dotted}, '\\b([A-Z])[.] ?([A-Z])[.]?([^A-Z]|$)', '\\1\\2\\3', 'g')"
    dotted = f"regexp_replace({dotted}, '([0-9])[.]([0-9])', '\\1~\\2', 'g')"  # decimals
    dotted = f"replace(replace({dotted}, '.', ' '), '~', '.')"
    several = "regexp_matches(line, '\\b[A-Z][.] ?[A-Z](?:[^A-Z]|$)|[0-9][.][0-9]|~')"
    dotted = f"CASE WHEN {several} THEN {dotted} ELSE replace(line, '.', ' ') END"
    broken = "translate(line, chr(10) || chr(13) || ';', ',,,')"
    joined = "regexp_replace(line, '([A-Z]{2})-', '\\1 ', 'g')"
    return [
        f"CASE WHEN regexp_matches(line, '[;\\n\\r]') THEN {broken} ELSE line END",
        f"CASE WHEN contains(line, '.') THEN {dotted} ELSE line END",
        "CASE WHEN contains(line, ',') THEN replace(line, ',', ' , ') ELSE line END",
        "CASE WHEN contains(line, '#') THEN replace(line, '#', ' # ') ELSE line END",
        "CASE WHEN contains(line, chr(39)) THEN replace(line, chr(39), '') ELSE line END",
        f"CASE WHEN contains(line, '-') THEN regexp_replace({joined}, ' -+|-+ |^-+$', ' ', 'g') ELSE line END",
        f"CASE WHEN regexp_matches(line, '[^A-Z0-9 ,#.-]') THEN {_plain('line')} ELSE line END",
        "CASE WHEN contains(line, '  ') THEN replace(replace(line, '   ', ' '), '  ', ' ') ELSE line END",
    ]


def _plain(line: str) -> str:
    """SQL for a line with rare marks: `@ $ !` inside a word stand for letters; `/` stays in fractions, C/O and N/A."""
    for mark, letter in (("@", "A"), ("[$]", "S"), ("!", "I"), ("[|]", "I")):
        line = f"regexp_replace({line}, '([A-Z0-9]){mark}([A-Z0-9])', '\\1{letter}\\2', 'g')"
    line = f"regexp_replace({line}, '[;:|()\\[\\]]', ' , ', 'g')"
    line = f"regexp_replace({line}, '([A-Z]{{2}})/|/([A-Z]{{2}})', '\\1 \\2', 'g')"
    return f"regexp_replace({line}, '[^A-Z0-9,#/.&%-]+| /+ ', ' ', 'g')"


@functools.cache
def _expressions() -> list[tuple[str, str]]:
    """What is written in several words or forms and meant as one: pairs of a pattern and its meaning, in order."""
    known = {
        "{states}": "|".join(places.STATES),
        "{units}": _UNIT_WORDS,
        "{double}": "|".join(letter * 2 for letter in string.ascii_uppercase),
    }
    text = files("gatehouse.intake.addresses").joinpath("data/expressions.tsv").read_text("utf-8")
    for name, words in known.items():
        text = text.replace(name, words)
    return [
        (row["pattern"], row["meant"])
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    ]


def _rewritten() -> str:
    """SQL for a line with its several-word expressions in one word. One test finds the few lines that have any."""
    text = "line"
    for pattern, meant in _expressions():
        text = f"regexp_replace({text}, '{pattern}', '{meant}', 'g')"
    for tens, value in _TENS.items():
        for one, word in enumerate(_ONES, 1):
            text = f"replace({text}, '{tens} {word}', '{value + one}{_ENDINGS.get(one, 'TH')}')"
    written = (*(pattern for pattern, _ in _expressions()), rf"\b({'|'.join(_TENS)}) ")
    return f"CASE WHEN regexp_matches(line, '{'|'.join(written)}') THEN {text} ELSE line END"


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
    lettered = "[0-9]+-[A-Z]+|[A-Z]+-[0-9]+"
    return f"CASE WHEN regexp_full_match({word}, '{lettered}') THEN replace({word}, '-', '') ELSE {bare} END"


def _shape(connection: duckdb.DuckDBPyConnection, key: str, *, judging: bool) -> None:
    carried = f"{key}, city, state, postal_code, country"
    selects = [
        _shape_of(carried, _SHORT, f"len(words) <= {_SHORT}", judging=judging),
        _shape_of(
            carried, grammar.LONGEST, f"len(words) > {_SHORT} AND len(words) <= {grammar.LONGEST}", judging=judging
        ),
        (
            f"SELECT {carried}, words, NULL AS shape, '' AS flags FROM address_words "
            f"WHERE words IS NULL OR len(words) > {grammar.LONGEST}"
        ),
    ]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE address_shaped AS {' UNION ALL '.join(selects)}")


def _shape_of(carried: str, length: int, where: str, *, judging: bool) -> str:
    numbers = range(1, length + 1)
    joins = " ".join(f"LEFT JOIN address_lexicon w{n} ON w{n}.word = words[{n}]" for n in numbers)
    standards = ", ".join(f"w{n}.standard" for n in numbers)
    classes = ", ".join(f"w{n}.class" for n in numbers)
    flags = f"concat({', '.join(f'w{n}.flag' for n in numbers)})" if judging else "''"
    return (
        f"SELECT {carried}, [{standards}] AS words, concat({classes}) AS shape, {flags} AS flags "
        f"FROM (SELECT * FROM address_words WHERE {where}) {joins}"
    )


def _read_shapes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `address_readings`: one row per shape (and flags), with its kind and the places of its parts."""
    sentences = connection.execute(
        "SELECT DISTINCT shape, flags FROM address_shaped WHERE shape IS NOT NULL"
    ).fetchall()
    readings = {shape: grammar.read(shape) for shape in {shape for shape, _ in sentences}}
    rows = [(shape, flags, readings[shape]) for shape, flags in sentences]
    columns: dict[str, tuple[str, list[object]]] = {
        "shape": ("VARCHAR", [shape for shape, _, _ in rows]),
        "flags": ("VARCHAR", [flags for _, flags, _ in rows]),
        "kind": ("VARCHAR", [reading.kind for _, _, reading in rows]),
        "abroad": ("BOOLEAN", [reading.abroad for _, _, reading in rows]),
        "finding": ("VARCHAR", [reality.finding(*row) if row[1] or not row[0] else None for row in rows]),
        "hyphenated": ("BOOLEAN", [_is_hyphenated(shape, reading) for shape, _, reading in rows]),
        "counted": ("BOOLEAN", [_is_counted(shape, reading) for shape, _, reading in rows]),
        "core_first": ("SMALLINT", [reading.core[0] if reading.core else None for _, _, reading in rows]),
        "core_last": ("SMALLINT", [reading.core[1] if reading.core else None for _, _, reading in rows]),
    }
    for part in grammar.PARTS:
        spans = [reading.spans.get(part, (None, None)) for _, _, reading in rows]
        columns[f"{part}_first"] = ("SMALLINT", [first for first, _ in spans])
        columns[f"{part}_last"] = ("SMALLINT", [last for _, last in spans])
    select = ", ".join(f"unnest(${name}::{type_}[]) AS {name}" for name, (type_, _) in columns.items())
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_readings AS SELECT {select}",
        {name: values for name, (_, values) in columns.items()},
    )


def _is_hyphenated(shape: str, reading: grammar.Reading) -> bool:
    first = reading.spans.get("house_number", (0, 0))[0]
    return shape[first - 1 : first] == "H"


def _is_counted(shape: str, reading: grammar.Reading) -> bool:
    """Whether the street's name begins with a number that stands for an ordinal: `842 31 Street`."""
    first = reading.spans.get("street_name", (0, 0))[0]
    return "street_type" in reading.spans and shape[first - 1 : first + 1] == "#T"


def _pick(key: str) -> str:
    picked = ", ".join(f"{_picked(part)} AS {part}" for part in grammar.PARTS if part != "unit_more")
    domestic = "place.country_key = 'US'"
    return (
        f"SELECT a.{key}, a.shape, a.flags, a.words, r.finding, r.core_first, r.core_last, "
        f"CASE WHEN {domestic} THEN CASE WHEN r.abroad THEN NULL ELSE r.kind END ELSE 'foreign' END AS address_kind, "
        f"{picked}, place.* EXCLUDE (city, state, postal_code, country) "
        "FROM address_shaped a LEFT JOIN address_readings r ON r.shape = a.shape AND r.flags = a.flags "
        "LEFT JOIN address_place place ON place.city IS NOT DISTINCT FROM a.city "
        "AND place.state IS NOT DISTINCT FROM a.state AND place.postal_code IS NOT DISTINCT FROM a.postal_code "
        "AND place.country IS NOT DISTINCT FROM a.country"
    )


def _picked(part: str) -> str:
    first, last = f"r.{part}_first", f"r.{part}_last"
    words = f"array_to_string(a.words[{first}:{last}], ' ')"
    one = f"a.words[{first}]"
    if part in ("house_number", "box_number", "unit_number"):  # `221 B` and `221B` are one number; `1 1/2` is not
        words = f"CASE WHEN contains({words}, '/') THEN {words} ELSE replace({words}, ' ', '') END"
    if part == "street_name":
        one, words = _named(one, words)
    if part == "unit_number":  # `2ND FL` and `FL 2` are one
        one = f"CASE WHEN r.unit_kind_first = {first} + 1 THEN regexp_extract({one}, '^[0-9]+') ELSE {one} END"
        mark = f"CASE WHEN {one} > '9~' THEN '' ELSE '-' END"
        both = f"concat({one}, {mark}, a.words[r.unit_more_first])"
        one = f"CASE WHEN r.unit_more_first IS NULL THEN {one} ELSE {both} END"
    one = _variants(part, one)
    return f"CASE WHEN {first} IS NULL THEN NULL WHEN {first} = {last} THEN {one} ELSE {words} END"


def _named(one: str, words: str) -> tuple[str, str]:
    """SQL for a street's name of one word and of several.

    RFD, rural route and route, before a box, are one (Publication 28, section 243). `31 ST` is `31ST ST`.
    """
    first, last = "r.street_name_first", "r.street_name_last"
    rural = f"concat(CASE WHEN starts_with({words}, 'HC') THEN 'HC ' ELSE 'RR ' END, a.words[{last}])"
    ending = (
        f"CASE WHEN right({one}, 2) IN ('11', '12', '13') THEN 'TH' WHEN right({one}, 1) = '1' THEN 'ST' "
        f"WHEN right({one}, 1) = '2' THEN 'ND' WHEN right({one}, 1) = '3' THEN 'RD' ELSE 'TH' END"
    )
    ordinal = f"concat({one}, {ending})"
    ordinals = f"concat({ordinal}, ' ', array_to_string(a.words[{first} + 1 : {last}], ' '))"
    return (
        f"CASE WHEN r.counted THEN {ordinal} ELSE {one} END",
        f"CASE WHEN r.kind = 'rural_route' THEN {rural} WHEN r.counted THEN {ordinals} ELSE {words} END",
    )


def _variants(part: str, one: str) -> str:
    """SQL for a word that is written in several ways in one part only.

    In Queens the hyphen of a house number is left out at will; NO after a street is north; a place in a park is a
    space, a lot or a trailer.
    """
    queens = "r.hyphenated AND place.zip5 BETWEEN '11001' AND '11697'"
    return {
        "house_number": f"CASE WHEN {queens} THEN replace({one}, '-', '') ELSE {one} END",
        "post_direction": f"CASE WHEN {one} = 'NO' THEN 'N' ELSE {one} END",
        "unit_kind": f"CASE WHEN {one} IN ('SPC', 'TRLR') THEN 'LOT' ELSE {one} END",
    }.get(part, one)
