"""One statute has one text, whatever its spelling; what is not wholly understood is not understood."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.intake.citations import act_sections, read
from gatehouse.law.reading import load


@pytest.mark.parametrize(
    "text",
    [
        "8 U.S.C. § 1253(a)(1)",
        "8 USC 1253 (a)(1)",
        "8 usc 1253(A)(1)",
        "8 U.S.C.A. §§ 1253(a)(1)",
        "8U.S.C.1253(a)(1).",
        "Title 8, United States Code, Section 1253(a)(1)",
        "Title 8 U.S. Code Sec. 1253 (a) (1)",
        "8\u00a0U.S.C.\u00a0§\u00a01253(a)(1)",
        "INA 243(a)(1)",
        "I.N.A. § 243(a)(1)",
        "section 243(a)(1) of the INA",
        "Immigration and Nationality Act, section 243(a)(1)",
        "Section 243(a)(1) of the Immigration and Nationality Act (8 U.S.C. 1253(a)(1))",
        "INA § 243(a)(1), 8 U.S.C. § 1253(a)(1)",
        "INA 243(a)(1) [8 USC 1253(a)(1)]",
        "INA 243(a)(1); 8 USC 1253(a)(1)",
    ],
)
def test_spellings_of_one_statute(text: str) -> None:
    citation = read(text)
    assert citation is not None
    assert (citation.text, citation.state) == ("8 USC 1253(a)(1)", "pinpoint")


@pytest.mark.parametrize(
    ("text", "expected", "state"),
    [
        ("8 USC 1253", "8 USC 1253", "section_only"),
        ("INA 243", "8 USC 1253", "section_only"),
        ("INA 237(a)(1)(b)", "8 USC 1227(a)(1)(B)", "pinpoint"),
        ("8 USC 1227(A)(2)(a)(III)", "8 USC 1227(a)(2)(A)(iii)", "pinpoint"),
        ("INA 274A(a)", "8 USC 1324a(a)", "pinpoint"),
        ("18 u.s.c. 1028a(a)(1)", "18 USC 1028A(a)(1)", "pinpoint"),
        ("42 USC 1320A-7B(b)", "42 USC 1320a-7b(b)", "pinpoint"),
    ],
)
def test_other_statutes(text: str, expected: str, state: str) -> None:
    citation = read(text)
    assert citation is not None
    assert (citation.text, citation.state) == (expected, state)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "removal",
        "1253(a)(1)",
        "8 USC",
        "8 CFR 241.1",
        "INA 999(a)",
        "8 USC 1253(a)(1) and 8 USC 1326(a)",
        "8 USC 1253(a)(1); 8 USC 1326(a)",
        "INA 243(a)(1) (8 USC 1326(a))",
        "8 USC 1253(a)(1",
        "8 USC 1253(a)(1) et seq.",
        "see letter, 8 USC 1253(a)(1)",
        "8 USC 1253(a)(1)" * 40,
        "٨ USC ١٢٥٣(a)(1)",
    ],
)
def test_what_is_no_citation(text: str) -> None:
    assert read(text) is None


levels = st.tuples(
    st.sampled_from("abcdefgh"), st.integers(1, 99).map(str), st.sampled_from("ABCDEF"), st.sampled_from(["i", "iv"])
)


@given(
    st.tuples(st.integers(1, 54), st.integers(1, 9999)),
    levels,
    st.integers(0, 4),
    st.sampled_from(["{t} USC {s}{b}", "{t} U.S.C. § {s} {b}", "Title {t} USC Section {s}{b}"]),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_every_citation_of_the_code_is_read_as_itself(place, parts, depth, form, case) -> None:
    title, section = place
    below = "".join(f"({part})" for part in parts[:depth])
    citation = read(case(form.format(t=title, s=section, b=below)))
    assert citation is not None
    assert citation.text == f"{title} USC {section}{below}"
    assert read(citation.text) == citation


@given(st.sampled_from(sorted(act_sections())), levels, st.integers(0, 4))
def test_the_act_and_the_code_are_one(section, parts, depth) -> None:
    below = "".join(f"({part})" for part in parts[:depth])
    assert read(f"INA {section}{below}") == read(f"8 USC {act_sections()[section]}{below}")


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    citation = read(text)
    assert citation is None or read(citation.text) == citation


@pytest.mark.parametrize(
    ("act", "code"),
    [("243", "1253"), ("237", "1227"), ("212", "1182"), ("275", "1325"), ("276", "1326"), ("274C", "1324c"),
     ("266", "1306"), ("329A", "1440-1"), ("310", "1421")],
)  # fmt: skip
def test_the_act_is_read_by_the_parallel_of_the_official_code(act: str, code: str):
    assert act_sections()[act] == code


def test_a_section_of_the_act_that_two_sections_of_the_code_claim_is_read_as_neither():
    assert "402" not in act_sections()
    assert read("INA 402(a)") is None
    assert len(act_sections()) > 160


def test_what_a_citation_lies_within_is_told_level_by_level() -> None:
    found = read("8 U.S.C. § 1324(a)(1)(A)(ii)")
    assert found is not None
    assert [found.down_to(depth) for depth in range(4)] == [
        "8 USC 1324", "8 USC 1324(a)", "8 USC 1324(a)(1)", "8 USC 1324(a)(1)(A)",
    ]  # fmt: skip
    section = read("18 USC 371")
    assert section is not None
    assert section.down_to(3) == "18 USC 371"


def test_the_sections_sent_back_are_those_of_which_the_list_names_a_part() -> None:
    pack = load(Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2")
    whole = set(pack.lists["criminal_statutes"].entries)
    assert set(pack.lists["criminal_sections"].entries) == {cited.split("(")[0] for cited in whole} - whole
