"""Whatever is changed in a certificate or a package, nothing is sealed and nothing is opened."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import forging
import house
import pytest
from forging import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.casework import roster
from gatehouse.casework import statement as statements
from gatehouse.casework.selection import Selection
from gatehouse.kernel import canonical
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.ledger import policy
from gatehouse.ledger.signers import Algorithm, new_key, parse_signer
from gatehouse.release import archive, binding, format1, officer, package, recipients, stated, trust
from gatehouse.release.returns import ReleaseRecord
from gatehouse.release.seal import seal
from gatehouse.release.trust import Trust
from gatehouse.synthetic.docket import agency_signer

Releases = tuple[ReleaseRecord, ...]


@pytest.fixture
def believed(released: house.House) -> Trust:
    return trust.read(released.site.root / "trust")


@pytest.fixture
def whole(released: house.House, releases: Releases) -> dict[str, Any]:
    return json.loads((released.docket.certificates / f"{releases[0].id}.json").read_bytes())


def verify(document: dict[str, Any], believed: Trust) -> binding.Verified:
    return binding.verify(canonical.encode(document), believed)


def test_the_certificate_as_it_is_holds(whole: dict[str, Any], believed: Trust) -> None:
    verified = verify(whole, believed)
    assert verified.cases == Selection.of([2, 4, 6, 8, 10])
    assert verified.permitted == {(f"R-{n:06}", "last_known_address") for n in (2, 4, 6, 8, 10)}


@pytest.mark.parametrize("file", HOSTILE, ids=lambda path: path.stem)
def test_a_named_forgery_is_refused(whole: dict[str, Any], believed: Trust, file: Path) -> None:
    with pytest.raises(GatehouseError):
        verify(forging.named(whole, file), believed)


def test_every_byte_counts(released: house.House, releases: Releases, believed: Trust) -> None:
    data = (released.docket.certificates / f"{releases[0].id}.json").read_bytes()
    for at in range(0, len(data), 37):
        altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(GatehouseError):
            binding.verify(altered, believed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_field_changed_left_out_doubled_or_swapped_is_refused(
    whole: dict[str, Any], believed: Trust, data: st.DataObject
) -> None:
    document = forging.drawn(data, whole)
    with pytest.raises(GatehouseError):
        verify(document, believed)


def test_every_byte_of_a_package_counts(released: house.House, releases: Releases, tmp_path: Path) -> None:
    data = released.package(releases[0].id).read_bytes()
    identity = recipients.read_identity(released.key("ICE-0000"))
    believed = trust.read(released.site.root / "trust")
    for at in range(0, len(data), 997):
        altered = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        with pytest.raises(GatehouseError):
            officer.check(altered, identity, believed, (), house.LATER, where="altered.age")
    for cut in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(GatehouseError):
            officer.check(data[:cut], identity, believed, (), house.LATER, where="cut.age")


def test_a_certificate_of_the_format_before_opens_only_when_asked_for(tmp_path: Path) -> None:
    """Made by an earlier version: it proves less, so it takes a flag, and a forgery of it is refused all the same."""
    folder = HOSTILE[0].parent / "format-1"
    key, trusted = recipients.read_identity(folder / "officer.key"), folder / "trust"
    with pytest.raises(GatehouseError):
        officer.open_release(folder / "release.age", key, trusted, tmp_path / "out", house.LATER)
    opened = officer.open_release(folder / "release.age", key, trusted, tmp_path / "out", house.LATER, old=True)
    assert len(opened.rows) == 5
    altered = opened.certificate.replace(b'"cleared', b'"cleareD', 1)
    with pytest.raises(GatehouseError):
        format1.verify(altered, trust.read(trusted))


def test_a_package_of_this_format_is_none_of_the_format_before(
    released: house.House, releases: Releases, tmp_path: Path
) -> None:
    identity = recipients.read_identity(released.key("ICE-0000"))
    package_file, trusted = released.package(releases[0].id), released.site.root / "trust"
    with pytest.raises(GatehouseError):
        officer.open_release(package_file, identity, trusted, tmp_path / "out", house.LATER, old=True)


def test_the_agencys_own_key_counts(released: house.House, releases: Releases, tmp_path: Path) -> None:
    identity = recipients.read_identity(released.key("ICE-0000"))
    package_file, trusted = released.package(releases[0].id), released.site.root / "trust"
    own, other = agency_signer().verifier, parse_signer(new_key(agency_signer().name)[0]).verifier
    officer.open_release(package_file, identity, trusted, tmp_path / "own", house.LATER, agency=[own])
    with pytest.raises(AnswerIsNo):
        officer.open_release(package_file, identity, trusted, tmp_path / "other", house.LATER, agency=[other])


def forged_decision(released: house.House, whole: dict[str, Any], number: int, who: str, **changes: object) -> None:
    """Replace one approval by one properly signed by somebody else."""
    body = {**whole["decisions"][number]["statement"]["body"], "officer": who, **changes}
    whole["decisions"][number]["statement"] = statements.sign(body, released.staff[who]).document()


@pytest.mark.parametrize("who", ["ann", "eve"])
def test_an_approval_that_is_not_in_the_ledger(
    released: house.House, whole: dict[str, Any], believed: Trust, who: str
) -> None:
    """Properly signed, by the same person again or by a third: it was not committed before the release."""
    forged_decision(released, whole, 1, who)
    with pytest.raises(AnswerIsNo, match="differs from the one in the ledger"):
        verify(whole, believed)


def changed(believed: Trust, who: str, **changes: object) -> Trust:
    people = dict(believed.roster.officers)
    people[who] = dataclasses.replace(people[who], **changes)
    return dataclasses.replace(believed, roster=roster.Roster(people))


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "clerk"},
        {"name": "Another Name"},
        {"start": dt.date(2024, 1, 1)},
        {"until": dt.date(2025, 9, 1)},
        {"start": dt.date(2025, 9, 2)},
        {"revoked_on": dt.date(2025, 9, 1)},
        {"delegated_by": "bob", "delegation": "DO 11-2", "until": dt.date(2025, 12, 31)},
        {"conflicts": ("us.dhs.ice",)},
    ],
    ids=str,
)
def test_an_approver_without_authority(whole: dict[str, Any], believed: Trust, changes: dict[str, object]) -> None:
    with pytest.raises(AnswerIsNo):
        verify(whole, changed(believed, "ann", **changes))


def test_an_approver_whom_the_officers_side_does_not_know(whole: dict[str, Any], believed: Trust) -> None:
    people = {name: person for name, person in believed.roster.officers.items() if name != "bob"}
    with pytest.raises(AnswerIsNo):
        verify(whole, dataclasses.replace(believed, roster=roster.Roster(people)))


def test_a_checkpoint_without_the_witnesses_quorum(whole: dict[str, Any], believed: Trust) -> None:
    log = believed.policy.logs[0]
    witness = new_key("witness.example", Algorithm.ED25519_COSIGNATURE)[1]
    text = f"log {log.text}\nwitness w1 {witness}\nquorum w1\n"
    with pytest.raises(AnswerIsNo, match="quorum"):
        verify(whole, dataclasses.replace(believed, policy=policy.parse_policy(text.encode())))


def test_the_ledger_of_somebody_else(whole: dict[str, Any], believed: Trust) -> None:
    other = new_key(believed.policy.logs[0].name)[1]
    with pytest.raises(AnswerIsNo):
        verify(
            whole,
            dataclasses.replace(believed, policy=policy.parse_policy(f"log {other}\nquorum none\n".encode())),
        )


def test_a_forged_roster_is_not_believed(released: house.House) -> None:
    path = released.site.root / "trust" / "officers.json"
    path.write_bytes(path.read_bytes().replace(b'"ann"', b'"eva"'))
    with pytest.raises(AnswerIsNo):
        trust.read(path.parent)


@pytest.fixture
def parts(released: house.House, releases: Releases) -> dict[str, Any]:
    """What the sealer was given: certificate, terms, rows and receipt key."""
    identity = recipients.read_identity(released.key("ICE-0000"))
    custodian = house.custodian_signer(released)
    data = released.package(releases[0].id).read_bytes()
    outer = package.open_outer(data, identity, custodian.verifier, where="release")
    inner = package.open_inner(outer, identity, where="release")
    return {
        "certificate": outer.certificate,
        "terms": outer.terms,
        "rows": inner.rows,
        "receipt_key": inner.receipt_key,
        "salt": inner.salt,
        "custodian": custodian,
    }


def test_the_sealer_seals_what_the_certificate_permits(parts: dict[str, Any], believed: Trust) -> None:
    data = parts.pop("certificate")
    first, second = seal(data, believed, **parts), seal(data, believed, **parts)
    assert first.verified.cases == second.verified.cases
    assert first.digest != second.digest  # which is why a package is recorded before it is used


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts["rows"].pop(),
        lambda parts: parts["rows"].append(parts["rows"][0]),
        lambda parts: parts["rows"].append(("R-000003", *parts["rows"][0][1:])),
        lambda parts: parts["rows"].__setitem__(0, (*parts["rows"][0][:2], "tin", *parts["rows"][0][3:])),
        lambda parts: parts.update(terms=parts["terms"] + b" "),
        lambda parts: parts.update(receipt_key=new_key("other")[0]),
        lambda parts: parts.update(salt=bytes(32)),
        lambda parts: parts["rows"].__setitem__(0, (*parts["rows"][0][:3], "1 Other St", *parts["rows"][0][4:])),
        lambda parts: parts.update(certificate=parts["certificate"].replace(b'"cleared', b'"cleareD', 1)),
        lambda parts: parts.update(certificate=b"{}"),
        lambda parts: parts.update(certificate=b""),
    ],
    ids=[
        "one record less",
        "one twice",
        "one more",
        "another item",
        "other terms",
        "other key",
        "other salt",
        "another address",
        "altered",
        "empty",
        "none",
    ],
)
def test_the_sealer_does_nothing_otherwise(
    parts: dict[str, Any], believed: Trust, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(parts)
    data = parts.pop("certificate")
    monkeypatch.setattr(package, "encrypt", lambda *_: pytest.fail("something was encrypted"))
    with pytest.raises(GatehouseError):
        seal(data, believed, **parts)


def test_nothing_is_decrypted_before_the_certificate_holds(
    released: house.House, parts: dict[str, Any], believed: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that was properly sealed to the officer, around a certificate that does not hold."""
    identity = recipients.read_identity(released.key("ICE-0000"))
    altered = parts["certificate"].replace(b'"cleared', b'"cleareD', 1)
    data = package.build(
        parts["custodian"],
        release="rel-x", recipient=identity.recipient, certificate=altered, terms=parts["terms"], rows=parts["rows"],
        receipt_key=parts["receipt_key"], salt=parts["salt"],
    )  # fmt: skip
    monkeypatch.setattr(package, "open_inner", lambda *_, **__: pytest.fail("records were decrypted"))
    with pytest.raises(GatehouseError):
        officer.check(data, identity, believed, (), house.LATER, where="forged.age")


