"""Exactly one person, or none: name and address must agree, and every identifier given, with one person and no second.

Exact names and whole addresses stand alone; anything lax (a nickname, one typing error, a cut surname, a missing unit)
counts only beside an agreeing TIN or birth date. Zero, several and contradicted requests all end without a person.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from gatehouse.kernel.progress import Progress, silent
from gatehouse.match import comparison, keys
from gatehouse.match.candidates import drop_candidates, find_candidates
from gatehouse.match.engine import Engine, OwnEngine, Reader
from gatehouse.match.index import Index
from gatehouse.match.nicknames import load_nicknames

FIELDS = ("last_name", "first_name", "middle_name", "suffix", "birth_date", "tin", "address")
"""The fields compared, in the order in which a reviewer reads them."""
MOST_SHOWN = 5

_STAGES = ("candidates", "compare", "resolve", "evidence", "history")
_WORKING = ("match_compared", "match_judged", "match_crowd", "match_answers", "match_forms")
_READ = ", ".join([
    "seq", "request_id", "name_state", "last_key", "first_key", "middle_key", "suffix_key", "birth_state", "birth_on",
    "tin_state", "tin_digits", "address_verdict", *keys.PLACE_PARTS, "period_from_on", "period_to_on",
])  # fmt: skip
_MADE = {"matches": "seq", "evidence": "seq, rank"}


def match(
    connection: duckdb.DuckDBPyConnection,
    requests: str,
    index: Index,
    *,
    as_of: dt.date,
    progress: Progress = silent,
    engine: Engine | None = None,
) -> None:
    """Make the tables `matches` (one row per request) and `evidence` from the table `requests`; see architecture.md.

    `as_of` dates the restrictions that are in force. The register is read through its index; nothing is written. An
    `engine` other than this process's own DuckDB must be the one that made the index.
    """
    load_nicknames(connection)
    given = {requests: _READ, "match_nicknames": "one, other"}
    with (engine or OwnEngine()).beside(connection, given, _MADE) as (there, reader):
        _match(there, reader, requests, index, as_of=as_of, progress=progress)
    connection.execute("DROP TABLE match_nicknames")


def _match(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    requests: str,
    index: Index,
    *,
    as_of: dt.date,
    progress: Progress,
) -> None:
    stages = iter(enumerate(_STAGES))

    def tell() -> None:
        done, stage = next(stages)
        progress(stage, done, len(_STAGES))

    tell()
    find_candidates(connection, requests, index)
    tell()
    _compare(connection, reader, index)
    tell()
    _judge(connection)
    _answer(connection, requests, index)
    tell()
    _evidence(connection, requests)
    tell()
    _history(connection, requests, index, as_of)
    drop_candidates(connection)
    for table in _WORKING:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    progress("match", len(_STAGES), len(_STAGES))


def _compare(connection: duckdb.DuckDBPyConnection, reader: Reader, index: Index) -> None:
    """Make `match_compared`: each request, person and address, field by field, by the name on file that is nearest."""
    _known_names(connection, index)
    tin = comparison.identifier("s.tin_state", "s.tin", "p.tin")
    birth = comparison.identifier("s.birth_state", "s.birth_date", "p.birth_date")
    lax = "(s.tin = p.tin OR s.birth_date = p.birth_date)"
    first_word = "split_part({0}.first_key, ' ', 1)"
    reader.compare(
        "match_compared",
        "s.seq AS seq, p.person_id AS person_id, pair.last_known AS last_known, "
        f"{comparison.last_name(lax)} AS last_name, {comparison.first_name(lax)} AS first_name, "
        f"{comparison.middle_name()} AS middle_name, {comparison.suffix()} AS suffix, "
        f"{birth} AS birth_date, {tin} AS tin, {comparison.address()} AS address",
        "match_pairs pair JOIN match_named s ON s.seq = pair.seq "
        "JOIN match_people p ON p.person_id = pair.person_id JOIN match_places h ON h.written = pair.written "
        f"LEFT JOIN match_nicknames n ON n.one = {first_word.format('s')} AND n.other = {first_word.format('p')}",
        ("s", "p", "h", "n", "pair"),
    )
    for table in ("match_named", "match_pairs", "match_people", "match_places"):
        connection.execute(f"DROP TABLE {table}")


def _known_names(connection: duckdb.DuckDBPyConnection, index: Index) -> None:
    """Make `match_named`: the subjects, and whether the name as given is a name that people on file bear.

    A form that three persons on file bear (or one in a million, in a large register) is a name, not a typing error.
    """
    borne = max(3, index.census.persons // 1_000_000)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE match_forms AS SELECT part, form FROM {index.relation('forms')} "
        f"WHERE persons >= {borne}"
    )
    known = "LEFT JOIN match_forms {0} ON {0}.part = '{0}' AND {0}.form = {1}"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_named AS SELECT s.*, "
        "last.form IS NOT NULL AS last_is_a_name, first.form IS NOT NULL AS first_is_a_name FROM match_subjects s "
        f"{known.format('last', keys.compact('last_key'))} {known.format('first', keys.compact('first_key'))}"
    )


def _judge(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `match_judged`: one row per request and person, by the address and name that speak most for agreement."""
    exact = "last_name = 'equal' AND first_name = 'equal'"
    identified = "(tin = 'equal' OR birth_date = 'equal')"
    contradicted = "tin IN ('different', 'not_on_file') OR birth_date IN ('different', 'not_on_file')"
    errors = "(last_name = 'one_typo')::INTEGER + (first_name = 'one_typo')::INTEGER"
    # A birth date is shared by twins, so beside it alone at most one of the two names may differ at all.
    spread = "tin = 'equal' OR last_name = 'equal' OR first_name = 'equal' OR last_name = 'order_swapped'"
    lax = f"{identified} AND last_name <> 'different' AND first_name <> 'different' AND {errors} <= 1 AND ({spread})"
    named = (
        "middle_name <> 'different' AND suffix <> 'different' "
        f"AND (({exact}) AND (suffix <> 'missing' OR {identified}) OR {lax})"
    )
    placed = f"address = 'equal' OR address = 'part_missing' AND {identified}"
    flags = ("exact", "identified", "contradicted", "named", "placed", "near")
    kept = ", ".join(f"r.{column}" for column in ("seq", "person_id", "last_known", *FIELDS, *flags))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_judged AS WITH flagged AS (SELECT *, "
        f"({exact}) AS exact, {identified} AS identified, ({contradicted}) AS contradicted, ({named}) AS named, "
        f"({placed}) AS placed, address IN ('equal', 'part_missing') AS near FROM match_compared), "
        "ranked AS (SELECT *, (32 * (near)::INTEGER + 16 * (named)::INTEGER + 8 * (address = 'equal')::INTEGER "
        "+ 4 * (exact)::INTEGER + 2 * (middle_name <> 'different')::INTEGER + (last_known)::INTEGER) AS weight "
        "FROM flagged), several AS "
        "(SELECT seq, person_id FROM match_compared GROUP BY seq, person_id HAVING count(*) > 1) "
        # Nearly every person met has one name and one home there; only the others are sorted.
        f"SELECT {kept} FROM ranked r ANTI JOIN several v ON v.seq = r.seq AND v.person_id = r.person_id UNION ALL "
        f"(SELECT DISTINCT ON (r.seq, r.person_id) {kept} FROM ranked r "
        "SEMI JOIN several v ON v.seq = r.seq AND v.person_id = r.person_id "
        "ORDER BY r.seq, r.person_id, weight DESC, last_name, first_name, middle_name, suffix, address)"
    )
    # Who else in the building bears this very name: in another unit, they put a missing unit in doubt; in the same
    # home, they make a nickname or typing error somebody else's name, and a name without an identifier nobody's
    # (a father and a son, whose suffix the request leaves out). A suffix given, or a middle name, tells them apart.
    bears = "exact AND suffix <> 'different' AND middle_name <> 'different'"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE match_crowd AS SELECT seq, count(*) FILTER ({bears}) AS building, "
        f"count(*) FILTER ({bears} AND near) AS home, count(*) FILTER ({bears} AND suffix = 'equal') AS building_told, "
        f"count(*) FILTER ({bears} AND near AND suffix = 'equal') AS home_told FROM match_judged GROUP BY seq"
    )
    told = "CASE WHEN suffix = 'equal' THEN {0}_told ELSE {0} END"
    sole = f"(placed OR near AND exact AND {told.format('building')} = 1)"
    own = f"CASE WHEN identified THEN exact OR home = 0 ELSE {told.format('home')} = 1 END"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE match_answers AS SELECT j.*, {sole} AS sole, ({own}) AS own_name, "
        f"(named AND NOT contradicted AND {sole} AND ({own})) AS agrees "
        "FROM match_judged j JOIN match_crowd c USING (seq)"
    )
    for table in ("match_compared", "match_judged", "match_crowd"):
        connection.execute(f"DROP TABLE {table}")


