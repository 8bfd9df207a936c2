"""Whom a synthetic submission asks about: persons drawn from a register, or invented people who are not in it.

Reads the register's Parquet files by column and keeps only the rows drawn. Ordinary subjects are adults with a TIN
and a filing who are nobody's twin, namesake, junior or senior and under no restriction; the hard cases come from the
register's own truth.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from gatehouse.intake.workspace import quoted
from gatehouse.kernel.errors import WrongInput
from gatehouse.synthetic import dwellings
from gatehouse.synthetic.chance import Chance, Scatter
from gatehouse.synthetic.kinds import Kind, Source
from gatehouse.synthetic.people import People
from gatehouse.synthetic.register import SyntheticRegister
from gatehouse.synthetic.words import NAME_SLOTS

_SPECIAL = (Source.TWIN, Source.JUNIOR, Source.NAMESAKE)
_PARTICLES = (
    "'DEL', 'SAN', 'SANTA', 'VAN', 'VON', 'DOS', 'SAINT', 'ABU', 'BEN', 'ABD', 'ABDEL', 'JEAN', 'PETIT', 'DELA', "
    "'DELOS', 'PIERRE', 'BOU', 'MONTES', 'PONCE'"
)
ADULTS_BORN_BEFORE = dt.date(2005, 1, 1)


def plain(expression: str) -> str:
    """SQL for a name in ASCII capitals, diacritics dropped."""
    return f"translate(upper(strip_accents({expression})), 'ĐŁØĦ', 'DLOH')"


@dataclass(frozen=True)
class Draw:
    """One drawing of subjects: the register, the chance of the submission, and how many of each kind."""

    register: SyntheticRegister
    chance: Chance
    kinds: dict[str, Kind]
    wanted: dict[str, int]
    signed_on: dt.date

    def of(self, source: Source) -> dict[str, int]:
        """How many requests each kind of one source wants, in the order of the kinds."""
        return {name: count for name, count in self.wanted.items() if count and self.kinds[name].source is source}


def draw(connection: duckdb.DuckDBPyConnection, plan: Draw, plain_kind: str) -> None:
    """Make `syn_drawn`: `kind`, `rank` (from 0 over all kinds), the person's columns, and those of another person.

    A kind whose people are too few gives its surplus to `plain_kind`. Raises WrongInput when the register is too small.
    """
    _lots(connection, plan)
    wanted = dict(plan.wanted)
    connection.execute("CREATE OR REPLACE TEMP TABLE syn_assigned (kind VARCHAR, person_id BIGINT, other_id BIGINT)")
    for source in (*_SPECIAL, Source.RESTRICTED, Source.NOT_FILED):
        for name, count in plan.of(source).items():
            wanted[name] = _assign_special(connection, source, plan.kinds[name], count)
    for name, count in plan.of(Source.REGISTER).items():
        if plan.kinds[name].needs != "TRUE":
            wanted[name] = _assign_needy(connection, plan.kinds[name], count)
    short = sum(plan.wanted.values()) - sum(wanted.values())
    wanted[plain_kind] = wanted.get(plain_kind, 0) + short
    easy = {
        n: c for n, c in wanted.items() if plan.kinds[n].source is Source.REGISTER and plan.kinds[n].needs == "TRUE"
    }
    _assign_rest(connection, easy)
    _invent(connection, plan)
    _join(connection)


def _lots(connection: duckdb.DuckDBPyConnection, plan: Draw) -> None:
    folder, persons = plan.register.folder, plan.register.persons
    wanted = sum(count for name, count in plan.wanted.items() if plan.kinds[name].source is not Source.INVENTED)
    limit = min(persons, int(wanted * 1.6) + 4_000)
    lot = Scatter.of(persons, plan.chance, "lots").slot("file_row_number")
    for name in ("persons", "names", "addresses", "filings", "restrictions", "truth"):
        if not (folder / f"{name}.parquet").exists():
            raise WrongInput("a file of the synthetic register is missing", where=f"{folder}/{name}.parquet")
        numbered = "file_row_number = true" if name == "persons" else "file_row_number = false"
        source = f"read_parquet({quoted(folder / f'{name}.parquet')}, {numbered})"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW reg_{name} AS FROM {source}")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_special AS
        SELECT kind AS pool, person_id, other_id, row_number() OVER (PARTITION BY kind ORDER BY hash(person_id)) -
          1 AS rank
        FROM reg_truth t SEMI JOIN (SELECT person_id FROM reg_persons WHERE tin IS NOT NULL
             AND birth_date < DATE '{ADULTS_BORN_BEFORE}') p USING (person_id)
        SEMI JOIN reg_filings USING (person_id) WHERE kind IN ('twin', 'junior', 'namesake')
          AND other_id IN (SELECT person_id FROM reg_persons WHERE tin IS NOT NULL)
        UNION ALL SELECT 'restricted', person_id, NULL, row_number() OVER (ORDER BY hash(person_id)) - 1
        FROM reg_restrictions SEMI JOIN (SELECT person_id FROM reg_persons WHERE tin IS NOT NULL
             AND birth_date < DATE '{ADULTS_BORN_BEFORE}') USING (person_id)
        SEMI JOIN reg_filings USING (person_id) WHERE determined_on <= DATE '{plan.signed_on}'""")
    connection.execute(f"""
        DELETE FROM syn_special USING reg_persons p, reg_persons o WHERE pool = 'twin'
          AND p.person_id = syn_special.person_id AND o.person_id = syn_special.other_id
          AND {plain("p.first_name")} = {plain("o.first_name")}""")  # twins of one name: truth could not be told
    _mark_alike(connection)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_lot AS
        SELECT p.* EXCLUDE (file_row_number), {lot} AS lot FROM reg_persons p
        WHERE {lot} < {limit} AND tin IS NOT NULL AND birth_date < DATE '{ADULTS_BORN_BEFORE}'
          AND person_id NOT IN (SELECT person_id FROM reg_restrictions)
          AND person_id NOT IN (SELECT person_id FROM reg_truth WHERE kind <> 'spouse')
          AND person_id NOT IN (SELECT other_id FROM reg_truth WHERE kind <> 'spouse')""")
    _details(connection)


def _mark_alike(connection: duckdb.DuckDBPyConnection) -> None:
    """Mark in `syn_special` the namesakes whom nothing but the unit tells apart: one name, one building."""
    same = " AND ".join(f"p.{name} IS NOT DISTINCT FROM q.{name}" for name in ("last_name", "first_name", "suffix"))
    connection.execute(f"""
        ALTER TABLE syn_special ADD COLUMN alike BOOLEAN DEFAULT false;
        UPDATE syn_special SET alike = true FROM reg_addresses a, reg_addresses b, reg_persons p, reg_persons q
        WHERE pool = 'namesake' AND p.person_id = a.person_id AND q.person_id = b.person_id AND {same}
          AND a.person_id = syn_special.person_id AND b.person_id = syn_special.other_id
          AND a.last_known AND b.last_known AND a.city = b.city AND left(a.postal_code, 5) = left(b.postal_code, 5)
          AND upper({building("a")}) = upper({building("b")})
          AND (a.line2 IS NOT NULL OR {building("a")} <> a.line1)""")


def building(side: str) -> str:
    """SQL for the first line of an address without the unit, which stands in it or on a line of its own."""
    unit = "' (APT|UNIT|FL|#|Apt|Unit|Fl) ?[0-9]*[A-Z]?$'"
    return f"CASE WHEN {side}.line2 IS NULL THEN regexp_replace({side}.line1, {unit}, '') ELSE {side}.line1 END"


def _details(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `syn_detail`: everything on file about the persons drawn, one row each."""
    address = (
        "{'line1': line1, 'line2': line2, 'city': city, 'state': state, 'postal_code': postal_code, 'country': country}"
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_near AS
        SELECT person_id, lot FROM syn_lot UNION ALL SELECT DISTINCT person_id, NULL FROM syn_special;
        CREATE OR REPLACE TEMP TABLE syn_home AS
        SELECT person_id, max_by({address}, valid_from) FILTER (last_known) AS home,
          max_by({address}, valid_to) FILTER (NOT last_known AND country = 'US') AS past
        FROM reg_addresses SEMI JOIN syn_near USING (person_id) GROUP BY person_id;
        CREATE OR REPLACE TEMP TABLE syn_filed AS
        SELECT person_id, max(tax_year) AS filed FROM reg_filings SEMI JOIN syn_near USING (person_id) GROUP BY
          person_id;
        CREATE OR REPLACE TEMP TABLE syn_other_name AS
        SELECT person_id, min(last_name) AS other_last FROM reg_names SEMI JOIN syn_near USING (person_id)
        GROUP BY person_id""")
    cut = "regexp_extract(last_name, '^([^ -]{4,})[ -]([^ -]{4,})$', 1)"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_detail AS
        SELECT p.person_id, p.tin, p.last_name, p.first_name, p.middle_name, p.suffix, p.birth_date, s.lot, f.filed,
          unnest(h.home), h.past.line1 AS past_line1, h.past.line2 AS past_line2, h.past.city AS past_city,
          h.past.state AS past_state, h.past.postal_code AS past_postal_code, h.past.country AS past_country,
          {plain("p.last_name")} AS plain_last, n.nickname,
          CASE WHEN o.other_last <> p.last_name AND NOT starts_with(p.last_name, o.other_last) THEN o.other_last END
            AS other_last,
          CASE WHEN {cut} <> '' AND upper({cut}) NOT IN ({_PARTICLES}) THEN {cut} END AS cut_last,
          regexp_matches(upper(coalesce(h.home.line2, h.home.line1)), '(^| )(APT|UNIT|FL|#) ?[0-9]*[A-Z]?$')
            AND upper(h.home.line1) NOT LIKE 'URB %' AS has_unit
        FROM syn_near s JOIN reg_persons p USING (person_id) JOIN syn_home h USING (person_id)
        LEFT JOIN syn_filed f USING (person_id) LEFT JOIN syn_other_name o USING (person_id)
        LEFT JOIN (SELECT plain, min(nickname) AS nickname FROM syn_nickname GROUP BY plain) n
          ON n.plain = {plain("p.first_name")}""")