def test_a_certificate_around_other_records(released: house.House, parts: dict[str, Any], believed: Trust) -> None:
    identity = recipients.read_identity(released.key("ICE-0000"))
    release = stated.read(parts["certificate"]).release.release
    rows = [*parts["rows"], ("R-000003", *parts["rows"][0][1:])]
    data = package.build(
        parts["custodian"],
        release=release, recipient=identity.recipient, certificate=parts["certificate"], terms=parts["terms"],
        rows=rows, receipt_key=parts["receipt_key"], salt=parts["salt"],
    )  # fmt: skip
    with pytest.raises(AnswerIsNo, match="differ from those that the certificate permits"):
        officer.check(data, identity, believed, (), house.LATER, where="forged.age")


def test_a_package_passed_on_to_another_officer(released: house.House, parts: dict[str, Any], believed: Trust) -> None:
    other = recipients.read_identity(released.key("ICE-0001"))
    data = package.build(
        parts["custodian"],
        release=stated.read(parts["certificate"]).release.release, recipient=other.recipient,
        certificate=parts["certificate"], terms=parts["terms"], rows=parts["rows"],
        receipt_key=parts["receipt_key"], salt=parts["salt"],
    )  # fmt: skip
    with pytest.raises(AnswerIsNo, match="a different recipient"):
        officer.check(data, other, believed, (), house.LATER, where="passed-on.age")


