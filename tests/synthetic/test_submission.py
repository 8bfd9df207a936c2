"""A synthetic submission keeps the contract of design §5.2, and its truth is true of register and requests."""

from __future__ import annotations

import json

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.intake.manifest import parse
from gatehouse.intake.submission import receive
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.digests import of_file
from gatehouse.kernel.errors import WrongInput
from gatehouse.synthetic import officers
from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.kinds import ORDINARY, counts
from gatehouse.synthetic.subjects import part_from_neighbours
from gatehouse.synthetic.submission import make_submission
from gatehouse.synthetic.words import load_names

PLAIN = "strip_accents(upper({0}))"


def rows(tables, query):
    return tables.execute(query).fetchall()


def about(tables, kind, columns):
    return rows(
        tables,
        f"SELECT {columns} FROM requests r JOIN truth t USING (request_id) "
        f"LEFT JOIN reg_persons p ON p.person_id = t.made_from WHERE t.kind = '{kind}'",
    )


def test_the_manifest_binds_the_table_and_is_read_by_intake(ordinary):
    manifest = parse((ordinary.folder / "submission.json").read_bytes())
    assert manifest.rows == ordinary.requests == 6_000
    bound = json.loads((ordinary.folder / "submission.json").read_text())["tables"][0]
    assert bound == {"file": "requests.csv", "sha256": of_file(ordinary.folder / "requests.csv"), "rows": 6_000}


def test_intake_receives_it_unsigned_without_a_fault_of_the_whole(ordinary):
    with open_workspace("1GB") as connection:
        received = receive(connection, ordinary.folder, None, unsigned=True)
        assert received.requests == 6_000
        invalid = connection.execute(
            "SELECT count(*) FROM requests WHERE tin_state = 'invalid' OR birth_state = 'invalid'"
        ).fetchone()
        assert invalid == (0,)


def test_every_kind_occurs_and_every_request_has_one_truth(tables, ordinary):
    kinds = dict(rows(tables, "SELECT kind, count(*) FROM truth GROUP BY kind"))
    assert kinds == ordinary.kinds
    assert set(kinds) == {kind.name for kind in ORDINARY}
    assert rows(tables, "SELECT count(*) FROM truth JOIN requests USING (request_id)") == [(6_000,)]
    assert rows(tables, "SELECT count(*) FROM (SELECT DISTINCT request_id FROM requests)") == [(6_000,)]


def test_truth_agrees_with_itself(tables):
    assert rows(tables, "SELECT count(*) FROM truth WHERE lawful AND person_id IS NULL") == [(0,)]
    assert rows(tables, "SELECT count(*) FROM truth WHERE lawful <> (expected <> 'stopped')") == [(0,)]
    assert rows(tables, "SELECT count(*) FROM truth WHERE person_id <> made_from") == [(0,)]
    repeated = "SELECT made_from FROM truth WHERE made_from IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
    assert rows(tables, repeated) == []


def test_identifiers_agree_with_the_record_where_the_kind_says_so(tables):
    digits = "replace(r.tin, '-', '')"
    wrong = rows(
        tables,
        f"SELECT DISTINCT t.kind FROM requests r JOIN truth t USING (request_id) JOIN reg_persons p ON p.person_id = "
        f"t.made_from WHERE {digits} <> p.tin OR r.birth_date::DATE <> p.birth_date",
    )
    assert {kind for (kind,) in wrong} == {"wrong_tin", "wrong_birth_date", "twin_with_other_tin"}
    assert all(tin != own for tin, own in about(tables, "wrong_tin", f"{digits}, p.tin"))
    held = rows(tables, "SELECT tin FROM reg_persons")
    assert not {(tin.replace("-", ""),) for (tin,) in about(tables, "wrong_tin", "r.tin")} & set(held)