def _answer(connection: duckdb.DuckDBPyConnection, requests: str, index: Index) -> None:
    """Make `match_found`: per request with candidates, how many agree, and the one person where there is one."""
    known = f"{keys.name_key('last_key', 'first_key')}"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_found AS SELECT seq, count(*) FILTER (agrees)::INTEGER AS agreeing, "
        "any_value(person_id) FILTER (agrees) AS person_id, any_value(tin) FILTER (agrees) AS its_tin, "
        "bool_and(exact AND suffix <> 'missing') FILTER (agrees) AS exact_name, "
        "bool_and(address = 'equal') FILTER (agrees) AS exact_address, "
        "any_value(birth_date) FILTER (agrees) AS its_birth_date, any_value(last_known) FILTER (agrees) AS current, "
        "bool_or(tin = 'equal') FILTER (named AND near AND tin IN ('equal', 'different')) AS tin_agrees, "
        "bool_or(birth_date = 'equal') FILTER (named AND near AND birth_date IN ('equal', 'different')) "
        "AS birth_date_agrees FROM match_answers GROUP BY seq"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_borne AS SELECT r.seq, n.persons FROM "
        f"(SELECT seq, {known} AS name FROM {requests} WHERE name_state = 'given') r "
        f"JOIN {index.relation('name_counts')} n USING (name)"
    )


