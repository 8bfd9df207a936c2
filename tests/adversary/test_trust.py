"""Invented approvers in a refreshed `trust/`: the custodian's key signs them, and the officer's side believes none."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import house
import pytest

from gatehouse.casework.endorsement import Version, endorse
from gatehouse.casework.roster import Officer, Roster
from gatehouse.intake import parties
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import policy
from gatehouse.ledger.signers import Algorithm, Signer, new_key, parse_signer, read_signer
from gatehouse.pipeline import people
from gatehouse.release import acquaintance, officer, trust
from gatehouse.release.recipients import read_identity
from gatehouse.release.returns import ReleaseRecord
from gatehouse.release.trust import Trust

SITE = "test.example/2025"
VERIFIER = Path(__file__).parents[2] / "verifier" / "verify_release.py"
MAL, MOE = (parse_signer(new_key(f"{name}.custodian")[0]) for name in ("mal", "moe"))


def invented(signer: Signer) -> Officer:
    name = signer.name.partition(".")[0]
    day = house.NOW.date()
    return Officer(name, f"{name} custodian", "disclosure_officer", signer.verifier, day.replace(month=1))


def hand_over(home: house.House, versions: list[Version]) -> Trust:
    """A refreshed trust folder, signed with the custodian's own key."""
    folder, custodian = home.site.root / "trust", read_signer(home.site.custodian_key)
    trust.write(
        folder, log_vkey=read_signer(home.site.log_key).key_text, policy=home.site.policy.read_text(),
        custodian=custodian, versions=versions, agencies=parties.read(home.site.parties).agencies.values(),
    )  # fmt: skip
    return trust.read(folder)


def stranger_of(home: house.House) -> set[str]:
    """Whom the stranger's verifier admits."""
    spec = importlib.util.spec_from_file_location("verify_release", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_release"] = module
    spec.loader.exec_module(module)
    return set(module.Trust(str(home.site.root / "trust"), SITE).officers)


def plus(version: Version, *more: Officer) -> Roster:
    return replace(version.stated, officers={**version.stated.officers, **{one.id: one for one in more}})


def test_approvers_whom_no_officer_endorsed_do_not_count(released: house.House) -> None:
    true = people.versions(released.site)
    mal, moe = invented(MAL), invented(MOE)
    own = (endorse(mal, moe, MOE, site=SITE), endorse(moe, mal, MAL, site=SITE))
    believed = hand_over(released, [*true, Version(plus(true[-1], mal, moe), own)])
    assert set(believed.roster.officers) == {"ann", "bob", "eve"} == stranger_of(released)
    words = tuple(
        endorse(mal, true[-1].stated.officers[name], released.staff[name], site=SITE) for name in ("ann", "bob")
    )
    believed = hand_over(released, [*true, Version(plus(true[-1], mal, moe), words)])
    assert set(believed.roster.officers) == {"ann", "bob", "eve", "mal"} == stranger_of(released)


def test_a_roster_that_begins_anew_is_not_the_one_that_the_key_has_seen(
    released: house.House, releases: tuple[ReleaseRecord, ...], tmp_path: Path
) -> None:
    true, first = people.versions(released.site), releases[0]
    hand_over(released, true)
    identity, known = read_identity(released.key(first.officer)), acquaintance.beside(released.key(first.officer))

    def opened(name: str) -> object:
        folder = released.site.root / "trust"
        package = released.package(first.id)
        return officer.open_release(package, identity, folder, tmp_path / name, house.LATER, known=known)

    assert opened("one")
    assert known.stat().st_mode & 0o777 == 0o600
    hand_over(released, [Version(Roster({one.id: one for one in (invented(MAL), invented(MOE))}))])
    with pytest.raises(AnswerIsNo, match="roster does not continue the one seen before"):
        opened("two")
    assert not (tmp_path / "two").exists()
    hand_over(released, [*true, true[-1]])  # a later version is
    assert opened("three")
    hand_over(released, true)  # and then an earlier list is not
    with pytest.raises(AnswerIsNo, match="does not continue"):
        opened("four")


def _another_log(believed: Trust) -> Trust:
    """Another log before the one that is known, which would make the rest of the folder somebody unknown."""
    key = parse_signer(new_key("other.example/2026")[0]).verifier
    return replace(believed, policy=replace(believed.policy, logs=(key, *believed.policy.logs)))


def _no_witness(believed: Trust) -> Trust:
    return replace(believed, policy=replace(believed.policy, witnesses=(), quorum="none"))


def _a_second_log_key(believed: Trust) -> Trust:
    key = parse_signer(new_key(believed.policy.logs[0].name)[0]).verifier
    return replace(believed, policy=replace(believed.policy, logs=(*believed.policy.logs, key)))


def _a_key_for_the_agency(believed: Trust) -> Trust:
    [(name, keys)] = believed.agencies.items()
    return replace(believed, agencies={name: (*keys, replace(keys[0], verifier=MAL.verifier))})


@pytest.mark.parametrize(
    ("refresh", "said"),
    [(_another_log, "met another log before"), (_no_witness, "other logs or witnesses"),
     (_a_second_log_key, "other logs or witnesses"), (_a_key_for_the_agency, "a key that it did not have before")],
)  # fmt: skip
def test_whoever_is_to_be_believed_anew_is_asked_about_first(
    released: house.House, tmp_path: Path, refresh: Callable[[Trust], Trust], said: str
) -> None:
    """Under other witnesses a release has any date; under another key of the agency, any submission is the agency's."""
    folder = trust.read(released.site.root / "trust")
    witness = policy.Witness("w", parse_signer(new_key("w.example", Algorithm.ED25519_COSIGNATURE)[0]).verifier, None)
    first = replace(folder, policy=replace(folder.policy, witnesses=(witness,), quorum="w"))
    known = tmp_path / "officer.key.known"
    acquaintance.recognize(first, known)
    refreshed = refresh(first)
    with pytest.raises(AnswerIsNo, match=said):
        acquaintance.recognize(refreshed, known)
    acquaintance.recognize(first, known)
    acquaintance.recognize(refreshed, known, anew=True)
    acquaintance.recognize(refreshed, known)


def test_what_an_older_memory_does_not_know_is_learned(released: house.House, tmp_path: Path) -> None:
    believed, known = trust.read(released.site.root / "trust"), tmp_path / "officer.key.known"
    acquaintance.recognize(believed, known)
    kept = json.loads(known.read_bytes())
    for one in kept["custodians"].values():
        del one["policy"], one["agencies"]
    known.write_text(json.dumps(kept))
    acquaintance.recognize(believed, known)
    with pytest.raises(AnswerIsNo, match="a key that it did not have before"):
        acquaintance.recognize(_a_key_for_the_agency(believed), known)


def test_another_custodians_key_is_not_the_one_that_the_key_has_seen(released: house.House, tmp_path: Path) -> None:
    believed = trust.read(released.site.root / "trust")
    known = tmp_path / "officer.key.known"
    acquaintance.recognize(believed, known)
    with pytest.raises(AnswerIsNo, match="custodian's key differs from the one seen before"):
        acquaintance.recognize(replace(believed, custodian=MAL.verifier), known)