def test_a_package_that_the_custodian_did_not_sign(
    released: house.House, parts: dict[str, Any], believed: Trust
) -> None:
    """Anyone can encrypt to an officer; only the custodian's signature makes a package of it."""
    identity = recipients.read_identity(released.key("ICE-0000"))
    said = stated.read(parts["certificate"]).release
    parts.update(custodian=parse_signer(new_key(believed.custodian.name)[0]))
    data = package.build(release=said.release, recipient=identity.recipient, **parts)
    with pytest.raises(AnswerIsNo, match="signature"):
        officer.check(data, identity, believed, (), house.LATER, where="forged.age")


def test_archives_are_deterministic_and_exact() -> None:
    made = archive.pack({"a": b"1", "b": b"22"})
    assert made == archive.pack({"a": b"1", "b": b"22"})
    assert archive.unpack(made, ("a", "b"), where="x") == {"a": b"1", "b": b"22"}
    for names, data in ((("b", "a"), made), (("a",), made), (("a", "b"), made + b"\0"), (("a", "b"), made[:-512])):
        with pytest.raises(WrongInput):
            archive.unpack(data, names, where="x")


def test_a_notice_that_cannot_be_read_stops_everything(released: house.House, releases: Releases) -> None:
    folder = released.site.root / "trust" / "notices"
    folder.mkdir()
    signed = statements.sign({"format": trust.NOTICE_FORM, "release": "rel-other"}, parse_signer(new_key("mallory")[0]))
    (folder / "forged.json").write_bytes(signed.encoded())
    with pytest.raises(AnswerIsNo):
        officer.open_release(
            released.package(releases[0].id), recipients.read_identity(released.key("ICE-0000")), folder.parent,
            released.agency / "out", house.LATER,
        )  # fmt: skip
