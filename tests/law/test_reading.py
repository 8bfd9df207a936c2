"""What does not load: each fault with its file, its line, and what to do."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from small import LAW, append, change, order, rule, small

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.reading import load

PACKS = Path(__file__).parents[2] / "packs"
CONDITIONS = {
    "unknown field": ("signature_vaild", "Did you mean signature_valid"),
    "a spelling that the fact never has": ("proceeding = 'investigaton'", "Did you mean investigation"),
    "a subquery": ("EXISTS (SELECT 1)", "not part of the rule language"),
    "a function of the clock": ("signature_valid AND current_date > as_of", "not part of the rule language"),
    "a function": ("upper(proceeding) = 'OTHER'", "not part of the rule language"),
    "a regular expression": ("proceeding LIKE 'inv%'", "not part of the rule language"),
    "text against text": ("basis = proceeding", "constant"),
    "order of texts": ("basis > 'a'", "constant"),
    "mixed kinds": ("persons_agreeing = 'one'", "compared"),
    "a number for a condition": ("persons_agreeing + 1", "true or false"),
    "no such day": ("as_of > DATE '2025-02-30'", "calendar date"),
    "arithmetic on truth": ("signature_valid + 1 = 2", "not added"),
    "half a sentence": ("signature_valid AND", "not a condition"),
    "two statements": ("signature_valid; DROP TABLE facts", "not part of the rule language"),
    "a comment that hides the rest": ("signature_valid -- AND FALSE", "must not contain comments"),
    "an unknown list": ("basis IN banned", "unknown list"),
    "a number too large": ("persons_agreeing < 99999999999", "below two thousand million"),
    "items": ("items_requested = 'x'", "list of items"),
    "a case": ("CASE WHEN signature_valid THEN true ELSE false END", "not part of the rule language"),
    "brackets without end": ("(" * 60 + "signature_valid" + ")" * 60, "levels of parentheses"),
    "a huge expression": (" AND ".join(["signature_valid"] * 400), "characters"),
    "deeper than the parser goes": ("NOT " * 400 + "signature_valid", "not a condition"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_outside_the_language_do_not_load(tmp_path: Path, name: str):
    text, remedy = CONDITIONS[name]
    folder = small(tmp_path / "pack")
    change(folder, LAW, 'when = "signature_valid"', f'when = "{text}"')
    with pytest.raises(WrongInput) as refused:
        load(folder)
    assert remedy in str(refused.value)
    assert "statute.toml, line 26" in str(refused.value)


def _wrong(folder: Path, *words: str) -> None:
    with pytest.raises(WrongInput) as refused:
        load(folder)
    for word in words:
        assert word in str(refused.value), str(refused.value)


def test_a_rule_id_is_given_once(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, LAW, rule(id="in-writing"))
    _wrong(folder, "taken", "statute.toml, line")


def test_an_order_cannot_grant(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, "orders/one.toml", order("one", "2025-06-01", rule(effect="grant", otherwise=None, items=["x"])))
    _wrong(folder, "only tightens", "one.toml")


def test_an_order_cannot_end_a_statute(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, "orders/one.toml", order("one", "2025-06-01", ends='["statute"]'))
    _wrong(folder, "not an order in this pack", "one.toml")


def test_an_order_ends_an_earlier_one_from_its_day_on(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, "orders/one.toml", order("one", "2025-06-01", rule(id="stay", effect="bar")))
    append(folder, "orders/two.toml", order("two", "2025-07-01", ends='["one"]'))
    stay = load(folder).by_id["stay"]
    assert stay.in_force(dt.date(2025, 6, 30))
    assert not stay.in_force(dt.date(2025, 7, 1))


def test_terms_in_a_circle(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, "pack.toml", '\n[facts]\nhot = "NOT cold"\ncold = "NOT hot"\n')
    _wrong(folder, "circle", "pack.toml, line")


def test_bytes_that_are_not_utf8(tmp_path: Path):
    folder = small(tmp_path / "p")
    path = folder / LAW
    path.write_bytes(path.read_bytes().replace(b"An invented", b"An inv\xe9nted", 1))
    _wrong(folder, "not UTF-8", "statute.toml, line 3")


def test_a_mistyped_key(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, LAW, "otherwise =", "otherwize =")
    _wrong(folder, "Did you mean otherwise", "line 24")


def test_a_quoted_date(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, LAW, "made = 2025-01-01", 'made = "2025-01-01"')
    _wrong(folder, "must be a date", "line 6")


def test_links_and_strange_files(tmp_path: Path):
    folder = small(tmp_path / "p")
    (folder / "law" / "notes.txt").write_text("x")
    _wrong(folder, "does not belong in a pack")
    (folder / "law" / "notes.txt").unlink()
    (folder / "law" / "more.toml").symlink_to(folder / LAW)
    _wrong(folder, "links")


def test_no_pack_here(tmp_path: Path):
    _wrong(tmp_path, "no pack here")


def test_the_digest_changes_with_every_byte_and_with_nothing_else(tmp_path: Path):
    folder = small(tmp_path / "p")
    first = load(folder).digest
    (folder / "pack.lock").write_text("")
    assert load(folder).digest == first
    change(folder, LAW, "The grant.", "The grant!")
    assert load(folder).digest != first


def test_the_same_bytes_elsewhere_are_the_same_law_with_places_of_their_own(tmp_path: Path) -> None:
    here, there = PACKS / "us-irs-6103-i-2", tmp_path / "copied"
    shutil.copytree(here, there)
    first, second = load(here), load(there)
    assert load(here).vocabulary is first.vocabulary, "what the same bytes say is worked out once"
    assert second.digest == first.digest
    for named in ("instruments", "rules", "examples", "properties", "texts"):
        pairs = list(zip(getattr(first, named), getattr(second, named), strict=True))
        assert pairs
        assert all(Path(b.file).relative_to(there) == Path(a.file).relative_to(here) for a, b in pairs)
    assert all(each.file.startswith(str(there)) for each in second.lists.values())
    assert all(any(rule.instrument is one for one in second.instruments) for rule in second.rules)


def test_a_byte_that_changes_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(PACKS / "us-irs-6103-i-2", folder)
    before = load(folder)
    document = folder / "pack.toml"
    document.write_text(document.read_text().replace(f'title = "{before.title}"', 'title = "Another title"'))
    assert load(folder).title == "Another title"
    assert load(folder).digest != before.digest