def _assign_special(connection: duckdb.DuckDBPyConnection, source: Source, kind: Kind, count: int) -> int:
    """Assign people of a special pool who are not assigned yet; returns how many there were."""
    pool = (
        "SELECT person_id, NULL AS other_id, lot AS rank FROM syn_detail WHERE filed IS NULL AND lot IS NOT NULL"
        if source is Source.NOT_FILED
        else f"SELECT person_id, other_id, rank FROM syn_special WHERE pool = '{source}' AND ({kind.needs})"
    )
    result = connection.execute(
        f"INSERT INTO syn_assigned SELECT '{kind.name}', person_id, other_id FROM ({pool}) "
        f"WHERE person_id NOT IN (SELECT person_id FROM syn_assigned) ORDER BY rank LIMIT {count}"
    ).fetchone()
    return int(result[0]) if result else 0


def _assign_needy(connection: duckdb.DuckDBPyConnection, kind: Kind, count: int) -> int:
    result = connection.execute(
        f"INSERT INTO syn_assigned SELECT '{kind.name}', person_id, NULL FROM syn_detail WHERE lot IS NOT NULL "
        f"AND filed IS NOT NULL AND ({kind.needs}) AND person_id NOT IN (SELECT person_id FROM syn_assigned) "
        f"ORDER BY lot LIMIT {count}"
    ).fetchone()
    return int(result[0]) if result else 0


