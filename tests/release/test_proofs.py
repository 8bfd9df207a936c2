from __future__ import annotations

import hashlib

import duckdb
import house
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.casework.selection import Selection
from gatehouse.determine import opened
from gatehouse.kernel import canonical
from gatehouse.ledger import policy, tree
from gatehouse.ledger.tiles import TileReader
from gatehouse.release import certificate, proofs


def leaf(index: int) -> bytes:
    return hashlib.sha256(index.to_bytes(4, "big")).digest()


def node(level: int, index: int) -> bytes:
    return leaf(index) if level == 0 else tree.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


@given(st.integers(1, 70), st.data())
def test_climbing_gives_the_audit_path_of_rfc_6962(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    assert proofs.audit_path(index, size, node) == tree.inclusion_proof(index, size, node)


def test_records_are_opened_as_the_ledger_committed_them(released: house.House) -> None:
    """Every determination, also refused ones: the texts made here must be those that were committed, to the byte."""
    checkpoint = policy.read(released.site.policy).accept((released.site.ledger / "checkpoint").read_bytes())
    reader, pool = TileReader(released.site.ledger, checkpoint.size), certificate.Pool()
    received = opened.check(released.docket).received
    with duckdb.connect() as connection:
        connection.read_parquet(str(released.docket.table("determinations"))).create_view("determinations")
        proofs.take(
            connection, determinations="determinations", vault=released.docket.vault,
            cases=Selection.of(range(12)), target="taken",
        )  # fmt: skip
        made = list(
            proofs.records(
                connection, taken="taken", cases=Selection.of(range(12)), items={seq: [] for seq in range(12)},
                read=proofs.shared(reader), size=checkpoint.size, pool=pool,
            )
        )  # fmt: skip
    outcomes = []
    for record in made:
        opening = certificate.opened(received.batch, record, where="test")
        path = [pool.nodes[number] for number in record.proof]
        leaf_hash = tree.leaf_hash(opening.entry)
        at = received.first + record.seq
        assert tree.verify_inclusion(leaf_hash, at, checkpoint.size, path, checkpoint.root)
        assert set(opening.fields()) == {"request", "answer"}
        outcomes.append(opening.fields()["answer"]["outcome"])
    assert outcomes == ["held"] * 2 + ["cleared"] * 9 + ["incomplete"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_09", max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_the_fast_encoding_is_the_canonical_one(value: object) -> None:
    try:
        expected = canonical.encode(value)
    except UnicodeEncodeError:
        return
    assert certificate.encode(value) == expected
