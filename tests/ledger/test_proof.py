"""Proof files: only the untouched one proves anything, and reading any bytes is safe."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import checkpoint, note, policy, proof, signers, tiles, tree
from gatehouse.ledger.commitments import commit_event

SIGNER = signers.parse_signer(signers.new_key("log.example/2026")[0])
POLICY = policy.without_witnesses(SIGNER.verifier)
ENTRY, OPENING = commit_event({"event": "recall", "count": 3, "reason": None})
HASHES = [tree.leaf_hash(hashlib.sha512(bytes([n])).digest()[:53]) for n in range(20)]
HASHES[11] = tree.leaf_hash(ENTRY)


class Memory(tiles.TileReader):
    def __init__(self):
        pass

    def node(self, level, index):
        return tiles.tile_root(b"".join(HASHES[index << level : (index + 1) << level]))


ROOT = tree.range_hash(0, 20, Memory().node)
PUBLISHED = checkpoint.of_note(note.sign(checkpoint.body("log.example/2026", 20, ROOT), SIGNER))
GOOD = proof.prove_inclusion(Memory(), 11, PUBLISHED, OPENING)


def test_a_proof_proves():
    proven = proof.verify_proof(GOOD, POLICY)
    assert (proven.index, proven.entry, proven.fields) == (11, ENTRY, {"event": "recall", "count": 3, "reason": None})
    assert proof.Proof.parse(GOOD).encode() == GOOD
    bare = proof.prove_inclusion(Memory(), 11, PUBLISHED)
    assert proof.verify_entry(bare, ENTRY, POLICY).index == 11
    with pytest.raises(AnswerIsNo, match="not at the stated place"):
        proof.verify_entry(bare, ENTRY[:-1] + bytes([ENTRY[-1] ^ 1]), POLICY)
    with pytest.raises(WrongInput, match="contains no opening"):
        proof.verify_proof(bare, POLICY)
    with pytest.raises(WrongInput, match="does not cover"):
        proof.prove_inclusion(Memory(), 20, PUBLISHED)


def test_every_changed_bit_is_noticed():
    for position in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[position] ^= 1 << position % 8
        with pytest.raises((AnswerIsNo, WrongInput)):
            proof.verify_proof(bytes(changed), POLICY)


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, len(GOOD)), st.integers(0, 400))
def test_spliced_bytes_prove_nothing(noise, start, length):
    spliced = GOOD[:start] + noise + GOOD[start + length :]
    if spliced != GOOD:
        with pytest.raises((AnswerIsNo, WrongInput)):
            proof.verify_proof(spliced, POLICY)
