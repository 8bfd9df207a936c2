"""A synthetic register keeps the contract of design §5.1, is the same for the same seed, and has the hard cases."""

from __future__ import annotations

import re

import duckdb
import pytest
import zipcodes

from gatehouse.kernel.digests import of_file
from gatehouse.kernel.errors import WrongInput
from gatehouse.synthetic.register import make_register, open_or_make_register, read_made

FILES = ("persons", "names", "addresses", "filings", "restrictions", "truth")
CONTRACT = {
    "persons": "person_id BIGINT, tin VARCHAR, last_name VARCHAR, first_name VARCHAR, middle_name VARCHAR, "
    "suffix VARCHAR, birth_date DATE",
    "names": "person_id BIGINT, last_name VARCHAR, first_name VARCHAR, middle_name VARCHAR, suffix VARCHAR",
    "addresses": "person_id BIGINT, line1 VARCHAR, line2 VARCHAR, city VARCHAR, state VARCHAR, postal_code VARCHAR, "
    "country VARCHAR, valid_from DATE, valid_to DATE, last_known BOOLEAN",
    "filings": "person_id BIGINT, tax_year SMALLINT",
    "restrictions": "person_id BIGINT, kind VARCHAR, determined_on DATE",
}


def count(tables, query):
    return tables.execute(f"SELECT count(*) FROM {query}").fetchone()[0]


@pytest.mark.parametrize("name", CONTRACT)
def test_every_table_has_the_columns_and_types_of_the_contract(tables, name):
    described = tables.execute(f"DESCRIBE reg_{name}").fetchall()
    assert ", ".join(f"{row[0]} {row[1]}" for row in described) == CONTRACT[name]


def test_ids_are_unique_and_every_id_joins_a_person(tables):
    assert count(tables, "reg_persons") == count(tables, "(SELECT DISTINCT person_id FROM reg_persons)") == 30_000
    for name in FILES[1:]:
        assert count(tables, f"reg_{name} ANTI JOIN reg_persons USING (person_id)") == 0, name


def test_each_person_has_exactly_one_last_known_address_and_it_is_open(tables):
    assert (
        count(tables, "(SELECT person_id FROM reg_addresses WHERE last_known GROUP BY 1 HAVING count(*) = 1)") == 30_000
    )
    assert count(tables, "reg_addresses WHERE last_known <> (valid_to IS NULL)") == 0
    assert 1.9 < count(tables, "reg_addresses") / 30_000 < 2.3


def test_addresses_are_held_in_order_of_time_and_never_before_birth(tables):
    assert count(tables, "reg_addresses WHERE valid_to < valid_from") == 0
    assert count(tables, "reg_addresses JOIN reg_persons USING (person_id) WHERE valid_from < birth_date") == 0


def test_tins_are_unique_and_from_ranges_that_were_never_issued(tables):
    tins = [row[0] for row in tables.execute("SELECT tin FROM reg_persons WHERE tin IS NOT NULL").fetchall()]
    assert len(tins) == len(set(tins)) > 29_000
    # SSNs never begin with 9; ITINs and ATINs have 50 or more in the fourth and fifth place.
    assert all(re.fullmatch(r"9\d\d(0[1-9]|[1-4]\d)\d{4}", tin) and tin[5:] != "0000" for tin in tins)


def test_city_state_and_zip_go_together_in_the_public_table(tables):
    real = {(place["zip_code"], place["state"], place["city"].upper()) for place in zipcodes.list_all()}
    rows = tables.execute(
        "SELECT DISTINCT left(postal_code, 5), state, upper(city) FROM reg_addresses WHERE country = 'US'"
    ).fetchall()
    assert len(rows) > 5_000
    assert not [row for row in rows if row not in real]
    assert count(tables, "reg_addresses WHERE NOT regexp_full_match(postal_code, '[0-9]{5}([0-9]{4})?')") == 0


@pytest.mark.parametrize(
    ("form", "pattern"),
    {
        "apartment": r" APT \d*[A-Z]?$",
        "unit": r" UNIT \w+$",
        "number sign": r" # \w+$",
        "floor": r" FL \d$",
        "suite": r"STE \d+",
        "lot": r"LOT \d+",
        "private mailbox": r"PMB \d+",
        "directional before": r"^\d+ (N|S|E|W|NE|SW) [A-Z]",
        "directional after": r" (ST|AVE|RD) (N|S|E|W)$",
        "ordinal": r"^\d+ \d+(ST|ND|RD|TH) ",
        "fraction": r"^\d+ 1/2 ",
        "grid of Utah": r"^\d+ [NSEW] \d+ [NSEW]$",
        "grid of Wisconsin": r"^N\d+W\d+ ",
        "hyphenated number of Queens": r"^\d+-\d\d \d+(ST|ND|RD|TH) (ST|AVE)",
        "rural route": r"^RR \d+ BOX \d+",
        "highway contract": r"^HC \d+ BOX \d+",
        "post office box": r"^PO BOX \d+",
        "county road": r"^\d+ COUNTY R(OA)?D \d+",
        "state highway": r"^\d+ STATE HIGHWAY \d+",
        "US highway": r"^\d+ US HIGHWAY \d+",
        "farm to market road": r"^\d+ FM \d+",
        "Puerto Rican urbanisation": r"^URB ",
        "Puerto Rican road": r"^CARR \d+ KM ",
        "Spanish street": r"^\d+ (CALLE|CAMINO|PASEO|AVENIDA|VIA|EL CAMINO)",
        "military PSC": r"^PSC \d+ BOX \d+",
        "military unit": r"^UNIT \d+ BOX \d+",
        "type in full": r" (STREET|AVENUE|BOULEVARD)( |$)",
    }.items(),
)  # fmt: skip
def test_every_form_of_address_occurs(tables, form, pattern):
    lines = "(SELECT upper(concat_ws(' ', line1, line2)) AS line FROM reg_addresses)"
    assert tables.execute(f"SELECT count(*) FROM {lines} WHERE regexp_matches(line, ?)", [pattern]).fetchone()[0], form


