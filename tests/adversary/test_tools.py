"""Each tool under verifier/ is one file that stands alone, and what two of them share is the same text in both."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = sorted((Path(__file__).parents[2] / "verifier").glob("*.py"))
LEDGER, ANSWER, DOCKET, RELEASE = ("verify_ledger", "verify_answer", "verify_docket", "verify_release")
SHARED = {  # what is read once, and how many definitions that is
    (LEDGER, ANSWER): 15,
    (LEDGER, DOCKET): 22,
    (LEDGER, RELEASE): 11,
}
OWN = {"main", "check_line", "check_submission"}
"""Names that each tool has for a thing of its own."""
MORE = {(LEDGER, DOCKET): {"Policy"}, (LEDGER, RELEASE): {"Policy", "strict_json", "open_record", "root_from_path"}}
"""What a tool asks more of: a policy that also says when witnesses saw, a proof of whole lists."""


def of(name: str) -> dict[str, str]:
    """The definitions of a tool, each as its own text."""
    text = next(path for path in TOOLS if path.stem == name).read_text()
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {one.name: ast.get_source_segment(text, one) or "" for one in ast.parse(text).body if isinstance(one, kinds)}


def test_these_are_the_tools() -> None:
    assert {path.stem for path in TOOLS} == {LEDGER, ANSWER, DOCKET, RELEASE}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_a_tool_imports_the_standard_library_and_cryptography_and_nothing_else(tool: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(tool.read_text())):
        if isinstance(node, ast.Import):
            imported |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
    assert not imported & {"importlib", "runpy", "subprocess"}
    assert "__import__" not in tool.read_text()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_a_tool_runs_where_nothing_else_lies(tool: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(tool, tmp_path))
    command = [sys.executable, "-I", str(alone), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--policy" in done.stdout


@pytest.mark.parametrize(("pair", "count"), SHARED.items(), ids=[" ".join(pair) for pair in SHARED])
def test_what_tools_share_is_the_same_text(pair: tuple[str, str], count: int) -> None:
    first, second = map(of, pair)
    shared = first.keys() & second.keys() - OWN - MORE.get(pair, set())
    assert len(shared) == count
    assert [name for name in shared if first[name] != second[name]] == []


def test_the_messages_that_the_page_explains_are_those_that_are_said() -> None:
    """Each text of the table in docs/verify.md, between its ellipses, is in a tool or in ours."""
    root = TOOLS[0].parents[1]
    page = (root / "docs" / "verify.md").read_text()
    table = page[page.index("## What the messages mean") : page.index("## What this cannot")]
    sources = [*TOOLS, *(root / "src" / "gatehouse").rglob("*.py")]
    said = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in sources))
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    texts = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    told = [part.strip(" ,") for text in texts for part in text.split("…") if part.strip(" ,")]
    assert len(told) > 20
    assert [part for part in told if part not in said] == []
