"""Decisions on the command line: a sample is worked through case by case, and a statement names the state it saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import house
import pytest

from gatehouse.casework.board import Blocked
from gatehouse.casework.states import State
from gatehouse.cli.main import cli
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import signers

Run = Callable[..., str]


@pytest.fixture
def run(small: house.House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`gatehouse approve` at the house; a key file stands for the key of whoever it is called after."""
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T12:10:00Z")
    monkeypatch.setattr(signers, "read_signer", lambda path: small.staff[Path(path).stem])

    def approve(*arguments: object) -> str:
        capsys.readouterr()
        given = ("approve", house.NAME, "--site", small.site.root, *arguments)
        cli.main([str(one) for one in given], prog_name="gatehouse", standalone_mode=False)
        return capsys.readouterr().out

    return approve


def keys(folder: Path, *names: str) -> list[Path]:
    made = [folder / f"{name}.key" for name in names]
    for path in made:
        path.touch()
    return made


def test_a_sample_is_signed_only_when_each_of_its_cases_is_marked(small: house.House, run: Run, tmp_path: Path) -> None:
    [ann] = keys(tmp_path, "ann")
    marks = tmp_path / "marks.csv"
    chosen = ("--officer", "ann", "--all-cleared")
    drawn = json.loads(run(*chosen, "--sample", "--marks", marks, "--json"))
    assert marks.read_text() == "request_id,mark\n" + "".join(f"{one},\n" for one in drawn["requests"])
    assert marks.stat().st_mode & 0o077 == 0
    with pytest.raises(WrongInput, match="the file exists"):
        run(*chosen, "--sample", "--marks", marks)
    decide = (*chosen, "--key", ann, "--reason", house.REASON, "--examined", drawn["sample"])
    with pytest.raises(WrongInput, match="have no marks"):
        run(*decide)
    first, *others = drawn["requests"]
    for text, fault in (
        (f"{first},right\n", f"{len(others)} of {len(others) + 1} cases"),
        (f"{first},\n", "line 2"),
        (f"{first},maybe\n", "line 2"),
        (f"{first},right\n{first},right\n", "line 3"),
        ("R-999999,right\n", "line 2"),
        (f"{first},right,x\n", "line 2"),
    ):
        marks.write_text(f"request_id,mark\n{text}")
        with pytest.raises(WrongInput, match=fault):
            run(*decide, "--marks", marks)
    assert not small.office.casebook.board(house.NAME).states[State.APPROVED_ONCE]
    marks.write_text("request_id,mark\n" + "".join(f"{one},right\n" for one in drawn["requests"]))
    run(*decide, "--marks", marks)
    assert len(small.office.casebook.board(house.NAME).states[State.APPROVED_ONCE]) == 9


def test_one_case_marked_wrong_stops_the_bulk_decision(small: house.House, run: Run, tmp_path: Path) -> None:
    [ann] = keys(tmp_path, "ann")
    marks, chosen = tmp_path / "marks.csv", ("--officer", "ann", "--all-cleared")
    drawn = json.loads(run(*chosen, "--sample", "--json"))
    found = ["wrong", *["right"] * (len(drawn["requests"]) - 1)]
    marks.write_text(
        "request_id,mark\n" + "".join(f"{one},{mark}\n" for one, mark in zip(drawn["requests"], found, strict=True))
    )
    with pytest.raises(Blocked, match="1 of the"):
        run(*chosen, "--key", ann, "--reason", house.REASON, "--examined", drawn["sample"], "--marks", marks)
    assert small.office.casebook.sample(drawn["sample"]).found == 1  # type: ignore[union-attr]


def test_a_statement_names_the_state_that_was_seen(
    small: house.House, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = keys(tmp_path, "ann", "bob")
    request = ("--request", "R-000004")
    seen = json.loads(run("--officer", "ann", *request, "--preview", "--json"))
    assert seen["requests"] == ["R-000004"]
    run("--officer", "bob", "--key", bob, *request, "--reason", house.REASON)
    with pytest.raises(Blocked, match="after you looked at them"):
        run("--officer", "ann", "--key", ann, *request, "--reason", house.REASON, "--seen", seen["seen"])
    again = json.loads(run("--officer", "ann", *request, "--preview", "--json"))
    run("--officer", "ann", "--key", ann, *request, "--reason", house.REASON, "--seen", again["seen"])
    assert len(small.office.casebook.board(house.NAME).states[State.APPROVED_TWICE]) == 1


def test_what_was_decided_on_since_the_draw_is_not_signed_by_it(small: house.House, run: Run, tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    ann, bob = keys(tmp_path, "ann", "bob")
    marks, chosen = tmp_path / "marks.csv", ("--officer", "ann", "--all-cleared")
    drawn = json.loads(run(*chosen, "--sample", "--json"))
    marks.write_text("request_id,mark\n" + "".join(f"{one},right\n" for one in drawn["requests"]))
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T12:11:00Z")
    run("--officer", "bob", "--key", bob, "--request", "R-000004", "--reason", house.REASON)
    with pytest.raises(Blocked, match="after the sample was drawn"):
        run(*chosen, "--key", ann, "--reason", house.REASON, "--examined", drawn["sample"], "--marks", marks)