def test_twins_share_birth_date_and_dwelling_and_not_the_first_name(tables):
    pairs = tables.execute(
        "SELECT a.birth_date = b.birth_date, left(x.postal_code, 5) = left(y.postal_code, 5), "
        "a.first_name = b.first_name "
        "FROM reg_truth t JOIN reg_persons a USING (person_id) JOIN reg_persons b ON b.person_id = t.other_id "
        "JOIN reg_addresses x ON x.person_id = a.person_id AND x.last_known "
        "JOIN reg_addresses y ON y.person_id = b.person_id AND y.last_known WHERE t.kind = 'twin' "
        "AND x.country = 'US' AND y.country = 'US'"
    ).fetchall()
    assert len(pairs) > 30
    assert all(day and place for day, place, _ in pairs)
    assert sum(same for _, _, same in pairs) <= len(pairs) // 20


def test_juniors_carry_the_fathers_first_name_and_a_suffix(tables):
    pairs = tables.execute(
        "SELECT a.suffix, strip_accents(upper(a.first_name)) = strip_accents(upper(b.first_name)), "
        "a.birth_date > b.birth_date "
        "FROM reg_truth t JOIN reg_persons a USING (person_id) JOIN reg_persons b ON b.person_id = t.other_id "
        "WHERE t.kind = 'junior'"
    ).fetchall()
    assert len(pairs) > 50
    assert all(suffix == "JR" and same and younger for suffix, same, younger in pairs)


def test_namesakes_live_in_one_building_behind_different_doors(tables):
    pairs = tables.execute(
        "SELECT strip_accents(upper(a.first_name || a.last_name)) = strip_accents(upper(b.first_name || b.last_name)), "
        "regexp_extract(x.line1, '^[^ ]+') = regexp_extract(y.line1, '^[^ ]+'), "
        "upper(concat_ws(' ', x.line1, x.line2)) = upper(concat_ws(' ', y.line1, y.line2)) "
        "FROM reg_truth t JOIN reg_persons a USING (person_id) JOIN reg_persons b ON b.person_id = t.other_id "
        "JOIN reg_addresses x ON x.person_id = a.person_id AND x.last_known "
        "JOIN reg_addresses y ON y.person_id = b.person_id AND y.last_known WHERE t.kind = 'namesake' "
        "AND x.country = 'US' AND y.country = 'US'"
    ).fetchall()
    assert len(pairs) > 5
    assert all(name for name, _, _ in pairs)
    assert sum(number for _, number, _ in pairs) >= 0.8 * len(pairs)


def test_common_names_are_common(tables):
    top = tables.execute(
        "SELECT count(*) FROM reg_persons GROUP BY last_name, first_name ORDER BY 1 DESC LIMIT 1"
    ).fetchone()[0]
    assert top > 12
    assert count(tables, "(SELECT DISTINCT last_name FROM reg_persons)") > 4_000


def test_first_names_do_not_follow_from_surnames(tables):
    shares = tables.execute(
        "SELECT last_name, max(n) / sum(n) FROM (SELECT last_name, first_name, count(*) AS n FROM reg_persons "
        "WHERE last_name IN ('SMITH', 'JOHNSON', 'NGUYEN', 'PATEL') GROUP BY ALL) GROUP BY last_name"
    ).fetchall()
    assert len(shares) == 4
    assert all(share < 0.15 for _, share in shares)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_register(register, connection, tmp_path):
    again = make_register(connection, tmp_path / "again", register.persons, register.seed)
    for name in FILES:
        assert of_file(again.folder / f"{name}.parquet") == of_file(register.folder / f"{name}.parquet"), name
    other = make_register(connection, tmp_path / "other", 500, register.seed + 1)
    assert connection.execute(
        f"SELECT count(*) FROM '{other.folder}/persons.parquet' JOIN '{register.folder}/persons.parquet' "
        "USING (person_id, tin, last_name, first_name)"
    ).fetchone() == (0,)


def test_threads_do_not_change_the_register(tmp_path):
    digests = set()
    for threads in (1, 4):
        with duckdb.connect(config={"threads": threads}) as connection:
            made = make_register(connection, tmp_path / str(threads), 2_000, 3)
        digests.add(tuple(of_file(made.folder / f"{name}.parquet") for name in FILES))
    assert len(digests) == 1


@pytest.mark.parametrize("persons", [0, 99, 50_000_000])
def test_impossible_sizes_are_refused_and_nothing_is_written(connection, tmp_path, persons):
    with pytest.raises(WrongInput):
        make_register(connection, tmp_path / "none", persons, 1)
    assert not (tmp_path / "none").exists()


def test_a_register_of_another_size_is_not_taken_for_this_one(connection, register):
    assert open_or_make_register(connection, register.folder, register.persons, register.seed) == register
    with pytest.raises(WrongInput, match="another folder"):
        open_or_make_register(connection, register.folder, register.persons + 1, register.seed)


def test_an_unfinished_register_is_refused(tmp_path):
    with pytest.raises(WrongInput, match="no finished synthetic register"):
        read_made(tmp_path)
