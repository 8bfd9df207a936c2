"""The published corpora of numbers, dates and officers: nothing defective passes, at most one good one in 100 stops.

One half of each was used while the judges were made; the other was only looked at to report (docs/elements.md).
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.intake import dates, numbers, officers
from gatehouse.intake.elements import KINDS

CORPUS = Path(__file__).parents[1] / "hostile" / "elements"
GOOD = {"number": "given", "date": "valid", "officer_name": "person"}
LEAST = {"number": 500, "date": 150, "officer_name": 250}
FILES = {"number": "numbers", "date": "dates", "officer_name": "officers"}
DB = duckdb.connect()


def judged(kind: str, rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """(label, text, verdict) of rows of a corpus, judged as `element check` judges a file."""
    given_ = {
        "number": [*range(len(rows))],
        "text": [row[kind] for row in rows],
        **{name: [row.get(name) or None for row in rows] for name in ("field", "context", "title")},
    }
    DB.execute(
        "CREATE OR REPLACE TABLE source AS SELECT unnest($number::BIGINT[]) AS row_number, unnest($text::VARCHAR[]) "
        "AS text, unnest($field::VARCHAR[]) AS field, unnest($context::VARCHAR[]) AS context, "
        "unnest($title::VARCHAR[]) AS title",
        given_,
    )
    KINDS[kind].judge(DB, "source", "judged")
    verdicts = DB.execute("SELECT verdict FROM judged ORDER BY row_number").fetchall()
    return [(row["label"], row[kind], verdict) for row, (verdict,) in zip(rows, verdicts, strict=True)]


def corpus(kind: str, half: str) -> list[dict[str, str]]:
    with (CORPUS / f"{FILES[kind]}-{half}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("half", ["tuned", "reported"])
@pytest.mark.parametrize("kind", sorted(FILES))
def test_no_defective_element_passes_and_few_good_ones_stop(kind: str, half: str) -> None:
    found = judged(kind, corpus(kind, half))
    assert [row for row in found if row[0] != GOOD[kind] and row[2] == GOOD[kind]] == []
    good = [row for row in found if row[0] == GOOD[kind]]
    assert [row for row in found if "absent" in (row[0], row[2]) and row[0] != row[2]] == []
    stopped = [row for row in good if row[2] != GOOD[kind]]
    assert len(stopped) <= 0.01 * len(good), stopped


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_corpus_is_as_large_as_published(kind: str) -> None:
    assert len(corpus(kind, "tuned")) + len(corpus(kind, "reported")) >= LEAST[kind]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("HSI-2025-XXXXX", "mask"), ("A***-***-417", "mask"), ("A000000000", "zeros"), ("HSI-2025-99999", "nines"),
        ("A123-456-789", "counting"), ("HSI-2025-11111111", "repeated"), ("8 USC 1253(a)(1)", "statute"),
        ("INA § 237(a)(1)(B)", "statute"), ("Form I-205", "form"), ("HSI", "no_digits"), ("Lopez, Maria", "no_digits"),
        ("FY2025", "year"), ("HSI-2025", "year"), ("2025-06-27", "date"), ("1:25-cr-", "prefix"), ("7", "too_short"),
        ("915-555-0142", "contact"), ("see row 12", "pointer"), ("2.02506E+14", "rounded"), ("Agent 47", "words"),
        ("HSI-2025-00001 through HSI-2025-01280", "several"), ("CASE NUMBER", "filler"), ("various", "filler"),
        ("TBD-2025-001", "filler"), ("<case number>", "template"), ("-", "punctuation"), ("asdf1234", "keyboard"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told_why(number: str, why: str) -> None:
    assert numbers.judge(number) == ("placeholder", why)
    assert why in numbers.WHY


@pytest.mark.parametrize(
    ("field", "date", "context", "why"),
    [
        ("final_order_date", "1970-01-01", "birth_date=1950-01-01", "epoch"),
        ("final_order_date", "1975-03-14", "birth_date=1985-07-04", "before_birth"),
        ("matter_opened_on", "1975-03-14", "birth_date=1985-07-04", "before_birth"),
        ("final_order_date", "2025-06-28", "", "after_signing"),
        ("review_order_date", "2018-12-23", "final_order_date=2018-12-24", "before_order"),
        ("final_order_date", "2018-12-24", "review_order_date=2018-12-23", "after_review"),
        ("birth_date", "1985-07-04", "final_order_date=1975-03-14", "after_order"),
        ("matter_opened_on", "2003-02-28", "agency_since=2003-03-01", "before_agency"),
        ("birth_date", "1890-01-01", "", "too_early"),
        ("final_order_date", "03/14/2019", "", "not_a_date"),
        ("final_order_date", "TBD", "", "filler"),
        ("final_order_date", "2019-XX-XX", "", "mask"),
        ("period_to", "2022-12-31", "period_from=2023-01-01", "reversed"),
        ("birth_date", "1970-01-01", "", None),
    ],
)
def test_what_is_no_date_is_told_why(field: str, date: str, context: str, why: str | None) -> None:
    row = {"label": "", "date": date, "field": field, "context": f"signed_on=2025-06-27; {context}"}
    judged("date", [row])
    assert DB.execute("SELECT why FROM judged").fetchone() == (why,)
    assert why is None or why in dates.WHY


serials = st.from_regex(r"[0-9]{1,11}", fullmatch=True) | st.sampled_from(
    ["00000417", "12345678", "112233", "20250627", "100000000", "0000000001", "121212", "98765"]
)
leads = st.sampled_from(
    ["HSI-2025-", "A", "A#", "1:25-cr-", "", "8 USC ", "Form ", "TEST-", "row ", "2025-", "X1-", "Op "]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(leads, serials).map("".join), min_size=1, max_size=30))
@pytest.mark.slow
def test_numbers_are_judged_in_columns_as_one_by_one(texts: list[str]) -> None:
    found = judged("number", [{"label": "", "number": text} for text in texts])
    assert [verdict for _, _, verdict in found] == [numbers.judge(text).verdict for text in texts]


@pytest.mark.parametrize(
    ("name", "title", "verdict", "why"),
    [
        ("Thomas Major", "Special Agent", "person", None), ("Judge Reinhold", "", "person", None),
        ("Marshall Brown", "", "person", None), ("Anna Officer", "", "person", None),
        ("HSI Special Agent Maria Lopez", "Special Agent", "person", None), ("LOPEZ, Maria", "", "person", None),
        ("Special Agent", "Special Agent", "role_only", "role"), ("Maria Lopez", "Maria Lopez", "role_only", "title"),
        ("ERO El Paso", "", "role_only", "role"), ("all officers", "", "role_only", "unit"),
        ("Officer 00012", "", "role_only", "role"), ("John Doe", "", "placeholder", "filler"),
        ("J. Doe", "", "placeholder", "nobody"),
        ("TBD", "", "placeholder", "filler"), ("ICE-0042", "", "placeholder", "digits"),
        ("a.b@ice.gov", "", "placeholder", "contact"), ("M**** L****", "", "placeholder", "mask"),
        ("", "", "placeholder", "absent"), ("Officer Name", "", "placeholder", "filler"),
    ],
)  # fmt: skip
def test_who_is_no_person_is_told_why(name: str, title: str, verdict: str, why: str | None) -> None:
    assert officers.judge(name, title) == (verdict, why)
    assert why is None or why in officers.WHY
