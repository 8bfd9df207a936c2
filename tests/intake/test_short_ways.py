"""The judges take short ways where a text needs no full reading: each must give what the full reading gives.

Each is closed in turn, and the published corpora, with texts made of the judges' own lists, are judged again.
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import duckdb
import pytest

from gatehouse.intake import officers, placeholders, wordlists
from gatehouse.intake.reasons import judge, verdict

CORPUS = Path(__file__).parents[1] / "hostile" / "elements"
PLAIN = ("MARIA", "LI", "X", "XX", "ZZZZ", "DOE", "JOHN", "HTTP", "ASDF", "WEI", "SMITH")


def column(name: str, *files: str) -> list[str]:
    """One column of some files of the corpora."""
    found = []
    for file in files:
        with (CORPUS / f"{file}.csv").open(encoding="utf-8", newline="") as stream:
            found += [row[name] for row in csv.DictReader(stream)]
    return found


def names() -> list[str]:
    """The corpora of officers, and two or three words, of which some stand in a list and some in none."""
    listed = sorted({" ".join(lines).split()[0] for lines in wordlists.sections("officer_words.txt").values()})
    made = itertools.chain(
        itertools.product(PLAIN, [*listed, *PLAIN]), itertools.product(listed, PLAIN),
        itertools.product(PLAIN[:4], listed, PLAIN[-2:]),
    )  # fmt: skip
    return column("officer_name", "officers-tuned", "officers-reported") + [" ".join(words) for words in made]


def test_names_of_unknown_words(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [(name, title) for name in names() for title in ("Special Agent", name)]
    short = [officers.judge(*each) for each in given]
    monkeypatch.setattr(officers, "_unknown_words", lambda folded: False)
    assert [officers.judge(*each) for each in given] == short
    assert {finding.verdict for finding in short} == {"person", "placeholder", "role_only"}


def test_every_mask_has_its_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = ("XXXXX", "case XX of", "____", "***", "[NAME]", "{date}", "<?>", "%NAME%", "MM/DD", "01/YYYY",
             "(INSERT fact)", "(DATE", "FIRST NAME", "LASTNAME")  # fmt: skip
    written = [f"The subject fled on 3 May; {mask} is needed to serve a subpoena" for mask in masks]
    texts = written + column("text", "reasons_tuning", "reasons_reporting", "reasons_fresh")
    with duckdb.connect() as db:
        db.execute(
            "CREATE TABLE given AS SELECT unnest(range(len($1))) AS seq, unnest($1::VARCHAR[]) AS reason", [texts]
        )
        judged = []
        for signs in (verdict._MASK_SIGNS, ("",)):
            monkeypatch.setattr(verdict, "_MASK_SIGNS", signs)
            judge(db, "given", "judged", "seq")
            judged.append(db.execute("FROM judged ORDER BY seq").fetchall())
    assert judged[0] == judged[1]
    assert [row[1] for row in judged[0][: len(masks)]] == ["placeholder"] * len(masks)


def test_runs_of_keys_and_phrases_said_again() -> None:
    known = placeholders._compacted(placeholders.ANY)
    for phrase in sorted(known)[:200]:
        for times in range(2, 5):
            assert placeholders._said_again(phrase * times, known), phrase
    for run in ("ASDFGH", "QWERTYASD", "ABCDEFXYZ", "ZXCVBNMASDFGHJKL", "AAAABBBB"):
        assert placeholders.mash(run), run
    assert placeholders.mash("ASDFGHX") is None
    assert placeholders.mash("MARIAASDF") is None
