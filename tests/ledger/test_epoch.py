"""An epoch against a plain dict: every answer is that list, page by page, and no other, in both maps."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import commitments, cosignature, dictionary, epoch, signers, tree, witnessed
from gatehouse.ledger.answer import Answer, Map, Stated, verify
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import parse_policy, without_witnesses
from gatehouse.ledger.signers import Algorithm

STRANGER = Path(__file__).parents[2] / "verifier" / "verify_answer.py"

DAY = dt.date(2026, 3, 1)
NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
SIGNER = signers.parse_signer(signers.new_key("log.example/2026")[0])
COLUMNS = "person_id BIGINT, entry BIGINT, released_on DATE, agency VARCHAR, items VARCHAR, told_from DATE"


def build(folder, persons, disclosures, **more):
    connection = duckdb.connect()
    connection.execute("CREATE TABLE persons AS SELECT unnest($1::BIGINT[]) AS person_id", [list(persons)])
    connection.execute(f"CREATE TABLE disclosures ({COLUMNS})")
    if disclosures:
        connection.executemany("INSERT INTO disclosures VALUES (?, ?, ?, ?, ?, ?)", disclosures)
    return connection, epoch.build(connection, "persons", "disclosures", DAY, folder / "epoch", **more)


def pages(folder, connection, built, person, which):
    """Every page of a person's answer, each through its own file, verified."""
    stated = {str(one): Stated(built.as_of, 10**6, built.nonce, built.root(one)).document() for one in Map}
    entry, opening = commitments.commit_event({"event": "answers", **stated})
    with Log.create(folder / f"{person}-{which}", SIGNER, state=folder / f"state-{person}-{which}") as log:
        log.append("a", [hashlib.sha512(bytes([n])).digest()[:53] for n in range(3)])
        earlier = log.publish(NOW)
        index = log.append("b", [entry])
        shown = log.publish(NOW)
        proof = b"".join(tree.inclusion_proof(index, shown.size, log.reader().node))
    found = epoch.find(connection, built, person, which)
    said = []
    for page in range(1, len(found.pages) + 1) or [0]:
        data = Answer(
            which, person, opening.only([str(which)]), index, proof, earlier.encoded.decode(), shown.encoded.decode(),
            found.path, found.leaf, found.salt, dictionary.page_digests(found.pages), page,
            found.pages[page - 1] if page else b"",
        )  # fmt: skip
        said.append(verify(data.encode(), without_witnesses(SIGNER.verifier)))
        assert len(data.encode()) < 4000
    return said


ROWS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(0, 2),
        st.sampled_from([dt.date(2025, 8, 7), dt.date(2026, 2, 1)]),
        st.sampled_from(["us.dhs.ice", "b.c"]),
        st.sampled_from(["last_known_address", "a,b", ",".join(["a_long_item"] * 12)]),
        st.sampled_from([None, dt.date(2026, 3, 1), dt.date(2026, 3, 2)]),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, asked=st.integers(0, 40))
