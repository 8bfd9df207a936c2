"""Officers who are one by key, by name and title, or by nobody's name are counted as one, here and across dockets."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from gatehouse.determine import batch, engaged
from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake.manifest import Manifest, Officer
from gatehouse.intake.officers import PERSON, judge
from gatehouse.synthetic.officers import names

SPREAD = 260
PEOPLE = names(SPREAD)


def officer(number: int, name: str, title: str = "Special Agent", recipient: str = "") -> Officer:
    return Officer(f"ICE-{number:05d}", name, title, employee=True, recipient=recipient, attests_sole_use=True)


SPREADS = {
    "one key under invented names": [officer(n, name, recipient="age1same") for n, name in enumerate(PEOPLE)],
    "a counter behind a name": [officer(n, f"Maria Lopez {n}") for n in range(SPREAD)],
    "a counter in words": [officer(n, f"Maria Lopez {word}") for n, word in enumerate(["One", "Two", "Three"] * 80)],
    "ranks with numbers": [officer(n, f"Officer {n:05d}") for n in range(SPREAD)],
    "placeholders": [officer(n, text) for n, text in enumerate(["TBD", "N/A", "John Doe", "Various", "See list"] * 50)],
    "one name in many spellings": [
        officer(n, text) for n, text in enumerate(["Maria Lopez", "LOPEZ, Maria", "maria lópez", "Maria B. Lopez"] * 60)
    ],
    "counters in the title": [officer(n, "Maria Lopez", f"Special Agent {n}") for n in range(SPREAD)],
    "keys and names that chain": [officer(n, PEOPLE[n // 2], recipient=f"age1{(n + 1) // 2}") for n in range(SPREAD)],
}


@pytest.mark.parametrize("spread", SPREADS.values(), ids=SPREADS)
def test_a_matter_spread_over_one_officer_is_one_officers(spread: list[Officer]) -> None:
    assert len(set(engaged.united(spread))) == 1


def test_people_who_share_nothing_are_several() -> None:
    apart = [officer(n, name, recipient=f"age1{n}") for n, name in enumerate(PEOPLE)]
    assert len(set(engaged.united(apart))) == SPREAD
    assert all(judge(one.name, one.title).verdict == PERSON for one in apart)


def manifest(people: list[Officer]) -> Manifest:
    return manifests.parse(
        json.dumps(
            {
                "format": "gatehouse-submission/1", "id": "S-1", "agency": "us.dhs.ice", "basis": "us.irs.6103-i-2",
                "agreement": "a", "signed_on": "2025-06-27",
                "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
                "officers": [vars(one) | {"recipient": one.recipient} for one in people],
                "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": 1}],
            },
            default=str,
        ).encode()
    )  # fmt: skip


def test_earlier_dockets_count_for_the_same_officer_under_another_identifier(tmp_path: Path) -> None:
    earlier = Docket(tmp_path / "D-1")
    earlier.root.mkdir()
    past = manifest([officer(7, "LOPEZ, MARIA", recipient="age1old")])
    earlier.manifest.write_bytes(
        json.dumps(
            {
                "format": "gatehouse-submission/1", "id": "D-1", "agency": "us.dhs.ice", "basis": "us.irs.6103-i-2",
                "agreement": "a", "signed_on": "2025-06-01",
                "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
                "officers": [
                    {"id": one.id, "name": one.name, "title": one.title, "employee": True,
                     "recipient": one.recipient, "attests_sole_use": True} for one in past.officers
                ],
                "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": 1}],
            }
        ).encode()
    )  # fmt: skip
    with duckdb.connect() as connection:
        absent = ", ".join(
            f"NULL::VARCHAR AS {name}"
            for name in (
                "last_key", "first_key", "tin_digits", "address_kind", "house_number", "pre_direction",
                "street_name", "street_type", "post_direction", "unit_kind", "unit_number", "box_number", "city_key",
                "state_key", "zip5",
            )
        )  # fmt: skip
        absent += ", NULL::DATE AS birth_on, NULL::UBIGINT[] AS reason_template"
        rows = f"range AS seq, 'M' || range AS matter_number, {absent} FROM range"
        connection.execute(f"CREATE TABLE requests AS SELECT ['ICE-00001'] AS officer_list, {rows}(3)")
        connection.execute(
            f"CREATE TABLE before AS SELECT ['ICE-00007'] AS officer_list, '{earlier.root}' AS docket, {rows}(3, 10)"
        )
        engaged.join(connection, "officers", manifest([officer(1, "Maria Lopez", recipient="age1new")]), [earlier])
        batch.count(connection, "requests", "batch", "before", officers="officers")
        assert connection.sql("SELECT DISTINCT officer_matters FROM batch").fetchall() == [(10,)]
