"""The dictionary against a plain dict: every index finds its own leaf or proves that it has none, and no path lies."""

from __future__ import annotations

import hashlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.ledger import dictionary


def tree(numbers, nonce="ab" * 16):
    """The indexes in order, the leaves, and the root."""
    indexes = sorted(dictionary.index_of(nonce, number) for number in numbers)
    leaves = [dictionary.leaf_hash(index, hashlib.sha256(index).digest()) for index in indexes]
    return indexes, leaves, dictionary.fold(dictionary.partings(indexes), leaves)


def recursive(indexes, leaves):
    """The root by the definition in docs/ledger.md: split at the first bit where the indexes differ."""
    if len(indexes) == 1:
        return leaves[0]
    bit = next(bit for bit in range(256) if len({dictionary.bit_of(index, bit) for index in indexes}) == 2)
    sides = [
        recursive(*zip(*[pair for pair in zip(indexes, leaves, strict=True) if dictionary.bit_of(pair[0], bit) == side],
                       strict=True))
        for side in (0, 1)
    ]  # fmt: skip
    return hashlib.sha256(b"\x21" + bytes([bit]) + sides[0] + sides[1]).digest()


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 2**63 - 1), min_size=1, max_size=60), st.integers(0, 2**63 - 1))
def test_it_answers_as_a_dict_does(numbers, other):
    indexes, leaves, root = tree(numbers)
    assert root == recursive(indexes, leaves)
    for number in [*numbers, other]:
        index = dictionary.index_of("ab" * 16, number)
        place, path = dictionary.descend(indexes, leaves, index)
        assert (indexes[place] == index) == (number in numbers)
        assert dictionary.root_of(path, index, leaves[place]) == root
        assert dictionary.agree(path, index, indexes[place])
        assert len(path) <= dictionary.STEP * dictionary.depth(dictionary.partings(indexes))


def test_the_longest_path_is_as_deep_as_is_said():
    for count in (1, 2, 3, 50, 400):
        indexes, leaves, _ = tree(range(count))
        longest = max(len(dictionary.descend(indexes, leaves, index)[1]) for index in indexes)
        assert longest == dictionary.STEP * dictionary.depth(dictionary.partings(indexes))


def test_no_change_to_a_path_leads_to_the_root():
    indexes, leaves, root = tree(range(300))
    chance = random.Random(3)  # noqa: S311 - repeatable changes
    for index in chance.sample(indexes, 20):
        place, path = dictionary.descend(indexes, leaves, index)
        other = chance.choice([one for one in indexes if one != index])
        assert dictionary.root_of(path, other, leaves[place]) != root
        for at in range(len(path)):
            changed = path[:at] + bytes([path[at] ^ 1 << chance.randrange(8)]) + path[at + 1 :]
            assert dictionary.root_of(changed, index, leaves[place]) != root
        for step in range(0, len(path), dictionary.STEP):
            assert dictionary.root_of(path[:step] + path[step + dictionary.STEP :], index, leaves[place]) != root
        assert dictionary.root_of(path + path[:33], index, leaves[place]) is None
        assert dictionary.root_of(path[:-1], index, leaves[place]) is None


def test_whoever_is_in_the_tree_cannot_be_shown_as_missing():
    indexes, leaves, root = tree(range(200))
    for index in indexes[::9]:
        for place, other in enumerate(indexes):
            if other != index:
                _, path = dictionary.descend(indexes, leaves, other)
                assert dictionary.root_of(path, index, leaves[place]) != root or not dictionary.agree(
                    path, index, other
                )


def test_an_index_is_what_sha256sum_says():
    assert dictionary.index_of("00" * 16, 4711).hex() == hashlib.sha256(
        b"gatehouse-answers/1 00000000000000000000000000000000 4711"
    ).hexdigest()  # fmt: skip
