"""Overseers' pages: halts signed in the browser's way, samples nobody chose, the log explained, rules counted."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.utils.html import escape
from doors import PASSWORD, ROWS, SITE

from gatehouse.casework.selection import Selection
from gatehouse.console import accounts, charts, explorer, halting, spotcheck
from gatehouse.console.reading import Reader
from gatehouse.kernel import clock
from gatehouse.ledger import halt, note
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.pipeline import events, halts


@pytest.fixture
def overseers(site):
    """Two overseers, one of whom can halt; both must sign to resume. What they sign stays on record."""
    private = [new_key(name)[0] for name in ("ig.example", "court.example")]
    signers = [parse_signer(text) for text in private]
    policy = SITE.root / halts.POLICY
    policy.write_text("".join(f"key {one.verifier.text}\n" for one in signers) + "halt 1\nresume 2\n")
    yield signers
    for path in (SITE.root / halts.WAITING).glob("*"):  # what is on record stays with its policy
        path.unlink()


def said(client, **form) -> tuple[str, str]:
    """Say something; gives the exact text to sign and the address of its page."""
    answer = client.post("/oversight/halts/check/", form)
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer.headers["Location"]).content.decode()
    found = re.search(r'name="text" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1]), answer.headers["Location"]


def test_one_overseer_halts_and_both_must_resume(overseers, signed_in, monkeypatch):
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)  # a clock that stands still: the ledger tells the order
    ig, court = overseers
    client = signed_in("inspector")
    text, page = said(client, action="halt", scope="agency us.dhs.ice", reason="A finding of 8 June.")
    assert not halts.is_halted(SITE, agency="us.dhs.ice", docket="ICE-1")
    sent = {"text": text.replace("\n", "\r\n"), "signature": note.sign_detached(text.encode(), ig)}
    assert client.post(page, sent).status_code == 302
    assert "You signed this" in client.get(page).content.decode()
    assert halts.is_halted(SITE, agency="us.dhs.ice", docket="ICE-1")
    assert not halts.is_halted(SITE, agency="us.doj.other", docket="DOJ-1")
    assert "A finding of 8 June." in client.get("/oversight/halts/").content.decode()
    officer, agency = signed_in("officer1"), signed_in("requester")
    for path in ("/dockets/", "/dockets/ICE-1/", "/dockets/ICE-1/queue/"):
        page = officer.get(path).content.decode()
        assert "Agency us.dhs.ice is halted" in page, path
        assert "A finding of 8 June." in page
    assert "Agency us.dhs.ice is halted" in client.get("/oversight/").content.decode()
    assert "is halted" not in officer.get("/dockets/DOJ-1/").content.decode()
    for path in ("/submissions/", "/submissions/ICE-1/"):
        page = agency.get(path).content.decode()
        assert "Overseers have halted releases" in page, path
        assert "A finding of 8 June." not in page
    assert "halted" not in signed_in("stranger").get("/submissions/").content.decode()

    form = {"action": "resume", "scope": "agency us.dhs.ice", "reason": "The finding is closed."}
    text, page = said(client, **form)
    accounts.create("clara", name="Clara Voss", role="inspector", password=PASSWORD)
    clara = signed_in("clara")
    assert client.post(page, {"text": text, "signature": note.sign_detached(text.encode(), ig)}).status_code == 302
    [waiting] = halting.board().waiting
    for whose, status, halted in ((client, 409, True), (clara, 302, False)):  # one person is one overseer
        at = whose.post("/oversight/halts/check/", {"waiting": waiting.name}).headers["Location"]
        line = note.sign_detached(text.encode(), court)
        answer = whose.post(at, {"text": text, "signature": line})
        assert answer.status_code == status
        assert ("you already signed this statement" in answer.content.decode()) == (status == 409)
        assert halts.is_halted(SITE, agency="us.dhs.ice", docket="ICE-1") is halted


def test_who_signed_at_the_command_line_is_no_second_voice_in_the_console(overseers, signed_in):
    ig, court = overseers
    scope = halt.Scope.parse("agency us.doj.other")
    text = halt.text(halt.Action.RESUME, scope, clock.now(), "The finding is closed.")
    halts.take(SITE, text, note.sign_detached(text.encode(), ig).strip(), clock.now())
    [waiting] = halting.board().waiting
    accounts.create("iris", name="example, IG", role="inspector", password=PASSWORD)
    client = signed_in("iris")
    at = client.post("/oversight/halts/check/", {"waiting": waiting.name}).headers["Location"]
    answer = client.post(at, {"text": text, "signature": note.sign_detached(text.encode(), court)})
    assert "you already signed this statement" in answer.content.decode()
    assert halting.board().waiting[0].said.signers == ("ig.example",)


def test_a_stranger_s_signature_halts_nothing(overseers, signed_in):
    client = signed_in("inspector")
    stranger = parse_signer(new_key("ig.example")[0])
    text, page = said(client, action="halt", scope="everything", reason="No.")
    line = note.sign_detached(text.encode(), stranger)
    assert client.post(page, {"text": text, "signature": line}).status_code == 409
    other = note.sign_detached(b"something else\n", overseers[0])
    assert client.post(page, {"text": text, "signature": other}).status_code == 409
    assert halts.standing(SITE) == []
    assert not list((SITE.root / halts.WAITING).glob("*"))


@pytest.mark.parametrize("scope", ["", "agency", "agency ../x", "docket a b", "nothing"])
def test_a_halt_of_an_impossible_scope_is_refused(overseers, signed_in, scope):
    form = {"action": "halt", "scope": scope, "reason": "Why."}
    assert signed_in("inspector").post("/oversight/halts/check/", form).status_code == 400


def test_a_spot_check_is_drawn_by_the_log_and_by_nobody(site, signed_in):
    reader = Reader(SITE.dockets / "ICE-1")
    one = spotcheck.plan(reader, {"outcome": "held"}, "a root")
    assert one.drawn == spotcheck.plan(reader, {"outcome": "held"}, "a root").drawn
    assert one.drawn != spotcheck.plan(reader, {"outcome": "held"}, "another root").drawn
    assert one.drawn != spotcheck.plan(reader, {"outcome": "held", "draw": "2"}, "a root").drawn
    assert {row["outcome"] for row in reader.lines(one.drawn)} == {"held"}
    assert one.population == reader.counts.outcomes["held"]
    assert one.bounds[0][1] <= one.population * 0.05
    page = signed_in("inspector").get("/oversight/dockets/ICE-1/spot-check/?outcome=held").content.decode()
    assert f"<strong>{len(one.drawn)}</strong>" in page


@pytest.mark.parametrize(
    "query",
    [
        "tolerated=0", "tolerated=x", "tolerated=1/0", "tolerated=1/2", "tolerated=1e1", "tolerated=%D9%A5",
        "tolerated=1.00001", "confidence=100", "draw=0",
    ],
)  # fmt: skip
def test_a_plan_out_of_range_is_refused_in_words(signed_in, query):
    answer = signed_in("inspector").get(f"/oversight/dockets/ICE-1/spot-check/?{query}")
    assert answer.status_code == 400
    assert b"out of range" in answer.content


def test_an_entry_is_explained_by_an_opening_that_makes_its_bytes(site, signed_in):
    found = explorer.entry(0)
    assert found is not None
    assert found.batch is not None
    assert found.batch.name == "site/founded"
    assert found.agrees
    assert dict(found.fields)["site"] == "gateway.example/test"
    opening = SITE.events / "founded.json"
    kept = opening.read_bytes()
    try:
        other = next(path for path in SITE.events.glob("pack-*.json")).read_bytes()
        opening.write_bytes(other)
        lying = explorer.entry(0)
        assert lying is not None
        assert lying.agrees is False
        assert lying.fields == ()
    finally:
        opening.write_bytes(kept)
    assert explorer.entry(10**9) is None
    page = signed_in("inspector").get("/oversight/log/?entry=0").content.decode()
    assert "Made again from its opening" in page


def test_what_went_in_is_said_in_words_beside_its_own_name(site, signed_in):
    batches = explorer.batches()
    assert batches
    page = signed_in("inspector").get("/oversight/log/").content.decode()
    for batch in batches[:25]:
        assert f"{escape(batch.words)}<br><code>{batch.event}</code>" in page
        assert batch.words == events.WORDS[events.kind(batch.name)], batch.name
    assert explorer.Batch("shard", 0, 0, "").words == "Link to the ledger of the year before"
    assert explorer.Batch("restored-3-9", 3, 8, "").words == "Entries from before a restore"


@pytest.mark.parametrize("highest", [0, 1, 4, 5, 79, 81, 2000, 1_280_000])
def test_a_scale_ends_at_a_round_number_above_the_highest(highest):
    chart = charts.columns([("a", highest), ("b", 0)])
    top = chart.ticks[-1][1]
    assert highest <= top <= max(4, highest * 3)
    assert [number for _, number in chart.ticks] == [top * share // 4 for share in range(5)]
    assert len(str(top).rstrip("0")) == 1
    assert chart.columns[0].top >= 0
    assert chart.columns[0].top + chart.columns[0].height == pytest.approx(chart.floor, abs=0.2)


def test_the_overview_counts_every_docket(site, signed_in):
    dockets = sum(1 for each in site.dockets.iterdir() if not each.name.startswith("."))
    assert dockets >= 2
    page = signed_in("inspector").get("/oversight/").content.decode()
    assert f"{dockets * ROWS:,} requests in {dockets} dockets" in page
    assert page.count('<svg class="gh-columns"') == 1
    for heading in ("Requests over time", "Answer ratio", "Outcome by rule", "Matters per officer"):
        assert f"<h2>{heading}</h2>" in page


def test_a_recalled_package_is_shown_at_the_head_of_every_page_that_it_concerns(site, signed_in):
    from gatehouse.store.models import CaseFile, Release

    now = clock.now()
    made = Release.objects.create(
        identifier="rel-taken-back", file=CaseFile.objects.get(docket="ICE-1"), batch="ICE-1-r1", officer="ICE-0042",
        cases=Selection.of([8]).pack(), digest="0" * 64, certificate="0" * 64, receipt_key="", matters=[],
        pack_digest="", sealed_at=now, published_at=now, recalled_at=now, expires_on=now.date(),
    )  # fmt: skip
    try:
        for username, paths in (
            ("officer1", ("/dockets/", "/dockets/ICE-1/", "/dockets/ICE-1/queue/")),
            ("inspector", ("/oversight/",)),
            ("requester", ("/submissions/", "/submissions/ICE-1/")),
        ):
            for path in paths:
                page = signed_in(username).get(path).content.decode()
                assert "1 package of ICE-1 recalled" in page, path
        assert "recalled" not in signed_in("officer1").get("/dockets/DOJ-1/").content.decode()
        assert "recalled" not in signed_in("stranger").get("/submissions/").content.decode()
        assert "rel-taken-" in signed_in("requester").get("/submissions/ICE-1/").content.decode()  # its id stays
    finally:
        made.delete()
