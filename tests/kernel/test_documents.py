"""A document is read in one place, and what is wrong with it is told with file, line, key and remedy."""

from __future__ import annotations

import pytest

from gatehouse.kernel import documents
from gatehouse.kernel.errors import WrongInput

TEXT = """\
name = "a name"

[site]
days = "ten"
when = 2025-01-31

[[officers]]
id = "do-1"

[[officers]]
id = 7
"""


def told(refused: pytest.ExceptionInfo[WrongInput]) -> tuple[str, str, str]:
    return refused.value.where, refused.value.what, refused.value.remedy


def test_every_table_and_key_knows_its_line() -> None:
    table = documents.parse(TEXT, "x.toml")
    assert table.place("name") == "x.toml, line 1"
    assert table.entry("site").place() == "x.toml, line 3"
    assert table.entry("site").place("when") == "x.toml, line 5"
    assert table.entry("site").place("absent") == "x.toml, line 3"
    assert [one.place("id") for one in table.entries("officers")] == ["x.toml, line 8", "x.toml, line 11"]


def test_a_value_of_another_type_is_refused_with_line_key_and_remedy() -> None:
    table = documents.parse(TEXT, "x.toml")
    with pytest.raises(WrongInput) as refused:
        table.entry("site").number("days")
    assert told(refused) == ("x.toml, line 4", "days must be a whole number", "Write days = 1")
    with pytest.raises(WrongInput) as refused:
        table.entries("officers")[1].text("id")
    assert told(refused) == ("x.toml, line 11", "id must be a text", 'Write id = "…"')


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    table = documents.parse(TEXT, "x.toml").entry("site")
    with pytest.raises(WrongInput) as refused:
        table.only("day", "when")
    assert told(refused) == ("x.toml, line 4", "unknown key 'days' in [site]", "Did you mean day?")


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"a = 1\nb = \xff\n", 2, "the file is not UTF-8"),
        (b"a = 1\n\nb = = 2\n", 3, "this is not valid TOML"),
        (b"a = 1\na = 2\n", 2, "this is not valid TOML"),
        (b'a = """\n\n', 3, "this is not valid TOML"),
        (b"a = " + b"[" * 100_000, 1, "the file is nested too deeply"),
    ],
)
def test_what_is_no_document_is_refused_with_its_line(data: bytes, line: int, what: str) -> None:
    with pytest.raises(WrongInput) as refused:
        documents.parse(documents.decode(data, "x.toml"), "x.toml")
    assert (refused.value.where, refused.value.what) == (f"x.toml, line {line}", what)
    assert refused.value.remedy
