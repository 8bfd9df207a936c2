"""Packs made to break, mislead or loosen: each is refused with its file, its line and what to do."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small import LAW, append, change, order, rule, signed, small

from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.law.adoption import adopt, in_force
from gatehouse.law.check import check
from gatehouse.law.lint import lint
from gatehouse.law.pack import Effect
from gatehouse.law.reading import load
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Signer

HOSTILE = Path("tests/hostile/packs")
MORE = """
[base]
basis = "us.example.one"
signature_valid = true
proceeding = "investigation"
persons_agreeing = 1
items_requested = ["last_known_address"]
items_agreed = ["last_known_address"]

[[example]]
title = "Under the order, a valid request"
as_of = 2025-07-01
outcome = "cleared"
fired = []

[[example]]
title = "Under the order, civil removal"
as_of = 2025-07-01
outcome = "refused"
fired = ["criminal-only", "one-1"]
with = { proceeding = "civil_removal" }
"""
REFUSED = {
    "terms-in-a-circle": ("pack.toml, line", "circle"),
    "unknown-fact": ("statute.toml, line 26", "Did you mean signature_valid"),
    "order-that-grants": ("order.toml, line", "only tightens"),
    "order-that-ends-the-statute": ("order.toml", "not an order in this pack"),
    "order-that-redefines-a-rule": ("order.toml, line 11", "taken"),
    "huge-expression": ("statute.toml, line 26", "characters"),
    "deep-expression": ("statute.toml, line 26", "levels of parentheses"),
    "injected-statement": ("statute.toml, line 26", "not part of the rule language"),
    "reads-a-file": ("statute.toml, line 26", "IN lists constants"),
    "not-utf-8": ("statute.toml, line 3", "not UTF-8"),
    "byte-order-mark": ("statute.toml, line 1", "not UTF-8"),
    "not-toml": ("statute.toml, line 10", "not valid TOML"),
    "two-grants-of-one-id": ("statute.toml, line", "taken"),
    "a-fact-named-like-a-column": ("pack.toml, line", "cannot name a fact"),
    "a-fact-that-closes-the-quote": ("pack.toml, line", "cannot name a fact"),
    "terms-that-multiply": ("pack.toml, line 38", "more than 3,000 parts"),
    "order-that-ends-itself": ("order.toml", "ends itself"),
    "orders-that-end-each-other": ("one.toml", "end each other"),
    "two-lists-of-one-name": ("two.toml, line 2", "a list 'purposes' already"),
    "a-list-without-end": ("endless.toml, line", "1,000 entries at most"),
    "two-properties-of-one-id": ("properties.toml, line", "'never-civil' is taken"),
    "rule-before-its-source": ("statute.toml, line 26", "before its source"),
    "no-citation": ("statute.toml, line", "cite must be a text"),
    "no-quote": ("statute.toml, line", "a quote or a paraphrase"),
    "text-that-turns-round": ("statute.toml, line 39, column", "U+202E"),
    "zero-width-space": ("statute.toml, line 14, column", "U+200B"),
    "escape-sequence": ("statute.toml, line 3, column", "U+001B"),
}
FOUND = {
    "contradictory-limits": ("contradiction", "limits.toml, line", "limit-a and limit-b"),
    "null-that-loosens": ("null-unsafe", "statute.toml, line", "because signature_valid is missing"),
    "rule-that-never-fires": ("unreachable", "rule never", "can never fire"),
    "rule-that-adds-nothing": ("redundant", "rule nothing-new", "another rule stops at least as strictly"),
    "rule-without-example": ("coverage", "rule unseen", "no example makes it fire"),
    "assumed-away": ("unreachable", "statute.toml, line", "can never"),
}


def _overlaid(tmp_path: Path, name: str) -> Path:
    folder = small(tmp_path / "pack")
    shutil.copytree(HOSTILE / name, folder, dirs_exist_ok=True)
    return folder


def test_every_hostile_pack_is_tried():
    assert {path.name for path in HOSTILE.iterdir()} == {*REFUSED, *FOUND}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str):
    with pytest.raises(WrongInput) as refused:
        load(_overlaid(tmp_path, name))
    for words in REFUSED[name]:
        assert words in str(refused.value), str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize("name", FOUND)
def test_found_by_the_check(tmp_path: Path, name: str):
    kind, *words = FOUND[name]
    report = check(load(_overlaid(tmp_path, name)))
    found = [each for each in report.findings if each.kind == kind]
    assert found
    assert all(word in f"{found[0].where} {found[0].says}" for word in words), found[0]
    assert found[0].remedy
    assert report.passed is (found[0].severity == "warning" and not report.survivors and not report.failures)


@pytest.mark.parametrize("name", REFUSED)
def test_the_pack_in_force_stays_in_force(tmp_path: Path, keys: tuple[Signer, Signer], name: str):
    offices = Offices([keys[0].verifier], [keys[1].verifier])
    packs = tmp_path / "packs"
    standing = adopt(signed(small(tmp_path / "good"), *keys), packs, offices)
    with pytest.raises(GatehouseError):
        adopt(_overlaid(tmp_path, name), packs, offices)
    assert in_force(packs, standing.id, offices).digest == standing.digest


def test_a_file_that_is_no_file_or_has_no_plain_name_is_refused(tmp_path: Path):
    folder = small(tmp_path / "pack")
    for name in ("a\nb.toml", "\u202ea.toml", ".hidden.toml"):
        (folder / "law" / name).write_text("")
        with pytest.raises(WrongInput, match="plain names"):
            load(folder)
        (folder / "law" / name).unlink()
    os.mkfifo(folder / "law" / "waits.toml")  # reading it would wait for ever
    with pytest.raises(WrongInput, match="regular files"):
        load(folder)


def test_an_order_that_would_loosen_is_found_even_if_it_could_be_read(tmp_path: Path):
    folder = small(tmp_path / "pack")
    change(folder, LAW, "basis = 'us.example.one'", "basis = 'us.example.one' AND signature_valid")
    append(
        folder,
        "orders/one.toml",
        order("one", "2025-06-01", rule(id="one-1", effect="bar", when="NOT signature_valid")),
    )
    pack = load(folder)
    assert "loosening" not in {each.kind for each in lint(pack)}
    grant = next(each for each in pack.rules if each.effect is Effect.GRANT)
    given = replace(pack.by_id["one-1"], effect=Effect.GRANT, items=grant.items, when=pack.rules[-1].when)
    loosened = replace(pack, rules=tuple(given if each.id == given.id else each for each in pack.rules))
    assert ("loosening", "error") in {(each.kind, each.severity) for each in lint(loosened)}


def test_an_order_once_in_force_is_never_edited_or_left_out(tmp_path: Path, keys: tuple[Signer, Signer]):
    offices = Offices([keys[0].verifier], [keys[1].verifier])
    folder, packs = small(tmp_path / "p"), tmp_path / "packs"
    civil = rule(id="one-1", effect="bar", when="proceeding = 'civil_removal'")
    append(folder, "orders/one.toml", order("one", "2025-07-01", civil))
    append(folder, "examples/more.toml", MORE)
    adopt(signed(folder, *keys), packs, offices)
    change(folder, "pack.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    text = (folder / "orders" / "one.toml").read_text()
    (folder / "orders" / "one.toml").write_text(text.replace("No.", "Yes."))
    with pytest.raises(AnswerIsNo, match="an order of the version in force is changed"):
        adopt(signed(folder, *keys), packs, offices)
    (folder / "orders" / "one.toml").rename(folder / "orders" / "renamed.toml")
    with pytest.raises(AnswerIsNo, match="an order of the version in force is missing"):
        adopt(signed(folder, *keys), packs, offices)
    (folder / "orders" / "renamed.toml").unlink()
    (folder / "orders" / "one.toml").write_text(text)
    assert adopt(signed(folder, *keys), packs, offices).version == "0.2.0"