def _assign_rest(connection: duckdb.DuckDBPyConnection, wanted: dict[str, int]) -> None:
    """Assign the people who are left to the kinds that take anybody."""
    cases, reached = [], 0
    for name, count in wanted.items():
        reached += count
        cases.append(f"WHEN n < {reached} THEN '{name}'")
    if not reached:
        return
    result = connection.execute(
        f"INSERT INTO syn_assigned SELECT CASE {' '.join(cases)} END, person_id, NULL FROM ("
        "SELECT person_id, row_number() OVER (ORDER BY lot) - 1 AS n FROM syn_detail WHERE lot IS NOT NULL "
        "AND filed IS NOT NULL AND person_id NOT IN (SELECT person_id FROM syn_assigned)) "
        f"WHERE n < {reached}"
    ).fetchone()
    if result is None or result[0] < reached:
        found = result[0] if result else 0
        raise WrongInput(
            f"the register has {found:,} persons to ask about and {reached:,} are needed",
            where="--persons",
            remedy="Ask for fewer requests or make a larger register",
        )


def _invent(connection: duckdb.DuckDBPyConnection, plan: Draw) -> None:
    """Add people who are not in the register: `made` numbers them; half give an address where others live."""
    cases, reached = [], 0
    for name, count in plan.of(Source.INVENTED).items():
        reached += count
        cases.append(f"WHEN range < {reached} THEN '{name}'")
    case = f"CASE {' '.join(cases)} END" if cases else "NULL"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE syn_invented AS SELECT range AS made, {case} AS kind FROM range({reached})"
    )


def _join(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE syn_drawn AS
        SELECT a.kind, d.* EXCLUDE (lot), o.tin AS other_tin, NULL::BIGINT AS made
        FROM syn_assigned a JOIN syn_detail d USING (person_id) LEFT JOIN reg_persons o ON o.person_id = a.other_id""")
    connection.execute("INSERT INTO syn_drawn BY NAME SELECT kind, made FROM syn_invented")
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE syn_ranked AS
        SELECT *, row_number() OVER (ORDER BY kind, coalesce(person_id, made)) - 1 AS rank FROM syn_drawn""")
    for name in ("lot", "near", "home", "filed", "other_name", "detail", "assigned", "invented", "drawn", "special"):
        connection.execute(f"DROP TABLE IF EXISTS syn_{name}")


