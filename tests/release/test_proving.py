"""One field of one determination is opened with a proof, to both verifiers; the others stay closed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import house
import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import policy as policies
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.proof import Proof, verify_proof
from gatehouse.pipeline import proving

STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"


def case(home, request="R-000005", **more):
    return proving.prove_case(home.connection, home.site, home.docket, request, **more)


def test_one_field_is_opened_and_no_other(released, tmp_path):
    data = case(released, show=["answer"])
    policy = policies.read(released.site.policy)
    proven = verify_proof(data, policy)
    assert set(proven.fields) == {"answer"}
    assert proven.fields["answer"]["outcome"] == "cleared"
    assert len(Opening.parse(Proof.parse(data).extra).digests) == 4
    assert b"R-000005" not in Proof.parse(data).extra
    (tmp_path / "case").write_bytes(data)
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    stranger = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stranger)
    theirs = stranger.check_proof(str(tmp_path / "case"), stranger.Policy(str(released.site.policy)))
    assert theirs == (proven.index, proven.checkpoint.size, proven.checkpoint.root, proven.fields)


def test_without_a_choice_everything_but_the_person_is_shown(released):
    fields = verify_proof(case(released), policies.read(released.site.policy)).fields
    assert set(fields) == {"request", "answer", "grounds"}
    assert fields["request"] == "R-000005"


def test_the_person_is_shown_to_nobody(released):
    for show in (["person"], ["answer", "person"], ["nonsense"], []):
        with pytest.raises(WrongInput, match="fields of a determination are request, answer, grounds"):
            case(released, show=show)
    with pytest.raises(WrongInput, match="no determination of this request"):
        case(released, request="R-999999")


def test_an_event_is_opened(released):
    policy = policies.read(released.site.policy)
    whole = verify_proof(proving.prove_event(released.site, released.docket.root / "events/received.json"), policy)
    assert whole.fields["docket"] == house.NAME
    part = proving.prove_event(released.site, released.site.events / "founded.json", ["event"])
    assert verify_proof(part, policy).fields == {"event": "founded"}
    with pytest.raises(WrongInput, match="the event's fields are"):
        proving.prove_event(released.site, released.site.events / "founded.json", ["secret"])


def test_after_a_destruction_nothing_can_be_opened(released):
    (released.docket.root / "events/destroyed.json").write_text("{}")
    with pytest.raises(AnswerIsNo, match="destroyed"):
        case(released)
