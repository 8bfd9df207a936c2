"""Every example of every shipped pack decides as counsel wrote it, and would notice a broken rule."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gatehouse.law import examples
from gatehouse.law.reading import load

PACKS = sorted(path.parent for path in Path("packs").glob("*/pack.toml"))


def test_the_shipped_packs_are_here():
    assert [path.name for path in PACKS] == [
        "us-hipaa-164-512-f-2",
        "us-irs-6103-i-1",
        "us-irs-6103-i-2",
        "us-irs-6103-i-5",
        "us-privacy-act-552a-b-7",
    ]


@pytest.mark.parametrize("folder", PACKS, ids=lambda path: path.name)
def test_examples(folder: Path):
    pack = load(folder)
    _, failures = examples.run(pack)
    assert pack.examples
    assert not [(failure.example.title, failure.says) for failure in failures]


def test_a_wrong_expectation_is_a_failure():
    pack = load(PACKS[-1])
    first = dataclasses.replace(pack.examples[0], outcome="held")
    _, failures = examples.run(dataclasses.replace(pack, examples=(first, *pack.examples[1:])))
    assert [failure.example.title for failure in failures] == [first.title]
