"""Who and where: what each kind of synthetic request says of a name, a TIN, a birth date and an address.

Each kind stands for one error or none; the person it is made from comes from `subjects`.
"""

from __future__ import annotations

import duckdb

from gatehouse.synthetic.chance import Chance, Scatter
from gatehouse.synthetic.people import People
from gatehouse.synthetic.subjects import Draw, building, elsewhere, part_from_neighbours, plain
from gatehouse.synthetic.words import read_csv

# A street type is respelled only at the end of the street, so that ST CHARLES stays a saint and DR KING a doctor.
_RESPELLINGS = (
    (" STREET", " St."),
    (" ST", " Street"),
    (" AVENUE", " Ave."),
    (" AVE", " avenue"),
    (" DR", " Drive"),
    (" RD", " Rd."),
    (" LN", " Lane"),
    (" BLVD", " Boulevard"),
    (" CT", " Court"),
)
_STREET_END = "((?: (?:N|S|E|W|NE|SW))?(?: (?:APT|UNIT|FL|PMB|STE|LOT|#).*)?)$"
_KEYS_NEAR = ("QWERTYUIOPASDFGHJKLZXCVBNM", "WERTYUIOPOSDFGHJKLKXCVBNMN")


def load_defects(connection: duckdb.DuckDBPyConnection) -> int:
    """Make `syn_defect`: the addresses that are none, as documented or in their manner; returns how many."""
    rows = read_csv("defects.csv")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE syn_defect AS SELECT unnest(range(len($1::VARCHAR[]))) AS slot, "
        "unnest($1::VARCHAR[]) AS defect, nullif(unnest($2::VARCHAR[]), '') AS line1, "
        "nullif(unnest($3::VARCHAR[]), '') AS line2",
        [[row[key] for row in rows] for key in ("defect", "line1", "line2")],
    )
    return len(rows)


def make_kinds(connection: duckdb.DuckDBPyConnection, plan: Draw) -> None:
    """Make `syn_kind`: the kinds of the plan as columns."""
    kinds = list(plan.kinds.values())
    columns = [
        [kind.name for kind in kinds],
        [kind.tin.value for kind in kinds],
        [kind.birth.value for kind in kinds],
        [kind.address.value for kind in kinds],
        [kind.expected.value for kind in kinds],
        [kind.names for kind in kinds],
        [kind.lawful for kind in kinds],
    ]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE syn_kind AS SELECT unnest($1::VARCHAR[]) AS kind, "
        "unnest($2::VARCHAR[]) AS tin_says, unnest($3::VARCHAR[]) AS birth_says, "
        "unnest($4::VARCHAR[]) AS address_says, unnest($5::VARCHAR[]) AS expected, "
        "unnest($6::BOOLEAN[]) AS names, unnest($7::BOOLEAN[]) AS lawful",
        columns,
    )


def who_and_where(connection: duckdb.DuckDBPyConnection, plan: Draw) -> None:
    """Make `syn_who`: one row per request with name, identifiers and address as the request gives them.

    Needs `syn_ranked` (subjects.draw), `syn_kind` and `syn_defect`.
    """
    c = plan.chance
    requests = sum(plan.wanted.values())
    order = Scatter.of(requests, c, "order of requests")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_ranked_kind AS
        SELECT {order.row("rank")} AS seq, r.* EXCLUDE (rank), k.* EXCLUDE (kind),
          person_id IS NULL OR r.kind = 'relative_absent' AS invented
        FROM syn_ranked r JOIN syn_kind k USING (kind)""")
    connection.execute("DROP TABLE syn_ranked")
    elsewhere(
        connection,
        plan,
        "SELECT seq, person_id IS NULL AS crowded FROM syn_ranked_kind WHERE invented OR address_says = 'elsewhere'",
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE syn_who AS
        WITH a AS (SELECT r.*, e.* EXCLUDE (seq), d.defect, d.line1 AS defect_line1, d.line2 AS defect_line2,
            {c.pick("place kept", "r.seq", 10)} AS keeps
          FROM syn_ranked_kind r LEFT JOIN syn_elsewhere e USING (seq)
          LEFT JOIN syn_defect d ON d.slot = CASE WHEN address_says = 'defective'
            THEN {c.pick("defect", "r.seq", 1_000_000)} % (SELECT count(*) FROM syn_defect) END),
        b AS ({_address("a", c)})
        SELECT seq, kind, expected, names, lawful, person_id, invented, filed, defect, {_names(c)},
          {_identifiers(plan)}, address_line1, address_line2, req_city AS city, req_state AS state,
          req_postal_code AS postal_code, req_country AS country
        FROM b""")
    connection.execute("DROP TABLE syn_ranked_kind; DROP TABLE syn_elsewhere")
    part_from_neighbours(connection, c, "syn_who")


