"""Every rule of matching by name: who agrees, and who is left alone. One register, each case in its own house."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from match_world import Person, Request, resolve

TIN, OTHER_TIN = "912345678", "912345679"
BORN, OTHER_BORN = "1980-05-17", "1980-05-18"


@dataclass(frozen=True)
class Case:
    """Who lives in one house (or is on file with it), one request, and who agrees: a number among them, or None."""

    name: str
    people: tuple[Person, ...]
    asks: Request
    agrees: int | None
    says: str | None = None


JOSE = Person("GARCIA LOPEZ", "JOSE", "LUIS", tin=TIN, birth_date=BORN)
ASK = Request("GARCIA LOPEZ", "JOSE")
FATHER = Person("SMITH", "JOHN", "A", tin=TIN, birth_date="1950-01-01")
SON = Person("SMITH", "JOHN", "A", "JR", tin=OTHER_TIN, birth_date=BORN)
UNIT_2 = replace(JOSE, homes=(("12 MAPLE ST", "APT 2"),))
UNIT_9 = replace(JOSE, tin=OTHER_TIN, birth_date=OTHER_BORN, homes=(("12 MAPLE ST", "APT 9"),))
LONDON = {
    "line1": "12 BAKER ST",
    "line2": None,
    "city": "LONDON",
    "state": None,
    "postal_code": "SW1A 2AA",
    "country": "GB",
}
ABROAD = replace(JOSE, homes=(LONDON,))
ASK_ABROAD = ASK.but(address_line1="12 Baker Street", city="London", state=None, postal_code="SW1A2AA", country="GB")

CASES = [
    # name and address alone, exactly
    Case("exact name and address agree, uncorroborated", (JOSE,), ASK, 0, "none"),
    Case(
        "case, hyphens and diacritics are no difference",
        (JOSE,),
        ASK.but(last_name="García-López", first_name="José"),
        0,
    ),
    Case(
        "particles written together are no difference",
        (replace(JOSE, last_name="DE LA CRUZ"),),
        ASK.but(last_name="Delacruz"),
        0,
    ),
    Case("a middle name on one side only is no difference", (JOSE,), ASK.but(middle_name=None), 0),
    Case("an initial agrees with its middle name", (JOSE,), ASK.but(middle_name="L"), 0),
    Case("given names split otherwise are one name", (JOSE,), ASK.but(first_name="JOSE LUIS"), 0),
    Case("another middle name is another person", (JOSE,), ASK.but(middle_name="PEDRO", tin=TIN), None),
    Case(
        "a former name on file agrees", (replace(JOSE, others=(("SOTO", "JOSE", None),)),), ASK.but(last_name="SOTO"), 0
    ),
    Case("nobody of that name", (JOSE,), ASK.but(first_name="PEDRO"), None),
    Case("nobody of that name, though the TIN is right", (JOSE,), ASK.but(first_name="PEDRO", tin=TIN), None),
    # identifiers
    Case("a TIN that agrees corroborates", (JOSE,), ASK.but(tin=TIN), 0, "tin"),
    Case("a TIN with hyphens is the same TIN", (JOSE,), ASK.but(tin="912-34-5678"), 0, "tin"),
    Case("a birth date that agrees corroborates", (JOSE,), ASK.but(birth_date=BORN), 0, "birth_date"),
    Case("a TIN that differs is nobody", (JOSE,), ASK.but(tin=OTHER_TIN), None),
    Case("a TIN that differs outweighs a birth date", (JOSE,), ASK.but(tin=OTHER_TIN, birth_date=BORN), None),
    Case("a birth date that differs outweighs a TIN", (JOSE,), ASK.but(tin=TIN, birth_date=OTHER_BORN), None),
    Case("a TIN not on file cannot agree", (replace(JOSE, tin=None),), ASK.but(tin=TIN), None),
    Case("a birth date not on file cannot agree", (replace(JOSE, birth_date=None),), ASK.but(birth_date=BORN), None),
    Case("a TIN in no valid form cannot agree", (JOSE,), ASK.but(tin="12345"), None),
    Case("a birth date in no valid form cannot agree", (JOSE,), ASK.but(birth_date="1980-02-31"), None),
    # laxness only beside an identifier
    Case("a nickname alone is not enough", (replace(JOSE, middle_name=None),), ASK.but(first_name="PEPE"), None),
    Case("a nickname beside a TIN", (JOSE,), ASK.but(first_name="PEPE", tin=TIN), 0, "tin"),
    Case("a nickname beside a birth date", (JOSE,), ASK.but(first_name="PEPE", birth_date=BORN), 0, "birth_date"),
    Case("a cut surname alone is not enough", (JOSE,), ASK.but(last_name="GARCIA"), None),
    Case("the first surname beside a TIN", (JOSE,), ASK.but(last_name="GARCIA", tin=TIN), 0),
    Case("the second surname beside a TIN", (JOSE,), ASK.but(last_name="LOPEZ", tin=TIN), 0),
    Case("the surnames the other way round beside a TIN", (JOSE,), ASK.but(last_name="LOPEZ GARCIA", tin=TIN), 0),
    Case("surnames joined by Y beside a TIN", (JOSE,), ASK.but(last_name="GARCIA Y LOPEZ", tin=TIN), 0),
    Case(
        "an umlaut written out beside a TIN",
        (replace(JOSE, last_name="MÜLLER"),),
        ASK.but(last_name="MUELLER", tin=TIN),
        0,
    ),
    Case(
        "a particle left out beside a TIN",
        (replace(JOSE, last_name="DE LA CRUZ"),),
        ASK.but(last_name="CRUZ", tin=TIN),
        0,
    ),
    Case("one typing error alone is not enough", (JOSE,), ASK.but(last_name="GARCIA LOPPEZ"), None),
    Case("one typing error beside a TIN", (JOSE,), ASK.but(last_name="GARCIA LOPPEZ", tin=TIN), 0),
    Case("letters exchanged are one typing error", (JOSE,), ASK.but(last_name="GACRIA LOPEZ", birth_date=BORN), 0),
    Case("two typing errors are two too many", (JOSE,), ASK.but(last_name="GACRIA LOPPEZ", tin=TIN), None),
    Case(
        "one typing error in each name is one too many",
        (JOSE,),
        ASK.but(last_name="GARCIA LOPPEZ", first_name="JOZE", tin=TIN),
        None,
    ),
    Case(
        "a very short name bears no typing error",
        (replace(JOSE, last_name="LE"),),
        ASK.but(last_name="LEE", tin=TIN),
        None,
    ),
    Case("first and last exchanged alone is not enough", (JOSE,), Request("JOSE", "GARCIA LOPEZ"), None),
    Case("first and last exchanged beside a TIN", (JOSE,), Request("JOSE", "GARCIA LOPEZ", tin=TIN), 0),
    Case("an initial for a first name beside a TIN", (JOSE,), ASK.but(first_name="J", tin=TIN), 0),
    Case("an initial for a first name alone is not enough", (JOSE,), ASK.but(first_name="J"), None),
    Case(
        "two liberties at once beside a birth date are too many",
        (JOSE,),
        ASK.but(last_name="GARCIA", first_name="PEPE", birth_date=BORN),
        None,
    ),
    Case("two liberties at once beside a TIN", (JOSE,), ASK.but(last_name="GARCIA", first_name="PEPE", tin=TIN), 0),
    Case(
        "no sound-alikes, whatever agrees",
        (replace(JOSE, last_name="GONZALES"),),
        ASK.but(last_name="GONSALEZ", tin=TIN),
        None,
    ),
    # relatives, twins, namesakes
    Case("a spouse is not the subject", (replace(JOSE, first_name="MARIA"),), ASK, None),
    Case(
        "a twin with another first name is told apart",
        (JOSE, replace(JOSE, first_name="MARIO", tin=OTHER_TIN)),
        ASK.but(birth_date=BORN),
        0,
    ),
    Case(
        "a twin's TIN is not the subject's",
        (JOSE, replace(JOSE, first_name="MARIO", tin=OTHER_TIN)),
        ASK.but(tin=OTHER_TIN, birth_date=BORN),
        None,
    ),
    Case(
        "an initial that fits two twins is nobody",
        (JOSE, replace(JOSE, first_name="JUAN", tin=OTHER_TIN)),
        ASK.but(first_name="J", birth_date=BORN),
        None,
    ),
    Case("father and son, and nothing tells which", (FATHER, SON), Request("SMITH", "JOHN"), None),
    Case("the son by his suffix", (FATHER, SON), Request("SMITH", "JOHN", suffix="Jr."), 1, "none"),
    Case("the son by his birth date", (FATHER, SON), Request("SMITH", "JOHN", birth_date=BORN), 1, "birth_date"),
    Case("the father by his TIN", (FATHER, SON), Request("SMITH", "JOHN", tin=TIN), 0, "tin"),
    Case(
        "a suffix that contradicts is nobody, whatever agrees",
        (SON,),
        Request("SMITH", "JOHN", suffix="SR", tin=OTHER_TIN),
        None,
    ),
    Case("a suffix on file that the request lacks needs an identifier", (SON,), Request("SMITH", "JOHN"), None),
    Case(
        "a suffix given that the file lacks needs an identifier", (FATHER,), Request("SMITH", "JOHN", suffix="JR"), None
    ),
    Case(
        "two of one name and birth date are nobody",
        (JOSE, replace(JOSE, tin=OTHER_TIN)),
        ASK.but(birth_date=BORN),
        None,
    ),
    Case(
        "two of one name at one place are nobody",
        (JOSE, replace(JOSE, tin=OTHER_TIN, birth_date=OTHER_BORN)),
        ASK,
        None,
    ),
    Case(
        "a nickname that is a housemate's own name is nobody's",
        (
            Person("SMITH", "ROBERT", tin=TIN, birth_date=BORN),
            Person("SMITH", "BOB", tin=OTHER_TIN, birth_date=OTHER_BORN),
        ),
        Request("SMITH", "BOB", tin=TIN),
        None,
    ),
    Case(
        "a twin absent from the register is not taken for the other by a typing error that is a name",
        (
            Person("DIAZ", "DANIEL", tin=TIN, birth_date=BORN),
            Person("ROJAS", "DANIELA", homes=(("1 OAK ST", None),)),
            Person("ROJAS", "DANIELA", homes=(("2 OAK ST", None),)),
            Person("ROJAS", "DANIELA", homes=(("3 OAK ST", None),)),
        ),
        Request("DIAZ", "DANIELA", birth_date=BORN),
        None,
    ),
    # addresses
    Case("another house number is another place", (JOSE,), ASK.but(address_line1="14 MAPLE ST", tin=TIN), None),
    Case("another street is another place", (JOSE,), ASK.but(address_line1="12 CEDAR ST", tin=TIN), None),
    Case("another street type is another place", (JOSE,), ASK.but(address_line1="12 MAPLE AVE", tin=TIN), None),
    Case(
        "another direction is another place",
        (replace(JOSE, homes=(("12 N MAPLE ST", None),)),),
        ASK.but(address_line1="12 S MAPLE ST", tin=TIN),
        None,
    ),
    Case("a street type left out agrees when one of the name is there", (JOSE,), ASK.but(address_line1="12 MAPLE"), 0),
    Case("another town is another place", (JOSE,), ASK.but(city="NAMPA", postal_code="83686", tin=TIN), None),
    Case("spelled out is the same place", (JOSE,), ASK.but(address_line1="12 Maple Street"), 0),
    Case("no ZIP code, but city and state", (JOSE,), ASK.but(postal_code=None), 0),
    Case(
        "a ZIP code and no street is no address", (JOSE,), ASK.but(address_line1=None, tin=TIN, birth_date=BORN), None
    ),
    Case(
        "a placeholder is no address, though all else agrees",
        (JOSE,),
        ASK.but(address_line1="FAILED TO PROVIDE", tin=TIN),
        None,
    ),
    Case("a past address agrees", (replace(JOSE, homes=(("7 OAK ST", None), ("12 MAPLE ST", None))),), ASK, 0),
    Case("a unit that agrees", (UNIT_2, UNIT_9), ASK.but(address_line2="Apt. 2"), 0),
    Case("a unit by another word for it", (UNIT_2, UNIT_9), ASK.but(address_line2="# 2"), 0),
    Case("a unit that contradicts", (UNIT_2,), ASK.but(address_line2="APT 3", tin=TIN), None),
    Case("a missing unit, and nobody else of the name", (UNIT_2,), ASK, 0),
    Case("a missing unit, and a namesake elsewhere in the building", (UNIT_2, UNIT_9), ASK, None),
    Case("a missing unit, a namesake, and a TIN that tells", (UNIT_2, UNIT_9), ASK.but(tin=TIN), 0),
    Case(
        "a unit that the file lacks, beside a birth date", (JOSE,), ASK.but(address_line2="APT 2", birth_date=BORN), 0
    ),
    Case("abroad, city and postal code agree", (ABROAD,), ASK_ABROAD.but(postal_code="sw1a 2aa"), 0),
    Case("abroad, the postal code is left out", (ABROAD,), ASK_ABROAD.but(postal_code=None), 0),
    Case(
        "abroad, another postal code is another place", (ABROAD,), ASK_ABROAD.but(postal_code="E1 6AN", tin=TIN), None
    ),
    Case("abroad, a postal code never stands in for the city", (ABROAD,), ASK_ABROAD.but(city="LEEDS", tin=TIN), None),
    Case("a box is not a house", (replace(JOSE, homes=(("PO BOX 12", None),)),), ASK.but(tin=TIN), None),
    Case("a box that agrees", (replace(JOSE, homes=(("PO BOX 12", None),)),), ASK.but(address_line1="P.O. Box 12"), 0),
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[int], dict[str, Any]]]:
    """Every case matched in one run; each case has its own house number, so that no case meets another."""
    persons: list[Person] = []
    requests: list[Request] = []
    ids: list[list[int]] = []
    for number, case in enumerate(CASES):
        ids.append([1001 + len(persons) + offset for offset in range(len(case.people))])
        persons += [_move(person, number) for person in case.people]
        requests.append(_move_request(case.asks, number))
    matches, _ = resolve(tmp_path_factory.mktemp("rules"), persons, requests)
    return {case.name: (ids[n], matches[n]) for n, case in enumerate(CASES)}


def _moved(text: str | None, number: int) -> str | None:
    return text.replace("12 ", f"{1200 + number} ").replace("14 ", f"{5400 + number} ") if text else text


def _digits(tin: str | None, number: int) -> str | None:
    """TINs are unique on file, so each case has its own."""
    return tin.replace("912", f"9{number:02d}", 1) if tin and tin.startswith("912") else tin


def _move(person: Person, number: int) -> Person:
    homes = tuple(_home(home, number) for home in person.homes)
    return replace(person, homes=homes, tin=_digits(person.tin, number))


def _home(home: Any, number: int) -> Any:
    if isinstance(home, dict):
        return {**home, "line1": _whole(home["line1"], number)}
    return _whole(home[0], number), home[1]


def _whole(line: str, number: int) -> str:
    return f"PO BOX {1200 + number}" if line == "PO BOX 12" else _moved(line, number) or line


def _move_request(request: Request, number: int) -> Request:
    line = request.address_line1
    line = f"P.O. Box {1200 + number}" if line == "P.O. Box 12" else _moved(line, number)
    return replace(request, address_line1=line, tin=_digits(request.tin, number))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rule(case: Case, outcome: dict[str, tuple[list[int], dict[str, Any]]]) -> None:
    ids, row = outcome[case.name]
    assert row["person_id"] == (None if case.agrees is None else ids[case.agrees])
    assert (row["persons_agreeing"] == 1) == (case.agrees is not None)
    assert (row["corroboration"] is None) == (case.agrees is None)
    if case.says:
        assert row["corroboration"] == case.says
