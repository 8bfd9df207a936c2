"""Officers decide in the browser: four eyes, samples before many, signatures, and what is refused."""

from __future__ import annotations

import re
from html import unescape

import pytest
from doors import PASSWORD, SITE

from gatehouse.casework.states import State
from gatehouse.console import deciding

REASON = "I compared the file with the request and both name the same person."


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


def state(docket: str, seq: int) -> State | None:
    board = deciding.board(docket)
    assert board is not None
    return board.state_of(seq)


def cases(site, docket: str, wanted: State) -> list[int]:
    board = deciding.board(docket)
    assert board is not None
    return list(board.states[wanted])


def propose(client, seq: int, action: str, reason: str = REASON):
    return client.post("/dockets/ICE-1/decide/", {"seq": seq, "action": action, "reason": reason})


def sign(client, page, **more):
    text = page.content.decode()
    form = {"body": hidden(text, "body"), "selection": hidden(text, "selection"), "password": PASSWORD, **more}
    return client.post("/dockets/ICE-1/sign/", form)


def test_a_release_needs_two_different_officers(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[0]
    first, second = signed_in("officer1"), signed_in("officer2")
    assert sign(first, propose(first, seq, "approve")).status_code == 302
    assert state("ICE-1", seq) is State.APPROVED_ONCE
    again = sign(first, propose(first, seq, "approve"))
    assert again.status_code == 409
    assert state("ICE-1", seq) is State.APPROVED_ONCE
    assert sign(second, propose(second, seq, "approve")).status_code == 302
    assert state("ICE-1", seq) is State.APPROVED_TWICE
    history = first.get(f"/dockets/ICE-1/cases/{seq}/").content.decode()
    assert history.count("<strong>Approved</strong> by") == 2
    refused = first.get("/dockets/ICE-1/decisions/").content.decode()
    assert "Same person" in refused


def test_signing_asks_for_the_password_again(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    assert sign(client, propose(client, seq, "approve"), password="wrong").status_code == 403
    assert state("ICE-1", seq) is State.CLEARED


@pytest.mark.parametrize("reason", ["", "ok", "   ", "yes yes yes yes"])
def test_no_reason_no_decision(site, signed_in, reason):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "approve", reason)
    if 'name="body"' in page.content.decode():
        assert sign(client, page).status_code == 409
    assert state("ICE-1", seq) is State.CLEARED


def test_what_was_shown_is_what_is_signed(site, signed_in):
    first, other = cases(site, "ICE-1", State.CLEARED)[1:3]
    client = signed_in("officer1")
    page = propose(client, first, "approve")
    exchanged = propose(client, other, "approve")
    stolen = hidden(exchanged.content.decode(), "selection")
    assert sign(client, page, selection=stolen).status_code == 409
    changed = hidden(page.content.decode(), "body").replace("approve", "refuse", 1)
    assert sign(client, page, body=changed).status_code == 409
    assert state("ICE-1", first) is State.CLEARED


def test_nobody_signs_in_anothers_name(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    mine, other = signed_in("officer1"), signed_in("officer2")
    page = propose(mine, seq, "approve")
    assert sign(other, page).status_code == 409
    assert state("ICE-1", seq) is State.CLEARED


def test_an_officer_signs_with_a_key_that_the_site_does_not_hold(site, signed_in):
    from gatehouse.ledger.note import sign_detached
    from gatehouse.ledger.signers import read_signer

    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "refuse")
    text = hidden(page.content.decode(), "body")
    signature = sign_detached(text.encode(), read_signer(SITE.keys / "officers" / "do-1.key"))
    wrong = sign_detached(text.encode(), read_signer(SITE.keys / "officers" / "do-2.key"))
    assert sign(client, page, signature=wrong, password="").status_code == 409
    signed = sign(client, page, signature=signature, password="")
    assert signed.status_code == 302, signed.content.decode().split("<main")[1]
    assert state("ICE-1", seq) is State.REFUSED


def test_a_held_case_without_one_agreeing_record_cannot_be_cleared(site, signed_in):
    from gatehouse.store.casebook import Casebook

    clearable = Casebook().file("ICE-1").clearable
    seq = next(seq for seq in cases(site, "ICE-1", State.HELD) if seq not in clearable)
    client = signed_in("officer1")
    assert "Nobody chooses among candidates" in client.get(f"/dockets/ICE-1/cases/{seq}/").content.decode()
    assert sign(client, propose(client, seq, "clear")).status_code == 409
    assert state("ICE-1", seq) is State.HELD


def test_many_cases_at_once_need_an_examined_sample(site, signed_in):
    client = signed_in("officer1")
    waiting = cases(site, "DOJ-1", State.CLEARED)
    answer = client.post("/dockets/DOJ-1/decide/", {"state": "cleared", "rule": "", "action": "approve"})
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"])
    assert f"all {len(waiting)}" in page.content.decode()
    assert client.get(answer.headers["Location"].replace("DOJ-1", "ICE-1")).status_code == 404
    assert signed_in("officer2").get(answer.headers["Location"]).status_code == 404
    shown = client.post(answer.headers["Location"], {"found": "0", "reason": REASON})
    text = shown.content.decode()
    form = {"body": hidden(text, "body"), "selection": hidden(text, "selection"), "password": PASSWORD}
    assert client.post("/dockets/DOJ-1/sign/", form).status_code == 302
    assert cases(site, "DOJ-1", State.APPROVED_ONCE) == waiting


def test_a_sample_with_a_wrong_case_stops_the_bulk(site, signed_in):
    client = signed_in("officer2")
    before = cases(site, "DOJ-1", State.HELD)
    answer = client.post("/dockets/DOJ-1/decide/", {"state": "held", "rule": "", "action": "clear"})
    shown = client.post(answer.headers["Location"], {"found": "1", "reason": REASON})
    text = shown.content.decode()
    form = {"body": hidden(text, "body"), "selection": hidden(text, "selection"), "password": PASSWORD}
    assert client.post("/dockets/DOJ-1/sign/", form).status_code == 409
    assert cases(site, "DOJ-1", State.HELD) == before


def test_an_account_that_is_no_officer_of_the_roster_cannot_decide(site, signed_in):
    client = signed_in("unlinked")
    seq = cases(site, "ICE-1", State.HELD)[0]
    assert "not linked to an officer" in client.get(f"/dockets/ICE-1/cases/{seq}/").content.decode()
    assert propose(client, seq, "refuse").status_code == 400


def test_a_form_from_elsewhere_is_refused(site, signed_in):
    client = signed_in("officer1", enforce_csrf_checks=True)
    seq = cases(site, "ICE-1", State.HELD)[0]
    assert propose(client, seq, "refuse").status_code == 403


def test_opening_a_case_is_recorded(site, signed_in):
    from gatehouse.console.models import Opening

    before = Opening.objects.filter(docket="ICE-1", seq=8).count()
    signed_in("officer2").get("/dockets/ICE-1/cases/8/")
    assert Opening.objects.filter(docket="ICE-1", seq=8).count() == before + 1