def _evidence(connection: duckdb.DuckDBPyConnection, requests: str) -> None:
    """Make `evidence`: at most five candidates a request, best first, with how each field compared and the verdict."""
    verdict = (
        "CASE WHEN agrees AND f.agreeing = 1 THEN 'agrees' WHEN agrees THEN 'several_agree' "
        "WHEN last_name = 'different' OR first_name = 'different' THEN 'name_differs' "
        "WHEN middle_name = 'different' THEN 'middle_name_differs' WHEN suffix = 'different' THEN 'suffix_differs' "
        "WHEN address = 'unit_differs' THEN 'unit_differs' WHEN address = 'different' THEN 'address_differs' "
        "WHEN tin = 'different' THEN 'tin_differs' WHEN tin = 'not_on_file' THEN 'tin_not_on_file' "
        "WHEN birth_date = 'different' THEN 'birth_date_differs' "
        "WHEN birth_date = 'not_on_file' THEN 'birth_date_not_on_file' "
        "WHEN NOT named THEN 'name_needs_identifier' WHEN NOT sole THEN 'namesake_in_building' "
        "WHEN NOT own_name THEN 'name_is_another_residents' ELSE 'undecided' END"
    )
    shown = "agrees OR exact OR a.tin = 'equal' OR (last_name <> 'different' AND first_name <> 'different')"
    fields = ", ".join(f"a.{field} AS {field}_comparison" for field in FIELDS)
    compared = [f"{field}_comparison" for field in FIELDS]
    columns = ", ".join(["rank", "s.person_id", "agrees", *compared, "address_used", "verdict"])
    connection.execute(
        "CREATE OR REPLACE TABLE evidence AS WITH shown AS (SELECT a.seq, row_number() OVER (PARTITION BY a.seq "
        "ORDER BY agrees DESC, named DESC, near DESC, (a.tin = 'equal') DESC, exact DESC, a.person_id) AS rank, "
        f"a.person_id, agrees AND f.agreeing = 1 AS agrees, {fields}, "
        "CASE WHEN near THEN CASE WHEN a.last_known THEN 'last_known' ELSE 'past' END END AS address_used, "
        f"{verdict} AS verdict FROM match_answers a JOIN match_found f USING (seq) WHERE {shown}) "
        f"SELECT s.seq, r.request_id, {columns} FROM shown s JOIN {requests} r USING (seq) "
        f"WHERE rank <= {MOST_SHOWN} ORDER BY s.seq, rank"
    )


