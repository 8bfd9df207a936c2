"""What intake derives from a row: dates, numbers, lists, reasons, citations, names and addresses, once and strictly."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import duckdb
import pytest
import sender
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatehouse.intake import dates as dates_module
from gatehouse.intake import readers
from gatehouse.intake.mapping import CONTRACT
from gatehouse.intake.submission import receive
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock

# changes to a well-formed row → what is derived from it
CASES: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "as it is": (
        {},
        {
            "last_key": "QUILLFEATHER",
            "name_state": "given",
            "birth_on": dt.date(1980, 1, 31),
            "birth_state": "valid",
            "tin_digits": "900700001",
            "tin_state": "valid",
            "period_state": "valid",
            "period_from_on": dt.date(2023, 1, 1),
            "authority_citation": "8 USC 1253(a)(1)",
            "authority_state": "pinpoint",
            "ground_state": "pinpoint",
            "proceeding_kind": "investigation",
            "matter_opened": dt.date(2025, 1, 2),
            "final_order_state": "valid",
            "review_order_state": "absent",
            "reason_state": "specific",
            "reason_why": "missed; target letter",
            "officer_list": ["ICE-1"],
            "item_list": ["last_known_address"],
            "address_verdict": "complete",
            "house_number": "12",
            "state_key": "IL",
            "zip5": "62701",
        },
    ),
    "nothing at all": (
        {column: "" for column in COLUMNS if column != "request_id"},
        {
            "name_state": "missing",
            "birth_state": "absent",
            "tin_state": "absent",
            "period_state": "missing",
            "authority_state": "absent",
            "ground_state": "absent",
            "proceeding_kind": None,
            "matter_opened_state": "absent",
            "reason_state": "absent",
            "reason_why": None,
            "reason_template": None,
            "reason_length": None,
            "officer_list": [],
            "item_list": [],
            "address_verdict": "not_an_address",
        },
    ),
    "spaces are nothing": (
        {"reason": "   ", "tin": " ", "city": " "},
        {"reason_state": "absent", "tin_state": "absent"},
    ),
    "a TIN with spaces": ({"tin": "900 70 0001"}, {"tin_digits": "900700001", "tin_state": "valid"}),
    "a TIN too short": ({"tin": "900-70-001"}, {"tin_digits": None, "tin_state": "invalid"}),
    "a TIN with a letter": ({"tin": "90O700001"}, {"tin_state": "invalid"}),
    "a TIN of one digit": ({"tin": "111111111"}, {"tin_state": "invalid"}),
    "a TIN from the keyboard": ({"tin": "123-45-6789"}, {"tin_state": "invalid"}),
    "an impossible birthday": ({"birth_date": "1980-02-30"}, {"birth_state": "invalid", "birth_on": None}),
    "an American date": ({"birth_date": "01/31/1980"}, {"birth_state": "invalid"}),
    "a short date": ({"birth_date": "1980-1-31"}, {"birth_state": "invalid"}),
    "a date and time": ({"birth_date": "1980-01-31 00:00"}, {"birth_state": "invalid"}),
    "born after signing": ({"birth_date": "2025-06-28"}, {"birth_state": "invalid", "birth_on": None}),
    "born on the day": ({"birth_date": "2025-06-27"}, {"birth_state": "valid"}),
    "born too long ago": ({"birth_date": "1889-01-01"}, {"birth_state": "invalid"}),
    "no period": ({"period_from": "", "period_to": ""}, {"period_state": "missing"}),
    "half a period": ({"period_to": ""}, {"period_state": "missing"}),
    "an unreadable period": ({"period_to": "2024"}, {"period_state": "invalid"}),
    "a period backwards": ({"period_to": "2022-12-31"}, {"period_state": "reversed"}),
    "a period to come": ({"period_from": "2025-06-28", "period_to": "2025-12-31"}, {"period_state": "future"}),
    "a matter opened later": ({"matter_opened_on": "2025-06-28"}, {"matter_opened_state": "invalid"}),
    "a section only": ({"authority": "8 USC 1253"}, {"authority_state": "section_only"}),
    "no citation": ({"authority": "removal"}, {"authority_state": "unreadable", "authority_citation": None}),
    "grand jury in words": ({"proceeding": "Grand Jury"}, {"proceeding_kind": "grand_jury"}),
    "removal in words": ({"proceeding": "Removal proceedings"}, {"proceeding_kind": "civil_removal"}),
    "deportation": ({"proceeding": "deportation"}, {"proceeding_kind": "civil_removal"}),
    "some other matter": ({"proceeding": "tax audit"}, {"proceeding_kind": "other"}),
    "a reason elsewhere": ({"reason": "See attached letter."}, {"reason_state": "pointer"}),
    "a purpose that is civil": (
        {"reason": "To deport the subject"},
        {"reason_state": "civil_purpose", "reason_purpose": "removal"},
    ),
    "a reason that is the name": ({"reason": "Ophelia Quillfeather, n/a"}, {"reason_state": "unspecific"}),
    "a reason of digits": ({"reason": "12345"}, {"reason_state": "placeholder", "reason_length": 5}),
    "officers in any order": ({"officer_ids": "B; A;;A "}, {"officer_list": ["A", "B"]}),
    "a placeholder for a name": ({"last_name": "LNU"}, {"name_state": "placeholder"}),
    "don't care": (
        {"address_line1": "Don't Care 12345", "city": "", "state": "", "postal_code": ""},
        {"address_kind": None},
    ),
    "a jail": ({"address_line1": "COUNTY JAIL", "city": "", "state": ""}, {"address_verdict": "institution"}),
    "a ZIP alone": (
        {"address_line1": "62701", "city": "", "state": "", "postal_code": "62701"},
        {"address_verdict": "not_an_address"},
    ),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workspace("1GB", threads=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def derived(connection, tmp_path_factory) -> dict[str, dict[str, object]]:
    rows = [sender.ROW | change | {"request_id": name} for name, (change, _) in CASES.items()]
    folder = sender.put(tmp_path_factory.mktemp("s"), sender.csv_text(*rows), rows=len(rows))
    received = receive(connection, folder, sender.known())
    assert (received.signature_valid, received.signer, received.requests) == (True, "us.dhs.ice", len(rows))
    found = connection.execute("SELECT * FROM requests ORDER BY seq")
    names = [column[0] for column in found.description]
    return {name: dict(zip(names, row, strict=True)) for name, row in zip(CASES, found.fetchall(), strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_what_is_derived(derived, name: str) -> None:
    expected = CASES[name][1]
    assert derived[name]["request_id"] == name
    assert {column: derived[name][column] for column in expected} == expected


def test_the_table_is_the_one_of_the_architecture(derived) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = documented.split("### `requests`")[1].split("### `matches`")[0]
    words = set(re.findall(r"[a-z_0-9]+", section))
    assert [column for column in derived["as it is"] if column not in words] == []


def test_no_made_address_is_ever_complete(derived) -> None:
    assert derived["don't care"]["address_verdict"] != "complete"
    assert {derived[name]["address_verdict"] for name in ("a ZIP alone", "nothing at all")} == {"not_an_address"}


def test_a_template_filled_in_with_names_and_numbers_is_one_reason(connection, tmp_path) -> None:
    rows = [
        sender.ROW | {"request_id": f"R{n}", "last_name": last, "first_name": first, "reason": reason}
        for n, (last, first, reason) in enumerate(
            [
                ("GARCÍA LÓPEZ", "ANA", "Ana García López (A123) sold forged cards in May 2024, matter 77."),
                ("O'BRIEN", "SEAN", "SEAN O'BRIEN  (A9)   sold forged cards in June 2023, matter 1"),
                ("NGUYEN", "VAN", "Van Nguyen [A5] sold forged cards in - 3/3/22 - matter #5512!"),
                ("NGUYEN", "VAN", "Van Nguyen robbed a bank in Akron and told a clerk so"),
            ]
        )
    ]
    receive(connection, sender.put(tmp_path, sender.csv_text(*rows), rows=4), None, table="other")
    keys = [row[0] for row in connection.execute("SELECT reason_template FROM other ORDER BY seq").fetchall()]
    assert set(keys[0]) & set(keys[1]) & set(keys[2])
    assert not set(keys[0]) & set(keys[3])
    connection.execute("DROP TABLE other")


dates = st.one_of(
    st.dates().map(str),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}[-/ ][0-9]{1,2}[-/ ][0-9]{1,2}", fullmatch=True),
    st.text(max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(dates, min_size=1, max_size=20))
@example(["0000-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "2023-02-29", "2023-02-28 ", "٢٠٢٣-٠١-٠١"])
def test_dates_are_read_in_columns_as_one_by_one(connection, texts: list[str]) -> None:
    texts = [text for text in texts if "\0" not in text]
    found = connection.execute(
        f"SELECT {dates_module.read('text')} FROM (SELECT unnest(?::VARCHAR[]) AS text)", [texts]
    ).fetchall()
    assert [row[0] for row in found] == [clock.read_date(text) for text in texts]


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20) | st.sampled_from(
    ['"', '""', ",", "a,b", "line\nbreak", "'", " padded ", "\ufeff", "é"]
)
tables = st.lists(st.lists(fields, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=60, deadline=None)
@given(tables, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_csv_is_read_as_python_reads_it(connection, scratch, rows, mark: bool, end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([list(COLUMNS), *rows])
    path = scratch / "requests.csv"
    path.write_bytes((b"\xef\xbb\xbf" if mark else b"") + text.getvalue().encode())
    readers.create(connection, "wire")
    assert readers.load(connection, path, CONTRACT, "wire") == len(rows)
    assert (
        connection.execute("SELECT * FROM wire ORDER BY rowid").fetchall()
        == [stripped(row) for row in csv.reader(io.StringIO(text.getvalue(), newline=""))][1:]
    )


@settings(max_examples=40, deadline=None)
@given(tables)
def test_json_lines_and_csv_are_one(connection, scratch, rows) -> None:
    path = scratch / "requests.jsonl"
    objects = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    path.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")
    readers.create(connection, "wire")
    assert readers.load(connection, path, CONTRACT, "wire") == len(rows)
    expected = [stripped(row) for row in rows]
    assert connection.execute("SELECT * FROM wire ORDER BY rowid").fetchall() == expected


def stripped(row: Sequence[str]) -> tuple[str | None, ...]:
    """What nobody sees is absent and falls away at the ends; of a request's id, spaces alone."""
    return (spaces_off(row[0]), *(seen(value) for value in row[1:]))


@cache
def spaces_off(value: str) -> str | None:
    with duckdb.connect() as connection:
        [(found,)] = connection.execute("SELECT nullif(trim(?), '')", [value]).fetchall()
    return found


def seen(value: str) -> str | None:
    unseen = {char for char in value if char != "\0" and (invisible(char) or char in FILLERS)}
    while value and value[0] in unseen:
        value = value[1:]
    while value and value[-1] in unseen:
        value = value[:-1]
    return value if any(unicodedata.category(char)[0] != "M" for char in value if char not in unseen) else None


FILLERS = "\u3164\uffa0\u115f\u1160\u2800\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f\ufffc" + "".join(
    map(chr, [*range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)])
)


def invisible(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Co", "Zs", "Zl", "Zp"}
