"""Parts of addresses by name, and properties that no rewriting of an address may break."""

# ruff: noqa: E501 - tables of addresses read best unbroken
from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gatehouse.cli.address import address
from gatehouse.intake.addresses import PARTS, REASONS, explain, judge, keep_places, load_places, standardise
from gatehouse.intake.addresses.grammar import LONGEST, read
from gatehouse.intake.addresses.vocabulary import CLASSES

Lines = tuple[str | None, ...]
SPRINGFIELD: Lines = ("Springfield", "IL", "62701", None)
_CONNECTION = duckdb.connect()


def _judged(rows: list[Lines]) -> list[dict[str, str | None]]:
    """Judge rows of (line1, line2, city, state, postal_code, country)."""
    names = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
    columns = {name: [row[number] for row in rows] for number, name in enumerate(names)}
    unnested = ", ".join(f"unnest(${name}::VARCHAR[]) AS {name}" for name in names)
    _CONNECTION.execute(
        f"CREATE OR REPLACE TEMP TABLE given AS SELECT row_number() OVER () AS key, * FROM (SELECT {unnested})", columns
    )
    judge(_CONNECTION, "given", "judged", "key")
    cursor = _CONNECTION.execute("SELECT * EXCLUDE (key) FROM judged ORDER BY key")
    found = [column[0] for column in cursor.description]
    return [dict(zip(found, row, strict=True)) for row in cursor.fetchall()]


def _at(line1: str, line2: str | None = None, place: Lines = SPRINGFIELD) -> Lines:
    return (line1, line2, *place)


def _parts(row: dict[str, str | None]) -> dict[str, str | None]:
    return {part: row[part] for part in PARTS if row[part] is not None}


