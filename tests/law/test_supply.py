"""A pack is checked against what an installation supplies: facts, spellings and items."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest

from gatehouse.determine import facts
from gatehouse.intake import parties
from gatehouse.intake.manifest import Manifest, Signatory
from gatehouse.kernel.errors import WrongInput
from gatehouse.law import lint, shipped, supply
from gatehouse.law.language import Kind
from gatehouse.law.reading import load

PACK = shipped.pack("us-irs-6103-i-2")
DOCUMENTED = Path(__file__).parents[2] / "docs" / "architecture.md"
SQL = {"BOOLEAN": Kind.BOOL, "INTEGER": Kind.INT, "BIGINT": Kind.INT, "VARCHAR": Kind.TEXT, "DATE": Kind.DATE,
       "VARCHAR[]": Kind.ITEMS}  # fmt: skip


def changed(tmp_path: Path, old: str, new: str) -> list[lint.Finding]:
    folder = Path(shutil.copytree(PACK, tmp_path / "pack"))
    text = (folder / "pack.toml").read_text()
    assert old in text
    (folder / "pack.toml").write_text(text.replace(old, new, 1))
    return list(lint.unsupplied(load(folder)))


@pytest.mark.parametrize("pack", shipped.packs(), ids=lambda pack: pack.name)
def test_a_shipped_pack_says_what_it_waits_for(pack: Path) -> None:
    assert [found.says for found in lint.unsupplied(load(pack)) if found.severity == "error"] == []


def test_the_agreement_in_force_waits_for_no_fact() -> None:
    assert load(PACK).awaits_facts == ()


def test_a_fact_that_no_table_supplies_fails_the_check(tmp_path: Path) -> None:
    invented = 'visa_kind = { type = "text", about = "request", says = "the visa" }\n'
    [found] = changed(tmp_path, "[fields]\n", f"[fields]\n{invented}")
    assert (found.severity, found.kind) == ("error", "supply")
    assert "no installation supplies the fact visa_kind" in found.says


def test_a_spelling_that_never_occurs_fails_the_check(tmp_path: Path) -> None:
    [found] = changed(tmp_path, '"civil_removal", "other"]', '"civil_removal", "deportation", "other"]')
    assert (found.severity, found.says) == (
        "error",
        "the spellings of proceeding are not those that occur: deportation",
    )


def test_a_spelling_that_occurs_and_is_not_declared_fails_the_check(tmp_path: Path) -> None:
    [found] = changed(tmp_path, '["agrees", "contradicts", "unknown", "absent"]', '["agrees", "contradicts", "absent"]')
    assert found.remedy == "Write values = [agrees, contradicts, unknown, absent]"


def test_a_type_that_is_not_the_tables_fails_the_check(tmp_path: Path) -> None:
    wrong = 'persons_name = { type = "bool", about = "register", says = "persons of that name" }\n'
    [found] = changed(tmp_path, "[fields]\n", f"[fields]\n{wrong}")
    assert found.says == "the fact persons_name is int and is declared as bool"


def test_an_item_that_no_release_can_hold_fails_the_check_unless_the_pack_says_so(tmp_path: Path) -> None:
    [found] = changed(tmp_path, "[items]\n", '[items]\nwages = "Wages on file"\n')
    assert "no release can hold the item wages" in found.says


def test_what_is_awaited_must_be_declared(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="'wages' is not among the pack's items"):
        changed(tmp_path, '[awaits]\nitems = ["name"', '[awaits]\nitems = ["wages", "name"')


def test_the_list_is_what_the_facts_table_has(tmp_path: Path) -> None:
    manifest = Manifest("X-1", "a", "b", "c", dt.date(2025, 1, 1), Signatory("n", "t", "other"), (), ())
    whole = facts.submission_facts(manifest, None, facts.Standing(None), dt.date(2025, 1, 1))
    given = {name: SQL[kind] for name, (kind, _) in whole.items()}
    assert given == {name: supply.FACTS[name].kind for name in given}
    others = {name.strip() for text in (facts._BATCH, facts._PROBING, facts._MATCH, facts._OFFICERS)
              for name in text.split(",")}  # fmt: skip
    stated = set(re.findall(r"\bAS (\w+)", facts._STATED))
    rows = {part.rpartition(" AS ")[2].strip() for part in facts._ROW.split(",")}
    assert given.keys() | others | rows | stated | {"submission_requests"} == supply.FACTS.keys()


def test_an_item_that_cannot_be_released_is_not_agreed_to() -> None:
    text = b"""
[agencies."a"]
name = "A"
safeguards = { report_approved_until = 2026-12-31, open_findings = 0 }
[agreements."c"]
parties = ["a"]
basis = ["b"]
from = 2025-01-01
items = ["name", "last_known_address", "tin"]
capacities = ["other"]
"""
    known = parties.parse(text)
    manifest = Manifest("X-1", "a", "b", "c", dt.date(2025, 2, 1), Signatory("n", "t", "other"), (), ())
    whole = facts.submission_facts(manifest, known, facts.Standing(None), dt.date(2025, 2, 1))
    assert whole["items_agreed"] == ("VARCHAR[]", ["last_known_address"])
