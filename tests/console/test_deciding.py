"""Officers decide in the browser: four eyes, samples before many, signatures, and what is refused."""

from __future__ import annotations

import re
import shutil
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from doors import PASSWORD, SITE

from gatehouse.casework.approval import Proposal
from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, State
from gatehouse.console import deciding, desk
from gatehouse.kernel import clock
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import read_signer
from gatehouse.store.casebook import Casebook

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
    """Choose about one case; gives the page to sign, or what came instead."""
    answer = client.post("/dockets/ICE-1/decide/", {"seq": seq, "action": action, "reason": reason})
    return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer


def officer_of(client) -> str:
    from gatehouse.console.models import Account

    return Account.objects.get(pk=client.session["_auth_user_id"]).officer


def line(text: str, officer: str) -> str:
    """A signature line as the officer's own machine makes it."""
    return sign_detached(text.encode(), read_signer(SITE.root.parent / f"{officer}.key"))


def sign(client, page, **more):
    body = more.pop("body", hidden(page.content.decode(), "body"))
    form = {"body": body, "signature": line(body, officer_of(client)), **more}
    return client.post(page.request["PATH_INFO"], form)


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


def test_nothing_signs_for_an_officer_but_the_officers_key(site, signed_in):
    """A password did, with a key that the custodian's server kept: whoever ran the server could sign without it."""
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "approve")
    kept = SITE.keys / "officers"
    kept.mkdir()
    shutil.copy(SITE.root.parent / "do-1.key", kept)
    try:
        shown = client.get(page.request["PATH_INFO"]).content.decode()
        assert 'name="password"' not in shown
        answer = sign(client, page, signature="", password=PASSWORD)
    finally:
        shutil.rmtree(kept)
    assert answer.status_code == 409
    assert "Nothing was signed" in answer.content.decode() or "nothing was signed" in answer.content.decode()
    assert state("ICE-1", seq) is State.CLEARED


@pytest.mark.parametrize(
    "reason", ["", "ok", "   ", "yes yes yes yes", "x " * 50_000, "It is lawful \u202edefiled si ti\u202c for them."]
)
def test_no_reason_no_decision(site, signed_in, reason):
    """And none that is endless, or reads otherwise than it is written."""
    from gatehouse.pipeline import approve

    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "approve", reason)
    assert 'name="body"' not in page.content.decode()
    assert deciding.question(Action.APPROVE) in unescape(page.content.decode())
    proposal = Proposal("ICE-1", Action.APPROVE, Selection.of([seq]), reason)
    key = read_signer(SITE.root.parent / "do-1.key")
    with pytest.raises(Blocked, match="reason"):  # nor from the command line
        approve.decide(approve.office(SITE), "do-1", proposal, signer=key, now=clock.now())
    assert state("ICE-1", seq) is State.CLEARED
    mended = client.post(page.request["PATH_INFO"], {"reason": REASON})
    assert mended.status_code == 302
    assert REASON in client.get(mended.headers["Location"]).content.decode()


