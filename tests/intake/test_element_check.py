"""`gatehouse element check`: every row comes out once, in order, with all its columns, a verdict and why."""

from __future__ import annotations

import csv
from pathlib import Path

from click.testing import CliRunner

from gatehouse.cli.element import element


def check(folder: Path, text: str, *arguments: str, kind: str = "reason") -> tuple[list[dict[str, str]], str, int]:
    file, out = folder / "given.csv", folder / "judged.csv"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(element, ["check", str(file), "--kind", kind, "--out", str(out), *arguments])
    rows = list(csv.DictReader(out.open(encoding="utf-8", newline=""))) if out.exists() else []
    return rows, result.output + str(result.exception or ""), result.exit_code


def test_rows_keep_their_order_and_their_columns(tmp_path: Path) -> None:
    rows, _, status = check(tmp_path, 'id,why,Text\n3,a,"one,\ntwo"\n1,b,\n2,"c ""d""",x\n', "--column", "text")
    assert status == 0
    assert [row["id"] for row in rows] == ["3", "1", "2"]
    assert [row["Text"] for row in rows] == ["one,\ntwo", "", "x"]
    assert [row["why"] for row in rows] == ["a", "b", 'c "d"']
    assert rows[1]["verdict"] == "absent"
    assert "element_why" in rows[0]


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    rows, said, _ = check(tmp_path, "id,text\n1,x\n", "--column", "reason")
    assert rows == []
    assert "there is no column reason" in said
    assert "id, text" in said


def test_counts_are_printed_for_a_program(tmp_path: Path) -> None:
    _, said, _ = check(tmp_path, "id,text\n1,\n2,\n", "--column", "text", "--json")
    assert '{"rows": 2, "verdicts": {"absent": 2}}' in said
