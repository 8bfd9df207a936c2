"""No bytes bring a reader of the ledger down, and no changed input says anything but what was signed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
import ledger as fuzz

KINDS = sorted(
    ["checkpoint", "proof", "opening", "answer", "bundle", "policy", "halt", "stamp", "request", "key", *fuzz.DOCUMENTS]
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    pytest.importorskip("rfc3161_client", reason="the timestamps extra is not installed")
    return fuzz.World(tmp_path_factory.mktemp("fuzz"))


def test_the_good_ones_are_read(world):
    assert sorted(world.seeds) == KINDS
    for kind in set(KINDS) - {"stamp", "halt"}:
        assert world.read(kind, world.seeds[kind]) is not None, kind


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=200))
def test_noise_is_refused(world, kind, noise):
    said = world.read(kind, noise)
    assert said is None or kind in {"policy", "request"}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 40_000), drop=st.integers(0, 40), put=st.binary(max_size=40))
@pytest.mark.slow
def test_a_spliced_input_is_read_or_refused_alike(world, kind, at, drop, put):
    good = world.seeds[kind]
    at %= len(good) + 1
    spliced = good[:at] + put + good[at + drop :]
    said = world.read(kind, spliced)
    if kind == "answer" and said is not None:
        assert said.disclosures == world.read(kind, good).disclosures


@pytest.mark.parametrize("kind", fuzz.DOCUMENTS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.binary(min_size=4, max_size=16))
def test_an_edited_document_says_nothing_but_what_was_signed(world, kind, edits):
    changed = fuzz.edited(world.seeds[kind], edits)
    said = world.read(kind, changed)
    if kind == "certificate" and said is not None:
        assert said == world.read(kind, world.seeds[kind])


@pytest.mark.parametrize("kind", fuzz.DOCUMENTS)
@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"received_at":' * 50_000, b"[" * 500 + b"]" * 500])
def test_a_deep_document_is_refused(world, kind, deep):
    assert world.read(kind, deep) is None


@pytest.mark.parametrize("depth", [60, 300])
def test_maps_that_are_keys_of_maps_cost_nothing(world, depth):
    """Found by fuzzing: writing such a map again in canonical form takes twice as long with each level."""
    assert world.read("answer", b"\xa1" * depth + b"\xa0" + b"\x00" * depth) is None
