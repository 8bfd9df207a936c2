"""An inspector's note of a size and a root, compared with the ledger as it is later."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import signers, since
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import without_witnesses
from gatehouse.ledger.since import Noted
from gatehouse.ledger.verify import verify_log

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
SIGNER = signers.parse_signer(signers.new_key("log.example/2026")[0])
POLICY = without_witnesses(SIGNER.verifier)


def entries(count, salt=b""):
    return [hashlib.sha512(salt + bytes([number])).digest()[:53] for number in range(count)]


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A ledger that was noted at three entries and has nine."""
    root = tmp_path_factory.mktemp("grown")
    with Log.create(root / "ledger", SIGNER, state=root / "state") as log:
        log.append("a", entries(3))
        first = log.publish(NOW)
        log.append("b", entries(2, b"b"))
        log.publish(NOW)
        log.append("c", entries(4, b"c"))
        last = log.publish(NOW)
    verify_log(root / "ledger", POLICY)
    return root / "ledger", first, last


def test_a_ledger_that_continues_the_note_says_what_came_since(grown):
    root, first, last = grown
    for text in (f"{first.size} {first.root.hex()}", f"{first.size}:{first.root.hex()}\n", str(root / "checkpoints/3")):
        noted = since.read_noted(text)
        assert [(one.size, one.root) for one in noted] == [(3, first.root)]
        found = since.compare(root, last, noted, POLICY)
        assert (found.entries, [one.size for one in found.steps]) == (6, [5, 9])


def test_another_history_of_the_same_log_does_not_continue_the_note(grown, tmp_path):
    _, first, _ = grown
    with Log.create(tmp_path / "ledger", SIGNER, state=tmp_path / "state") as log:
        log.append("a", entries(20, b"another"))
        newest = log.publish(NOW)
    with pytest.raises(AnswerIsNo, match="history was rewritten"):
        since.compare(tmp_path / "ledger", newest, [Noted(3, first.root)], POLICY)


def test_a_shorter_ledger_is_refused(grown):
    root, _, last = grown
    with pytest.raises(AnswerIsNo, match="has 9 entries, but 10 were seen"):
        since.compare(root, last, [Noted(10, bytes(32))], POLICY)


@pytest.mark.parametrize("text", ["", "12", "3 abc", "-3 " + "0" * 64, "nowhere"])
def test_what_is_no_note_is_told_so(text):
    with pytest.raises(WrongInput, match="Write SIZE ROOT"):
        since.read_noted(text)