def test_a_reason_with_a_taxpayer_number_is_warned_of_before_it_is_signed(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    for number in ("900-70-0001", "900700001", "900 70 0001", "900\u201370\u20130001", "\uff19\uff10\uff10-70-0001",
                   "\u0669\u0660\u0660-\u0667\u0660-\u0660\u0660\u0660\u0661",
                   "900.70.0001", "900 - 70 - 0001", "90-0700001", "900 700 001"):  # fmt: skip
        page = propose(client, seq, "refuse", f"The person with {number} is another one.").content.decode()
        assert "nine digits like a taxpayer number" in page
    page = propose(client, seq, "refuse", "The letter 12345678901234 of the agency withdraws it.").content.decode()
    assert "nine digits" not in page


def test_what_was_shown_is_what_is_signed(site, signed_in):
    first, other = cases(site, "ICE-1", State.CLEARED)[1:3]
    client = signed_in("officer1")
    page = propose(client, first, "approve")
    exchanged = propose(client, other, "approve")
    stolen = hidden(exchanged.content.decode(), "body")
    assert sign(client, page, body=stolen).status_code == 409
    changed = hidden(page.content.decode(), "body").replace("approve", "refuse", 1)
    assert sign(client, page, body=changed).status_code == 409
    assert state("ICE-1", first) is State.CLEARED


def test_a_step_keeps_what_was_typed_through_back_refresh_and_errors(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "approve")
    address = page.request["PATH_INFO"]
    assert client.get(address).content.decode().split("<main")[1].count(REASON) >= 1
    same = hidden(client.get(address).content.decode(), "body")
    assert same == hidden(page.content.decode(), "body")  # a signature made elsewhere still fits after a refresh
    request_id = desk.docket("ICE-1").lines([seq])[0]["request_id"]
    assert request_id in page.content.decode()
    listed = client.get(f"{address}cases.txt")
    assert listed.content.decode() == f"{request_id}\n"
    failed = sign(client, page, signature=line(same, "do-2"))
    assert failed.status_code == 409
    assert "the key of officer do-1 did not sign" in failed.content.decode()
    assert REASON in failed.content.decode()
    assert 'name="body"' in failed.content.decode()
    changed = client.get(f"{address}?answer=1").content.decode()
    assert f"{REASON}</textarea>" in changed
    back = re.search(r'class="gh-change" href="([^"]*)"', page.content.decode())
    assert back
    case = client.get(unescape(back[1]).partition("#")[0]).content.decode()
    assert f"{REASON}</textarea>" in case
    assert re.search(r'value="approve"[^>]* checked', case)
    assert signed_in("officer2").get(address).status_code == 404  # nobody else's


def test_a_session_that_ends_on_a_signing_page_comes_back_to_it(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "approve")
    address = page.request["PATH_INFO"]
    form = {"body": hidden(page.content.decode(), "body")}
    client.logout()
    answer = client.post(address, form, headers={"Referer": f"http://testserver{address}"})
    assert answer.headers["Location"] == f"/sign-in/?next={address.replace('/', '%2F')}"
    entered = {"username": "officer1", "password": PASSWORD, "next": address}
    back = client.post("/sign-in/", entered, follow=True)
    assert back.status_code == 200
    assert REASON in back.content.decode()


def test_nobody_signs_in_anothers_name(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    mine, other = signed_in("officer1"), signed_in("officer2")
    page = propose(mine, seq, "approve")
    assert sign(other, page).status_code == 404
    theirs = propose(other, seq, "approve")
    assert sign(other, theirs, body=hidden(page.content.decode(), "body")).status_code == 409
    assert state("ICE-1", seq) is State.CLEARED


def test_an_officer_signs_with_a_key_that_the_site_does_not_hold(site, signed_in):
    seq = cases(site, "ICE-1", State.CLEARED)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "refuse")
    text = hidden(page.content.decode(), "body")
    assert sign(client, page, signature=line(text, "do-2")).status_code == 409
    signed = sign(client, page, signature=line(text, "do-1"))
    assert signed.status_code == 302, signed.content.decode().split("<main")[1]
    assert state("ICE-1", seq) is State.REFUSED


def test_a_held_case_without_one_agreeing_record_cannot_be_cleared(site, signed_in):
    clearable = Casebook().file("ICE-1").clearable
    seq = next(seq for seq in cases(site, "ICE-1", State.HELD) if seq not in clearable)
    client = signed_in("officer1")
    assert "Nobody chooses among candidates" in client.get(f"/dockets/ICE-1/cases/{seq}/").content.decode()
    assert sign(client, propose(client, seq, "clear")).status_code == 409
    assert state("ICE-1", seq) is State.HELD


def begin(client, state: str, action: str) -> str:
    form = {"state": state, "rule": "", "action": action, "reason": REASON}
    answer = client.post("/dockets/DOJ-1/decide/", form)
    assert answer.status_code == 302
    return answer.headers["Location"]


def work_through(client, page: str, wrong: int = 0):
    """Open every case of a sample and mark it; gives the last answer."""
    drawn = Casebook().sample(page.rstrip("/").rpartition("/")[2])
    assert drawn
    answer = None
    for number, seq in enumerate(drawn.drawn):
        client.get(f"/dockets/DOJ-1/cases/{seq}/?sample={drawn.id}")
        answer = client.post(page, {"seq": seq, "finding": "wrong" if number < wrong else "right"})
        assert answer.status_code == 302
    return answer


def test_many_cases_at_once_need_a_sample_that_was_worked_through(site, signed_in):
    client = signed_in("officer1")
    waiting = cases(site, "DOJ-1", State.CLEARED)
    location = begin(client, "cleared", "approve")
    page = client.get(location).content.decode()
    assert f"all {len(waiting)}" in page
    assert client.get(location.replace("DOJ-1", "ICE-1")).status_code == 404
    assert signed_in("officer2").get(location).status_code == 404
    refused = client.post(location)  # with none opened
    assert refused.status_code == 400
    assert "have no mark yet" in refused.content.decode()
    drawn = Casebook().sample(location.rstrip("/").rpartition("/")[2])
    assert drawn
    unopened = client.post(location, {"seq": next(iter(drawn.drawn)), "finding": "right"})
    assert unopened.status_code == 400
    assert "not been opened yet" in unopened.content.decode()
    case = client.get(f"/dockets/DOJ-1/cases/{next(iter(drawn.drawn))}/?sample={drawn.id}").content.decode()
    assert f"Case 1 of {len(drawn.drawn)} of your sample" in case
    assert work_through(client, location).headers["Location"] == location
    done = client.post(location)
    shown = client.get(done.headers["Location"])
    text = shown.content.decode()
    assert REASON in text  # typed before the sample was drawn
    assert f"{len(drawn.drawn)} of {len(waiting)} cases looked at, 0 found wrong" in text
    assert sign(client, shown).status_code == 302
    assert cases(site, "DOJ-1", State.APPROVED_ONCE) == waiting


def test_a_sample_with_a_wrong_case_stops_the_bulk(site, signed_in):
    client = signed_in("officer2")
    before = cases(site, "DOJ-1", State.HELD)
    location = begin(client, "held", "clear")
    work_through(client, location, wrong=1)
    done = client.post(location)
    assert sign(client, client.get(done.headers["Location"])).status_code == 409
    assert "The bulk decision is not possible" in client.get(location).content.decode()
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


def test_a_recall_by_rule_with_none_chosen_says_so(signed_in, site):
    client = signed_in("officer1")
    form = {"kind": "rule", "rule": "", "reason": "The rule was wrong about these cases."}
    answer = client.post("/dockets/ICE-1/recall/", form)
    assert answer.status_code in {302, 400}
    page = (client.get(answer.headers["Location"]) if answer.status_code == 302 else answer).content.decode()
    assert "no rule was chosen. Choose the rule that stops the cases" in page
    assert "no rule ." not in page


def test_without_scripts_a_signing_page_says_how_to_sign(site, signed_in):
    """What needs a script is hidden until one runs; the way without one is a form of its own, and it works."""
    seq = cases(site, "ICE-1", State.HELD)[1]
    client = signed_in("officer1")
    page = propose(client, seq, "refuse", "Nobody on file is the person named.")
    text = page.content.decode()
    assert '<div id="sign-in-browser" hidden>' in text
    assert (
        "<noscript><p>Signing with a key file on this page needs JavaScript. Without it, sign on another machine"
        in text
    )
    exact = hidden(text, "body")
    upload = SimpleUploadedFile("to-sign-1.txt.sig", f"{line(exact, 'do-1')}\n".encode())
    assert client.post(page.request["PATH_INFO"], {"body": exact, "signatures": upload}).status_code == 302
    assert state("ICE-1", seq) is State.REFUSED


STRANGE = {
    "a lone surrogate": '{"officer": "do-1", "docket": "ICE-1", "action": "refuse", "reason": "\\ud800"}',
    "a surrogate as a name": '{"officer": "do-1", "docket": "ICE-1", "\\udfff": 1}',
    "lists and objects for texts": '{"officer": "do-1", "docket": "ICE-1", "action": [], "reason": {"x": [[1]]}}',
    "no end of nesting": '{"officer": "do-1", "docket": "ICE-1", "reason": ' + "[" * 100_000,
    "a number without end": '{"officer": "do-1", "docket": "ICE-1", "decided_at": 1e999, "selection": NaN}',
}  # fmt: skip


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_no_strange_value_in_what_comes_back_is_a_failure_of_ours(site, signed_in, body):
    """It is this officer's and this docket's, and nothing like what was shown."""
    seq = cases(site, "ICE-1", State.HELD)[0]
    client = signed_in("officer1")
    page = propose(client, seq, "refuse", "Nobody on file is the person named.")
    client.raise_request_exception = False
    answer = client.post(page.request["PATH_INFO"], {"body": body, "signature": line("something else", "do-1")})
    assert answer.status_code in {400, 409}, answer.status_code
    assert state("ICE-1", seq) is State.HELD
