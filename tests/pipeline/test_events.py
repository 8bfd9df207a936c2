"""Every kind of event has words: none is recorded without, and none is written in the source without."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path

import pytest

from gatehouse.determine import opened
from gatehouse.ledger.halt import Action
from gatehouse.pipeline import events, founding, record
from gatehouse.pipeline.site import Founding
from gatehouse.release.returns import Kind

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
CALLS = {"event", "record.event", "chronicle.enter", "_enter"}
VARIABLE = "{}"


def test_an_event_without_words_is_not_recorded(tmp_path):
    pack = ROOT / "packs" / "us-privacy-act-552a-b-7"
    site = founding.found(tmp_path / "site", Founding("log.example/2026"), [pack], NOW)
    with record.open_log(site) as log:
        size = log.size
        with pytest.raises(ValueError, match=r"unheard-of.*gatehouse\.pipeline\.events"):
            record.event(log, site.events, "site/unheard-of", {"event": "unheard of"})
        assert log.size == size
    assert not (site.events / "unheard-of.json").exists()


def test_every_kind_that_the_source_names_has_words():
    """Also one that happens in no test is found here, before it cannot be recorded."""
    kinds = {kind for path in sorted((ROOT / "src/gatehouse").rglob("*.py")) for kind in written(path)}
    kinds |= {*record.WATCHED, *Kind, *Action, opened.RECEIVED, opened.DOCKET}
    assert {"founded", "decision", "account_close", "letter_made"} <= kinds, "the source is read"
    assert kinds <= set(events.WORDS)


def written(path: Path) -> set[str]:
    """The kinds that a file's calls of `record.event` and `chronicle.enter` name in so many words."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = [text(given) for call in calls if ast.unparse(call.func) in CALLS for given in call.args]
    return {kind for name in names if name and (kind := events.kind(name)) != VARIABLE}


def text(given: ast.expr) -> str:
    """A text as it is written, with a sign in place of each variable part; empty where it is no text."""
    if isinstance(given, ast.JoinedStr):
        return "".join(text(part) or VARIABLE for part in given.values)
    return str(given.value) if isinstance(given, ast.Constant) else ""
