"""A drill of reviewers: known cases among real ones, a copy that releases nothing, and an interval that is exact."""

from __future__ import annotations

import json
from fractions import Fraction
from math import comb
from pathlib import Path

import duckdb
import house
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.casework.approval import Proposal
from gatehouse.casework.sampling import interval
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, State
from gatehouse.cli.main import cli
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.pipeline import approve, release, review
from gatehouse.pipeline.site import open_site

KNOWN = review.read_known(review.KNOWN)
COPY = f"{house.NAME}-review-1"
WHY = "Read the request beside the record and found what stops it."


@pytest.fixture
def home(tmp_path: Path) -> house.House:
    """A site with twelve held cases; the tests' own, because a drill leaves entries in its ledger."""
    return house.build(tmp_path, requests=16, held=12)


def begin(home: house.House, out: Path, *, planted: int = 4, cases: int = 10, seed: int = 7) -> review.Begun:
    return review.begin(
        home.connection, home.site, house.NAME, out, now=house.NOW, known=KNOWN, planted=planted, cases=cases, seed=seed
    )


def key_of(out: Path) -> dict[str, str]:
    return dict(json.loads((out / review.KEY).read_bytes())["known"])


def requests(out: Path) -> dict[int, tuple[str, str, str]]:
    table = out / "site" / "dockets" / COPY / "requests.parquet"
    rows = duckdb.execute(f"SELECT seq, request_id, reason, matter_number FROM '{table}' ORDER BY seq").fetchall()
    return {seq: tuple(rest) for seq, *rest in rows}


def decide(home: house.House, out: Path, officer: str, action: Action, seqs: list[int]) -> None:
    place = approve.office(open_site(out / "site"))
    for seq in seqs:
        proposal = Proposal(COPY, action, Selection.of([seq]), WHY)
        approve.decide(place, officer, proposal, signer=home.staff[officer], now=house.NOW)


def test_known_cases_lie_among_real_ones_and_nothing_but_their_fault_tells_them(home: house.House, tmp_path: Path):
    before = {path: digests.of_file(path) for path in home.docket.root.rglob("*") if path.is_file()}
    out = tmp_path / "review"
    begun = begin(home, out)
    assert (begun.cases, begun.planted, begun.docket) == (10, 4, COPY)
    known, asked = key_of(out), requests(out)
    assert len(known) == 4
    assert len({request for request, *_ in asked.values()}) == 10
    assert sorted(asked) == list(range(10))
    faults = {(each.column, each.value) for each in KNOWN}
    for request, reason, matter in asked.values():
        assert (request in known) == (("reason", reason) in faults or ("matter_number", matter) in faults)
    assert [request in known for request, *_ in asked.values()] != sorted(
        (request in known for request, *_ in asked.values()), reverse=True
    ), "they do not stand together"
    assert {path: digests.of_file(path) for path in home.docket.root.rglob("*") if path.is_file()} == before


def test_the_same_seed_plants_the_same(home: house.House, tmp_path: Path):
    assert [begin(home, tmp_path / name).docket[-2:] for name in ("one", "two")] == ["-1", "-2"]
    assert key_of(tmp_path / "one") == key_of(tmp_path / "two")


def test_officers_catches_are_counted_with_intervals_and_entered_for_oversight(home: house.House, tmp_path: Path):
    out = tmp_path / "review"
    begin(home, out)
    known = key_of(out)
    planted = [seq for seq, (request, *_) in requests(out).items() if request in known]
    real = [seq for seq, (request, *_) in requests(out).items() if request not in known]
    decide(home, out, "ann", Action.REFUSE, planted[:2])
    decide(home, out, "bob", Action.CLEAR, planted[2:3])
    decide(home, out, "bob", Action.CLEAR, real[:3])
    decide(home, out, "ann", Action.RETURN, real[3:4])
    found = review.measure(home.site, out, house.LATER)
    assert (found.planted, found.undecided, found.real_stopped, found.real_decided) == (4, 1, 1, 4)
    assert (found.all.caught, found.all.decided) == (2, 3)
    assert {each.of: (each.caught, each.decided) for each in found.officers} == {"ann": (2, 2), "bob": (0, 1)}
    assert found.all.low == pytest.approx(0.0943, abs=1e-3)
    assert found.all.high == pytest.approx(0.9916, abs=1e-3)
    report = home.site.root / "reviews" / f"{COPY}.json"
    entries = [json.loads(path.read_bytes())["shown"] for path in home.site.events.glob("review-*-measured.json")]
    assert digests.of_file(report) in json.dumps(entries)


