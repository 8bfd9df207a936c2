"""Terms, form and reports speak the law of the pack, and name no other law than that."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gatehouse.kernel.errors import WrongInput
from gatehouse.law import shipped, wording
from gatehouse.law.reading import load
from gatehouse.law.tables import read_document
from gatehouse.release.terms import Terms

TAX = ("6103", "7431", "TIGTA", "taxpayer", "tax")
TODAY = dt.date(2025, 9, 1)


def terms(words: wording.Wording) -> str:
    return Terms("rel-1", "D-1", "agency", "O-1", "basis", ("M-1",), TODAY, TODAY, wording=words).text()


@pytest.mark.parametrize("name", ["us-hipaa-164-512-f-2", "us-privacy-act-552a-b-7"])
def test_another_law_is_not_told_in_the_words_of_tax_law(name: str) -> None:
    words = load(shipped.pack(name)).wording
    assert not [word for word in TAX if word in terms(words)]
    assert not {"period_from", "authority", "proceeding"} & words.form.keys()
    assert "6103" not in wording.law_of("accounting", [words])


def test_the_terms_under_tax_law_name_its_penalties_and_whom_to_tell() -> None:
    said = terms(load(shipped.pack("us-irs-6103-i-2")).wording)
    assert "1. Return information is confidential (26 USC 6103(a))." in said
    assert "6. An improper inspection or disclosure is reported to TIGTA" in said
    assert max(map(len, said.splitlines())) <= 110


def test_a_pack_that_is_silent_names_no_law() -> None:
    said = terms(wording.DEFAULT)
    assert not [word for word in (*TAX, "USC", "CFR") if word in said]
    assert "This information is confidential." in said


def test_a_report_names_the_law_of_every_pack_that_it_counts_once() -> None:
    words = [
        load(shipped.pack(name)).wording for name in ("us-irs-6103-i-2", "us-irs-6103-i-1", "us-hipaa-164-512-f-2")
    ]
    assert wording.law_of("accounting", words) == "26 U.S.C. § 6103(p)(3)(A); 45 CFR 164.528"
    assert wording.law_of("accounting", []) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[wording]\nbreach_hours = 0", "breach_hours is no number of hours"),
        ('[wording.form]\nssn = "give it"', "unknown key 'ssn'"),
        ('[wording.reports]\nacounting = "x"', "unknown key 'acounting'"),
        ("[wording]\nconfidential = 7", "confidential must be a text"),
    ],
)
def test_a_wrong_word_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "pack.toml").write_text(text)
    with pytest.raises(WrongInput, match=says):
        wording.read(read_document(tmp_path / "pack.toml").entry("wording"))