GOLDEN = {
    "street": (_at("123 North Main Street Apartment 4"),
               {"house_number": "123", "pre_direction": "N", "street_name": "MAIN", "street_type": "ST",
               "unit_kind": "APT", "unit_number": "4"}),
    "post direction": (_at("5 Peachtree St NE"), {"street_name": "PEACHTREE", "street_type": "ST",
    "post_direction": "NE"}),
    "ordinal": (_at("350 Fifth Avenue"), {"street_name": "5TH", "street_type": "AVE"}),
    "compound ordinal": (_at("350 Forty-Second St"), {"street_name": "42ND", "street_type": "ST"}),
    "fraction": (_at("123½ Main St"), {"house_number": "123 1/2"}),
    "grid": (_at("N6 W23001 Bluemound Rd"), {"house_number": "N6W23001", "street_name": "BLUEMOUND"}),
    "utah grid": (_at("842 East 1700 South"), {"house_number": "842", "pre_direction": "E",
    "street_name": "1700", "post_direction": "S"}),
    "hyphenated": (_at("112-10 37th Ave"), {"house_number": "112-10", "street_name": "37TH"}),
    "county road": (_at("5401 County Road 12"), {"house_number": "5401", "street_name": "CR 12"}),
    "rural route": (_at("Rural Route 2, Box 15A"), {"address_kind": "rural_route", "street_name": "RR 2",
    "box_number": "15A"}),
    "po box": (_at("P.O.Box #77"), {"address_kind": "po_box", "box_number": "77"}),
    "private mailbox": (_at("10 Main St PMB 234"), {"street_name": "MAIN", "unit_kind": "PMB",
    "unit_number": "234"}),
    "military": (("Unit 2050, Box 4190", None, "APO", "AP", "96278", None),
                 {"address_kind": "military", "street_name": "UNIT 2050", "box_number": "4190"}),
    "urbanisation": (("Urb Las Gladiolas", "150 Calle A", "San Juan", "PR",
    "00926", None), {"house_number": "150", "street_name": "CALLE A"}),
    "kilometre": (("Carr. 123 Km 3.2", None, "Adjuntas", "PR", "00601", None), {"house_number": "KM3.2",
    "street_name": "CARR 123"}),
    "building and flat": (_at("1 Main St, Building C, Apartment 12"), {"unit_kind": "BLDG", "unit_number": "C12"}),
    "abroad": (("Hauptstrasse 12", None, "Berlin", None, "10115", "Germany"),
               {"address_kind": "foreign", "house_number": "12", "street_name": "HAUPTSTRASSE",
               "country_key": "DE"}),
    "saint": (_at("12 Saint Charles Ave"), {"street_name": "ST CHARLES", "street_type": "AVE"}),
    "alias of a city": (("1 Main St", None, "Hollywood", "CA", "90028", None), {"city_key": "LOS ANGELES",
    "zip5": "90028"}),
    "zip with lost zeros": (("1 Main St", None, "Boston", "MA", "2108", None), {"zip5": "02108"}),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_parts(name):
    row, expected = GOLDEN[name]
    found = _judged([row])[0]
    assert found["address_verdict"] == "complete"
    assert {part: found[part] for part in expected} == expected


SAME = [
    (_at("123 N. Main St. #4"), _at("123 north main street # 4")),
    (_at("Apt 4", "123 Main St"), _at("123 Main St", "Apt. 4")),
    (_at("123 Main St, Apt 4"), ("123 Main St Apt 4, Springfield, Illinois 62701", None, None, None, None, None)),
    (_at("221 B Baker St"), _at("221B Baker Street")),
    (_at("120 W 45th St 7th Floor"), _at("120 West 45th Street, Fl 7")),
    (_at("Rt 2 Box 15"), _at("RR 2, Box 15")),
    (_at("5401 Co Rd 12"), _at("5401 CR 12")),
    (_at("14000 FM 1960 Rd W"), _at("14000 Farm to Market 1960 West")),
    (_at("00123 Main St"), _at("123 Main St")),
    (("9 Elm St", None, "St. Louis", "MO", "63101", None), ("9 ELM ST", None, "SAINT LOUIS", "Missouri",
    "63101", "USA")),
    (("9 Elm St", None, "O'Fallon", "MO", "63366", None), ("9 Elm St", None, "OFALLON", "MO", "63366", "US")),
]  # fmt: skip


@pytest.mark.parametrize("pair", SAME)
def test_two_spellings_of_one_place_have_equal_parts(pair):
    one, other = _judged(list(pair))
    assert _parts(one) == _parts(other)


ZIPS = {
    "agrees": ("Springfield", "IL", "62701", "agrees", "complete"),
    "absent, city and state agree": ("Springfield", "IL", None, "absent", "complete"),
    "another state's": ("Springfield", "IL", "90210", "contradicts", "zip_contradicts"),
    "another city's": ("Chicago", "IL", "62701", "contradicts", "zip_contradicts"),
    "all zeros": ("Springfield", "IL", "00000", "unknown", "zip_unknown"),
    "unreadable": ("Springfield", "IL", "ABCDE", "unknown", "zip_unreadable"),
    "alone": (None, None, "62701", "unknown", "no_city"),
    "city of another state": ("Los Angeles", "NY", None, "absent", "city_unknown"),
    "no such state": ("Springfield", "XX", "62701", "unknown", "state_unknown"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_zip_city_and_state(name):
    city, state, postal_code, zip_state, reason = ZIPS[name]
    found = _judged([("123 Main St", None, city, state, postal_code, None)])[0]
    assert (found["zip_state"], found["address_reason"]) == (zip_state, reason)


def test_a_zip_never_makes_up_for_a_street():
    rows: list[Lines] = [(None, None, None, None, "62701", None), ("62701", None, "Springfield", "IL", "62701", None),
                         ("Don't Care", None, None, None, "12345", None),
                         ("Don't Care 12345", None, "Schenectady", "NY", "12345", None)]  # fmt: skip
    assert {row["address_verdict"] for row in _judged(rows)} == {"not_an_address"}


def _hand() -> list[Lines]:
    path = Path(__file__).parents[1] / "hostile" / "addresses" / "hand.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return [tuple(value or None for value in list(row.values())[2:]) for row in csv.DictReader(stream)]


HAND = _hand()
_QUIET = settings(
    max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)  # no shrinking: every example is a batch of its own


def _rewritten(draw: st.DataObject, text: str | None) -> str | None:
    if text is None:
        return None
    hidden = draw.draw(st.lists(st.sampled_from("\u200b\u200d\u2060\ufeff\u00ad\u034f\u202e"), max_size=3))
    places = draw.draw(st.lists(st.integers(0, len(text)), min_size=len(hidden), max_size=len(hidden)))
    for character, place in zip(hidden, places, strict=True):
        text = text[:place] + character + text[place:]
    return draw.draw(st.sampled_from([str, str.upper, str.lower, str.swapcase]))(text)


@_QUIET
@given(st.data())
def test_case_and_hidden_characters_change_nothing(data):
    chosen = data.draw(st.lists(st.sampled_from(HAND), min_size=60, max_size=60))
    disguised = [tuple(_rewritten(data, text) for text in row) for row in chosen]
    for before, after, row in zip(_judged(chosen), _judged(disguised), chosen, strict=True):
        assert (before["address_verdict"] == "complete") >= (after["address_verdict"] == "complete")
        if all(text is None or text.isascii() for text in row):
            assert before == after


def _rendered(row: dict[str, str | None]) -> Lines:
    """Write the parts out again, as an envelope would have them."""
    street = [row[part] for part in PARTS[1:6] if row[part]]
    unit = " ".join(part for part in (row["unit_kind"], row["unit_number"]) if part)
    box = f"Box {row['box_number']}" if row["box_number"] else ""
    if row["address_kind"] == "po_box":
        street, box = [], f"PO {box}"
    if (row["house_number"] or "").startswith("KM"):
        street = [row["street_name"], row["house_number"]]
    if unit and not row["unit_kind"]:
        street, unit = [*street, unit], ""
    line = " ".join(part for part in (*street, box) if part)
    return line, unit or None, row["city_key"], row["state_key"], row["zip5"], None


def test_parts_are_their_own_standard():
    domestic = ("street", "po_box", "rural_route", "military")
    first = [
        row
        for row in _judged(HAND)
        if row["address_verdict"] == "complete"
        and row["address_kind"] in domestic
        and "HM" not in (row["house_number"] or "")
    ]
    again = _judged([_rendered(row) for row in first])
    ignored = {"zip4"}
    differing = [
        (_parts(one), _parts(two)) for one, two in zip(first, again, strict=True)
        if {k: v for k, v in _parts(one).items() if k not in ignored} != {k: v for k, v in _parts(two).items() if k not in ignored}
    ]  # fmt: skip
    assert len(first) > 150
    assert differing == []


def test_standardise_gives_the_parts_that_judge_gives():
    judged = _judged(HAND)
    standardise(_CONNECTION, "given", "standard", "key")
    cursor = _CONNECTION.execute("SELECT * EXCLUDE (key) FROM standard ORDER BY key")
    assert [column[0] for column in cursor.description] == list(PARTS)
    # Digits that stand for letters are looked through only when an address is judged.
    rows = [dict(zip(PARTS, row, strict=True)) for row in cursor.fetchall()]
    assert [row for row, full in zip(rows, judged, strict=True) if full["address_verdict"] == "complete"] == [
        {part: full[part] for part in PARTS} for full in judged if full["address_verdict"] == "complete"
    ]


def test_places_that_were_kept_are_those_that_are_made(tmp_path):
    keep_places(_CONNECTION, tmp_path / "places.parquet")
    with duckdb.connect() as other:
        load_places(other, tmp_path / "places.parquet")
        for table in ("address_zip_cities", "address_zips", "address_cities", "address_states", "address_countries"):
            made, kept = (db.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for db in (_CONNECTION, other))
            assert made == kept
            assert made


@settings(max_examples=300, deadline=1000)
@given(st.text(alphabet=sorted(CLASSES), max_size=LONGEST))
def test_every_shape_is_read_quickly_and_within_its_bounds(shape):
    reading = read(shape)
    for first, last in reading.spans.values():
        assert 1 <= first <= last <= len(shape)


def test_long_nested_shapes_do_not_blow_up():
    for shape in ("W" * LONGEST, "#W" * 16, "U#" * 16, "b#" * 16, "S#WT" * 8, "cW#" * 10, "#" + "T" * 31):
        read(shape)


@_QUIET
@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text(max_size=40))] * 6), min_size=1, max_size=30))
def test_any_text_is_judged(rows):
    usable = [tuple(None if text is None else text.replace("\x00", "") for text in row) for row in rows]
    usable = [row for row in usable if all(text is None or text.isprintable() or text.isascii() for text in row)]
    if usable:
        assert all(row["address_reason"] in REASONS for row in _judged(usable))