def _typing_error(text: str, c: Chance, purpose: str) -> str:
    """SQL for a name with one letter dropped, doubled, swapped with the next or hit beside its key."""
    at = f"(2 + {c.pick(purpose + ' at', 'seq', 1_000)} % greatest(length({text}) - 2, 1))"
    before, here, after = f"left({text}, {at} - 1)", f"substr({text}, {at}, 1)", f"substr({text}, {at} + 1)"
    near = f"translate({here}, '{_KEYS_NEAR[0]}', '{_KEYS_NEAR[1]}')"
    return (
        f"CASE {c.pick(purpose, 'seq', 4)} WHEN 0 THEN {before} || {after} "
        f"WHEN 1 THEN {before} || {here} || {here} || {after} "
        f"WHEN 2 THEN {before} || left({after}, 1) || {here} || substr({after}, 2) "
        f"ELSE {before} || {near} || {after} END"
    )


def _names(c: Chance) -> str:
    last, first = "coalesce(last_name, new_last)", "coalesce(first_name, new_first)"
    upper = f"{c.under('upper', 'seq', 0.5)}"
    in_last = f"length(last_name) >= 5 AND ({c.under('typo in last', 'seq', 0.6)} OR length(first_name) < 5)"
    new_last = (
        f"CASE kind WHEN 'typing_error' THEN CASE WHEN {in_last} THEN {_typing_error('last_name', c, 'typo')} "
        "ELSE last_name END WHEN 'double_surname_cut' THEN cut_last WHEN 'order_swapped' THEN first_name "
        f"WHEN 'diacritics_lost' THEN plain_last WHEN 'former_name' THEN other_last WHEN 'name_missing' THEN NULL "
        "WHEN 'tin_other_name' THEN "
        "CASE WHEN left(new_last, 4) = left(plain_last, 4) THEN 'ZY' ELSE '' END || new_last "
        f"ELSE CASE WHEN {upper} THEN upper({last}) ELSE {last} END END"
    )
    new_first = (
        f"CASE kind WHEN 'typing_error' THEN CASE WHEN {in_last} THEN first_name "
        f"ELSE {_typing_error('first_name', c, 'typo')} END "
        f"WHEN 'nickname' THEN nickname WHEN 'order_swapped' THEN last_name "
        f"WHEN 'diacritics_lost' THEN {plain('first_name')} WHEN 'relative_absent' THEN new_first "
        f"ELSE CASE WHEN {upper} THEN upper({first}) ELSE {first} END END"
    )
    middle = (
        "CASE WHEN kind IN ('junior_unsaid', 'namesake_without_unit', 'relative_absent') OR seq % 4 = 0 THEN NULL "
        "WHEN kind = 'order_swapped' THEN NULL "
        "WHEN person_id IS NULL THEN new_middle WHEN seq % 4 = 1 THEN left(middle_name, 1) ELSE middle_name END"
    )
    suffix = "CASE WHEN kind NOT IN ('junior_unsaid', 'suffix_dropped', 'relative_absent') THEN suffix END"
    return f"{new_last} AS last_name, {new_first} AS first_name, {middle} AS middle_name, {suffix} AS suffix"


