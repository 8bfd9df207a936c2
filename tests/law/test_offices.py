"""Signing, verifying, adopting, impact and the commands around them."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from small import LAW, change, key, signed, small

from gatehouse.cli.law import law
from gatehouse.kernel import extras
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.law.check import check
from gatehouse.law.evaluate import table_of_facts
from gatehouse.law.examples import as_toml
from gatehouse.law.impact import impact
from gatehouse.law.prove import solver_module
from gatehouse.law.reading import load
from gatehouse.law.signing import Offices, record, sign, sign_recorded, verify, version_key
from gatehouse.ledger.signers import Signer

SHIPPED = Path(__file__).parents[2] / "packs"


def _offices(counsel: Signer, custodian: Signer) -> Offices:
    return Offices([counsel.verifier], [custodian.verifier])


def test_two_offices_sign_and_the_pack_verifies(tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = signed(small(tmp_path / "p"), *keys)
    assert verify(folder, _offices(*keys)).id == "us.example.one"
    assert len((folder / "pack.sig").read_text().splitlines()) == 2


def test_what_is_refused(tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = small(tmp_path / "p")
    offices = _offices(*keys)
    with pytest.raises(AnswerIsNo, match=r"no pack\.lock"):
        verify(folder, offices)
    signed(folder, keys[0])
    with pytest.raises(AnswerIsNo, match="the custodian did not sign"):
        verify(folder, offices)
    with pytest.raises(AnswerIsNo, match="did not sign"):
        verify(signed(small(tmp_path / "q"), keys[0], key("custodian.example")), offices)
    signed(folder, keys[1])
    with pytest.raises(AnswerIsNo, match="older than"):
        verify(folder, offices, no_older_than="0.2.0")
    change(folder, LAW, "The grant.", "The grant!")
    with pytest.raises(AnswerIsNo, match="differ from those that were signed"):
        verify(folder, offices)


def test_one_key_is_not_two_offices(tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = signed(small(tmp_path / "p"), *keys)
    with pytest.raises(AnswerIsNo, match="one key is the key of both offices"):
        verify(folder, Offices([keys[0].verifier], [keys[0].verifier]))
    one, other = key("ana-ruiz.agency"), key("Agency.Ana.Ruiz")
    with pytest.raises(AnswerIsNo, match=r"one name .* is the key of both offices"):
        verify(signed(small(tmp_path / "q"), one, other), Offices([one.verifier], [other.verifier]))


@pytest.mark.parametrize("pack", sorted(SHIPPED.glob("*/pack.toml")), ids=lambda path: path.parent.name)
def test_each_shipped_pack_brings_the_record_of_its_proof(pack: Path, tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = Path(shutil.copytree(pack.parent, tmp_path / "p"))
    for signer in keys:
        sign_recorded(load(folder), signer)
    assert verify(folder, _offices(*keys)).digest == load(pack.parent).digest


def test_a_record_of_other_bytes_signs_nothing(tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = small(tmp_path / "p")
    with pytest.raises(AnswerIsNo, match=r"no proof\.json"):
        sign_recorded(load(folder), keys[0])
    record(check(load(folder)))
    change(folder, LAW, "The grant.", "The grant!")
    with pytest.raises(AnswerIsNo, match="for different bytes"):
        sign_recorded(load(folder), keys[0])
    assert not (folder / "pack.sig").exists()


def test_an_unproved_pack_cannot_besigned(tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = small(tmp_path / "p")
    change(folder, LAW, "persons_agreeing = 1", "persons_agreeing >= 0")
    with pytest.raises(AnswerIsNo, match="does not pass"):
        sign(check(load(folder)), keys[0])
    assert not (folder / "pack.lock").exists()


def test_a_forged_proof_does_not_pass(tmp_path: Path, keys: tuple[Signer, Signer]):
    folder = signed(small(tmp_path / "p"), *keys)
    proof = json.loads((folder / "proof.json").read_text())
    proof["properties"] = proof["properties"][:1]
    (folder / "proof.json").write_text(json.dumps(proof))
    with pytest.raises(AnswerIsNo):
        verify(folder, _offices(*keys))


def test_versions_order_by_number():
    assert version_key("1.10.0") > version_key("1.9.9")


def test_impact_counts_and_names_the_rules(tmp_path: Path):
    old, new = small(tmp_path / "old"), small(tmp_path / "new")
    change(new, LAW, "persons_agreeing = 1", "persons_agreeing = 2")
    pack = load(old)
    base = dict(pack.examples[0].facts)
    connection = duckdb.connect()
    facts = [{**base, "persons_agreeing": number} for number in (1, 1, 1, 2, 0)]
    table_of_facts(connection, pack, "facts", facts)
    connection.execute(f"COPY facts TO '{tmp_path / 'facts.parquet'}'")
    changes = impact(connection, pack, load(new), [tmp_path], dt.date(2025, 8, 7))
    found = {(each.old, each.new): (each.requests, each.begun, each.ended) for each in changes}
    assert found == {
        ("cleared", "refused"): (3, ("one-person",), ()),
        ("refused", "cleared"): (1, (), ("one-person",)),
        ("refused", "refused"): (1, (), ()),
    }


def test_a_counterexample_becomes_an_example(tmp_path: Path):
    folder = small(tmp_path / "p")
    facts = {**load(folder).examples[0].facts, "basis": 'a "quoted" \\ text', "proceeding": None}
    text = as_toml("From the solver", dt.date(2025, 8, 7), facts, "refused", ["criminal-only"])
    (folder / "examples" / "found.toml").write_text(text)
    found = [each for each in load(folder).examples if each.title == "From the solver"]
    assert found[0].facts == facts


def test_the_lawyers_path(tmp_path: Path):
    run, folder = CliRunner(), tmp_path / "mine"

    def bench(*words: str) -> str:
        result = run.invoke(law, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    bench("new", str(folder), "--id", "us.example.mine")
    assert "8 of 8 mutations noticed" in bench("check", str(folder))
    assert "in force on 2025-06-01" in bench("at", str(folder), "2025-06-01")
    assert "Invented Statute § 1(b)" in bench("explain", str(folder), "criminal-only")
    bench("page", str(folder), "--out", str(tmp_path / "page"))
    page = (tmp_path / "page" / "index.html").read_text()
    assert "proved" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    change(folder, LAW, "persons_agreeing = 1", "persons_agreeing >= 1")
    with pytest.raises(AnswerIsNo, match="property does not hold"):
        run.invoke(law, ["prove", str(folder), "--keep", str(tmp_path / "ce.toml")], catch_exceptions=False)
    assert "[[example]]" in (tmp_path / "ce.toml").read_text()
    with pytest.raises(AnswerIsNo, match="does not pass"):
        run.invoke(law, ["check", str(folder), "--json"], catch_exceptions=False)


def test_a_pack_is_named_by_folder_or_as_shipped_and_a_slip_is_told():
    run = CliRunner()
    assert "in force on 2025-11-22" in run.invoke(law, ["at", "us-irs-6103-i-2", "2025-11-22"]).output
    slip = run.invoke(law, ["at", "us-irs-6103-i2", "2025-11-22"])
    assert slip.exit_code == 2
    assert "Did you mean us-irs-6103-i-2?" in slip.output
    within = run.invoke(law, ["within", "us-irs-6103-i-2:statute+agreement", "us-irs-6103-i-2:statute"])
    assert "nothing, on any date" in within.output


def test_a_draft_is_a_copy_without_signature_and_proof(tmp_path: Path):
    result = CliRunner().invoke(law, ["new", str(tmp_path / "draft"), "--like", "us-irs-6103-i-2"])
    assert result.exit_code == 0
    assert load(tmp_path / "draft").digest == load(Path("packs/us-irs-6103-i-2")).digest
    assert not (tmp_path / "draft" / "proof.json").exists()
    with pytest.raises(WrongInput, match="not empty"):
        CliRunner().invoke(law, ["new", str(tmp_path / "draft")], catch_exceptions=False)


def test_a_missing_solver_says_the_line_that_adds_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(MachineFailed, match="the solver z3 is not installed") as missing:
        solver_module()
    assert missing.value.remedy == extras.remedy("prove")
    assert re.search(r"GATEHOUSE_LOCK=(\S+) ", missing.value.remedy)[1] == extras.PRODUCTION
    assert "\nz3-solver==" in Path(extras.PRODUCTION).read_text()


def test_the_impact_names_requests_to_look_at_and_adds_up_dockets(tmp_path: Path):
    old, new = small(tmp_path / "old"), small(tmp_path / "new")
    change(new, LAW, "persons_agreeing = 1", "persons_agreeing = 2")
    pack, connection, dockets = load(old), duckdb.connect(), []
    for name, numbers in (("a", (1, 1, 2)), ("b", (1, 0))):
        docket = tmp_path / name
        docket.mkdir()
        table_of_facts(connection, pack, "facts", [{**pack.examples[0].facts, "persons_agreeing": n} for n in numbers])
        connection.execute(f"COPY facts TO '{docket / 'facts.parquet'}'")
        ids = f"SELECT seq, '{name.upper()}-' || (seq + 1) AS request_id FROM facts"
        connection.execute(f"COPY ({ids}) TO '{docket / 'requests.parquet'}'")
        dockets.append(str(docket))
    result = CliRunner().invoke(law, ["impact", str(old), str(new), *dockets, "--as-of", "2025-08-07"])
    assert result.exit_code == 0, result.output
    assert "cleared → refused: 2 requests (CHANGED)" in result.output
    assert "for example A-1, A-2" in result.output
    together = result.output.split("All dockets together")[1].splitlines()
    assert together[2].split() == ["cleared", "0", "0", "0", "3"]
    assert together[5].split() == ["refused", "1", "0", "0", "1"]