def test_reasons_are_said_in_words():
    assert explain("zip_contradicts") == REASONS["zip_contradicts"]
    with pytest.raises(KeyError):
        explain("nonsense")


def _check(tmp_path: Path, text: str, *arguments: str) -> tuple[int, list[dict[str, str]], str]:
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(address, ["check", str(file), "--out", str(out), *arguments])
    rows = list(csv.DictReader(out.open(encoding="utf-8", newline=""))) if out.exists() else []
    return result.exit_code, rows, f"{result.output}{result.exception or ''}"


def test_check_keeps_rows_and_columns_in_order(tmp_path):
    text = 'id,street,"town ""x""",note\n2,123 Main St,"Springfield, IL 62701",é\n1,Unknown,Springfield IL 62701,\n3,,,"a\nb"\n'
    status, rows, _ = _check(tmp_path, text, "--column", "street", "--column", 'town "x"', "--json")
    assert status == 0
    assert [row["id"] for row in rows] == ["2", "1", "3"]
    assert list(rows[0])[:4] == ["id", "street", 'town "x"', "note"]
    assert [row["verdict"] for row in rows] == ["complete", "not_an_address", "not_an_address"]
    assert (rows[0]["house_number"], rows[0]["city_key"], rows[0]["zip5"]) == ("123", "SPRINGFIELD", "62701")
    assert rows[2]["note"] == "a\nb"


def test_check_understands_the_contract(tmp_path):
    text = "verdict,address_line1,address_line2,city,state,postal_code\nkept,PO Box 7,,Brooklyn,NY,11201\n"
    status, rows, _ = _check(tmp_path, text)
    assert (status, rows[0]["verdict"], rows[0]["address_verdict"]) == (0, "kept", "complete")


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("a,b\n1,2\n", ("--column", "c"), "no column c"),
        ("a,b\n1,2\n", (), "no column holds an address"),
        ("a,b\n1\n", ("--column", "a"), "row 1"),
        ("a,a\n1,2\n", ("--column", "a"), "repeats a column name"),
        ("", ("--column", "a"), "header"),
    ],
)
def test_check_names_what_is_wrong(tmp_path, text, arguments, said):
    status, rows, output = _check(tmp_path, text, *arguments)
    assert status != 0
    assert said in output
    assert rows == []
