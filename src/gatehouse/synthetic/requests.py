"""The request table of a synthetic submission: what each kind of request says, column by column.

First who and where (names, identifiers and the address, with the error that the kind stands for), then why (the
elements of the statute, each request with a reason of its own, with the legal fault that the kind stands for).
"""

from __future__ import annotations


import duckdb

from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.people import People
from gatehouse.synthetic.subjects import Draw, elsewhere, part_from_neighbours, plain
from gatehouse.synthetic.words import read_csv

COLUMNS = (
    "request_id last_name first_name middle_name suffix birth_date tin address_line1 address_line2 city state "
    "postal_code country period_from period_to authority proceeding matter_number matter_opened_on final_order_date "
    "final_order_number review_order_date removal_ground reason officer_ids items"
).split()
_RESPELLINGS = (
    ("STREET", "ST"),
    ("ST", "Street"),
    ("AVENUE", "AVE"),
    ("AVE", "avenue"),
    ("DRIVE", "DR"),
    ("DR", "Drive"),
    ("ROAD", "RD"),
    ("RD", "Rd."),
    ("LN", "LANE"),
    ("BLVD", "Boulevard"),
    ("CT", "Court"),
    ("PO BOX", "P.O. Box"),
    ("APT", "Apartment"),
)
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
        "CREATE OR REPLACE TEMP TABLE syn_kind AS SELECT unnest($1::VARCHAR[]) AS kind, unnest($2::VARCHAR[]) AS tin_says, "
        "unnest($3::VARCHAR[]) AS birth_says, unnest($4::VARCHAR[]) AS address_says, unnest($5::VARCHAR[]) AS expected, "
        "unnest($6::BOOLEAN[]) AS names, unnest($7::BOOLEAN[]) AS lawful",
        columns,
    )


def who_and_where(connection: duckdb.DuckDBPyConnection, plan: Draw) -> None:
    """Make `syn_who`: one row per request with name, identifiers and address as the request gives them.

    Needs `syn_ranked` (subjects.draw), `syn_kind` and `syn_defect`.
    """
    c = plan.chance
    requests = sum(plan.wanted.values())
    order = _order(requests, c)
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
    part_from_neighbours(connection, plan, "syn_who")


