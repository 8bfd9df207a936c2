"""The page of a pack: complete, in words, safe whatever the pack holds, and readable by everyone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from small import LAW, append, change, rule, small

from gatehouse.law.language import parse_condition
from gatehouse.law.pack import Pack
from gatehouse.law.page import write_page
from gatehouse.law.prove import prove_all
from gatehouse.law.reading import load
from gatehouse.law.words import Words, in_words

pytestmark = pytest.mark.slow

IRS = Path("packs/us-irs-6103-i-2")


class Reader(HTMLParser):
    """Ids, links, tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []

    def handle_data(self, data: str) -> None:
        self.text += data


def page(folder: Path, pack: Pack, before: Pack | None = None, *, proved: bool = False) -> Reader:
    path = write_page(pack, folder / "page", prove_all(pack) if proved else [], before)
    return Reader(path.read_text(encoding="utf-8"))


def test_every_rule_stands_there_with_its_words_and_every_link_leads_somewhere(tmp_path: Path):
    pack = load(IRS)
    found = page(tmp_path, pack, proved=True)
    for each in pack.rules:
        assert each.id in found.ids
        assert [
            piece for piece in (each.cite, each.quote, each.say, each.note, each.text) if piece not in found.text
        ] == []
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert {link for link in found.links if not link.startswith("#")} <= {each.url for each in pack.instruments}
    assert not found.tags & {"script", "img", "iframe", "link"}
    assert f"{len(pack.properties)} of {len(pack.properties)}" in found.text
    assert "Assumed of the facts, and checked on every batch" in found.text


def test_what_is_not_read_in_the_original_comes_first(tmp_path: Path):
    found = page(tmp_path, load(IRS))
    first = found.text.split("What to check first")[-1].split("What changed")[0]
    assert "order-2026-02-05-memorandum" in first
    assert "i2-name" not in first


def test_what_changed_is_shown_before_and_now(tmp_path: Path):
    old, new = small(tmp_path / "old"), small(tmp_path / "new")
    change(new, LAW, "persons_agreeing = 1", "persons_agreeing <= 1")
    change(new, "properties.toml", "can-be-answered", "can-still-be-answered")
    append(new, LAW, rule(id="another"))
    changed = page(tmp_path, load(new), load(old)).text.split("What changed")[-1].split("When this law changes")[0]
    assert "Refuses, unless: persons_agreeing = 1 → Refuses, unless: persons_agreeing <= 1" in changed
    assert "New rule another" in changed
    assert "Gone: sentence to prove can-be-answered" in changed
    assert "in-writing" not in changed
    same = page(tmp_path, load(old), load(old)).text
    assert "Nothing that decides or is told" in same


def test_a_failing_example_and_a_broken_sentence_are_told(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, LAW, "persons_agreeing = 1", "persons_agreeing >= 1")
    found = page(tmp_path, load(folder), proved=True)
    assert "The example “Two records agree” does not decide as written" in found.text
    assert "1 of 2" in found.text
    assert "broken" in found.text


def test_a_pack_puts_nothing_into_the_page_but_text(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(
        folder, LAW, 'title = "An invented statute"', 'title = "<script>alert(1)</script>"\nurl = "javascript:alert(1)"'
    )
    change(folder, LAW, 'say = "A valid request may be answered."', 'say = "\'><img src=x onerror=alert(1)>"')
    found = page(tmp_path, load(folder))
    assert not found.tags & {"script", "img"}
    assert not [link for link in found.links if link.startswith("javascript")]
    assert "<script>alert(1)</script>" in found.text


def flat(words: Words) -> Iterator[str]:
    yield words.text
    for part in words.parts:
        yield from flat(part)


SAID = {
    "agreement_in_force": "the agreement is in force: yes",
    "NOT agreement_in_force": "the agreement is in force: no",
    "restricted IS FALSE": "an (i)(6) determination is in force for the taxpayer is no",
    "proceeding IS NULL": "the kind of proceeding is not known",
    "proceeding IS NOT NULL": "the kind of proceeding is known",
    "proceeding NOT IN ('other', 'grand_jury')": "the kind of proceeding is none of “other”, “grand_jury”",
    "authority IN criminal_statutes": "the statute cited, normalised is in the list criminal_statutes",
    "starts_with(authority, '8 USC')": "the statute cited, normalised begins with “8 USC”",
    "signed_on <= as_of": "the day the submission was signed is not after the date of the law",
    "as_of - final_order_date > 90": (
        "the number of days from [the date of the final order of removal] to [the date of the law] is more than 90"
    ),
    "officers_named >= 1": "officers named in the request is at least 1",
    "TRUE": "in every case",
}


@pytest.mark.parametrize("text", SAID)
def test_conditions_in_words(text: str):
    pack = load(IRS)
    assert in_words(parse_condition(text, pack.vocabulary, "here"), pack.fields).text == SAID[text]


def test_and_and_or_become_lists():
    pack = load(IRS)
    words = in_words(
        parse_condition("NOT (halted OR restricted AND basis = 'x')", pack.vocabulary, "here"), pack.fields
    )
    assert list(flat(words)) == [
        "not so: at least one of these",
        "an overseer has halted this submission: yes",
        "all of these",
        "an (i)(6) determination is in force for the taxpayer: yes",
        "the basis in law that the submission states is “x”",
    ]


@pytest.mark.parametrize("folder", sorted(Path("packs").iterdir()), ids=lambda path: path.name)
def test_every_condition_of_every_shipped_pack_has_words(folder: Path):
    pack = load(folder)
    for condition in [*(each.when for each in pack.rules), *(each.holds for each in pack.properties)]:
        for said in flat(in_words(condition, pack.fields)):
            assert said
            assert not re.search(r"\b(AND|OR|NOT|NULL)\b|None|object at", said), said


@pytest.mark.browser
def test_the_page_is_accessible_and_narrow_in_both_themes(tmp_path: Path):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    pack = load(Path("packs/us-privacy-act-552a-b-7"))
    path = write_page(pack, tmp_path, prove_all(pack), pack)
    faults = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            view = browser.new_page(viewport={"width": 320, "height": 640}, color_scheme=theme)
            view.goto(path.as_uri())
            assert view.evaluate("document.documentElement.scrollWidth") <= 320
            rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
            found = Axe().run(view, options=rules).response["violations"]
            faults += [f"{theme}: {fault['id']} {fault['nodes'][0]['html'][:120]}" for fault in found]
        browser.close()
    assert faults == []
