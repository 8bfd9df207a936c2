"""The tree agrees with RFC 6962's own definition and with published vectors; wrong proofs never verify."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.ledger import tiles, tree

# the leaves and roots that implementations of RFC 6962 have shared since Certificate Transparency's first tests
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def reader(hashes):
    def read(level, index):
        part = hashes[index << level : (index + 1) << level]
        assert len(part) == 1 << level
        return tiles.tile_root(b"".join(part))

    return read


HASHES = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(600)]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size):
    hashes = [tree.leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert tree.range_hash(0, size, reader(hashes)).hex() == ROOTS[size]


@settings(deadline=None)
@given(st.data())
def test_inclusion_proofs_verify_and_nothing_else_does(data):
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    root = tree.range_hash(0, size, reader(HASHES))
    proof = tree.inclusion_proof(index, size, reader(HASHES))
    assert tree.verify_inclusion(HASHES[index], index, size, proof, root)
    other = data.draw(st.integers(0, 700).filter(lambda n: n != index))
    assert not tree.verify_inclusion(HASHES[index], other, size, proof, root)
    assert not tree.verify_inclusion(HASHES[index], index, size, [*proof, root], root)
    assert not tree.verify_inclusion(root, index, size, proof, root) or size == 1
    if proof:
        assert not tree.verify_inclusion(HASHES[index], index, size, proof[:-1], root)
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong = [*proof[:at], hashlib.sha256(proof[at]).digest(), *proof[at + 1 :]]
        assert not tree.verify_inclusion(HASHES[index], index, size, wrong, root)


@settings(deadline=None)
@given(st.data())
def test_consistency_proofs_verify_and_nothing_else_does(data):
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(0, new))
    read = reader(HASHES)
    old_root, new_root = tree.range_hash(0, old, read), tree.range_hash(0, new, read)
    proof = tree.consistency_proof(old, new, read)
    assert tree.verify_consistency(old, new, old_root, new_root, proof)
    assert not tree.verify_consistency(old, new, old_root, new_root, [*proof, new_root])
    forked = hashlib.sha256(new_root).digest()
    if old:
        assert not tree.verify_consistency(old, new, old_root, forked, proof)
        assert not tree.verify_consistency(old, new, forked, new_root, proof)
    if proof:
        assert not tree.verify_consistency(old, new, old_root, new_root, proof[:-1])
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong = [*proof[:at], hashlib.sha256(proof[at]).digest(), *proof[at + 1 :]]
        assert not tree.verify_consistency(old, new, old_root, new_root, wrong)


def test_all_small_trees_exhaustively():
    read = reader(HASHES)
    roots = [tree.range_hash(0, size, read) for size in range(40)]
    for new in range(1, 40):
        for index in range(new):
            proof = tree.inclusion_proof(index, new, read)
            right = [n for n in range(new) if tree.verify_inclusion(HASHES[n], index, new, proof, roots[new])]
            assert right == [index]
        for old in range(new + 1):
            proof = tree.consistency_proof(old, new, read)
            right = [n for n in range(1, 40) if tree.verify_consistency(old, n, roots[old], roots[n], proof)]
            assert new in right
            assert old == 0 or right == [new]


def test_an_index_beyond_the_tree_is_refused():
    # an implementation in wide use once accepted index 5 in a tree of 4
    read = reader(HASHES)
    proof = tree.inclusion_proof(1, 4, read)
    assert not tree.verify_inclusion(HASHES[5], 5, 4, proof, tree.range_hash(0, 4, read))


@pytest.mark.parametrize(
    ("index", "width", "name"),
    [(0, 256, "000"), (999, 1, "999.p/1"), (1000, 256, "x001/000"), (1234067, 255, "x001/x234/067.p/255")],
)
def test_tile_names(index, width, name):
    assert tiles.tile_name(1, index, width) == f"tile/1/{name}"
    assert tiles.entries_name(index, width) == f"tile/entries/{name}"
