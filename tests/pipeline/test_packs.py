"""The gate before the law: no submission is decided under a pack that does not verify or is not on record."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import silent
from gatehouse.law import check, signing
from gatehouse.law.pack import load
from gatehouse.law.signing import Offices
from gatehouse.law.template import write_template
from gatehouse.ledger import policy
from gatehouse.ledger.signers import Signer, new_key, parse_signer, read_signer
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import founding, journey, packs
from gatehouse.pipeline.site import Founding, Site

NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
BASIS = "us.example.one"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write_template(tmp_path / "pack", BASIS)
    return tmp_path / "pack"


@pytest.fixture
def site(tmp_path: Path, pack: Path) -> Site:
    return founding.found(tmp_path / "site", Founding("gateway.example/2025"), [pack], NOW)


def offices(site: Site) -> list[Signer]:
    return [read_signer(key) for key in founding.keys_of_offices(site)]


def raised(site: Site, pack: Path, version: str) -> Path:
    text = (pack / "pack.toml").read_text()
    current = load(pack).version
    (pack / "pack.toml").write_text(text.replace(f'version = "{current}"', f'version = "{version}"'))
    report = check.check(load(pack))
    for signer in offices(site):
        signing.sign(report, signer)
    return pack


def size(site: Site) -> int:
    return verify_log(site.ledger, policy.read(site.policy)).checkpoint.size


def test_a_new_site_has_two_offices_and_its_law_on_record(site: Site, pack: Path) -> None:
    assert packs.in_force(site, BASIS).digest == load(pack).digest
    assert len({signer.verifier.text for signer in offices(site)}) == 2
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in founding.keys_of_offices(site))
    assert size(site) == 4  # founded, configuration and keys as they stand, and one pack in force
    assert not (pack / "pack.lock").exists()  # the pack given is left alone


def test_every_adoption_is_an_entry_once(site: Site, pack: Path) -> None:
    raised(site, pack, "0.2.0")
    for _ in range(2):
        packs.adopt(site, pack, NOW)
        assert size(site) == 5


def test_a_crash_between_adoption_and_ledger_is_finished_before_anything_is_decided(
    site: Site, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised(site, pack, "0.2.0")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(packs.record, "open_log", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        packs.adopt(site, pack, NOW)
    assert packs.in_force(site, BASIS).version == "0.2.0"
    with packs.record.open_log(site) as log:
        packs.on_record(site, log)
        packs.record.publish(site, log, NOW)
    assert size(site) == 5


def test_what_is_on_record_cannot_be_rolled_back(site: Site, pack: Path, tmp_path: Path) -> None:
    shutil.copytree(site.packs, tmp_path / "before")
    packs.adopt(site, raised(site, pack, "0.10.0"), NOW)
    shutil.rmtree(site.packs)
    shutil.copytree(tmp_path / "before", site.packs)
    with pytest.raises(AnswerIsNo, match=r"older than 0\.10\.0, whose adoption is on record"):
        packs.in_force(site, BASIS)


def test_an_unsigned_pack_put_in_the_place_of_the_law_decides_nothing(site: Site, pack: Path) -> None:
    folder = site.pack_for(BASIS)
    shutil.rmtree(folder)
    shutil.copytree(pack, folder)
    with pytest.raises(AnswerIsNo, match=r"no pack\.lock"):
        packs.in_force(site, BASIS)


def test_a_site_without_offices_decides_nothing(site: Site) -> None:
    text = site.configuration.read_text()
    site.configuration.write_text(text.replace("[offices]", "[officials]"))
    with pytest.raises(WrongInput, match="office counsel"):
        packs.in_force(site, BASIS)


def test_one_key_for_both_offices_decides_nothing(site: Site) -> None:
    counsel, custodian = (signer.verifier.text for signer in offices(site))
    site.configuration.write_text(site.configuration.read_text().replace(custodian, counsel))
    with pytest.raises(AnswerIsNo, match="same key"):
        packs.in_force(site, BASIS)


def test_offices_may_bring_their_own_keys_and_then_nothing_unsigned_is_put_in_force(tmp_path: Path, pack: Path) -> None:
    signers = [parse_signer(new_key(name)[0]) for name in ("counsel.example", "custodian.example")]
    named = Founding("b.example/2025", offices=Offices(*([one.verifier] for one in signers)))
    with pytest.raises(AnswerIsNo, match=r"no pack\.lock"):
        founding.found(tmp_path / "b", named, [pack], NOW)
    assert not (tmp_path / "b").exists()
    report = check.check(load(pack))
    for signer in signers:
        signing.sign(report, signer)
    made = founding.found(tmp_path / "b", named, [pack], NOW)
    assert packs.in_force(made, BASIS).version == "0.1.0"
    assert founding.keys_of_offices(made) == []


def test_a_pack_that_fails_its_check_makes_no_site(tmp_path: Path, pack: Path) -> None:
    law = pack / "law" / "statute.toml"
    law.write_text(law.read_text().replace("persons_agreeing = 1", "persons_agreeing >= 0"))
    with pytest.raises(AnswerIsNo, match="does not pass"):
        founding.found(tmp_path / "site", Founding("gateway.example/2025"), [pack], NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_the_entry_says_which_bytes_and_whose_signatures(site: Site) -> None:
    [kept] = site.events.glob("pack-*.json")
    text = json.dumps(json.loads(kept.read_bytes()))
    pack = packs.in_force(site, BASIS)
    assert pack.digest in text
    assert all(signer.verifier.text in text for signer in offices(site))


def test_run_decides_nothing_under_law_that_does_not_verify(site: Site, pack: Path, tmp_path: Path) -> None:
    submission = tmp_path / "submission"
    submission.mkdir()
    manifest = {
        "format": "gatehouse-submission/1", "id": "S-1", "agency": "us.example", "basis": BASIS, "agreement": "a",
        "signed_on": "2025-08-06", "signatory": {"name": "Head", "title": "Director", "capacity": "agency_head"},
        "officers": [], "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": 1}],
    }  # fmt: skip
    (submission / "submission.json").write_text(json.dumps(manifest))
    law = site.pack_for(BASIS) / "law" / "statute.toml"
    law.write_text(law.read_text().replace("persons_agreeing = 1", "persons_agreeing >= 0"))
    with pytest.raises(AnswerIsNo, match="not those that were signed"):
        journey.run(site, submission, now=NOW, progress=silent)
    assert list(site.dockets.iterdir()) == []
    packs.adopt(site, raised(site, pack, "0.2.0"), NOW)
    with pytest.raises(WrongInput, match=r"submission\.json\.sig"):  # the law is mended; now the submission is read
        journey.run(site, submission, now=NOW, progress=silent)
