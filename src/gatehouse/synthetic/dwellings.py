"""Where dwellings stand and how their addresses are written: every form of address the United States use.

A dwelling is a number; its building, place, street and unit follow from it. The same dwelling is written a little
differently for different people (abbreviated or in full, unit on the first line or the second, ZIP with or without
its four further digits), as it is in real files. Forms follow USPS Publication 28.
"""

from __future__ import annotations

from gatehouse.synthetic.people import BUILDING_GROUP, People
from gatehouse.synthetic.places import PLACE_SLOTS
from gatehouse.synthetic.words import STREET_SLOTS

_DIRECTIONS = (("N", "North"), ("S", "South"), ("E", "East"), ("W", "West"), ("NE", "Northeast"), ("SW", "Southwest"))


def ordinal(number: str) -> str:
    """SQL for 1ST, 2ND, 3RD, 4TH, 11TH … of an integer expression."""
    return (
        f"(({number})::VARCHAR || CASE WHEN ({number}) % 100 BETWEEN 11 AND 13 THEN 'th' WHEN ({number}) % 10 = 1 "
        f"THEN 'st' WHEN ({number}) % 10 = 2 THEN 'nd' WHEN ({number}) % 10 = 3 THEN 'rd' ELSE 'th' END)"
    )


def _direction(pick: str, full: str) -> str:
    cases = " ".join(
        f"WHEN {n} THEN CASE WHEN {full} THEN '{long}' ELSE '{short}' END"
        for n, (short, long) in enumerate(_DIRECTIONS)
    )
    return f"CASE {pick} {cases} END"


def addresses(people: People, rows: str) -> str:
    """SQL that adds `line1`, `line2`, `city`, `state`, `postal_code`, `country` to rows of `d` and `writing`.

    `d` is the dwelling, `writing` a key for how this record of it is written. Both are BIGINT.
    """
    return _written(people, _streets(people, _buildings(people, rows)))


def _buildings(people: People, rows: str) -> str:
    c = people.chance
    built = people.apartment_group("d")
    inside = f"(d % {BUILDING_GROUP})"
    return f"""
        WITH a AS (SELECT *, {built} AS built FROM ({rows})),
        b AS (SELECT *, CASE WHEN built < 55 THEN 1 WHEN built < 75 THEN 40 WHEN built < 90 THEN 4 ELSE 10 END AS flats
              FROM a),
        e AS (SELECT *, (d // {BUILDING_GROUP}) * 64 + {inside} // flats AS building, {inside} % flats AS flat FROM b)
        SELECT e.*, w.zip, w.zip_number, w.city AS w_city, w.state AS w_state, w.style,
          {c.pick("street of zip", "building", 48)} * 100000 + w.zip_number AS street_key
        FROM e LEFT JOIN syn_place w ON w.slot = {c.pick("place", "building", PLACE_SLOTS)}"""


def _streets(people: People, rows: str) -> str:
    c = people.chance
    pool = (
        f"(CASE WHEN style = 'spanish' AND {c.pick('spanish', 'street_key', 100)} < 14 THEN {STREET_SLOTS} ELSE 0 END)"
    )
    return f"""
        SELECT r.*, s.name AS street, s.slot >= {STREET_SLOTS} AS spanish, t.short, t.long,
          u.name AS urbanization, k.name AS calle,
          {c.pick("numbered", "street_key", 100)} < 17 AS numbered,
          1 + {c.pick("ordinal", "street_key", 11)} * {c.pick("ordinal 2", "street_key", 17)} AS ordinal,
          {c.pick("direction", "street_key", 44)} AS direction,
          {c.pick("post direction", "street_key", 120)} AS post_direction,
          CASE {c.pick("magnitude", "building", 10)} WHEN 0 THEN 1 + {c.pick("number", "building", 99)}
            WHEN 1 THEN 10000 + {c.pick("number", "building", 15_000)}
            WHEN 2 THEN 5000 + {c.pick("number", "building", 5_000)}
            ELSE 100 + {c.pick("number", "building", 4_900)} END AS number,
          {c.pick("form", "building", 1000)} AS form, {c.pick("box", "d", 9_000)} AS box,
          {c.pick("writing", "writing", 1000)} AS hand,
          {c.under("long", "writing", 0.12)} AS in_full
        FROM ({rows}) r
        LEFT JOIN syn_street s ON s.slot = {pool} + {c.pick("street", "street_key", STREET_SLOTS)}
        LEFT JOIN syn_street u ON u.slot = {2 * STREET_SLOTS} + {c.pick("urbanization", "street_key", STREET_SLOTS)}
        LEFT JOIN syn_street k ON k.slot = {3 * STREET_SLOTS} + {c.pick("street", "street_key", STREET_SLOTS)}
        LEFT JOIN syn_street_type t ON t.slot = {c.pick("type", "street_key", 128)}"""