def test_it_answers_as_a_dict_does(tmp_path_factory, rows, asked):
    folder = tmp_path_factory.mktemp("epoch")
    connection, built = build(folder, range(31), rows)
    model = {}
    for person, entry, day, agency, items, told in rows:
        model.setdefault(person, []).append((entry, day, agency, items, told))
    for which in Map:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("gatehouse.ledger.answer._stated", _lenient)
            said = pages(folder, connection, built, asked, which)
        assert all(one.registered is (asked <= 30) for one in said)
        wanted = [row for row in model.get(asked, []) if which is Map.SEALED or (row[4] is not None and row[4] <= DAY)]
        told = [
            (one.entry, one.released_on, one.agency, one.items, one.told_from)
            for page in said
            for one in page.disclosures
        ]
        assert sorted(map(str, told)) == sorted(str((*row[:3], _shown(row[3]), row[4])) for row in wanted)
        assert len(said) == max(1, -(-len(wanted) // 4))


def _shown(items):
    return items if len(items) < 60 else f"*{items.count(',') + 1}"


def _lenient(parsed, _where):
    # the entries covered are more than this test's small ledger has
    value = parsed.epoch.fields()[str(parsed.map)]
    return Stated(dt.date.fromisoformat(value["as_of"]), value["entries"], value["nonce"], bytes.fromhex(value["root"]))


@pytest.mark.parametrize(
    ("persons", "disclosures", "says"),
    [
        ([], [], "numbers must be whole"),
        ([1, 1], [], "each appearing once"),
        ([1, -1], [], "0 or greater"),
        ([1], [(2, 1, DAY, "a", "b", None)], "a person who is not in the register"),
        ([1], [(1, 1, DAY, "a" * 120, "b", None)], "too long"),
    ],
)
def test_what_is_not_sound_is_refused(tmp_path, persons, disclosures, says):
    with pytest.raises(WrongInput, match=says):
        build(tmp_path, persons, disclosures)


def test_on_several_processors_the_roots_are_the_same(tmp_path, monkeypatch):
    drawn = ("ab" * 16, bytes(32))
    rows = [(number, number, DAY, "a", "b", DAY) for number in range(0, 9000, 500)]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    _, alone = build(tmp_path / "one", range(9000), rows, drawn=drawn)
    monkeypatch.setattr(epoch, "_WORTHWHILE", 1000)
    _, together = build(tmp_path / "two", reversed(range(9000)), rows, drawn=drawn)
    assert (alone.notice, alone.sealed, alone.width) == (together.notice, together.sealed, together.width)
    assert alone.notice != alone.sealed


def test_nothing_is_readable_by_others(tmp_path):
    _, built = build(tmp_path, range(5), [(1, 1, DAY, "a", "b", None)])
    assert built.folder.stat().st_mode & 0o077 == 0


WITNESSES = [
    signers.parse_signer(signers.new_key(f"w.example/{name}", Algorithm.ED25519_COSIGNATURE)[0]) for name in "abc"
]
LINES = [f"log {SIGNER.key_text}", *(f"witness {one.name[-1]} {one.key_text}" for one in WITNESSES)]
WITNESSED = parse_policy("\n".join([*LINES, "group outside 2 a b c", "quorum outside"]).encode())


@pytest.mark.parametrize(
    ("as_of", "before", "after", "why"),
    [
        (NOW.date(), NOW, NOW, None),
        (NOW.date() + dt.timedelta(days=365), NOW, NOW, "had seen it by"),
        (NOW.date() - dt.timedelta(days=30), NOW, NOW, "had not seen it"),
        (NOW.date() + dt.timedelta(days=365), NOW, NOW + dt.timedelta(days=365), "too far apart"),
    ],
    ids=["its own day", "a year ahead", "a month back", "the checkpoint after it held back for a year"],
)
def test_the_day_of_an_answer_is_borne_out_by_its_witnesses(tmp_path, as_of, before, after, why):
    connection, built = build(tmp_path, range(8), [])
    stated = {str(one): Stated(as_of, 3, built.nonce, built.root(one)).document() for one in Map}
    entry, opening = commitments.commit_event({"event": "answers", **stated})

    def publish(log, time):
        signed = log.publish(NOW).note
        lines = [cosignature.cosign(one, signed.text, int(time.timestamp())) for one in WITNESSES[:2]]
        return signed.plus(lines).encoded.decode()

    with Log.create(tmp_path / "log", SIGNER, state=tmp_path / "state") as log:
        log.append("a", [hashlib.sha512(bytes([n])).digest()[:53] for n in range(3)])
        earlier = publish(log, before)
        index = log.append("b", [entry])
        shown = publish(log, after)
        proof = b"".join(tree.inclusion_proof(index, index + 1, log.reader().node))
    found = epoch.find(connection, built, 5, Map.NOTICE)
    data = Answer(
        Map.NOTICE, 5, opening.only(["notice"]), index, proof, earlier, shown, found.path, found.leaf, found.salt,
        dictionary.page_digests(found.pages), 1, found.pages[0],
    ).encode()  # fmt: skip
    assert len(data) < 4096
    if why is None:
        assert verify(data, WITNESSED, not_before=as_of).framed == witnessed.Frame(before, after)
    else:
        with pytest.raises(AnswerIsNo, match=why):
            verify(data, WITNESSED, not_before=as_of)
    policy = tmp_path / "my.policy"
    policy.write_text("\n".join([*LINES, "group outside 2 a b c", "quorum outside", ""]))
    (tmp_path / "5.answer").write_bytes(data)
    program = [sys.executable, str(STRANGER), str(tmp_path / "5.answer"), "--policy", str(policy)]
    assert subprocess.run(program, check=False, capture_output=True).returncode == (0 if why is None else 1)


@given(st.integers(1, 300))
def test_the_last_entrys_path_is_all_of_the_tree_before_it(size):
    leaves = [tree.leaf_hash(bytes([number % 256, number // 256])) for number in range(size)]

    def node(level, index):
        part = leaves[index << level : (index + 1) << level]
        return part[0] if level == 0 else tree.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    proof = tree.inclusion_proof(size - 1, size, node)
    assert tree.root_before_last(proof) == tree.range_hash(0, size - 1, node)
