"""Packs made to break, mislead or loosen: each is refused with its file, its line and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small import small

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.lint import lint
from gatehouse.law.pack import load

HOSTILE = Path("tests/hostile/packs")
REFUSED = {
    "terms-in-a-circle": ("pack.toml, line", "circle"),
    "unknown-fact": ("statute.toml, line 26", "Did you mean signature_valid"),
    "order-that-grants": ("order.toml, line", "only tightens"),
    "order-that-ends-the-statute": ("order.toml", "no order of this pack"),
    "order-that-redefines-a-rule": ("order.toml, line 11", "taken"),
    "huge-expression": ("statute.toml, line 26", "characters"),
    "deep-expression": ("statute.toml, line 26", "levels of brackets"),
    "injected-statement": ("statute.toml, line 26", "not part of the rule language"),
    "reads-a-file": ("statute.toml, line 26", "IN lists constants"),
    "not-utf-8": ("statute.toml, line 3", "not UTF-8"),
    "byte-order-mark": ("statute.toml, line 1", "not UTF-8"),
    "not-toml": ("statute.toml, line 10", "not TOML"),
    "two-grants-of-one-id": ("statute.toml, line", "taken"),
    "a-fact-named-like-a-column": ("pack.toml, line", "cannot name a fact"),
    "a-fact-that-closes-the-quote": ("pack.toml, line", "cannot name a fact"),
}


def _overlaid(tmp_path: Path, name: str) -> Path:
    folder = small(tmp_path / "pack")
    shutil.copytree(HOSTILE / name, folder, dirs_exist_ok=True)
    return folder


def test_every_hostile_pack_is_tried():
    assert {path.name for path in HOSTILE.iterdir()} == {*REFUSED, "contradictory-limits"}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str):
    with pytest.raises(WrongInput) as refused:
        load(_overlaid(tmp_path, name))
    for words in REFUSED[name]:
        assert words in str(refused.value), str(refused.value)
    assert refused.value.remedy


def test_contradictory_limits_are_found(tmp_path: Path):
    findings = lint(load(_overlaid(tmp_path, "contradictory-limits")))
    (found,) = [finding for finding in findings if finding.kind == "contradiction"]
    assert found.severity == "error"
    assert "limits.toml, line" in found.where
    assert "limit-a and limit-b" in found.says
