"""Every quote stands, word for word, in the official provision its rule names; a newer text says what moved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from small import LAW, append, change, rule, small

from gatehouse.cli.law import law
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law import lint, texts
from gatehouse.law.explain import grounds
from gatehouse.law.reading import load
from gatehouse.law.watch import rests_on, watch

IRS = Path("packs/us-irs-6103-i-2")
PACKS = pytest.mark.parametrize("folder", sorted(Path("packs").iterdir()), ids=lambda path: path.name)
HEAD = '[text]\nid = "/us/usc/t99/s1"\ntitle = "§ 1"\npublished = "an edition"\nsource = "s1.xml"\n'
CODE = """<section xmlns="http://xml.house.gov/schemas/uslm/1.0" identifier="/us/usc/t99/s1">
<num value="1">§ 1.</num><heading> Addresses</heading>
<subsection identifier="/us/usc/t99/s1/a"><num>(a)</num><chapeau>The custodian <i>may</i> give\u2014</chapeau>
<paragraph identifier="/us/usc/t99/s1/a/1"><num>(1)</num><content> the taxpayer\u2019s name<ref
class="footnoteRef">1</ref>; and</content></paragraph>
<paragraph identifier="/us/usc/t99/s1/a/2"><num>(2)</num><content><p>the last</p><p>known address,</p></content>
</paragraph>
<continuation>on a request in writing.</continuation></subsection>
<subsection identifier="/us/usc/t99/s1/b"><num>(b)</num><content>Nothing else.</content></subsection>
<sourceCredit>(Added by nobody.)</sourceCredit><notes><note><p>the last word</p></note></notes></section>
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "s1.xml"
    path.write_text(CODE, encoding="utf-8")
    return path


@pytest.fixture
def quoting(tmp_path: Path, code: Path) -> Path:
    """The small pack with one more rule, which quotes subsection (a), and the text it quotes."""
    folder = small(tmp_path / "p")
    quote, cite = "give— (1) the taxpayer's name", "99 U.S.C. § 1(a)"
    given = {"paraphrase": None, "quote": quote, "cite": cite, "provision": "/us/usc/t99/s1/a"}
    append(folder, LAW, rule(id="quoting", **given))
    taken = CliRunner().invoke(law, ["watch", str(folder), str(code), "--write", "an edition"])
    assert taken.exit_code == 0, taken.output
    return folder


def faults(folder: Path) -> list[tuple[str, str]]:
    return [(found.kind, found.says) for found in lint.quotes(load(folder))]


@PACKS
def test_every_quote_of_the_shipped_packs_stands_in_the_provision_it_cites(folder: Path):
    pack = load(folder)
    assert list(lint.quotes(pack)) == []
    quoting = [each for each in pack.rules if each.exact]
    assert all(each.provisions for each in quoting)
    statutes = [each for each in pack.rules if each.instrument.kind == "statute" and "U.S.C." in each.cite]
    assert all(each.provisions for each in statutes)


def test_every_criminal_statute_on_the_list_is_shown_to_carry_a_penalty():
    listed = load(IRS).lists["criminal_statutes"]
    assert set(listed.proofs) == set(listed.entries)


def test_the_text_of_a_provision_is_its_own_words_in_order_without_notes(code: Path):
    found = texts.read_code(code)["/us/usc/t99/s1"]
    whole = texts.joined(texts.below(found, "/us/usc/t99/s1/a"))
    assert whole == (
        "(a) The custodian may give— (1) the taxpayer’s name; and (2) the last known address, on a request in writing."
    )
    assert "word" not in texts.joined(found)


@pytest.mark.parametrize("quote", ["the taxpayer's name", "the taxpayer’s name", "give— (1) the taxpayer’s name; and"])
def test_a_quote_stands_whatever_shape_its_marks_have(quote: str, code: Path):
    found = texts.read_code(code)["/us/usc/t99/s1"]
    assert texts.stands(quote, texts.joined(found))
    marked = texts.marked(texts.below(found, "/us/usc/t99/s1/a"), quote)
    shown = " ".join("".join(piece for piece, is_quote in pieces if is_quote) for _, pieces in marked).strip()
    assert texts.stands(" ".join(shown.split()), texts.joined(found))
    assert len(shown.replace(" ", "")) == len(quote.replace(" ", ""))


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("give— (1) the taxpayer's name", "give— (1) a taxpayer's name", "quote"),
        ('provision = "/us/usc/t99/s1/a"', 'provision = "/us/usc/t99/s1/a/1"', "quote"),
        ('provision = "/us/usc/t99/s1/a"', 'provision = "/us/usc/t99/s1/b"', "provision"),
        ('provision = "/us/usc/t99/s1/a"', 'provision = "/us/usc/t99/s1/c"', "provision"),
        ('provision = "/us/usc/t99/s1/a"', "provision = []", "quote"),
    ],
    ids=["another-word", "a-part-of-it", "another-provision", "no-such-provision", "no-provision"],
)
def test_a_quote_that_does_not_stand_keeps_a_pack_from_being_signed(quoting: Path, old: str, new: str, kind: str):
    assert faults(quoting) == []
    change(quoting, LAW, old, new)
    assert kind in {found for found, _ in faults(quoting)}
    assert any(finding.severity == "error" for finding in lint.quotes(load(quoting)))


def test_citation_and_identifier_name_one_provision(quoting: Path):
    change(quoting, LAW, "99 U.S.C. § 1(a)", "99 U.S.C. § 1(b)")
    assert ("provision", "the rule cites 99 U.S.C. § 1(b) and names /us/usc/t99/s1/a") in faults(quoting)