def _order(requests: int, chance: Chance):  # noqa: ANN202 - a Scatter
    from gatehouse.synthetic.chance import Scatter

    return Scatter.of(requests, chance, "order of requests")


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
    in_last = f"{c.under('typo in last', 'seq', 0.6)} OR length(first_name) < 4"
    new_last = (
        f"CASE kind WHEN 'typing_error' THEN CASE WHEN {in_last} THEN {_typing_error('last_name', c, 'typo')} "
        "ELSE last_name END WHEN 'double_surname_cut' THEN cut_last WHEN 'order_swapped' THEN first_name "
        f"WHEN 'diacritics_lost' THEN plain_last WHEN 'former_name' THEN other_last WHEN 'name_missing' THEN NULL "
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
        result = f"regexp_replace({result}, '\\b{old}\\b', '{new}')" if old in {"ST", "AVE", "DR", "RD"} else result
    for old, new in (("BLVD", "Boulevard"), ("LN", "Lane"), ("CT", "Court"), ("PO BOX", "P.O. Box")):
        result = f"regexp_replace({result}, '\\b{old}\\b', '{new}')"
    return result


def _address(rows: str, c: Chance) -> str:
    """SQL that adds the address of each request to rows of subjects and invented people."""
    parts = ("line1", "line2", "city", "state", "postal_code")
    picked = {
        part: f"CASE WHEN address_says = 'past' THEN past_{part} WHEN address_says = 'elsewhere' OR person_id IS NULL "
        f"THEN new_{part} ELSE {part} END"
        for part in parts
    }
    columns = ", ".join(f"{text} AS a_{part}" for part, text in picked.items())
    unit = "' (APT|UNIT|FL|#|Apt|Unit|Fl) ?[0-9]*[A-Z]?$'"
    no_unit = f"CASE WHEN line2 IS NULL THEN regexp_replace(line1, {unit}, '') ELSE line1 END"
    number = c.pick("number kept", "seq", 10)
    bare = "address_says IN ('defective', 'blank')"
    return f"""
        SELECT *, CASE WHEN address_says = 'defective' THEN defect_line1 WHEN address_says = 'blank' THEN NULL
            WHEN kind IN ('missing_unit', 'namesake_without_unit') THEN {no_unit}
            WHEN kind = 'respelled_address' THEN {_respelled("line1")}
            WHEN kind = 'one_line_address' THEN a_line1 || coalesce(' ' || a_line2, '') ELSE a_line1 END AS address_line1,
          CASE WHEN address_says = 'defective' THEN defect_line2 WHEN address_says = 'blank' THEN NULL
            WHEN kind IN ('missing_unit', 'namesake_without_unit', 'one_line_address') THEN NULL
            ELSE a_line2 END AS address_line2,
          CASE WHEN NOT {bare} OR keeps < 4 THEN a_city END AS req_city,
          CASE WHEN NOT {bare} OR keeps < 5 THEN a_state END AS req_state,
          CASE WHEN kind = 'missing_zip' THEN NULL
            WHEN kind = 'zip_contradicts' THEN CASE WHEN a_state = 'FL' THEN '98101' ELSE '33101' END
            WHEN address_says = 'blank' THEN NULL
            WHEN {bare} THEN CASE WHEN keeps < 7 THEN left(a_postal_code, 5) WHEN {number} < 3 THEN '00000' END
            WHEN seq % 3 = 0 THEN left(a_postal_code, 5)
            WHEN seq % 7 = 0 AND length(a_postal_code) = 9 THEN left(a_postal_code, 5) || '-' || right(a_postal_code, 4)
            ELSE a_postal_code END AS req_postal_code,
          CASE WHEN NOT {bare} AND address_says = 'last_known' AND person_id IS NOT NULL AND (country <> 'US' OR seq % 2 = 0)
            THEN country END AS req_country
        FROM (SELECT *, {columns} FROM {rows})"""


_SERVED = (
    "served in person",
    "served through counsel",
    "mailed to the last address given to the court",
    "read out in open court",
    "served on release under supervision",
    "acknowledged in writing",
)
_SINCE = (
    "did not report to the field office",
    "missed the departure date set with the travel document",
    "left the residence given under supervision",
    "declined to apply for a travel document at the consulate",
    "stopped answering the supervising officer's calls",
    "returned from the airport without boarding",
    "told a supervising officer of no intention to leave",
    "gave the court an address where nobody of the name lives",
)
_LEADS = (
    "a payroll record places the subject near",
    "a vehicle registration was renewed in",
    "a relative named a household in",
    "a utility contract was signed in",
    "a licence renewal was sought in",
    "a traffic stop was recorded in",
    "a bank letter was returned from",
    "a school form names a parent in",
    "a rental application was made in",
    "a medical bill was sent to",
)
_WHY = (
    "the address is needed to serve the notice before charging",
    "the address decides the judicial district of the charge",
    "the address is needed to interview the subject about the refusal",
    "the address tests the subject's account of having left",
    "the address is evidence of wilful stay after the order",
    "the address is needed to find the witness to the refusal",
)
_MONTHS = "January February March April May June July August September October November December".split()


def _one_of(words: tuple[str, ...] | list[str], purpose: str, c: Chance) -> str:
    cases = " ".join(f"WHEN {n} THEN '{word.replace(chr(39), chr(39) * 2)}'" for n, word in enumerate(words))
    return f"CASE {c.pick(purpose, 'seq', len(words))} {cases} END"


def _reason(c: Chance) -> str:
    """SQL for a reason that is the request's own: some ten million of them differ in their words alone."""
    month = _one_of(_MONTHS, "month", c)
    return (
        f"'Final order ' || {_one_of(_SERVED, 'served', c)} || '; since ' || {month} || ' the subject ' "
        f"|| {_one_of(_SINCE, 'since', c)}, || '; in ' || {_one_of(_MONTHS, 'month 2', c)} || ' ' "
        f"|| {_one_of(_LEADS, 'lead', c)} || ' ' || coalesce(town, 'another State') || '; ' || {_one_of(_WHY, 'why', c)}"
    ).replace("END,", "END")


BOILERPLATE = "Subject has remained in the United States more than 90 days after a final order of removal."


def ordinary_law(plan: Draw, officers: int) -> str:
    """SQL for the whole request table `syn_request`, with the elements of law and the legal faults of each kind."""
    c, signed = plan.chance, plan.signed_on
    day = f"DATE '{signed}'"
    ordered = f"({day} - (150 + {c.pick('ordered', 'seq', 2_900)})::INTEGER)"
    recent = f"({day} - (1 + {c.pick('recent', 'seq', 20)})::INTEGER)"
    final = f"CASE kind WHEN 'order_missing' THEN NULL WHEN 'order_recent' THEN {recent} ELSE {ordered} END"
    review = (
        f"CASE WHEN kind = 'order_reviewed_recently' THEN {recent} WHEN kind <> 'order_recent' AND {c.under('review', 'seq', 0.06)} "
        f"THEN least({ordered} + 200, {day} - 120) END"
    )
    first_year = "(coalesce(filed, 2023) - seq % 2)"
    authority = (
        "CASE kind WHEN 'authority_missing' THEN NULL WHEN 'authority_section_only' THEN '8 USC 1253' "
        "WHEN 'authority_not_criminal' THEN CASE WHEN seq % 2 = 0 THEN '8 USC 1231(a)(1)' ELSE '8 USC 1229a(b)(5)' END "
        "ELSE CASE seq % 10 WHEN 0 THEN '8 U.S.C. § 1253(a)(1)' WHEN 1 THEN 'INA 243(a)(1)' WHEN 2 THEN '8 USC 1253 (a)(1)' "
        "ELSE '8 USC 1253(a)(1)' END END"
    )
    grounds = ["8 USC 1227(a)(1)(B)", "8 USC 1227(a)(1)(C)(i)", "8 USC 1227(a)(2)(A)(iii)", "8 U.S.C. § 1227(a)(1)(A)"]
    ground = (
        "CASE kind WHEN 'ground_missing' THEN NULL WHEN 'ground_inadmissible' THEN '8 USC 1182(a)(6)(A)(i)' "
        f"ELSE {_one_of(grounds, 'ground', c)} END"
    )
    own = officer_id(f"1 + {c.pick('officer', 'seq', 1)} + seq % {officers}")
    second = officer_id(f"1 + (seq + 7) % {officers}")
    officer = (
        f"CASE kind WHEN 'officer_missing' THEN NULL WHEN 'officer_unlisted' THEN 'ICE-X0001' "
        f"WHEN 'officer_not_employee' THEN 'ICE-N0001' WHEN 'officer_overloaded' THEN 'ICE-A0001' "
        f"ELSE CASE WHEN seq % 20 = 3 AND {officers} > 1 THEN {own} || ';' || {second} ELSE {own} END END"
    )
    return f"""
        SELECT seq, kind, expected, names, lawful, person_id AS made_from, defect,
          'R' || lpad((seq + 1)::VARCHAR, 7, '0') AS request_id, last_name, first_name, middle_name, suffix, birth_date, tin,
          address_line1, address_line2, city, state, postal_code, country,
          CASE kind WHEN 'period_missing' THEN NULL WHEN 'period_reversed' THEN '2024-12-31'
            ELSE {first_year} || '-01-01' END AS period_from,
          CASE kind WHEN 'period_missing' THEN NULL WHEN 'period_reversed' THEN '2021-01-01'
            ELSE coalesce(filed, 2023) || '-12-31' END AS period_to,
          {authority} AS authority,
          CASE WHEN kind = 'civil_removal' THEN CASE WHEN seq % 2 = 0 THEN 'civil_removal' ELSE 'removal operations' END
            WHEN seq % 50 = 0 THEN 'grand_jury' WHEN seq % 6 = 0 THEN 'preparation' ELSE 'investigation' END AS proceeding,
          CASE WHEN kind <> 'matter_missing' THEN 'HSI-' || year({day} - 30) || '-' || lpad((seq * 7 + 11)::VARCHAR, 8, '0')
            END AS matter_number,
          strftime({day} - (10 + {c.pick("opened", "seq", 90)})::INTEGER, '%Y-%m-%d') AS matter_opened_on,
          strftime({final}, '%Y-%m-%d') AS final_order_date,
          CASE WHEN kind <> 'order_missing' THEN 'A' || lpad((200000000 + {c.pick("order no", "seq", 99_999_999)})::VARCHAR, 9,
            '0') END AS final_order_number,
          strftime({review}, '%Y-%m-%d') AS review_order_date, {ground} AS removal_ground,
          CASE kind WHEN 'reason_missing' THEN NULL WHEN 'reason_boilerplate' THEN '{BOILERPLATE}' ELSE {_reason(c)} END
            AS reason,
          {officer} AS officer_ids,
          CASE kind WHEN 'items_extra' THEN 'last_known_address;wages' WHEN 'items_not_permitted' THEN 'wages;employer'
            ELSE 'last_known_address' END AS items
        FROM (SELECT w.*, t.city AS town FROM syn_who w
              LEFT JOIN syn_place t ON t.slot = {c.pick("town", "w.seq", 131_072)})"""


def officer_id(number: str) -> str:
    """SQL for the identifier of the n-th officer, from 1."""
    return f"'ICE-' || lpad(({number})::VARCHAR, 5, '0')"