def elsewhere(connection: duckdb.DuckDBPyConnection, plan: Draw, rows: str) -> None:
    """Make `syn_elsewhere`: for each `seq` of `rows`, an invented person and a real address that is not the subject's.

    Half of those with `crowded` true get a dwelling where others live, the rest dwellings where nobody of the
    register ever lived. Columns: `seq`, `new_last`, `new_first`, `new_middle`, `new_birth`, `new_line1` …
    """
    c = plan.chance
    people = People(plan.register.persons, Chance(plan.register.seed))
    vacant = f"{people.dwellings} + {c.pick('vacant', 'seq', 40_000_000)}"
    dwelling = f"CASE WHEN crowded AND seq % 2 = 0 THEN {c.pick('crowded', 'seq', people.dwellings)} ELSE {vacant} END"
    places = dwellings.addresses(people, f"SELECT seq, sex, g, {dwelling} AS d, seq * 8 + 7 AS writing FROM syn_new")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_new AS SELECT r.seq, r.crowded, {c.pick("new sex", "seq", 2)} AS sex,
          g.g, g.joint,
          {c.pick("new double", "seq", 100)} < g.double_share AS doubled
        FROM ({rows}) r LEFT JOIN syn_group g ON g.slot = {c.pick("new group", "seq", 1000)}""")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_elsewhere AS
        SELECT n.seq, n.sex, s.plain || CASE WHEN doubled AND t.plain <> s.plain THEN joint || t.plain ELSE '' END
          AS new_last,
          f.plain AS new_first, CASE WHEN n.seq % 3 = 0 THEN left(m.plain, 1) END AS new_middle,
          (DATE '1950-01-01' + {c.pick("new birth", "n.seq", 20_000)}::INTEGER)::DATE AS new_birth,
          a.line1 AS new_line1, a.line2 AS new_line2, a.city AS new_city, a.state AS new_state,
          a.postal_code AS new_postal_code, a.country AS new_country
        FROM syn_new n JOIN ({places}) a USING (seq)
        LEFT JOIN syn_surname s ON s.slot = n.g * {NAME_SLOTS} + {c.pick("new last", "n.seq", NAME_SLOTS)}
        LEFT JOIN syn_surname t ON t.slot = n.g * {NAME_SLOTS} + {c.pick("new second", "n.seq", NAME_SLOTS)}
        LEFT JOIN syn_first f ON f.slot = (n.g * 2 + n.sex) * {NAME_SLOTS} + {c.pick("new first", "n.seq", NAME_SLOTS)}
        LEFT JOIN syn_first m ON m.slot = (n.g * 2 + n.sex) * {NAME_SLOTS} +
          {c.pick("new middle", "n.seq", NAME_SLOTS)}""")
    connection.execute("DROP TABLE syn_new")


def part_from_neighbours(connection: duckdb.DuckDBPyConnection, chance: Chance, requests: str) -> None:
    """Give invented people at a dwelling of the register first names that nobody there ever had.

    `requests` is a table with `seq`, `invented` and the request's columns; rows whose first name occurs on file at
    the same ZIP and number get a name that no register holds, so that truth is true.
    """
    # The number of an urbanisation in Puerto Rico stands in the second line.
    house = "nullif(regexp_extract(concat_ws(' ', {0}, {1}), '[0-9]+'), '') AS house"
    asked, filed = house.format("address_line1", "address_line2"), house.format("line1", "line2")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_clash AS
        SELECT DISTINCT r.seq FROM (SELECT seq, first_name, left(postal_code, 5) AS zip, {asked} FROM {requests}
          WHERE invented AND postal_code IS NOT NULL) r
        JOIN (SELECT person_id, left(postal_code, 5) AS zip, {filed} FROM reg_addresses) a USING (zip, house)
        JOIN (SELECT person_id, first_name FROM reg_persons UNION ALL SELECT person_id, first_name FROM reg_names) p
          USING (person_id) WHERE split_part({plain("p.first_name")}, ' ', 1) =
          split_part({plain("r.first_name")}, ' ', 1)""")
    slot = chance.pick("renamed", f"{requests}.seq", 2 * NAME_SLOTS)
    connection.execute(f"""
        UPDATE {requests} SET first_name = a.name FROM syn_clash c, syn_absent a
        WHERE {requests}.seq = c.seq AND a.slot = {slot}""")
    connection.execute("DROP TABLE syn_clash")
