"""Why a case stopped, as a page says it: what decided, what followed, what could not be known, in the law's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatehouse.console.law import for_a_fact, not_known, provisions, why
from gatehouse.law.evaluate import decide
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load

FOUND_BY = ("corroboration", "tin_agrees", "birth_date_agrees", "period_filed", "restricted")


@pytest.fixture(scope="module")
def irs() -> Pack:
    return load(Path("packs/us-irs-6103-i-2"))


def determined(irs: Pack, **changes: object) -> tuple[dict[str, object], dict[str, object]]:
    example = irs.examples[0]
    facts = {**example.facts, **changes}
    made = decide(irs, facts, example.as_of)
    return {"fired": list(made.fired), "unknown": list(made.unknown), "as_of": example.as_of}, facts


def test_nobody_found_is_one_reason_and_the_rules_about_a_record_are_not_named(irs: Pack):
    row, facts = determined(irs, persons_agreeing=0, **dict.fromkeys(FOUND_BY))
    told = why(irs, row, facts)
    assert [entry.rule for entry in told.decided] == ["identity-exactly-one"]
    assert (told.further, told.unknown) == ([], [])
    assert told.unseen == len(row["unknown"]) > 0
    assert not_known(irs, [(rule, 7) for rule in row["unknown"]]) == [("What is on file about the person", "", 7)]


def test_a_missing_ceiling_is_named_for_what_it_is(irs: Pack):
    row, facts = determined(irs, officer_matters_hold=None)
    told = why(irs, row, facts)
    assert [entry.rule for entry in told.decided] == ["ceiling-officer-hold"]
    assert for_a_fact(row) == ["ceiling-officer-hold"]
    assert [cases for _, _, cases in not_known(irs, [("ceiling-officer-hold", 3)])] == [3]


def test_what_would_have_done_less_is_folded(irs: Pack):
    row, facts = determined(irs, address_verdict="not_an_address", reason_length=5, proceeding="civil_removal")
    told = why(irs, row, facts)
    assert [entry.rule for entry in told.decided] == ["i2-criminal-proceeding"]
    assert {"i2-address", "ceiling-short-reason"} <= {entry.rule for entry in told.further}


def test_the_provision_is_shown_with_the_quote_marked(irs: Pack):
    [shown] = provisions(irs, "i2-reason")
    assert shown.identifier == "/us/usc/t26/s6103/i/2/B/iv"
    assert "release point" in shown.published
    words = [piece for _, pieces in shown.lines for piece, quoted in pieces if quoted]
    assert words == [irs.by_id["i2-reason"].quote]
    assert provisions(irs, "mou-signer") == provisions(irs, "no-grant") == ()