def _identifiers(plan: Draw) -> str:
    c = plan.chance
    people = People(plan.register.persons, Chance(plan.register.seed))
    nobodys = people.tin(f"({plan.register.persons} + {c.pick('nobody', 'seq', 4_000_000)})")
    written = "CASE WHEN seq % 5 = 0 THEN left(t, 3) || '-' || substr(t, 4, 2) || '-' || right(t, 4) ELSE t END"
    says = (
        f"CASE tin_says WHEN 'right' THEN tin WHEN 'often' THEN CASE WHEN {c.under('tin', 'seq', 0.5)} THEN tin END "
        f"WHEN 'wrong' THEN CASE WHEN person_id IS NOT NULL OR {c.under('tin of none', 'seq', 0.3)} THEN {nobodys} END "
        "WHEN 'others' THEN other_tin END"
    )
    tin = f"list_transform([{says}], lambda t: {written})[1]"
    shift = f"(1 + {c.pick('wrong day', 'seq', 900)})::INTEGER"
    birth = (
        f"CASE birth_says WHEN 'right' THEN birth_date WHEN 'often' THEN CASE WHEN {c.under('birth', 'seq', 0.6)} "
        f"THEN birth_date END WHEN 'wrong' THEN coalesce(birth_date + {shift}, new_birth) END"
    )
    return f"strftime({birth}, '%Y-%m-%d') AS birth_date, {tin} AS tin"


def _respelled(text: str) -> str:
    result = f"upper({text})"
    for old, new in _RESPELLINGS:
        result = f"regexp_replace({result}, '{old}{_STREET_END}', '{new}\\1')"
    return f"replace({result}, 'PO BOX', 'P.O. Box')"


def _address(rows: str, c: Chance) -> str:
    """SQL that adds the address of each request to rows of subjects and invented people."""
    parts = ("line1", "line2", "city", "state", "postal_code", "country")
    picked = {
        part: f"CASE WHEN address_says = 'past' THEN past_{part} WHEN address_says = 'elsewhere' OR person_id IS NULL "
        f"THEN new_{part} ELSE {part} END"
        for part in parts
    }
    columns = ", ".join(f"{text} AS a_{part}" for part, text in picked.items())
    no_unit = building("r")
    number = c.pick("number kept", "seq", 10)
    bare = "address_says IN ('defective', 'blank')"
    return f"""
        SELECT *, CASE WHEN address_says = 'defective' THEN defect_line1 WHEN address_says = 'blank' THEN NULL
            WHEN kind IN ('missing_unit', 'namesake_without_unit') THEN {no_unit}
            WHEN kind = 'respelled_address' THEN {_respelled("line1")}
            WHEN kind = 'one_line_address' THEN a_line1 || coalesce(' ' || a_line2, '') ELSE a_line1 END AS
              address_line1,
          CASE WHEN address_says = 'defective' THEN defect_line2 WHEN address_says = 'blank' THEN NULL
            WHEN kind IN ('missing_unit', 'namesake_without_unit', 'one_line_address') THEN NULL
            ELSE a_line2 END AS address_line2,
          CASE WHEN NOT {bare} OR keeps < 4 THEN a_city END AS req_city,
          CASE WHEN NOT {bare} OR keeps < 5 THEN a_state END AS req_state,
          CASE WHEN kind = 'missing_zip' THEN NULL
            WHEN kind = 'zip_contradicts' THEN CASE WHEN a_state = 'FL' THEN '98101' ELSE '33101' END
            WHEN address_says = 'blank' THEN NULL
            WHEN {bare} THEN CASE WHEN keeps < 7 OR kind = 'tin_defective' THEN left(a_postal_code, 5) WHEN
              {number} < 3 THEN '00000' END
            WHEN seq % 3 = 0 THEN left(a_postal_code, 5)
            WHEN seq % 7 = 0 AND length(a_postal_code) = 9 THEN left(a_postal_code, 5) || '-' || right(a_postal_code, 4)
            ELSE a_postal_code END AS req_postal_code,
          CASE WHEN NOT {bare} AND (a_country <> 'US' OR seq % 2 = 0) THEN a_country END AS req_country
        FROM (SELECT *, {columns} FROM {rows}) r"""