def test_the_words_that_prove_an_entry_of_a_list_must_stand(tmp_path: Path):
    folder = tmp_path / "p"
    shutil.copytree(IRS, folder)
    change(folder, "lists/criminal_statutes.toml", "shall be guilty of a misdemeanor", "shall be guilty of a felony")
    assert [kind for kind, says in faults(folder) if "8 USC 1306(a)" in says] == ["quote"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + 'sha256 = "abc"\n', "no SHA-256"),
        (HEAD + f'sha256 = "{"a" * 64}"\n[[provision]]\nid = "/us/usc/t9/s1"\nwords = "x"\n', "no part of"),
        (HEAD + f'sha256 = "{"a" * 64}"\n[[provision]]\nid = "(a)"\nwords = "x"\n', "cannot name a provision"),
        (HEAD + f'sha256 = "{"a" * 64}"\ndigest = "x"\n', "unknown key"),
    ],
    ids=["digest", "elsewhere", "identifier", "key"],
)
def test_a_text_that_breaks_its_form_is_refused_with_file_and_line(tmp_path: Path, text: str, says: str):
    folder = small(tmp_path / "p")
    append(folder, "texts/one.toml", text)
    with pytest.raises(WrongInput, match=says) as refused:
        load(folder)
    assert "texts/one.toml, line" in str(refused.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><section/>', "document type"),
        (b"<section", "not XML"),
        (b"<a/>", "no section"),
        (b"\xff\xfe\x00", "not XML"),
        (b"<a>" * 100_000, "not XML"),
    ],
    ids=["entities", "cut", "no-section", "bytes", "deep"],
)
def test_what_is_no_text_of_the_code_is_refused(tmp_path: Path, data: bytes, says: str):
    path = tmp_path / "hostile.xml"
    path.write_bytes(data)
    with pytest.raises(WrongInput, match=says):
        texts.read_code(path)


def test_the_same_text_changes_nothing(quoting: Path, code: Path):
    found = CliRunner().invoke(law, ["watch", str(quoting), str(code)])
    assert (found.exit_code, found.output) == (0, "us.example.one 0.1.0: no provisions changed\n")


def test_a_newer_text_names_what_changed_which_rules_rest_on_it_and_which_quotes_fell(quoting: Path, code: Path):
    newer = CODE.replace("the taxpayer\u2019s name", "the person\u2019s name").replace("Nothing else", "All else")
    code.write_text(newer, encoding="utf-8")
    pack = load(quoting)
    found = watch(pack, texts.read_code(code))
    assert [(each.kind, each.identifier) for each in found.changes] == [("changed", "/us/usc/t99/s1/a/1")]
    assert found.rules == {"quoting": ("/us/usc/t99/s1/a/1",)}
    assert found.fallen == (("quoting", "give— (1) the taxpayer's name"),)
    told = CliRunner().invoke(law, ["watch", str(quoting), str(code), "--json"], standalone_mode=False)
    assert json.loads(told.stdout)["fallen"] == [{"of": "quoting", "quote": "give— (1) the taxpayer's name"}]
    assert isinstance(told.exception, AnswerIsNo)


def test_a_change_that_leaves_the_quote_is_shown_and_no_refusal(quoting: Path, code: Path):
    code.write_text(CODE.replace("known address", "mailing address"), encoding="utf-8")
    told = CliRunner().invoke(law, ["watch", str(quoting), str(code)])
    assert told.exit_code == 0
    assert "changed: /us/usc/t99/s1/a/2" in told.output
    assert "counsel must review: quoting" in told.output


def test_a_provision_that_is_gone_fells_its_quotes(quoting: Path, code: Path):
    gone = "/us/usc/t99/s1/a"
    code.write_text(CODE.replace(f'identifier="{gone}"', 'identifier="/us/usc/t99/s1/z"'), encoding="utf-8")
    found = watch(load(quoting), texts.read_code(code))
    assert gone in {each.identifier for each in found.changes if each.kind == "gone"}
    assert [name for name, _ in found.fallen] == ["quoting"]


def test_a_text_of_other_sections_is_refused_and_one_that_lacks_some_says_so(tmp_path: Path, quoting: Path, code: Path):
    code.write_text(CODE.replace("/t99/", "/t98/"), encoding="utf-8")
    told = CliRunner().invoke(law, ["watch", str(quoting), str(code)], standalone_mode=False)
    assert isinstance(told.exception, WrongInput)
    assert "no section that the pack cites" in str(told.exception)
    assert watch(load(quoting), {}).absent == ("/us/usc/t99/s1",)


def test_taking_the_text_again_gives_the_same_bytes(quoting: Path, code: Path):
    path = quoting / "texts" / "usc-99-1.toml"
    before = path.read_bytes()
    CliRunner().invoke(law, ["watch", str(quoting), str(code), "--write", "an edition"])
    assert path.read_bytes() == before
    assert rests_on(load(quoting)) == {"/us/usc/t99/s1/a"}


def test_rules_are_told_in_the_order_of_the_statute():
    pack = load(IRS)
    facts = {**pack.examples[0].facts, "reason_state": "absent", "name_state": "missing", "period_state": "missing"}
    fired = ["ceiling-size", "i2-name", "i2-period", "i2-reason"]
    told = grounds(pack, fired, [], facts, pack.examples[0].as_of)
    assert [each.id for each in told.decided] == ["i2-name", "i2-period", "i2-reason"]
    assert [each.id for each in told.further] == ["ceiling-size"]
