"""The one vocabulary: what stands in a field instead of an answer is known in every language, spelling and disguise."""

from __future__ import annotations

import duckdb
import pytest

from gatehouse.intake import names, placeholders

DB = duckdb.connect()
BLANK = (
    "\u200b",
    "\u2060\ufeff",
    "\u3164",
    "\u2800",
    "\u00ad",
    "\ufe0f",
    "\U000e0041",
    "\x7f\x01",
    " \t\r\n",
    "\u115f",
)


def seen(text: str | None) -> str | None:
    row = DB.execute(f"SELECT {placeholders.visible('x')} FROM (SELECT ?::VARCHAR AS x)", [text]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("blank", BLANK, ids=ascii)
def test_what_nobody_sees_is_absent(blank: str) -> None:
    assert seen(blank) is None
    assert seen(f"{blank}Garc\u0301ia \u674e{blank}") == "Garc\u0301ia \u674e"
    assert placeholders.finding(blank) == "absent"
    assert placeholders.finding(f"T{blank}B{blank}D") == "filler"


def test_plain_text_stays_as_it_is() -> None:
    assert [seen(text) for text in ("abc", " a b ", "é", "e\u0301", "\u0301", "", None)] == [
        "abc", "a b", "é", "e\u0301", None, None, None,
    ]  # fmt: skip


KNOWN = {
    "punctuation": ["---", "?!"],
    "filler": [
        "N/A",
        "n / a",
        "T.B.D.",
        "u n k n o w n",
        "UNKN0WN",
        "Unknwon",
        "UN\u041aN\u041eWN",
        "\uff35\uff2e\uff2b\uff2e\uff2f\uff37\uff2e",
        "TBD / TBD",
        "pending assignment",
        "to be provided later",
        "see attached letter",
        "Various",
        "SAME",
        "desconocido",
        "sin información",
        "inconnu",
        "unbekannt",
        "não informado",
        "неизвестно",
        "未知",
        "غير معروف",
        "미상",
        "khong biet",
        "test123",
    ],
    "repeated": ["aaaa", "ababab", "1111", "121212"],
    "keyboard": ["asdfgh", "qwerty123"],
    "zeros": ["000-000-000"],
    "nines": ["9999"],
    "counting": ["123-45-6789", "987654321", "11223344"],
    "template": ["<case number>", "[enter here]", "{{matter}}"],
}


@pytest.mark.parametrize(("written", "why"), [(text, why) for why, texts in KNOWN.items() for text in texts])
def test_a_placeholder_is_known(written: str, why: str) -> None:
    assert placeholders.finding(written) == why


@pytest.mark.parametrize(
    "written",
    ["HSI-2025-00417", "A087654321", "Maria Lopez", "Nguyen Do", "Blank, Anna", "417", "Same Day Courier Inc"],
)
def test_what_says_something_is_not_a_placeholder(written: str) -> None:
    assert placeholders.finding(written) is None


def test_every_finding_has_its_words() -> None:
    assert set(placeholders.WHY) >= {
        placeholders.finding(text)
        for text in ("", "-", "TBD", "aaaa", "asdf", "000", "999", "1234", "<x>")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "first", "state"),
    [
        ("UNKN0WN", "JUAN", "placeholder"),
        ("\u0422\u0412D", "JUAN", "placeholder"),
        ("Garcia", "To be determined", "placeholder"),
        ("DOE", "John", "placeholder"),
        ("Lorem", "Ipsum", "placeholder"),
        ("hhhhh", "Ana", "placeholder"),
        ("DO", "Anh", "given"),
        ("Blank", "Mel", "given"),
        ("Person", "Lars", "given"),
        ("Doe", "Samuel", "given"),
        ("Müller", "Jürgen", "given"),
    ],
)
def test_names_read_the_same_vocabulary(last: str, first: str, state: str) -> None:
    DB.execute("CREATE OR REPLACE TABLE given_names AS SELECT $1::VARCHAR AS l, $2::VARCHAR AS f", [last, first])
    names.tell(DB, "given_names", ("l", "f"), "told_names")
    joined = "JOIN told_names a ON l = a.written JOIN told_names b ON f = b.written"
    assert DB.execute(f"SELECT {names.name_state('a', 'b')} FROM given_names {joined}").fetchone() == (state,)
