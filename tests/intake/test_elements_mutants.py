"""Breaking a judge fails a test: each list of words is left out in turn, and some golden case must be judged otherwise.

The golden cases of reasons are those of `test_reasons` and, by name, those below that only one list decides. Each
section of the words of numbers, officers and fillers has its own. Whoever adds a list adds its case.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatehouse.intake import dates, numbers, officers, placeholders, wordlists
from gatehouse.intake.reasons import vocabulary

sys.path.insert(0, str(Path(__file__).parent))
import test_elements_corpus as corpora
from test_reasons import CASES, FACT, judged

CHARGED = "The address is needed to serve a grand jury subpoena."
NEEDING = {
    "removal words": ("Enforcement.", "civil_purpose"),
    "voters words": ("The clerk of elections wants it.", "civil_purpose"),
    "voters acts": ("To help States clean their registration lists.", "civil_purpose"),
    "benefits words": ("Check on whether he draws WIC for the kids.", "civil_purpose"),
    "benefits acts": ("To verify residency for in-state tuition.", "civil_purpose"),
    "database bare": ("Data call from headquarters.", "civil_purpose"),
    "database words": ("To create a heat map.", "civil_purpose"),
    "database acts": ("For use across components.", "civil_purpose"),
    "household bare": ("The families.", "civil_purpose"),
    "household words": ("To find out which church and neighbours shelter him.", "civil_purpose"),
    "civil bare": ("Garnishment and eviction.", "civil_purpose"),
    "civil words": ("To serve process in a divorce.", "civil_purpose"),
    "a weak bearing": (
        "The subject stole 14 checks in 2023. The address is needed to link him to the bank box.", "specific",
    ),
    "a text that speaks of crime": (
        "The subject ran an unlicensed money transmitter from his flat in 2023. The address decides.", "specific",
    ),
    "who is asked": (FACT + "The address is needed to find his brother, a witness, for an interview.", "unclear"),
    "a verb that is no step": ("To tell the consulate of his country where he lives.", "unclear"),
    "who makes it the purpose": (
        "Non-detained docket unit requests address for notification to depart.", "civil_purpose",
    ),
    "plain words": ("Wired $62k from widow 2/14/24. SW for laptop, need addr.", "specific"),
    "hollow past forms": ("A crime was committed in 2024.", "unspecific"),
    "acts of several words": ("No-show 8/9/24 after 5/1/23 order; address to serve summons.", "specific"),
    "crimes as nouns": ("Mail theft Mesa 2023; address links subject to storage unit.", "specific"),
    "a date beside a number": (
        "He was seen by a deputy on 8 Feb 2025, 400 days after the order. The address confirms it for the jury.",
        "specific",
    ),
    "what the file did": ("Letter of 2 June 2025 sent by the Director; acknowledged on 4 June 2025.", "unspecific"),
    "numbers that pin nothing": ("He lied in the file, row 44103 of batch 1253. " + CHARGED, "unspecific"),
    "an order in the facts": ("Failure to depart.", "unspecific"),
    "a step behind a verb": (
        "Counterfeit notes were passed in shops on 12 July 2024. We want his house to get a warrant for the printer.",
        "specific",
    ),
    "an address in the facts": (
        FACT + "His address is on the parcels. The warrant for them is to be served there.", "specific",
    ),
    "only to locate": (FACT + "The address is needed to verify his current address.", "unclear"),
    "a courier shows": ("The courier shows how to remove tags.", "unclear"),
}  # fmt: skip
"""Texts that hang on one list, and their verdicts."""
LISTS = [
    (file, section, name)
    for file in ("civil", "evidence")
    for section, lists in vocabulary.read(file).items()
    for name in lists
]


@contextmanager
def without(file: str, section: str, name: str) -> Iterator[None]:
    """The vocabulary of reasons with one list left out."""
    lists = vocabulary.read(file)[section]
    kept = lists[name]
    lists[name] = "QQNEVER" if isinstance(kept, str) else ["QQNEVER"]
    try:
        forget(vocabulary.words, vocabulary.civil)
        yield
    finally:
        lists[name] = kept
        forget(vocabulary.words, vocabulary.civil)


def forget(*cached: Callable[..., object]) -> None:
    for function in cached:
        function.cache_clear()  # type: ignore[attr-defined]


@functools.cache
def golden() -> list[tuple[str, str | None, str | None]]:
    return judged([text for text, _ in (*CASES.values(), *NEEDING.values())])


@pytest.mark.parametrize("name", NEEDING)
def test_a_text_that_hangs_on_one_list_is_judged_by_it(name: str) -> None:
    assert golden()[len(CASES) + list(NEEDING).index(name)][0] == NEEDING[name][1]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "section", "name"), LISTS)
def test_without_a_list_some_reason_is_judged_otherwise(file: str, section: str, name: str) -> None:
    with without(file, section, name):
        found = judged([text for text, _ in (*CASES.values(), *NEEDING.values())])
    assert [one[:2] for one in found] != [one[:2] for one in golden()]


WORDED = {
    ("number_words.txt", "pointer"): ("number", "row 4417", None),
    ("number_words.txt", "filler"): ("number", "TEST-4417", None),
    ("number_words.txt", "label"): ("number", "case 7", None),
    ("number_words.txt", "beside"): ("number", "Indictment 417", None),
    ("officer_words.txt", "rank"): ("officer", "Special Agent", None),
    ("officer_words.txt", "unit"): ("officer", "Team Lopez", None),
    ("officer_words.txt", "agency"): ("officer", "ERO", None),
    ("officer_words.txt", "head"): ("officer", "Director Tampa", None),
    ("officer_words.txt", "also"): ("officer", "ERO Branch Lopez", None),
    ("officer_words.txt", "surname"): ("officer", "Reinhold Judge", None),
    ("officer_words.txt", "little"): ("officer", "Chief of the", None),
    ("officer_words.txt", "aside"): ("officer", "Agent Esq", None),
    ("officer_words.txt", "template"): ("officer", "Agent Lastname", None),
    ("officer_words.txt", "counter"): ("officer", "Officer Two", None),
    ("officer_words.txt", "place"): ("officer", "ERO El Paso", None),
    ("officer_words.txt", "short"): ("officer", "Agent Li", None),
    ("officer_words.txt", "given"): ("officer", "Anna Officer", None),
    ("placeholders.txt", "any"): ("filler", "a définir", "any"),
    ("placeholders.txt", "address"): ("filler", "any street", "address"),
    ("placeholders.txt", "name"): ("filler", "FNU", "name"),
    ("placeholders.txt", "officer"): ("filler", "Erika Mustermann", "officer"),
    ("placeholders.txt", "number"): ("filler", "autogenerated", "number"),
    ("placeholders.txt", "date"): ("filler", "asap", "date"),
    ("placeholders.txt", "reason"): ("filler", "FOUO", "reason"),
}
"""For each section of words a text that it decides, and the judge that reads it."""


def told(kind: str, text: str, element: str | None) -> object:
    forget(wordlists.words, placeholders._compacted, placeholders._near)
    forget(officers._words, officers._any_of, officers._ranked, officers._listed)
    if kind == "number":
        return numbers.judge(text)
    return officers.judge(text) if kind == "officer" else placeholders.finding(text, element or "any")


@pytest.mark.parametrize(("file", "section"), [(file, one) for file in ("number_words.txt", "officer_words.txt",
                         "placeholders.txt") for one in wordlists.sections(file)])  # fmt: skip
def test_without_a_section_its_text_is_judged_otherwise(file: str, section: str, monkeypatch) -> None:
    kind, text, element = WORDED[file, section]
    whole = told(kind, text, element)
    read = wordlists.sections
    left = {**read(file), section: ("QQNEVER",)}
    monkeypatch.setattr(wordlists, "sections", lambda name: left if name == file else read(name))
    if file == "number_words.txt":  # these are read once, when the module is
        name = {"pointer": "_POINTERS", "filler": "_FILLERS", "label": "_LABELS", "beside": "_BESIDE"}[section]
        monkeypatch.setattr(numbers, name, frozenset())
    assert told(kind, text, element) != whole
    monkeypatch.undo()
    told(kind, text, element)  # so that the next test reads all words again


CONTRADICTED = {
    "before_birth": ("final_order_date", "1975-03-14", "birth_date=1985-07-04"),
    "after_signing": ("final_order_date", "2025-06-28", ""),
    "before_order": ("review_order_date", "2018-12-23", "final_order_date=2018-12-24"),
    "after_review": ("final_order_date", "2018-12-24", "review_order_date=2018-12-23"),
    "after_order": ("birth_date", "1985-07-04", "final_order_date=1975-03-14"),
    "before_agency": ("matter_opened_on", "2003-02-28", "agency_since=2003-03-01"),
    "too_early": ("birth_date", "1890-01-01", ""),
    "reversed": ("period_to", "2022-12-31", "period_from=2023-01-01"),
}


@pytest.mark.parametrize("code", CONTRADICTED)
def test_without_a_contradiction_its_date_is_valid(code: str, monkeypatch) -> None:
    field, date, context = CONTRADICTED[code]
    row = {"label": "", "date": date, "field": field, "context": f"signed_on=2025-06-27; {context}"}
    assert corpora.judged("date", [row])[0][2] == "invalid"
    tests = dates._coherence
    monkeypatch.setattr(dates, "_coherence", lambda *given: [one for one in tests(*given) if one[1] != code])
    assert corpora.judged("date", [row])[0][2] == "valid"