def _street_line() -> str:
    pre, post = _direction("direction", "in_full"), _direction("post_direction", "in_full")
    kind = "CASE WHEN in_full THEN long ELSE short END"
    name = (
        f"coalesce({pre} || ' ', '') || CASE WHEN numbered THEN {ordinal('ordinal')} || ' ' || {kind} "
        f"WHEN spanish THEN street ELSE street || ' ' || {kind} END || coalesce(' ' || {post}, '')"
    )
    return f"number::VARCHAR || CASE WHEN form % 250 = 7 AND flats = 1 THEN ' 1/2 ' ELSE ' ' END || {name}"


def _rural_line() -> str:
    road = (
        "CASE form % 6 WHEN 0 THEN 'County Road ' || (100 + box % 900) WHEN 1 THEN 'State Highway ' || (1 + box % 99) "
        "WHEN 2 THEN 'US Highway ' || (1 + box % 98) "
        "WHEN 3 THEN CASE WHEN w_state = 'TX' THEN 'FM ' ELSE 'County Rd ' END "
        "|| (100 + box % 3400) WHEN 4 THEN 'Highway ' || (1 + box % 199) ELSE 'Township Road ' || (1 + box % 400) END"
    )
    return (
        "CASE WHEN form < 250 THEN 'RR ' || (1 + form % 9) || ' Box ' || (1 + box % 800) "
        "WHEN form < 330 THEN 'HC ' || (1 + form % 90) || ' Box ' || (1 + box % 400) "
        f"WHEN form < 620 THEN number::VARCHAR || ' ' || {road} "
        f"WHEN form < 760 THEN 'PO Box ' || (1 + box) ELSE {_street_line()} END"
    )


def _puerto_rico_line() -> str:
    return (
        "CASE WHEN form < 450 THEN (1 + number % 900)::VARCHAR || ' Calle ' "
        "|| CASE WHEN form % 2 = 0 THEN (1 + form % 60)::VARCHAR ELSE calle END "
        "WHEN form < 600 THEN 'Carr ' || (1 + form % 190) || ' Km ' || (1 + box % 60) || '.' || (form % 10) "
        "WHEN form < 700 THEN 'HC ' || (1 + form % 9) || ' Box ' || (1000 + box) "
        "WHEN form < 760 THEN 'PO Box ' || (1 + box) ELSE (1 + number % 1900)::VARCHAR || ' Calle ' || calle END"
    )


