"""The judge of reasons: golden cases by name, and the published corpus with the error that docs/elements.md states."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from gatehouse.intake import reasons

CORPUS = Path(__file__).parents[1] / "hostile" / "elements"
FACT = "Subject sold forged cards to an undercover officer on 3 May 2024. "
BEARS = "The address is needed to serve a grand jury subpoena"

PARTS = {"tuning": 0.09, "reporting": 0.25, "fresh": 0.23}
"""The parts of the corpus, and of the good ones in each how many are not cleared at most, as published."""
JOINED = (
    "{good}. {civil}.", "{good}; {civil}.", "{good}\n{civil}", "{good} and {civil}.", "{good}, {civil}.",
    "{good}, as well as {civil}.", "{good} and also {civil}.", "{good}, then {civil}.", "{good} or {civil}.",
    "{good} ({civil}).", "{good} - {civil}.", "{good}: {civil}.", "{good} plus {civil}.", "{civil}. {good}.",
)  # fmt: skip

CASES = {
    "fact and bearing": (FACT + BEARS + ".", "specific"),
    "terse": ("Missed flight 2 July 2024 after final order. Residence decides district of charge.", "specific"),
    "removal words in the facts": (
        "Bribed a removal officer on 3 May 2024 to miss the flight. Address for the search warrant.", "specific",
    ),
    "false voting": ("Voted 11/8/22, not a citizen. Address on that date is an element of 18 USC 611.", "specific"),
    "a fact alone": (FACT, "unclear"),
    "a bearing alone": (BEARS + ".", "unspecific"),
    "removal": ("So that ERO can pick him up.", "civil_purpose"),
    "removal behind true facts": (FACT + "ICE would like to send him home.", "civil_purpose"),
    "removal behind a statute": ("Under 8 USC 1253(a)(1) the subject is to be located and removed.", "civil_purpose"),
    "removal denied": ("No civil use is intended except detention and removal.", "civil_purpose"),
    "removal in Spanish": ("Para deportar al sujeto.", "civil_purpose"),
    "both purposes": (FACT + BEARS + " and to execute the order of removal.", "civil_purpose"),
    "a section that removes": (FACT + BEARS + ", for the purposes of 8 U.S.C. 1231(a)(2).", "civil_purpose"),
    "a section that removes, in the facts": (FACT + "Ordered removed under INA 240. " + BEARS + ".", "specific"),
    "a seat on the plane": (FACT + BEARS + ". A seat on the charter is paid for.", "unclear"),
    "what another agency wants": (FACT + BEARS + " and DHS wants to know.", "unclear"),
    "both purposes, the other first": ("To clean the voter rolls. " + FACT + BEARS + ".", "civil_purpose"),
    "benefits": ("To check eligibility for SNAP.", "civil_purpose"),
    "a database": (FACT + BEARS + "; it will also be uploaded to the database.", "civil_purpose"),
    "a household": ("To find out who lives with her.", "civil_purpose"),
    "a debt": ("To collect a debt.", "civil_purpose"),
    "an unknown purpose beside": (FACT + BEARS + ". The mayor would like to have it too.", "unclear"),
    "statutory words": ("Such disclosure is, or may be, relevant to such investigation.", "unspecific"),
    "boilerplate with a name": ("Subject JUAN LOPEZ has not departed within 90 days of a final order.", "unspecific"),
    "paperwork": ("Case opened 5 May 2025, assigned to SA Green. " + BEARS + ".", "unspecific"),
    "a verdict told": (FACT + BEARS + ". Verdict: specific.", "unspecific"),
    "a menu": (FACT + "Address may show venue or identity or intent.", "unspecific"),
    "key words": ("venue willful subpoena grand jury indictment target letter", "unspecific"),
    "a heap with a past form": (
        "served missed flight 2 July 2024 venue willful subpoena grand jury indictment target letter warrant element",
        "unspecific",
    ),
    "another column": ("1234 Main Street, Springfield, IL 62704", "unspecific"),
    "a letter": ("See attached letter of 2 June 2025.", "pointer"),
    "a template": ("[NAME] sold cards on [DATE]; the address is needed for the search warrant.", "placeholder"),
    "masked": ("XXXXX sold cards on 3 May 2024; the address is needed for the search warrant.", "placeholder"),
    "mash": ("asdf asdf", "placeholder"),
    "marks": ("...", "placeholder"),
    "letters spaced out": (FACT + BEARS + ". r e m o v e", "unclear"),
    "letters as digits": (FACT + BEARS + ". d3port3d", "unclear"),
    "look-alike letters": ("To effect rеmоval of the subject.", "civil_purpose"),
    "zero width": ("To de\u200bport the subject.", "civil_purpose"),
    "right to left": ("\u202eTo deport the subject.\u202c", "civil_purpose"),
    "combining marks": ("To d\u0301e\u0301p\u0301o\u0301r\u0301t\u0301 the subject.", "civil_purpose"),
    "a page": ("<p>To <b>deport</b> the subject.</p>", "civil_purpose"),
    "a formula": ("=HYPERLINK(\"x\") to deport the subject", "civil_purpose"),
}  # fmt: skip


def judged(texts: Sequence[str | None]) -> list[tuple[str, str | None, str | None]]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE given AS SELECT unnest(?::BIGINT[]) AS seq, unnest(?::VARCHAR[]) AS reason",
            [list(range(len(texts))), list(texts)],
        )
        reasons.judge(connection, "given", "judged", "seq")
        return connection.execute("SELECT reason_state, reason_purpose, reason_why FROM judged ORDER BY seq").fetchall()


@pytest.fixture(scope="module")
def golden() -> dict[str, tuple[str, str | None, str | None]]:
    return dict(zip(CASES, judged([text for text, _ in CASES.values()]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_each_kind_is_told_apart(golden, name: str) -> None:
    assert golden[name][0] == CASES[name][1], golden[name]


def test_what_decided_is_said(golden) -> None:
    assert golden["fact and bearing"][2] == "sold; grand jury"
    assert golden["removal"][1:] == ("removal", "pick him up")
    assert golden["benefits"][1] == "benefits"
    assert golden["a household"][1] == "household"
    assert reasons.explain(*golden["removal"]) == (
        "this states a purpose that is no criminal proceeding: removal, detention or another act of immigration "
        "enforcement (decided by: pick him up)"
    )
    assert reasons.explain("specific") is None


def corpus(part: str) -> list[dict[str, str]]:
    with (CORPUS / f"reasons_{part}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_corpus_is_large_and_its_parts_share_no_text() -> None:
    parts = [{row["text"] for row in corpus(part) if row["label"] != "placeholder"} for part in PARTS]
    assert sum(map(len, parts)) >= 1500
    assert len(set().union(*parts)) == sum(map(len, parts))


@pytest.mark.parametrize("part", PARTS)
def test_the_published_error(part: str) -> None:
    rows = corpus(part)
    found = [(row["label"], verdict[0]) for row, verdict in zip(rows, judged([r["text"] for r in rows]), strict=True)]
    of = {label: [verdict for given, verdict in found if given == label] for label in {row["label"] for row in rows}}
    defective = [verdict for given, verdict in found if given not in ("specific", "civil_purpose")]
    assert "specific" not in of["civil_purpose"]
    assert defective.count("specific") <= len(defective) / 100
    assert of["specific"].count("specific") >= (1 - PARTS[part]) * len(of["specific"])


@pytest.mark.parametrize("form", JOINED)
def test_a_civil_purpose_joined_to_a_criminal_one_does_not_pass(form: str) -> None:
    """Every civil purpose of the tuning half, after a fact and a bearing or before them."""
    purposes = [row["text"] for row in corpus("tuning") if row["label"] == "civil_purpose"]
    lower = [text if text[:2].isupper() else text[0].lower() + text[1:] for text in purposes]
    found = judged([form.format(good=FACT + BEARS, civil=text.rstrip(".")) for text in lower])
    assert len(found) > 200
    assert [text for text, verdict in zip(lower, found, strict=True) if verdict[0] == "specific"] == []


HOSTILE = {
    "a megabyte of one word": "remove " * 150_000,
    "a megabyte of purposes": "to serve and to prove " * 48_000,
    "a megabyte of one letter": "a" * 1_000_000,
    "a megabyte of brackets": "<" * 500_000 + "[" * 500_000,
    "a megabyte of marks": "e\u0301\u202e\u200b" * 250_000,
    "nested gaps": "removal of the of the of the " * 35_000,
    "a megabyte of semicolons": ";" * 1_000_000,
    "just too long": FACT + BEARS + "." + " It was so." * 1_000,
    "mixed scripts": "Ремовал удаление 驱逐出境 إبعاد " * 3_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reason_gets_one_verdict_that_clears_nothing(name: str) -> None:
    (one,) = judged([HOSTILE[name]])
    assert one[0] in reasons.VERDICTS
    assert one[0] != "specific"


def test_work_grows_with_the_length_and_no_faster() -> None:
    """Work is counted, not timed: what the steps write for a text of n words is at most n times what one word takes."""
    from gatehouse.intake.reasons import sentences, texts, weighing

    written = []
    for words in (1_000, 2_000, 4_000):
        with duckdb.connect() as connection:
            connection.execute(
                "CREATE TABLE given AS SELECT 1 AS seq, ? AS reason", ["to serve and to remove; " * words]
            )
            texts.gather(connection, "given", "seq", ())
            sentences.split(connection)
            weighing.weigh(connection)
            pieces, held, weighed = (
                connection.execute(f"SELECT coalesce(sum(length({column})), 0) FROM reason_{table}").fetchone()[0]
                for table, column in (("texts", "stated"), ("lines", "sentence"), ("weighed", "told"))
            )
            written.append((pieces, held, weighed))
    (first, second, third) = written
    assert second[0] <= 2 * first[0] + 100
    assert third[0] <= 4 * first[0] + 100
    # Equal sentences are worked on once, however often they come.
    assert {one[1:] for one in written} == {first[1:]}


def test_every_pattern_is_one_that_is_linear() -> None:
    """RE2 takes them all, and RE2 does not backtrack; DuckDB has no other engine."""
    from gatehouse.intake.reasons.vocabulary import civil, read, words

    patterns = [civil(name) for name in ("words", "acts", "bare")]
    patterns += [
        words(section, name) for section, lists in read("evidence").items() for name in lists if name != "plain"
    ]
    with duckdb.connect() as connection:
        for pattern in patterns:
            assert connection.execute("SELECT regexp_matches(' < NOTHING > ', ?)", [pattern]).fetchone() is not None


def test_equal_reasons_are_judged_once_and_nothing_is_lost() -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE given AS SELECT range AS seq, '{FACT}{BEARS}.' AS reason FROM range(20000)")
        reasons.judge(connection, "given", "judged", "seq")
        assert connection.execute(
            "SELECT reason_state, count(*), count(DISTINCT seq) FROM judged GROUP BY 1"
        ).fetchall() == [("specific", 20000, 20000)]


def test_a_verdict_hangs_on_the_text_alone() -> None:
    texts = [text for text, _ in CASES.values()][:6]
    assert judged(texts) == [judged([text])[0] for text in texts]


STRANGERS = ("Zorblatt", "qwylm", "Xanthippe's", "Vukovar", "jjkr9x7k22z")


@pytest.mark.parametrize("word", STRANGERS)
@pytest.mark.slow
def test_a_word_that_the_vocabulary_does_not_know_is_like_any_other(word: str) -> None:
    """Put into each text of the tuning half, it never changes what another such word leaves; letters mixed with
    digits are told apart only as such."""
    texts = [row["text"] for row in corpus("tuning")]
    other = "0a1b2c3d4e" if word[-3:].isalnum() and any(map(str.isdigit, word)) else "Fruddlewick"
    put = [[text.replace(" the ", f" the {one} ", 1) for text in texts] for one in (word, other)]
    states = [[verdict[:2] for verdict in judged(each)] for each in put]
    assert states[0] == states[1]


def test_texts_that_differ_in_such_words_are_weighed_as_one() -> None:
    from gatehouse.intake.reasons import sentences, texts, weighing

    with duckdb.connect() as connection:
        letters = "translate(md5(range::VARCHAR), '0123456789', 'ghijklmnop')"
        reason = f"'{FACT}{BEARS} on z' || {letters} || '.'"
        connection.execute(f"CREATE TABLE given AS SELECT range AS seq, {reason} AS reason FROM range(5000)")
        texts.gather(connection, "given", "seq", ())
        sentences.split(connection)
        weighing.weigh(connection)
        [(lines,)] = connection.execute("SELECT count(*) FROM reason_lines").fetchall()
        [(weighed,)] = connection.execute("SELECT count(*) FROM reason_weighed").fetchall()
        assert lines > 5000
        assert weighed < 100  # a few words happen to share the bit of a known one, or end like a past form


@pytest.mark.parametrize(
    "own",
    [
        "remove",
        "Church",
        "Remo",
        "the mayor",
        "XXXXX",
        "to deport",
        "Remov",
        "Depor",
        "Fina",
        "Jacke",
        "While",
        "DHS",
        "Ord",
    ],
)
@pytest.mark.slow
def test_a_name_of_the_row_hides_nothing(own: str) -> None:
    """What stands in the row's own columns is judged in the reason as anybody else's words are."""
    texts = [FACT + BEARS + f" and to {own} him.", f"{own} sold cards on 3 May 2024.", f"See {own}."]
    ends = (" and to remove or deport him.", " and to remov'e him.", " for the jacked car.", ", while DHS wants it.")
    texts += [FACT + BEARS + end for end in ends]
    texts += ["Subject has remained in the United States more than 90 days after a final order of removal."]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE given AS SELECT unnest(range(8)) AS seq, unnest(?::VARCHAR[]) AS reason, ? AS city",
            [texts, own],
        )
        reasons.judge(connection, "given", "alone", "seq")
        reasons.judge(connection, "given", "beside", "seq", ("city",))
        columns = "seq, reason_state, reason_purpose, reason_why"
        assert connection.execute(f"SELECT {columns} FROM alone EXCEPT SELECT {columns} FROM beside").fetchall() == []


def prints(*rows: tuple[str, str, str]) -> list[set[int]]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE given (seq INTEGER, last_name VARCHAR, city VARCHAR, reason VARCHAR)")
        connection.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", [(seq, *row) for seq, row in enumerate(rows)])
        reasons.judge(connection, "given", "judged", "seq", ("last_name", "city"))
        found = connection.execute("SELECT reason_template FROM judged ORDER BY seq").fetchall()
        return [set(row[0]) for row in found]


def test_a_template_with_other_names_dates_numbers_and_places_is_one_reason() -> None:
    text = "{} sold forged cards in {} on {} for ${}; the address is needed to serve a grand jury subpoena on {}."
    one, other, third = prints(
        ("LOPEZ", "AKRON", text.format("Lopez", "Akron", "3 May 2024", "400", "LOPEZ")),
        ("NGUYEN", "SALT LAKE CITY", text.format("Nguyen", "Salt Lake City", "11/12/23", "9,000", "Nguyen")),
        ("LOPEZ", "AKRON", "A tip of 3 May 2024 says that she hid two rifles under the porch of a burned church."),
    )
    assert one == other
    assert not one & third


def test_a_word_more_or_less_is_still_the_template() -> None:
    base = (
        "The subject sold forged cards and passports to an officer who acted as a buyer; "
        "the address is needed to serve a subpoena"
    )
    changed = [f"{base} {word}" for word in ("soon", "today", "there", "please", "now", "again", "first", "quickly")]
    whole = prints(*[("X", "Y", text) for text in [base, *changed]])
    assert sum(bool(one & whole[0]) for one in whole[1:]) >= 6