def test_nothing_of_a_drill_is_released_whatever_is_approved(home: house.House, tmp_path: Path):
    out = tmp_path / "review"
    begin(home, out)
    real = [seq for seq, (request, *_) in requests(out).items() if request not in key_of(out)][:2]
    decide(home, out, "ann", Action.CLEAR, real)
    decide(home, out, "ann", Action.APPROVE, real)
    decide(home, out, "bob", Action.APPROVE, real)
    place = approve.office(open_site(out / "site"))
    assert len(place.casebook.board(COPY).states[State.APPROVED_TWICE]) == 2
    with pytest.raises(AnswerIsNo, match="is never released"):
        release.release(home.connection, place, COPY, house.LATER)
    assert list((out / "site" / "dockets" / COPY / "releases").iterdir()) == []
    (out / "site" / "dockets" / COPY / "drill.json").unlink()
    with pytest.raises(AnswerIsNo, match="a file of the docket is missing"):
        release.release(home.connection, place, COPY, house.LATER)


def test_a_key_that_was_changed_after_the_beginning_measures_nothing(home: house.House, tmp_path: Path):
    out = tmp_path / "review"
    begin(home, out)
    key = json.loads((out / review.KEY).read_bytes())
    key["known"].popitem()
    (out / review.KEY).write_text(json.dumps(key))
    with pytest.raises(AnswerIsNo, match="differs from the one that the site's ledger holds"):
        review.measure(home.site, out, house.LATER)


def test_a_drill_that_cannot_be_is_refused_and_leaves_nothing(home: house.House, tmp_path: Path):
    for planted in (12, 40):
        with pytest.raises(WrongInput, match="too few"):
            begin(home, tmp_path / "review", planted=planted, cases=12)
    with pytest.raises(WrongInput, match="must be outside the site"):
        begin(home, home.site.root / "review")
    assert not (tmp_path / "review").exists()
    assert not (home.site.root / "review").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind,column,value\n", "no known case"),
        ("kind,column\nx,reason\n", "line 2"),
        ("kind,column,value\nx,secret,y\n", "no column"),
        ("kind,column,value\nx,request_id,y\n", "no column"),
        ("kind,column,value\nx,reason,\n", "line 2"),
        ("kind,column,value\nx,reason,a,b\n", "line 2"),
    ],
)
def test_known_cases_of_ones_own_are_read_strictly(tmp_path: Path, text: str, says: str):
    path = tmp_path / "known.csv"
    path.write_text(text)
    with pytest.raises(WrongInput, match=says):
        review.read_known(path)


def test_the_command_begins_and_measures(
    home: house.House, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T12:10:00Z")
    site, out = ("--site", str(home.site.root)), str(tmp_path / "review")
    cli.main(
        ["drill", "review", *site, "--docket", house.NAME, "--out", out, "--planted", "3", "--json"],
        standalone_mode=False,
    )
    assert json.loads(capsys.readouterr().out)["planted"] == 3
    cli.main(["drill", "review", *site, "--measure", out], standalone_mode=False)
    assert "3 known cases, 3 not decided yet" in capsys.readouterr().out


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_the_interval_is_the_exact_one(hits: int, misses: int):
    of = hits + misses
    low, high = interval(hits, of)
    assert 0 <= low <= (hits / of if of else 0) <= high <= 1

    def at_most(most: int, share: float) -> float:
        p = Fraction(share)
        return float(sum(comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(most + 1)))

    if hits:
        assert 1 - at_most(hits - 1, low) == pytest.approx(0.025, abs=1e-4)
    if misses:
        assert at_most(hits, high) == pytest.approx(0.025, abs=1e-4)