def test_lawful_requests_give_an_address_on_file(tables):
    spaceless = "regexp_replace(upper(concat_ws('', {0}, {1})), '[^A-Z0-9]', '', 'g')"
    given, filed = spaceless.format("r.address_line1", "r.address_line2"), spaceless.format("a.line1", "a.line2")
    respelled = "('respelled_address', 'missing_unit', 'missing_zip')"
    stray = rows(
        tables,
        f"SELECT t.kind, count(*) FROM truth t JOIN requests r USING (request_id) WHERE t.lawful "
        f"AND t.kind NOT IN {respelled} "
        f"AND NOT EXISTS (SELECT 1 FROM reg_addresses a WHERE a.person_id = t.person_id AND {filed} = {given} "
        "AND left(a.postal_code, 5) = left(r.postal_code, 5)) GROUP BY 1",
    )
    assert stray == []


@pytest.mark.parametrize("kind", ["absent_person", "relative_absent"])
def test_nobody_of_an_absent_persons_first_name_is_on_file_at_the_address(tables, kind):
    clash = rows(
        tables,
        "SELECT count(*) FROM truth t JOIN requests r USING (request_id) JOIN reg_addresses a "
        "ON left(a.postal_code, 5) = left(r.postal_code, 5) "
        "AND regexp_extract(concat_ws(' ', a.line1, a.line2), '[0-9]+') = "
        "regexp_extract(concat_ws(' ', r.address_line1, r.address_line2), '[0-9]+') "
        f"JOIN reg_persons p ON p.person_id = a.person_id AND {PLAIN.format('p.first_name')} = "
        f"{PLAIN.format('r.first_name')} WHERE t.kind = '{kind}'",
    )
    assert clash == [(0,)]


@pytest.mark.parametrize(
    ("line1", "line2"),
    [("12 ELM ST", None), ("URB SANTA ROSA", "111 CALLE BALDORIOTY"), ("12 ELM ST", "APT 4")],
)
def test_an_invented_person_never_bears_a_neighbours_first_name(line1, line2):
    with open_workspace() as connection:
        load_names(connection)
        home = ("KIMBERLY", line1, line2, "00982")
        for table, name in (("reg_persons", "Kimberly Ann"), ("reg_names", "Kim")):
            connection.execute(f"CREATE TABLE {table} AS SELECT 7 AS person_id, '{name}' AS first_name")
        connection.execute(
            "CREATE TABLE reg_addresses AS SELECT 7 AS person_id, $1 AS line1, $2 AS line2, $3 AS postal_code", home[1:]
        )
        connection.execute(
            "CREATE TABLE asked AS SELECT seq, seq < 2 AS invented, $1 AS first_name, $2 AS address_line1, "
            "$3 AS address_line2, CASE seq WHEN 1 THEN '00983' ELSE $4 END AS postal_code FROM range(3) t(seq)",
            home,
        )
        part_from_neighbours(connection, Chance(1), "asked")
        first, *others = connection.execute("SELECT first_name FROM asked ORDER BY seq").fetchall()
    assert first != ("KIMBERLY",)
    assert others == [("KIMBERLY",)] * 2  # nobody's neighbour, and nobody invented


def test_addresses_not_on_file_are_not_on_file(tables):
    stray = rows(
        tables,
        "SELECT count(*) FROM truth t JOIN requests r USING (request_id) JOIN reg_addresses a "
        "ON a.person_id = t.made_from "
        "AND upper(a.line1) = upper(r.address_line1) WHERE t.kind = 'address_not_on_file'",
    )
    assert stray == [(0,)]


def test_each_variant_of_a_name_is_what_it_says(tables):
    columns = ("r.last_name", "r.first_name", "p.last_name", "p.first_name")
    letters = "translate(strip_accents(upper({0})), 'ĐŁØĦ', 'DLOH')"
    names = ", ".join(letters.format(column) for column in columns)
    for last, first, own_last, own_first in about(tables, "order_swapped", names):
        assert (last, first) == (own_first, own_last)
    for last, first, own_last, own_first in about(tables, "diacritics_lost", names):
        assert (last, first) == (own_last, own_first)
    for last, _, own_last, _ in about(tables, "double_surname_cut", names):
        assert own_last.startswith(last)
        assert last != own_last
    for _, first, _, own_first in about(tables, "nickname", names):
        assert first != own_first
    errors = about(tables, "typing_error", names)
    assert all(last == own_last or first == own_first for last, first, own_last, own_first in errors)
    assert sum((last, first) == (own_last, own_first) for last, first, own_last, own_first in errors) < len(errors) / 10


