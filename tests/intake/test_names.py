"""Folding of names: equal spellings become equal, nothing else does, and what cannot be read agrees with nobody."""

from __future__ import annotations

import string

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.intake import names

DB = duckdb.connect()


def folded(text: str | None) -> str | None:
    row = DB.execute(f"SELECT {names.fold('x')} FROM (SELECT ?::VARCHAR AS x)", [text]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("O'Brien", "OBRIEN"),
        ("O’Brien", "OBRIEN"),
        ("Mc`Coy", "MCCOY"),
        ("García-López", "GARCIA LOPEZ"),
        ("José  Luis", "JOSE LUIS"),
        ("Müller", "MULLER"),
        ("Łukasz", "LUKASZ"),
        ("Straße", "STRASSE"),
        ("Ngũgĩ", "NGUGI"),
        ("Nun\u0303ez", "NUNEZ"),
        ("İlker", "ILKER"),
        ("Иванов", "IVANOV"),
        ("Щербаков", "SHCHERBAKOV"),
        ("Θεοδωράκης", "THEODORAKIS"),
        ("Ｓｍｉｔｈ", "SMITH"),
        ("Sm\u200bith", "SMITH"),
        ("St. John", "ST JOHN"),
        ("", None),
        (" - ", None),
        (None, None),
        ("李小龙", None),
        ("José 李", None),  # a letter that cannot be read must not make this José's name
    ],
)
def test_a_name_folds_as_published(written: str | None, expected: str | None) -> None:
    assert folded(written) == expected


def folded_all(texts: list[str | None]) -> list[str | None]:
    rows = DB.execute(f"SELECT {names.fold('x')} FROM (SELECT unnest(?::VARCHAR[]) AS x)", [texts]).fetchall()
    return [row[0] for row in rows]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40), min_size=1))
@settings(max_examples=60, deadline=None)
def test_folding_twice_is_folding_once_and_leaves_only_letters(texts: list[str | None]) -> None:
    once = folded_all(texts)
    assert folded_all(once) == once
    for name in once:
        assert name is None or (set(name) <= set(string.ascii_uppercase + " ") and name == name.strip())


@given(st.lists(st.text(alphabet=string.ascii_letters + " -'.", min_size=1, max_size=30), min_size=1))
@settings(max_examples=40, deadline=None)
def test_case_does_not_matter(texts: list[str]) -> None:
    assert folded_all([text.lower() for text in texts]) == folded_all([text.upper() for text in texts])


def told(wanted: str, *written: str | None) -> tuple[str | None, ...]:
    columns = ("last_name", "first_name", "middle_name")
    DB.execute(
        "CREATE OR REPLACE TABLE given_names AS SELECT $1::VARCHAR AS last_name, $2::VARCHAR AS first_name, "
        "$3::VARCHAR AS middle_name, $4::VARCHAR AS suffix",
        written,
    )
    names.tell(DB, "given_names", columns, "told_names")
    joined = " ".join(f"LEFT JOIN told_names {name} ON read.{name} = {name}.written" for name in columns)
    row = DB.execute(f"SELECT {wanted} FROM given_names read {joined}").fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("Smith", "John", None, "Jr."), ("SMITH", "JOHN", None, "JR")),
        (("Smith, Jr.", "John", None, None), ("SMITH", "JOHN", None, "JR")),
        (("Smith", "John Sr", "Q.", None), ("SMITH", "JOHN", "Q", "SR")),
        (("Dos Santos Júnior", "Ana", None, None), ("DOS SANTOS", "ANA", None, "JR")),
        (("Smith", "John", None, "3rd"), ("SMITH", "JOHN", None, "III")),
        (("Smith", "John", "V", None), ("SMITH", "JOHN", "V", None)),  # an initial, not "the fifth"
        (("Smith", "John", None, "Esq"), ("SMITH", "JOHN", None, None)),
        (("Smith Jr", "John", None, "Sr"), ("SMITH", "JOHN", None, "SR")),  # its own column speaks first
    ],
)
def test_suffixes_are_found_wherever_they_stand(
    written: tuple[str | None, ...], expected: tuple[str | None, ...]
) -> None:
    assert told(names.name_keys("suffix", "last_name", "first_name", "middle_name"), *written) == expected


@pytest.mark.parametrize(
    ("last", "first", "state"),
    [
        ("GARCIA", "JOSE", "given"),
        ("NA", "YOUNG", "given"),  # a surname of millions
        ("NA", "NA", "placeholder"),
        ("FNU", "AHMED", "placeholder"),
        ("AHMED", "LNU", "placeholder"),
        ("XXXX", "JOSE", "placeholder"),
        (None, "JOSE", "missing"),
        ("GARCIA", None, "missing"),
    ],
)
def test_the_state_of_a_name(last: str | None, first: str | None, state: str) -> None:
    assert told(names.name_state("last_name", "first_name"), last, first, None, None) == (state,)
