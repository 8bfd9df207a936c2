"""Destroyed, a docket says nothing any more, the ledger verifies as before, and the accounting of disclosures stays."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import duckdb
import house
import pytest

from gatehouse.kernel.errors import AnswerIsNo, CustodianFault, WrongInput
from gatehouse.kernel.progress import silent
from gatehouse.ledger import policy as policies
from gatehouse.ledger import proof
from gatehouse.ledger.answer import Map, verify
from gatehouse.ledger.checkpoint import parse
from gatehouse.ledger.commitments import DETERMINATION, open_record
from gatehouse.ledger.proof import verify_proof
from gatehouse.ledger.tiles import TileReader
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import answers, closing, destruction, journey
from gatehouse.pipeline import record as records

LONG_AFTER = house.LATER + dt.timedelta(days=800)
WHY = "Retention schedule: two years"


@pytest.fixture
def closed(released):
    """Everything decided, released and answered."""
    board = released.office.casebook.board(house.NAME)
    from gatehouse.casework.states import State

    house.decide(released, "ann", "refuse", cases=board.states[State.HELD])
    assert closing.answer(released.connection, released.office, released.docket, LONG_AFTER)
    return released


def destroy(home, now=LONG_AFTER):
    return destruction.destroy(home.connection, home.office, house.NAME, WHY, now)


def proof_of(home, seq):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows AS FROM read_parquet('{home.docket.table('determinations')}')")
    opening = open_record(connection, "rows", DETERMINATION, home.docket.vault, seq=seq)
    [(index,)] = connection.execute("SELECT ledger_index FROM rows WHERE seq = $1", [seq]).fetchall()
    shown = parse((home.site.ledger / "checkpoint").read_bytes())
    return proof.prove_inclusion(TileReader(home.site.ledger, shown.size), index, shown, opening)


def test_it_is_gone_and_every_proof_still_verifies(closed):
    policy = policies.read(closed.site.policy)
    before = proof_of(closed, 5)
    tokens = [b"R-000005", verify_proof(before, policy).fields["request"].encode()]
    done = destroy(closed)
    verified = verify_log(closed.site.ledger, policy)
    assert verified.checkpoint.size > done.entry
    assert verify_proof(before, policy).fields["request"] == "R-000005"
    for path in closed.docket.root.rglob("*"):
        if path.is_file() and "pack" not in path.parts:
            assert not any(token in path.read_bytes() for token in tokens), path.name
    assert not closed.docket.vault.exists()
    assert not list(closed.docket.root.rglob("*.age"))


def test_who_was_disclosed_is_still_accounted_for(closed):
    answers.build(closed.connection, closed.office, LONG_AFTER)
    before = [verify_answer(closed, person) for person in range(12)]
    destroy(closed)
    answers.build(closed.connection, closed.office, LONG_AFTER)
    assert [verify_answer(closed, person) for person in range(12)] == before
    answers.check(closed.connection, closed.office)


def verify_answer(home, person):
    data = answers.answer(home.connection, home.site, person, Map.SEALED)
    return verify(data, policies.read(home.site.policy)).disclosures


def test_nothing_is_destroyed_while_it_may_be_needed(released, closed):
    with pytest.raises(WrongInput, match="why"):
        destruction.destroy(closed.connection, closed.office, house.NAME, " ", LONG_AFTER)
    with pytest.raises(AnswerIsNo, match="may still be used"):
        destroy(closed, house.LATER + dt.timedelta(days=1))
    assert closed.docket.vault.exists()


def test_requests_that_still_count_are_not_forgotten(released, closed, monkeypatch):
    """A docket that released nothing could be destroyed at once, and its officers and subjects would begin anew."""
    monkeypatch.setattr(destruction.Shelf, "releases", lambda *_: ())
    with pytest.raises(AnswerIsNo, match="still count"):
        destroy(closed, house.NOW + dt.timedelta(days=90))
    destroy(closed, house.NOW + dt.timedelta(days=91))


def test_an_open_docket_is_not_destroyed(released):
    with pytest.raises(AnswerIsNo, match="not closed"):
        destroy(released)


def test_a_crash_between_record_and_deletion_is_finished(closed, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(destruction, "_remains", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            destroy(closed)
    assert closed.docket.vault.exists()
    entry = destroy(closed).entry
    assert not closed.docket.vault.exists()
    assert destroy(closed).entry == entry
    with records.open_log(closed.site) as log:
        assert log.batch(f"{house.NAME}/destroyed") == range(entry, entry + 1)


def test_ledger_dockets_and_database_still_tell_one_story(closed):
    from gatehouse.pipeline import agreement

    before = agreement.compare(closed.connection, closed.site)
    destroy(closed)
    after = agreement.compare(closed.connection, closed.site)
    assert {one.what for one in after.differences} <= {one.what for one in before.differences}


def test_the_submission_cannot_come_again(closed, monkeypatch):
    destroy(closed)
    assert list(journey._earlier(closed.site, "us.dhs.ice")) == []


def test_a_submission_whose_docket_is_gone_is_refused_in_words_and_not_tried_again(closed, monkeypatch, tmp_path):
    signed = "0" * 64
    said = closed.docket.read_summary() | {"submission_digest": signed}
    closed.docket.summary.write_text(json.dumps(said))
    destroy(closed)
    monkeypatch.setattr(journey, "_identify", lambda _: (SimpleNamespace(id=house.NAME), signed))
    with pytest.raises(WrongInput, match="answered before, and its docket destroyed") as told:
        journey.run(closed.site, tmp_path, now=LONG_AFTER, progress=silent)
    assert not isinstance(told.value, CustodianFault)  # the agency's to mend: it is told, and nobody tries again
