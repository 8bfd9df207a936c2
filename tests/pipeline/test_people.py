"""What the configuration says of people counts as far as the ledger and other officers bear it out."""

from __future__ import annotations

import datetime as dt
import shutil
import tomllib
from pathlib import Path

import pytest

from gatehouse.casework import roster as rosters
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.template import write_template
from gatehouse.ledger.signers import Signer, new_key, parse_signer
from gatehouse.pipeline import founding, history, losses, people, record
from gatehouse.pipeline.site import Founding, Site, current, open_site

NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
KEYS = {name: parse_signer(new_key(f"{name}.custodian")[0]) for name in ("ann", "bob", "eve")}


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded")
    write_template(folder / "pack", "us.example.one")
    founding.found(folder / "site", Founding("gateway.example/2025"), [folder / "pack"], NOW)
    return folder / "site"


@pytest.fixture
def site(founded: Path, tmp_path: Path) -> Site:
    site = open_site(Path(shutil.copytree(founded, tmp_path / "site")))
    site = state(site, "ann", "bob")
    enter(site)
    return site


def state(site: Site, *names: str, keys: dict[str, Signer] = KEYS) -> Site:
    with site.configuration.path.open("a") as stream:
        for name in names:
            stream.write(
                f'\n[[officers]]\nid = "{name}"\nname = "{name}"\nrole = "disclosure_officer"\n'
                f'key = "{keys[name].verifier.text}"\nfrom = 2025-01-01\n'
            )
    return current(site)


def enter(site: Site) -> None:
    with record.open_log(site) as log:
        record.publish(site, log, NOW)


def test_every_version_of_the_roster_is_an_entry(site: Site) -> None:
    site = state(site, "eve")
    enter(site)
    enter(site)
    versions = [[one["id"] for one in event.fields["officers"]] for event in history.whole(site).of("roster")]
    assert versions == [["ann", "bob"], ["ann", "bob", "eve"]]
    assert people.roster(site).unendorsed == {"eve"}
    assert "have not endorsed" in str(people.roster(site).why_not("eve", NOW.date()))


def test_an_officer_counts_once_two_have_endorsed(site: Site) -> None:
    site = state(site, "eve")
    people.endorse(site, "eve", "ann", KEYS["ann"])
    assert people.roster(site).unendorsed == {"eve"}
    people.endorse(site, "eve", "bob", KEYS["bob"])
    assert people.roster(site).why_not("eve", NOW.date()) is None
    enter(site)
    assert people.roster(site).why_not("eve", NOW.date()) is None
    with pytest.raises(WrongInput, match="the entry of officer moe is missing"):
        people.endorse(site, "moe", "ann", KEYS["ann"])


def test_an_entry_that_was_taken_back_is_not_endorsed_again(site: Site) -> None:
    """Two officers would sign for it, and it would never count: they are told so instead."""
    before = site.configuration.path.read_text()
    site = state(site, "eve")
    stated = site.configuration.path.read_text()
    people.endorse(site, "eve", "ann", KEYS["ann"])
    people.endorse(site, "eve", "bob", KEYS["bob"])
    enter(site)
    site.configuration.path.write_text(before)
    enter(current(site))
    site.configuration.path.write_text(stated)
    with pytest.raises(WrongInput, match="eve was taken back before"):
        people.endorse(current(site), "eve", "ann", KEYS["ann"])
    site.configuration.path.write_text(stated[::-1].replace("2025-01-01"[::-1], "2025-02-01"[::-1], 1)[::-1])
    site = current(site)
    people.endorse(site, "eve", "ann", KEYS["ann"])
    people.endorse(site, "eve", "bob", KEYS["bob"])
    assert people.roster(site).why_not("eve", NOW.date()) is None


def test_a_roster_put_back_to_before_does_not_begin_again(site: Site) -> None:
    """Whoever writes the configuration cannot make the roster's first version anew."""
    text = site.configuration.path.read_text()
    site.configuration.path.write_text(text[: text.index("\n[[officers]]")])
    enter(current(site))
    site = state(site, "eve")
    enter(site)
    assert people.roster(site).unendorsed == {"eve"}


def test_a_version_whose_opening_is_gone_gives_nobody_authority(site: Site) -> None:
    (site.events / "roster-0.json").unlink()
    with pytest.raises(AnswerIsNo, match="site/roster-0 is missing"):
        people.roster(site)


def test_two_officers_acknowledge_a_loss_and_work_goes_on(site: Site) -> None:
    (site.events / "founded.json").unlink()
    lost = range(1)
    with pytest.raises(AnswerIsNo, match="site/founded is missing"):
        history.whole(site)
    with pytest.raises(WrongInput, match="no entries are lost there"):
        people.acknowledge(site, "ann", KEYS["ann"], range(2, 3), reason="The disk", now=NOW)
    assert not people.acknowledge(site, "ann", KEYS["ann"], lost, reason="The disk failed", now=NOW)
    assert not people.acknowledge(site, "ann", KEYS["ann"], lost, reason="The disk failed", now=NOW)
    assert history.read(site).faults
    with pytest.raises(WrongInput, match="not the key"):
        people.acknowledge(site, "bob", KEYS["ann"], lost, reason="The disk failed", now=NOW)
    assert people.acknowledge(site, "bob", KEYS["bob"], lost, reason="The disk failed", now=NOW)
    found = history.whole(site)
    assert [one.entries for one in found.lost] == [lost]
    (site.events / "key-0.json").unlink()  # another loss is another matter
    with pytest.raises(AnswerIsNo, match="site/key-0 is missing"):
        history.whole(site)


def test_two_entries_of_one_human_acknowledge_no_loss(site: Site) -> None:
    twins = site.configuration.path.read_text().replace('name = "bob"', 'name = "ANN"')
    assert twins != site.configuration.path.read_text()
    stated = rosters.parse(tomllib.loads(twins)["officers"], where="test")
    lost = range(1)
    given = [losses.acknowledge(stated, one, KEYS[one], lost, "The disk", site=site.name) for one in ("ann", "bob")]
    assert not losses.agree(stated, given, lost, site=site.name)
    assert losses.agree(site.configuration.roster, given, lost, site=site.name)


def test_a_loss_that_nobody_signed_explains_nothing(site: Site) -> None:
    (site.events / "founded.json").unlink()
    with record.open_log(site) as log:
        record.event(log, site.events, "site/loss-0-1", {"event": "loss", "first": 0, "count": 1, "statements": []})
    with pytest.raises(AnswerIsNo, match="site/founded is missing"):
        history.whole(site)