def _agreement(exact: str) -> str:
    """`exact`, or `lax`: a nickname, a typing error, a cut or swapped name, a suffix or part of the address missing."""
    return f"CASE WHEN f.agreeing = 1 THEN CASE WHEN {exact} THEN 'exact' ELSE 'lax' END END"


def _history(connection: duckdb.DuckDBPyConnection, requests: str, index: Index, as_of: dt.date) -> None:
    """Make `matches`, adding what the register says of the one person: filings in the period, restrictions in force."""
    register = index.register
    one = "(SELECT seq, person_id FROM match_found WHERE agreeing = 1)"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_restricted AS SELECT DISTINCT person_id::BIGINT AS person_id "
        f"FROM {register.relation('restrictions')} WHERE determined_on <= ? AND person_id IN "
        "(SELECT person_id FROM match_found WHERE agreeing = 1)",
        [as_of],
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE match_filed AS SELECT r.seq, "
        "count(*) FILTER (y.tax_year BETWEEN year(r.period_from_on) AND year(r.period_to_on)) > 0 AS filed "
        f"FROM {requests} r JOIN {one} o USING (seq) LEFT JOIN (SELECT person_id, tax_year FROM "
        f"{register.relation('filings')} WHERE person_id IN (SELECT person_id FROM match_found WHERE agreeing = 1)) y "
        "ON y.person_id = o.person_id WHERE r.period_from_on IS NOT NULL AND r.period_to_on IS NOT NULL GROUP BY r.seq"
    )
    filed = "h.filed" if register.has("filings") else "NULL::BOOLEAN"
    connection.execute(
        "CREATE OR REPLACE TABLE matches AS SELECT r.seq, coalesce(b.persons, 0)::INTEGER AS persons_name, "
        "coalesce(f.agreeing, 0)::INTEGER AS persons_agreeing, "
        "CASE WHEN f.agreeing = 1 THEN CASE WHEN f.its_tin = 'equal' THEN 'tin' WHEN f.its_birth_date = 'equal' "
        "THEN 'birth_date' ELSE 'none' END END AS corroboration, "
        f"{_agreement('f.exact_name')} AS name_agreement, {_agreement('f.exact_address')} AS address_agreement, "
        "f.tin_agrees, f.birth_date_agrees, "
        f"CASE WHEN f.agreeing = 1 THEN f.current END AS address_current, {filed} AS period_filed, "
        "CASE WHEN f.agreeing = 1 THEN x.person_id IS NOT NULL END AS restricted, "
        "CASE WHEN f.agreeing = 1 THEN f.person_id END AS person_id "
        f"FROM {requests} r LEFT JOIN match_found f USING (seq) LEFT JOIN match_borne b USING (seq) "
        "LEFT JOIN match_filed h USING (seq) LEFT JOIN match_restricted x ON x.person_id = f.person_id ORDER BY r.seq"
    )
    for table in ("match_found", "match_borne", "match_restricted", "match_filed"):
        connection.execute(f"DROP TABLE {table}")