def test_legal_faults_are_where_the_kind_says_and_nowhere_else(tables):
    def kinds(condition):
        found = rows(tables, f"SELECT DISTINCT kind FROM requests JOIN truth USING (request_id) WHERE {condition}")
        return {kind for (kind,) in found}

    assert kinds("period_from IS NULL") == {"period_missing"}
    assert kinds("period_from > period_to") == {"period_reversed"}
    assert kinds("proceeding NOT IN ('investigation', 'preparation', 'grand_jury')") == {"civil_removal"}
    assert kinds("authority IS NULL") == {"authority_missing"}
    assert kinds("final_order_date IS NULL") == {"order_missing"}
    recent = "DATE '2025-08-07' - coalesce(review_order_date, final_order_date)::DATE <= 90"
    assert kinds(recent) == {"order_recent", "order_reviewed_recently"}
    assert kinds("removal_ground NOT LIKE '%1227(a)%'") == {"ground_inadmissible"}
    assert kinds("matter_number IS NULL") == {"matter_missing"}
    assert kinds("reason IS NULL") == {"reason_missing"}
    assert kinds("officer_ids IS NULL") == {"officer_missing"}
    assert kinds("items <> 'last_known_address'") == {"items_extra", "items_not_permitted"}
    assert kinds("last_name IS NULL") == {"name_missing"}


def test_reasons_are_individual_but_for_the_boilerplate(tables):
    letters = "regexp_replace(reason, '[^A-Za-z]', '', 'g')"
    same = rows(
        tables, f"SELECT max(n) FROM (SELECT count(*) AS n FROM requests JOIN truth USING (request_id) "
        f"WHERE kind <> 'reason_boilerplate' AND reason IS NOT NULL GROUP BY {letters})"
    )  # fmt: skip
    assert same[0][0] <= 2


def test_no_ordinary_officer_has_more_matters_than_a_person_can(tables):
    most = rows(
        tables,
        "SELECT officer, count(*) FROM (SELECT unnest(string_split(officer_ids, ';')) AS officer FROM requests) "
        "GROUP BY 1 ORDER BY 2 DESC LIMIT 2",
    )
    assert most[0][0] == "ICE-A0001"
    assert most[0][1] > 50 > most[1][1]


def test_the_same_seed_gives_the_same_submission(connection, register, ordinary, tmp_path):
    again = make_submission(connection, tmp_path, register.folder, 6_000, 11)
    for name in ("requests.csv", "submission.json"):
        assert of_file(again.folder / name) == of_file(ordinary.folder / name), name
    assert of_file(again.truth) == of_file(ordinary.truth)


def test_more_requests_than_persons_are_refused(connection, register, tmp_path):
    with pytest.raises(WrongInput, match="larger register"):
        make_submission(connection, tmp_path, register.folder, 60_000, 1)


@given(st.integers(1, 5_000_000))
def test_shares_add_up_to_the_size_whatever_it_is(requests):
    wanted = counts(ORDINARY, requests)
    assert sum(wanted.values()) == requests
    assert min(wanted.values()) >= 0


@given(st.integers(0, 2**31), st.text("ABC-0123456789", min_size=1, max_size=12))
def test_officers_keys_are_age_keys_and_open_what_is_sealed_to_them(seed, officer):
    sealed = pyrage.encrypt(b"x", [pyrage.x25519.Recipient.from_str(officers.recipient(seed, officer))])
    assert pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(officers.identity(seed, officer))]) == b"x"
