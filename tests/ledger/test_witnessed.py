"""The time of an entry is its witnesses': a stated time outside of their cosignatures is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import checkpoint, cosignature, note, signers, witnessed
from gatehouse.ledger.policy import parse_policy
from gatehouse.ledger.signers import Algorithm

LOG = signers.parse_signer(signers.new_key("log.example/2026")[0])
WITNESSES = [
    signers.parse_signer(signers.new_key(f"w.example/{name}", Algorithm.ED25519_COSIGNATURE)[0]) for name in "abc"
]
LINES = [f"log {LOG.key_text}", *(f"witness {one.name[-1]} {one.key_text}" for one in WITNESSES)]
TWO_OF_THREE = parse_policy("\n".join([*LINES, "group outside 2 a b c", "quorum outside"]).encode())
NOBODY = parse_policy("\n".join([*LINES, "quorum none"]).encode())
NOON = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def shown(size, *times):
    """A checkpoint that the first witnesses cosigned at these instants."""
    signed = note.sign(checkpoint.body("log.example/2026", size, bytes(32)), LOG)
    lines = [
        cosignature.cosign(witness, signed.text, int(time.timestamp()))
        for witness, time in zip(WITNESSES, times, strict=False)
    ]
    return checkpoint.of_note(signed.plus(lines))


@given(st.integers(1, 1 << 32), st.integers(0, 2))
def test_one_witness_of_two_needed_cannot_move_the_time_before_the_others(liar, place):
    times = [NOON, NOON + HOUR]
    times.insert(place, dt.datetime.fromtimestamp(liar, dt.UTC))
    assert NOON <= witnessed.cosigned_at(shown(5, *times), TWO_OF_THREE) <= NOON + HOUR


def test_too_few_cosignatures_give_no_time():
    with pytest.raises(AnswerIsNo, match="quorum"):
        witnessed.cosigned_at(shown(5, NOON), TWO_OF_THREE)


def test_a_policy_without_witnesses_knows_no_time():
    framed = witnessed.frame(3, [shown(2, NOON), shown(9, NOON)], NOBODY)
    assert framed == witnessed.Frame(None, None)
    assert framed.why_not(NOON - 1000 * HOUR) is None


def test_the_tightest_frame_is_taken():
    known = [shown(size, at, at) for size, at in ((2, NOON - 9 * HOUR), (4, NOON - HOUR), (5, NOON), (9, NOON + HOUR))]
    assert witnessed.frame(4, known, TWO_OF_THREE) == witnessed.Frame(NOON - HOUR, NOON)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        (NOON, None),
        (NOON - 11 * dt.timedelta(minutes=1), "had not seen it at 2025-09-01T12:00:00Z"),
        (NOON - dt.timedelta(minutes=9), None),
        (NOON + HOUR + dt.timedelta(minutes=9), None),
        (NOON + HOUR + dt.timedelta(minutes=11), "had seen it by 2025-09-01T13:00:00Z"),
        (NOON.date(), None),
        (dt.date(2025, 8, 31), "had not seen it"),
        (dt.date(2025, 9, 2), "had seen it"),
    ],
)
def test_what_is_stated_lies_between_the_cosignatures(stated, why):
    found = witnessed.Frame(NOON, NOON + HOUR).why_not(stated)
    assert found is None if why is None else why in found


def test_a_quiet_ledger_gives_no_choice_of_dates():
    quiet = witnessed.Frame(NOON - dt.timedelta(days=30), NOON)
    assert quiet.why_not(NOON - witnessed.LAG) is None
    assert "more than 72 hours later" in quiet.why_not(NOON - witnessed.LAG - HOUR)
    assert "more than 72 hours later" in quiet.why_not(dt.date(2025, 8, 28))


def test_a_backdated_statement_is_refused_in_one_line():
    with pytest.raises(AnswerIsNo) as refused:
        witnessed.refuse(dt.date(2025, 8, 7), witnessed.Frame(NOON, None), "the release", where="certificate.json")
    assert "the release is dated 2025-08-07, but witnesses had not seen it at 2025-09-01T12:00:00Z" in str(
        refused.value
    )
