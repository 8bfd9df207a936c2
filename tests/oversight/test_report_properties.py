"""What must hold of every text and every mix of reasons, not only of the ones somebody thought of."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from watched import Watched

from gatehouse.determine import answers
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import policy
from gatehouse.oversight import counted, reports, sources, writing
from gatehouse.oversight.rebuild import rebuild
from gatehouse.oversight.report import Report, table

FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", " =", "\n=", "'")


@given(texts=st.lists(st.builds(str.__add__, st.sampled_from(["", *FORMULAS]), st.text(max_size=8)), min_size=1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cell_of_a_csv_is_a_formula_and_each_is_what_it_was(
    watched: Watched, tmp_path: Path, texts: list[str]
) -> None:
    texts = [text.replace("\x00", "") for text in texts if text.isprintable() or "\n" in text or "\t" in text] or ["="]
    connection, made = watched.make("disclosures")
    connection.execute("CREATE OR REPLACE TEMP TABLE given AS SELECT unnest($1::VARCHAR[]) AS cell", [texts])
    query = "SELECT row_number() OVER () AS number, cell FROM given"
    report = Report("disclosures", "t", "l", "p", made.record, (table("given", "Given", query),))
    path, _ = writing.write_csv(report, connection, tmp_path / "given.csv")
    with path.open(newline="", encoding="utf-8") as stream:
        cells = [row["cell"] for row in csv.DictReader(stream)]
    assert len(cells) == len(texts)
    for cell, text in zip(cells, texts, strict=True):
        assert not cell.lstrip(" \t\r\n").startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert not cell.startswith(("\t", "\r", "\n"))
        assert cell in {text, f"'{text}"}


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_requesters_counts_are_those_of_the_answers(watched: Watched, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever fires together: the report for the requester is a function of answers.csv."""
    connection, made = watched.make("errors", {"reader": "requester"})
    pack = made.record.dockets[0].pack
    rules = [rule for rule in pack.rules if rule.effect in {"require", "bar"}]
    chosen = data.draw(st.lists(st.lists(st.sampled_from(rules), max_size=4, unique_by=lambda one: one.id), min_size=1))
    own = connection.cursor()
    severity = {"cleared": 0, "held": 1, "incomplete": 2, "refused": 3}
    rows = [
        (seq, f"R{seq}", max([rule.outcome for rule in fired] or ["cleared"], key=severity.__getitem__),
         sorted(rule.id for rule in fired), [], sorted({str(rule.code) for rule in fired}))
        for seq, fired in enumerate(chosen)
    ]  # fmt: skip
    own.execute(
        "CREATE OR REPLACE TEMP TABLE rules (pack_digest VARCHAR, rule VARCHAR, code VARCHAR, "
        "stops_as VARCHAR, effect VARCHAR, cite VARCHAR, party VARCHAR, cause VARCHAR, told BOOLEAN, reveals BOOLEAN)"
    )
    own.executemany(
        "INSERT INTO rules VALUES ('p', ?, ?, ?, ?, '', '', ?, ?, false)",
        [
            [one.id, str(one.code), one.outcome, str(one.effect), str(one.code), answers.is_told(one.code, one.outcome)]
            for one in rules
        ],
    )
    own.execute("CREATE OR REPLACE TEMP TABLE asked (seq BIGINT, request_id VARCHAR, outcome VARCHAR, fired VARCHAR[], "
                "unknown VARCHAR[], codes VARCHAR[], agency VARCHAR, pack_digest VARCHAR, docket VARCHAR)")  # fmt: skip
    own.executemany("INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, 'a', 'p', 'd')", rows)
    answers.publish(own, determinations="asked", pack=pack, path=tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open(newline="") as stream:
        told = list(csv.DictReader(stream))
    outcomes = {row["outcome"]: row["requests"] for row in _rows(own, made, "outcomes")}
    known = sum(row["outcome"] == "not_answered" for row in told)
    assert outcomes.get("not answered, and told why", 0) == known
    assert outcomes.get("told at the close", 0) == len(told) - known
    by_cause = {row["cause"]: row["requests"] for row in _rows(own, made, "causes")}
    codes = {row["codes"] for row in told} - {""}
    expected = {
        code: sum(code in row["codes"].split(";") for row in told) for text in codes for code in text.split(";")
    }
    assert by_cause == expected


def _rows(connection: duckdb.DuckDBPyConnection, made: Report, name: str) -> list[dict[str, object]]:
    columns, rows = next(one for one in made.tables if one.name == name).read(connection)
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.mark.parametrize("name", ["errors", "declaration", "inquiry", "disclosures"])
def test_a_site_without_dockets_has_reports_too(watched: Watched, name: str, tmp_path: Path) -> None:

    believed = policy.read(watched.root / "witnesses.policy")
    empty = sources.Sources((), watched.root / "ledger", believed, watched.root / "events")
    connection = open_workspace()
    record = sources.verify(connection, empty, period=sources.Period(dt.date(2020, 1, 1), None))
    counted.gather(connection, record)
    made = reports.make(connection, record, name)
    writing.write_json(made, connection, tmp_path / "report.json")
    assert record.unexplained > 0


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_a_report_that_was_meddled_with_is_refused_or_differs(
    watched: Watched, tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever is put in the place of any part of a report, the rebuild never agrees and never breaks."""
    connection, made = watched.make("declaration")
    document = json.loads(json.dumps(made.document(connection)))
    at, key = document, "made_from"
    for _ in range(data.draw(st.integers(0, 4))):
        inner = at[key]
        if not inner or not isinstance(inner, dict | list):
            break
        at = inner
        key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
    if at is document:
        key = data.draw(st.sampled_from(["format", "report", "asked", "made_from", "figures", "tables", "paragraphs"]))
    before = at[key]
    at[key] = data.draw(st.sampled_from([None, 0, -1, "x", [], [None], {}, {"rows": 1}, 1 << 70, True]))
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))
    try:
        found = rebuild(open_workspace(), path, watched.sources())
    except (WrongInput, AnswerIsNo):
        return
    assert found.differences or at[key] == before or key in {"refused_receipts", "asked"}


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 officers"), (1, "1 officer"), (2, "2 officers"), (1000, "1,000 officers")]
)
def test_a_number_has_the_word_that_fits_it(watched: Watched, count: int, said: str) -> None:
    _, made = watched.make("declaration")
    figures = tuple(replace(one, value=count) if isinstance(one.value, int) else one for one in made.figures)
    text = " ".join(replace(made, figures=figures).sentences())
    assert said in text
    wrong = (r"\b1 (?:officers|persons|requests|instances|were|are|lack\b|concern\b|sealed packages)" if count == 1
             else r"\d (?:officer|person|request|instance|was|is|lacks|concerns|sealed package)\b")  # fmt: skip
    assert not re.search(wrong, text), text