def _written(people: People, rows: str) -> str:
    c = people.chance
    military = (
        "CASE form % 3 WHEN 0 THEN 'PSC ' || (1 + form) || ' Box ' || (1 + box) "
        "WHEN 1 THEN 'Unit ' || (2000 + form * 7) "
        "|| ' Box ' || (1 + box) ELSE 'CMR ' || (400 + form % 90) || ' Box ' || (1 + box) END"
    )
    grid = (
        "number::VARCHAR || CASE form % 4 WHEN 0 THEN ' N ' WHEN 1 THEN ' S ' WHEN 2 THEN ' E ' ELSE ' W ' END || "
        "(100 * (1 + ordinal % 90) + CASE WHEN form % 5 = 0 THEN 50 ELSE 0 END) || "
        "CASE form % 4 WHEN 0 THEN ' W' WHEN 1 THEN ' E' WHEN 2 THEN ' S' ELSE ' N' END"
    )
    street = _street_line()
    line = f"""CASE style WHEN 'military' THEN {military}
          WHEN 'po_box' THEN 'PO Box ' || (1 + box)
          WHEN 'puerto_rico' THEN {_puerto_rico_line()}
          WHEN 'rural' THEN {_rural_line()}
          WHEN 'grid' THEN CASE WHEN form < 550 THEN {grid} ELSE {street} END
          WHEN 'wisconsin' THEN CASE WHEN form < 600 THEN 'N' || (1 + form % 99) || 'W' || (10000 + number) || ' '
            || street || ' ' || short ELSE {street} END
          WHEN 'queens' THEN CASE WHEN form < 700 THEN (10 + ordinal % 240) || '-' || lpad((1 + number %
            98)::VARCHAR, 2, '0')
            || ' ' || {ordinal("(20 + (street_key // 100000) * 3)")} || CASE WHEN form % 2 = 0 THEN ' St' ELSE
              ' Ave' END
            ELSE {street} END
          ELSE CASE WHEN form < 25 AND flats = 1 THEN 'PO Box ' || (1 + box) ELSE {street} END END"""
    lettered = "(form % 2 = 0)"
    unit = f"""CASE WHEN flats = 1 THEN CASE WHEN form BETWEEN 900 AND 906 THEN 'PMB ' || (1 + box % 500)
            WHEN form BETWEEN 907 AND 910 THEN 'Ste ' || (100 + box % 400) WHEN form BETWEEN 911 AND 918
            THEN 'Lot ' || (1 + box % 90) END
          ELSE CASE WHEN form < 620 THEN 'Apt ' WHEN form < 800 THEN 'Unit ' WHEN form < 940 THEN '# '
                    WHEN form < 970 OR flats <> 4 THEN 'Apt ' ELSE 'Fl ' END
            || CASE WHEN flats = 40 AND {lettered} THEN (1 + flat // 8)::VARCHAR || chr((65 + flat % 8)::INTEGER)
                    WHEN flats = 40 THEN ((1 + flat // 8) * 100 + flat % 8 + 1)::VARCHAR
                    WHEN {lettered} AND form < 940 THEN chr((65 + flat)::INTEGER) ELSE (1 + flat)::VARCHAR END END"""
    second = "hand < 350 OR unit LIKE 'PMB%'"
    abroad = c.under("abroad", "writing", 0.003)
    return f"""
        WITH a AS (SELECT *, {line} AS line, {unit} AS any_unit FROM ({rows})),
        b AS (SELECT *, CASE WHEN line NOT LIKE '%Box %' AND style NOT IN ('military', 'po_box')
                AND line NOT LIKE 'Carr%' THEN any_unit END AS unit,
              style = 'puerto_rico' AND form < 450 AS urban, {abroad} AS away FROM a),
        e AS (SELECT *, line || CASE WHEN unit IS NOT NULL AND NOT ({second}) AND NOT urban THEN ' ' || unit ELSE '' END
                AS w1,
              CASE WHEN unit IS NOT NULL AND (({second}) OR urban) THEN unit END AS w2 FROM b),
        f AS (SELECT *, CASE WHEN urban THEN 'Urb ' || urbanization ELSE w1 END AS l1,
              CASE WHEN urban THEN w1 || coalesce(' ' || w2, '') ELSE w2 END AS l2 FROM e)
        SELECT f.* EXCLUDE (city, state), CASE WHEN away THEN upper(x.line1 || ' ' || (1 + box % 900))
            WHEN hand % 10 = 0 THEN l1 ELSE upper(l1) END AS line1,
          CASE WHEN away THEN NULL WHEN hand % 10 = 0 THEN l2 ELSE upper(l2) END AS line2,
          CASE WHEN away THEN upper(x.city) WHEN style = 'military' OR hand % 10 > 0 THEN upper(w_city)
               ELSE w_city END AS city,
          CASE WHEN NOT away THEN w_state END AS state,
          CASE WHEN away THEN x.postal_code WHEN hand % 100 < 55 THEN zip || (1000 +
            {c.pick("zip4", "building", 8_999)})
               ELSE zip END AS postal_code,
          CASE WHEN away THEN x.country ELSE 'US' END AS country
        FROM (SELECT *, NULL AS city, NULL AS state FROM f) f
        LEFT JOIN syn_abroad x ON x.slot = CASE WHEN away THEN {c.pick("abroad place", "writing", 11)} END"""
