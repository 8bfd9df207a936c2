"""The published vectors of another implementation of RFC 6962 (transparency-dev/merkle): ours and the stranger's agree.

One rule differs on purpose: an old size of 0 with an empty proof is refused by that library and accepted here, because
c2sp.org/tlog-witness demands it. Those vectors are named below.
"""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path

import pytest

from gatehouse.ledger import tree

VECTORS = json.loads((Path(__file__).parent / "vectors" / "transparency-dev-merkle.json").read_bytes())
STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"


def raw(text):
    return base64.b64decode(text or "")


def steps(vector):
    return [raw(step) for step in vector["proof"] or []]


@pytest.fixture(scope="module")
def stranger():
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_are_there():
    assert [len(VECTORS[kind]) for kind in ("inclusion", "consistency")] == [98, 98]
    for kind in ("inclusion", "consistency"):
        assert {vector["wantErr"] for vector in VECTORS[kind].values()} == {True, False}


@pytest.mark.parametrize("name", VECTORS["inclusion"])
def test_inclusion(name, stranger):
    vector = VECTORS["inclusion"][name]
    leaf, index, size, root = raw(vector["leafHash"]), vector["leafIdx"], vector["treeSize"], raw(vector["root"])
    assert tree.verify_inclusion(leaf, index, size, steps(vector), root) is not vector["wantErr"]
    try:
        # that a root has 32 bytes is checked where the stranger reads a checkpoint
        theirs = len(root) == 32 and stranger.root_from_path(leaf, index, size, steps(vector)) == root
    except stranger.Failure:
        theirs = False
    assert theirs is not vector["wantErr"]


@pytest.mark.parametrize("name", VECTORS["consistency"])
def test_consistency(name):
    vector = VECTORS["consistency"][name]
    sizes, roots = (vector["size1"], vector["size2"]), (raw(vector["root1"]), raw(vector["root2"]))
    holds = tree.verify_consistency(*sizes, *roots, steps(vector))
    if sizes[0] == 0:
        assert holds is (roots[0] == tree.EMPTY_ROOT and not steps(vector) and (sizes[1] > 0 or roots[1] == roots[0]))
    else:
        assert holds is not vector["wantErr"]
