"""Commitments open to what was committed and to nothing else, in columns as in single events."""

from __future__ import annotations

import hashlib
import json
import stat

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import opening
from gatehouse.ledger.commitments import DETERMINATION, commit, commit_event, destroy, determination, open_record
from gatehouse.ledger.opening import ENTRY_BYTES, Opening

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def connection():
    made = duckdb.connect()
    made.execute(
        """CREATE TABLE determinations AS SELECT range AS seq, 'R"' || range AS request_id,
        CASE range % 3 WHEN 0 THEN 'cleared' ELSE 'refused' END AS outcome,
        CASE range % 3 WHEN 0 THEN [] ELSE ['FORM', 'SUBJECT'] END AS codes, ['é\u2028\n\t\x1f"\\'] AS fired,
        CASE range % 2 WHEN 0 THEN [] ELSE ['é\u2028\n\t\x1f"\\'] END AS unknown,
        NULL::VARCHAR[] AS items, CASE range % 3 WHEN 0 THEN range + 7 END AS person_id,
        DATE '2025-08-07' AS as_of, repeat('ab', 32) AS pack_digest FROM range(50)"""
    )
    return made


def test_columns_and_single_records_agree(connection, tmp_path):
    vault = tmp_path / "vault.parquet"
    made = commit(connection, "determinations", DETERMINATION, vault)
    assert {len(entry) for entry in made.entries} == {ENTRY_BYTES}
    assert len(set(made.entries)) == 50
    for seq in (0, 1, 49):
        whole = open_record(connection, "determinations", DETERMINATION, vault, seq=seq)
        assert whole.entry == made.entries[seq]
        fields = whole.fields()
        assert fields["request"] == f'R"{seq}'
        fired = ['é\u2028\n\t\x1f"\\']
        assert fields["grounds"] == {"fired": fired, "unknown": fired if seq % 2 else []}
        assert fields["person"] == (seq + 7 if seq % 3 == 0 else None)
        assert fields["answer"]["as_of"] == "2025-08-07"
        assert fields["answer"]["items"] is None


def test_an_outsider_opens_one_field_with_sha256_alone(connection, tmp_path):
    """The check that docs/ledger.md describes, without any of the product's code."""
    vault = tmp_path / "vault.parquet"
    made = commit(connection, "determinations", DETERMINATION, vault)
    shown = json.loads(open_record(connection, "determinations", DETERMINATION, vault, seq=4, show=["answer"]).encode())
    [text] = shown["shown"]
    assert hashlib.sha256(text.encode()).hexdigest() == shown["digests"][1]
    root = hashlib.sha256(json.dumps(shown["digests"], separators=(",", ":")).encode()).digest()
    assert made.entries[4] == b"\x01" + bytes.fromhex(shown["batch"]) + (4).to_bytes(4, "big") + root
    assert "R" not in json.dumps(shown["digests"])


def test_equal_records_have_unequal_commitments(tmp_path):
    connection = duckdb.connect()
    connection.execute("CREATE TABLE same AS SELECT range AS seq, 'x' AS value FROM range(1000)")
    first = commit(connection, "same", {"value": ["value"]}, tmp_path / "a")
    second = commit(connection, "same", {"value": ["value"]}, tmp_path / "b")
    assert len({entry[21:] for entry in first.entries + second.entries}) == 2000


def test_a_second_call_after_a_crash_gives_the_same(connection, tmp_path):
    vault = tmp_path / "vault.parquet"
    first = commit(connection, "determinations", DETERMINATION, vault)
    assert commit(connection, "determinations", DETERMINATION, vault) == first
    assert stat.S_IMODE(vault.stat().st_mode) == 0o600


def test_a_destroyed_key_opens_nothing_and_leaves_the_rest(connection, tmp_path):
    vault = tmp_path / "vault.parquet"
    made = commit(connection, "determinations", DETERMINATION, vault)
    key = connection.execute("SELECT key FROM read_parquet(?) WHERE seq = 7", [str(vault)]).fetchone()[0]
    assert destroy(connection, vault, [7, 8, 99]) == 2
    with pytest.raises(AnswerIsNo, match="destroyed"):
        open_record(connection, "determinations", DETERMINATION, vault, seq=7)
    assert open_record(connection, "determinations", DETERMINATION, vault, seq=9).entry == made.entries[9]
    assert stat.S_IMODE(vault.stat().st_mode) == 0o600
    assert key.encode() not in vault.read_bytes()
    with pytest.raises(WrongInput, match="destroyed"):
        commit(connection, "determinations", DETERMINATION, vault)


@pytest.mark.parametrize("query", ["SELECT 1 AS seq", "SELECT 0 AS seq FROM range(2)", "SELECT 0 AS seq LIMIT 0"])
def test_gaps_and_repeats_are_refused(query, tmp_path):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE wrong AS SELECT *, 'x' AS value FROM ({query})")
    with pytest.raises(WrongInput, match="without gaps"):
        commit(connection, "wrong", {"value": ["value"]}, tmp_path / "vault")
    assert not (tmp_path / "vault").exists()


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), JSON, min_size=1, max_size=6))
def test_events_open_to_what_was_committed(fields):
    entry, whole = commit_event(fields)
    assert len(entry) == ENTRY_BYTES
    again = Opening.parse(whole.encode())
    assert (again.entry, again.fields()) == (entry, fields)
    name = next(iter(fields))
    one = again.only([name])
    assert (one.entry, one.fields()) == (entry, {name: fields[name]})


@settings(deadline=None)
@given(st.data())
def test_no_changed_opening_makes_the_same_entry_with_other_fields(data):
    entry, whole = commit_event({"outcome": "refused", "codes": ["FORM"], "seq": 3})
    raw = bytearray(whole.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = Opening.parse(bytes(raw))
        assert changed.entry != entry or changed.fields() == whole.fields()
    except (WrongInput, AnswerIsNo):
        pass


@settings(deadline=None)
@given(st.binary(max_size=400) | JSON.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_are_no_opening(data):
    with pytest.raises(WrongInput):
        Opening.parse(data)


def test_a_digest_list_is_no_disclosure():
    # a record of one field, and a field whose text is that record's list, must not be taken for each other
    _, whole = commit_event({"a": 1})
    listed = '["' + whole.digests[0] + '"]'
    forged = Opening(whole.batch, 0, (opening.digest(listed),), (listed,))
    with pytest.raises(AnswerIsNo):
        forged.fields()


def test_a_docket_from_before_the_unknown_was_told_apart_stays_provable(connection, tmp_path):
    """Its grounds are the fired rules alone; neither adding the column later nor taking it away goes unnoticed."""
    connection.execute("CREATE TABLE earlier AS SELECT * EXCLUDE (unknown) FROM determinations")
    assert determination(connection, "determinations") == DETERMINATION
    fields = determination(connection, "earlier")
    assert fields == {**DETERMINATION, "grounds": ("fired",)}
    made = commit(connection, "earlier", fields, tmp_path / "vault.parquet")
    assert commit(connection, "determinations", DETERMINATION, tmp_path / "vault.parquet").entries[0] != made.entries[0]
    opened = open_record(connection, "earlier", fields, tmp_path / "vault.parquet", seq=0, show=["grounds"])
    assert opened.entry == made.entries[0]
    assert opened.fields()["grounds"] == ['é\u2028\n\t\x1f"\\']
