"""The gate before the law: no submission is decided under a pack that does not verify or is not on record."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from gatehouse.kernel.errors import AnswerIsNo, CustodianFault, WrongInput
from gatehouse.kernel.progress import silent
from gatehouse.law import check, signing
from gatehouse.law.reading import load
from gatehouse.law.signing import Offices
from gatehouse.law.template import write_template
from gatehouse.ledger import policy
from gatehouse.ledger.signers import Signer, new_key, parse_signer, read_signer
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import founding, journey, packs
from gatehouse.pipeline.site import Founding, Site, current

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
    before = load(pack).version
    (pack / "pack.toml").write_text(text.replace(f'version = "{before}"', f'version = "{version}"'))
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
    assert not any(key.is_relative_to(site.root) for key in founding.keys_of_offices(site))
    assert sorted(path.name for path in site.keys.iterdir()) == ["custodian.key", "log.key"]


def test_every_adoption_is_an_entry_once(site: Site, pack: Path) -> None:
    raised(site, pack, "0.2.0")
    for _ in range(2):
        packs.adopt(site, pack, NOW)
        assert size(site) == 5


def test_after_a_crash_between_adoption_and_ledger_nothing_is_decided_until_it_is_on_record(
    site: Site, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised(site, pack, "0.2.0")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(packs.record, "open_log", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        packs.adopt(site, pack, NOW)
    with pytest.raises(AnswerIsNo, match=r"differs from the one whose adoption is on record.*gatehouse law adopt"):
        packs.in_force(site, BASIS)
    packs.adopt(site, pack, NOW)
    assert packs.in_force(site, BASIS).version == "0.2.0"
    assert size(site) == 5


def test_another_pack_under_the_version_in_force_decides_nothing(site: Site, pack: Path) -> None:
    """Both offices' keys sign it, and `pinned.json` names it: the ledger still names the one that was adopted."""
    path = pack / "pack.toml"
    path.write_text(path.read_text() + "\n# other content\n")
    law = pack / "law" / "statute.toml"
    law.write_text(law.read_text().replace("The", "A", 1))
    raised(site, pack, load(pack).version)
    with pytest.raises(AnswerIsNo, match="different content"):
        packs.adopt(site, pack, NOW)
    pins = json.loads((site.packs / "pinned.json").read_bytes())
    folder = site.pack_for(BASIS)
    shutil.rmtree(folder)
    shutil.copytree(pack, folder)
    pins["packs"][BASIS]["digest"] = load(pack).digest
    (site.packs / "pinned.json").write_text(json.dumps(pins))
    with pytest.raises(AnswerIsNo, match="differs from the one whose adoption is on record"):
        packs.in_force(site, BASIS)
    (site.packs / "pinned.json").write_text(json.dumps({"format": pins["format"], "packs": {}}))
    with pytest.raises(AnswerIsNo, match="already adopted with different content"):
        packs.adopt(site, pack, NOW)


def test_an_adoption_that_is_not_opened_stops_the_law(site: Site) -> None:
    [kept] = site.events.glob("pack-*.json")
    kept.unlink()
    with pytest.raises(AnswerIsNo, match=r"events/pack-.*: the opening of the event site/pack-.* is missing"):
        packs.in_force(site, BASIS)


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


def test_one_officer_who_holds_both_offices_decides_nothing(site: Site) -> None:
    """By a key of the one and the name of the other: no key and no name stands in both offices."""
    counsel, custodian = offices(site)
    before = site.configuration.path.read_text()
    entry = (
        f'\n[[officers]]\nid = "do-9"\nname = "{custodian.name}"\nrole = "disclosure_officer"\n'
        f'key = "{counsel.verifier.text}"\nfrom = 2025-01-01\n'
    )
    site.configuration.path.write_text(before + entry)
    with pytest.raises(CustodianFault, match="officer do-9 is the key of both offices"):
        packs.in_force(current(site), BASIS)
    site.configuration.path.write_text(before + entry.replace(counsel.verifier.text, new_key("do-9")[1]))
    assert packs.in_force(current(site), BASIS)


def test_a_site_without_offices_decides_nothing(site: Site) -> None:
    text = site.configuration.path.read_text()
    site.configuration.path.write_text(text.replace("[offices]", "[officials]"))
    with pytest.raises(WrongInput, match="office counsel"):
        packs.in_force(current(site), BASIS)


def test_one_key_for_both_offices_decides_nothing(site: Site) -> None:
    counsel, custodian = (signer.verifier.text for signer in offices(site))
    site.configuration.path.write_text(site.configuration.path.read_text().replace(custodian, counsel))
    with pytest.raises(WrongInput, match="one key is the key of both offices"):
        packs.in_force(current(site), BASIS)


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
        "signed_on": "2025-08-06",
        "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
        "officers": [], "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": 1}],
    }  # fmt: skip
    (submission / "submission.json").write_text(json.dumps(manifest))
    law = site.pack_for(BASIS) / "law" / "statute.toml"
    law.write_text(law.read_text().replace("persons_agreeing = 1", "persons_agreeing >= 0"))
    with pytest.raises(AnswerIsNo, match="differ from those that were signed"):
        journey.run(site, submission, now=NOW, progress=silent)
    assert list(site.dockets.iterdir()) == []
    packs.adopt(site, raised(site, pack, "0.2.0"), NOW)
    with pytest.raises(WrongInput, match=r"submission\.json\.sig"):  # the law is mended; now the submission is read
        journey.run(site, submission, now=NOW, progress=silent)
