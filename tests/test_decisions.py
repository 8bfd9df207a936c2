"""The index of decisions names every decision once, and nothing that is not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"


def test_the_index_names_every_decision_once() -> None:
    index = (FOLDER / "README.md").read_text()
    listed = Counter(re.findall(r"^\| \[\d{4} [^]]+\]\(([^)]+)\)", index, re.M))
    assert listed == Counter(path.name for path in FOLDER.glob("[0-9]*.md"))


def test_a_later_decision_that_the_index_names_is_there() -> None:
    for row in re.findall(r"^\| \[(\d{4}).*\| (.*) \|$", (FOLDER / "README.md").read_text(), re.M):
        earlier, later = row
        for number, name in re.findall(r"\[(\d{4})\]\(([^)]+)\)", later):
            assert (FOLDER / name).is_file()
            assert name.startswith(number)
            assert number > earlier
