"""Every example of every shipped pack decides as counsel wrote it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from gatehouse.law.evaluate import decide
from gatehouse.law.pack import load

PACKS = sorted(path.parent for path in Path("packs").glob("*/pack.toml"))


@pytest.mark.parametrize("folder", PACKS, ids=lambda path: path.name)
def test_examples(folder: Path):
    pack = load(folder)
    connection = duckdb.connect()
    assert pack.examples
    for example in pack.examples:
        decision = decide(pack, example.facts, example.as_of, connection)
        assert decision.outcome == example.outcome, (example.title, decision)
        if example.fired is not None:
            assert decision.fired == tuple(sorted(example.fired)), example.title
        if example.items is not None:
            assert decision.items == example.items, example.title
