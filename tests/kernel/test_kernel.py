"""The floor holds: canonical bytes, strict dates, durable files, messages that say where."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.kernel import canonical, clock, digests, files, ids
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput, place

SOURCE = Path(__file__).parents[2] / "src" / "gatehouse"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_canonical_json_reads_back_and_is_a_fixed_point(value: object) -> None:
    encoded = canonical.encode(value)
    assert json.loads(encoded) == value
    assert canonical.encode(json.loads(encoded)) == encoded


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_canonical_json_does_not_depend_on_insertion_order(value: dict[str, int]) -> None:
    assert canonical.encode(dict(reversed(value.items()))) == canonical.encode(value)


def test_canonical_json_sorts_by_utf16_as_rfc_8785_does() -> None:
    # RFC 8785 §3.2.3: U+1F600 sorts before U+FB33, because its first UTF-16 unit is smaller
    assert canonical.encode({"\ufb33": 1, "\U0001f600": 2}).decode() == '{"\U0001f600":2,"\ufb33":1}'


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, [float("nan")]])
def test_canonical_json_refuses_floats(value: object) -> None:
    with pytest.raises(TypeError):
        canonical.encode(value)


@given(st.dates())
def test_iso_dates_are_read(day: dt.date) -> None:
    assert clock.read_date(day.isoformat()) == day


@pytest.mark.parametrize(
    "text",
    ["2025-02-29", "2025-2-1", "20250201", "2025-02-01T00:00", " 2025-02-01", "٢٠٢٥-٠١-٠١", "", "2025-W05-1"],
)
def test_what_is_no_strict_date_is_none(text: str) -> None:
    assert clock.read_date(text) is None


def test_a_failed_write_leaves_the_old_bytes_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "state"
    files.write(target, b"old")

    class PowerCutError(Exception): ...

    with pytest.raises(PowerCutError), files.replacing(target) as temporary:
        temporary.write_bytes(b"half")
        raise PowerCutError
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_secrets_are_private_and_new_files_never_replace(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    files.write_new(secret, b"k", mode=0o600)
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        files.write_new(secret, b"other")
    assert secret.read_bytes() == b"k"


def test_folder_digest_is_what_sha256sum_would_give(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"1")
    lines = "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in (("a", b"1"), ("b", b"2")))
    lines = "".join(sorted(lines.splitlines(keepends=True)))
    assert digests.of_files(tmp_path, tmp_path.iterdir()) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("ICE-2025-0003", True),
        ("a", True),
        ("../x", False),
        ("a..b", False),
        ("", False),
        (".a", False),
        ("a/b", False),
    ],
)
def test_names_are_safe_as_file_names(name: str, good: bool) -> None:
    assert ids.is_name(name) is good


def test_errors_say_what_where_and_what_to_do() -> None:
    error = WrongInput("not a date", where=place("requests.csv", 7, "birth_date"), remedy="Write it as 2025-01-31")
    assert str(error) == "requests.csv, row 7, column birth_date: not a date. Write it as 2025-01-31"
    assert (AnswerIsNo.status, WrongInput.status, MachineFailed.status) == (1, 2, 3)


def test_outside_an_error_names_files_and_no_paths():
    error = WrongInput(
        "this is not a site: /srv/gatehouse/custodian/gatehouse.toml is missing",
        where="custodian/inbox/in-3f.zip", remedy="Look at /srv/x/y.log, https://example.org/docs/a and 26 USC 6103/7",
    )  # fmt: skip
    told = error.outside
    assert told == (
        "in-3f.zip: this is not a site: gatehouse.toml is missing. "
        "Look at y.log, https://example.org/docs/a and 26 USC 6103/7"
    )
    assert "/srv/gatehouse" in str(error)


def test_one_module_asks_what_time_it_is() -> None:
    asking = re.compile(r"\btime\.time\(|\bdatetime\.now\(|\butcnow\(|\bdate\.today\(|\btimezone\.now\b")
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if asking.search(path.read_text())}
    assert found == {"kernel/clock.py"}


def test_a_pretended_date_neither_ends_nor_prolongs_what_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.PRETENDED, "2025-08-07T14:00:00Z")
    assert clock.stamp(clock.now()) == "2025-08-07T14:00:00Z"
    assert abs(clock.machine() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
