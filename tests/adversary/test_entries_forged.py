"""Every field of the receipt and of the two entries about a docket, forged by a custodian who also rewrites the ledger.

The custodian has the log's key, so each forged entry is in the ledger, properly signed and proven (the policy here
names no witness, who would have seen two histories). What is left is what other entries, officers and the agency say.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import house
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError
from gatehouse.ledger import policy, tiles, tree
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.docket_proof import dated, verify_docket
from gatehouse.ledger.log import Log, batches
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import answers
from gatehouse.pipeline.site import Site, open_site
from gatehouse.release import binding, trust
from gatehouse.release.certificate import Pool
from gatehouse.release.returns import ReleaseRecord
from gatehouse.synthetic.docket import agency_signer

pytestmark = pytest.mark.slow

VERIFIER = Path(__file__).parents[2] / "verifier"
MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)
KINDS = ("received", "docket")
Releases = tuple[ReleaseRecord, ...]
ANOTHER = {
    "docket": "ICE-2025-0004", "agency": "us.doj.other", "submission": "ICE-2025-0004", "as_of": "2025-09-02",
    "event": "release", "received_at": "2025-09-02T12:00:00Z", "signature": None,
}  # fmt: skip
"""What another docket, another agency or another day would have there."""


def stranger(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, VERIFIER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RELEASE, DOCKET = stranger("verify_release"), stranger("verify_docket")


def opened(home: house.House, kind: str) -> Opening:
    return Opening.parse((home.docket.events / f"{kind}.json").read_bytes())


@dataclass
class Forged:
    """A ledger written again, a certificate proven in it, and a docket whose openings are those."""

    certificate: dict[str, Any]
    docket: Path
    ledger: Path


@dataclass
class Custodian:
    """What one released docket looks like, to be written again otherwise."""

    home: house.House
    certificate: dict[str, Any]
    folder: Path
    made: int = 0

    def rewrite(self, openings: dict[str, Opening], receipt: str | None = None) -> Forged:
        """The ledger with other entries in the places of these two, and everything proven in it anew."""
        self.made += 1
        folder, site = self.folder / str(self.made), self.home.site
        size = policy.read(site.policy).accept((site.ledger / "checkpoint").read_bytes()).size
        entries = list(tiles.TileReader(site.ledger, size).span(0, size))
        document = copy.deepcopy(self.certificate)
        for kind, opening in openings.items():
            entries[document[kind]["index"]] = opening.entry
            document[kind] |= {"batch": opening.batch, "digests": [*opening.digests], "shown": [*opening.shown]}
        folder.mkdir()
        with Log.create(folder / "ledger", read_signer(site.log_key), state=folder / "state") as log:
            log.append("all", entries)
            log.publish(house.LATER)
        document["receipt"] = receipt or document["receipt"]
        self._prove(document, folder / "ledger", len(entries))
        shutil.copytree(self.home.docket.root, folder / house.NAME)
        for kind, opening in openings.items():
            (folder / house.NAME / "events" / f"{kind}.json").write_bytes(opening.encode())
        if receipt is not None:
            (folder / house.NAME / "receipt.json").write_text(receipt)
        return Forged(document, folder / house.NAME, folder / "ledger")

    def _prove(self, document: dict[str, Any], ledger: Path, size: int) -> None:
        pool, reader = Pool(), tiles.TileReader(ledger, size)
        first = opened(self.home, "received").fields()["first"]
        placed = [(one, one["index"]) for one in (*(document[kind] for kind in (*KINDS, "roster", "release")),
                                                  *document["adopted"],
                                                  *(one["entry"] for one in document["decisions"]))]  # fmt: skip
        for one, index in [*placed, *((one, first + one["seq"]) for one in document["records"])]:
            one["proof"] = [*pool.numbers(tree.inclusion_proof(index, size, reader.node))]
        document["earlier"] = []
        document["checkpoint"] = (ledger / "checkpoint").read_text()
        document["nodes"] = RELEASE.base64.b64encode(b"".join(pool.nodes)).decode()


@pytest.fixture
def custodian(released: house.House, releases: Releases, tmp_path: Path) -> Custodian:
    document = json.loads((released.docket.certificates / f"{releases[0].id}.json").read_bytes())
    return Custodian(released, document, tmp_path)


def opens(home: house.House, document: dict[str, Any]) -> bool:
    """Whether the certificate holds: by `open` and by the stranger's tool, which must agree, each in one line."""
    folder, data = home.site.root / "trust", canonical.encode(document)
    return _agree(
        lambda: binding.verify(data, trust.read(folder)),
        lambda: RELEASE.check(
            data, RELEASE.Policy(str(folder / "witnesses.policy")), RELEASE.Trust(str(folder), home.site.name), None
        ),
        RELEASE.Failure,
    )


def accounts(home: house.House, forged: Forged, receipt: Path) -> tuple[bool, bool]:
    """Whether `verify docket` accepts, and whether the stranger's tool does, both with the agency's own receipt."""
    believed, agency = policy.read(home.site.policy), agency_signer().verifier

    def ours() -> None:
        newest = believed.accept((forged.ledger / "checkpoint").read_bytes())
        with duckdb.connect() as connection:
            found = verify_docket(connection, forged.docket, forged.ledger, newest, agency=[agency])
        dated(forged.docket, forged.ledger, found, believed)
        if digests.of_file(receipt) != found.received.receipt:
            raise AnswerIsNo("the ledger's entry is about a different receipt from the agency's")

    def theirs() -> None:
        key = DOCKET.Key(agency.text)
        size, _, _ = DOCKET.check_ledger(str(forged.ledger), DOCKET.Policy(str(home.site.policy)))
        DOCKET.check_docket(str(forged.docket), str(forged.ledger), size, key, str(receipt))

    return _holds(ours, GatehouseError), _holds(theirs, DOCKET.Failure)


def _holds(check: Callable[[], object], failure: type[Exception]) -> bool:
    try:
        check()
    except (failure, *MALFORMED) as refused:
        said = str(refused)
        assert "\n" not in said
        assert len(said) < 400
        return False
    return True


def _agree(ours: Callable[[], object], theirs: Callable[[], object], failure: type[Exception]) -> bool:
    held = _holds(ours, GatehouseError)
    assert held == _holds(theirs, failure)
    return held


def test_the_ledger_written_again_as_it_was_holds(custodian: Custodian) -> None:
    """The forger's own tools are sound: with nothing changed everything is accepted."""
    forged = custodian.rewrite({kind: opened(custodian.home, kind) for kind in KINDS})
    assert opens(custodian.home, forged.certificate)
    assert accounts(custodian.home, forged, custodian.home.docket.receipt) == (True, True)


def other(data: st.DataObject, name: str, value: object, fields: dict[str, Any]) -> object:
    """Another value of the same kind: another docket's, agency's or day's, or one that stands elsewhere here."""
    choices: list[object] = [None, "", 0, [], True]
    if name in ANOTHER:
        choices += [ANOTHER[name]] * 3
    if isinstance(value, int):
        choices += [value + 1, value - 1, str(value)] * 2
    if isinstance(value, str):
        kin = [each for each in fields.values() if isinstance(each, str) and len(each) == len(value)]
        choices += [*kin, value[:-1] + ("0" if value[-1:] != "0" else "1")] * 2
    if isinstance(value, dict):
        member = data.draw(st.sampled_from(sorted(value)))
        swapped = data.draw(st.sampled_from(sorted(value.values(), key=str)))
        choices += [{**value, member: swapped}, {key: each for key, each in value.items() if key != member},
                    {**value, "more.parquet": swapped}] * 3  # fmt: skip
    chosen = data.draw(st.sampled_from(choices))
    assume(chosen != value or type(chosen) is not type(value))
    return chosen


def drawn(data: st.DataObject, opening: Opening) -> tuple[str, str, Opening]:
    """Which field, what was done to it, and the entry committed with that."""
    fields = dict(opening.fields())
    name = data.draw(st.sampled_from(sorted(fields)))
    how = data.draw(st.sampled_from(["change", "change", "leave out", "double", "add", "hide"]))
    if how == "double":
        _, made = commit_event(fields)
        at = list(fields).index(name)
        twice = Opening(made.batch, 0, (*made.digests, made.digests[at]), (*made.shown, made.shown[at]))
        return name, how, twice
    if how == "hide":
        _, made = commit_event(fields)
        return name, how, made.only(set(fields) - {name})
    if how == "leave out":
        del fields[name]
    elif how == "add":
        fields["more"] = fields[name]
    else:
        fields[name] = other(data, name, fields[name], fields)
    return name, how, commit_event(fields)[1]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_forged_field_of_an_entry_opens_nothing_and_accounts_for_nothing(
    custodian: Custodian, data: st.DataObject
) -> None:
    """Only the register's digest stands in no other place of the docket: there the officers' signatures refuse alone.

    The stranger's tool for dockets reads no tables, so the law and its date are the certificate's and ours to refuse.
    """
    kind = data.draw(st.sampled_from(KINDS))
    name, how, opening = drawn(data, opened(custodian.home, kind))
    forged = custodian.rewrite({kind: opening})
    assert not opens(custodian.home, forged.certificate)
    ours, theirs = accounts(custodian.home, forged, custodian.home.docket.receipt)
    assert not ours or (kind, name, how) == ("docket", "register", "change")
    assert ours == theirs or (kind, how, name in {"pack", "as_of"}) == ("received", "change", True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_forged_field_of_the_receipt_binds_to_nothing(custodian: Custodian, data: st.DataObject) -> None:
    """Committed again with both entries that name it: the agency's copy and the officers' signatures still differ."""
    openings, text, _ = receipted(data, custodian.home)
    forged = custodian.rewrite(openings, receipt=text)
    assert not opens(custodian.home, forged.certificate)
    assert accounts(custodian.home, forged, custodian.home.docket.receipt) == (False, False)


def receipted(data: st.DataObject, home: house.House) -> tuple[dict[str, Opening], str, str]:
    """Another receipt, the two entries committed again with its digest, and which member of it was forged."""
    receipt = json.loads(home.docket.receipt.read_bytes())
    name = data.draw(st.sampled_from(sorted(receipt)))
    if data.draw(st.booleans()):
        del receipt[name]
    else:
        receipt[name] = other(data, name, receipt[name], receipt)
    text = canonical.encode(receipt).decode() + "\n"
    if data.draw(st.booleans()):
        text = text.replace("{", '{"refusal":null,', 1)  # a member that stands twice
    openings = {}
    for kind in KINDS:
        fields = dict(opened(home, kind).fields())
        if kind == "received":
            fields["receipt"] = digests.of_bytes(text.encode())
        else:
            fields["files"] = {**fields["files"], "receipt.json": digests.of_bytes(text.encode())}
        openings[kind] = commit_event(fields)[1]
    return openings, text, name


@dataclass
class Told:
    """A copy of the site in which answers were built, whose ledger the custodian writes again in its place."""

    home: house.House
    site: Site

    @property
    def docket(self) -> Path:
        return self.site.dockets / house.NAME

    def rewrite(self, openings: dict[str, Opening], receipt: str | None = None) -> None:
        """The same batches under the same names, with other entries in the places of these two."""
        placed = batches(self.home.site.ledger_state)
        size = max(span.stop for span in placed.values())
        entries = list(tiles.TileReader(self.home.site.ledger, size).span(0, size))
        for kind, opening in openings.items():
            entries[placed[f"{house.NAME}/{kind}"].start] = opening.entry
            (self.docket / "events" / f"{kind}.json").write_bytes(opening.encode())
        (self.docket / "receipt.json").write_text(receipt or self.home.docket.receipt.read_text())
        for folder in (self.site.ledger, self.site.ledger_state):
            shutil.rmtree(folder)
        with Log.create(self.site.ledger, read_signer(self.site.log_key), state=self.site.ledger_state) as log:
            for name, span in sorted(placed.items(), key=lambda one: one[1].start):
                log.append(name, entries[span.start : span.stop])
            log.publish(house.LATER)

    def holds(self) -> bool:
        return _holds(
            lambda: answers.check(self.home.connection, replace(self.home.office, site=self.site)), GatehouseError
        )


@pytest.fixture
def told(released: house.House, tmp_path: Path) -> Told:
    answers.build(released.connection, released.office, house.LATER)
    return Told(released, open_site(Path(shutil.copytree(released.site.root, tmp_path / "told"))))


def test_answers_of_a_ledger_written_again_as_it_was_hold(told: Told) -> None:
    told.rewrite({kind: opened(told.home, kind) for kind in KINDS})
    assert told.holds()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_forged_field_of_an_entry_bears_out_no_answer(told: Told, data: st.DataObject) -> None:
    """Only the register's digest stands in no other place: the answers do not rest on it."""
    kind = data.draw(st.sampled_from(KINDS))
    name, how, opening = drawn(data, opened(told.home, kind))
    told.rewrite({kind: opening, **{one: opened(told.home, one) for one in KINDS if one != kind}})
    assert not told.holds() or (kind, name, how) == ("docket", "register", "change")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_forged_receipt_bears_out_no_answer(told: Told, data: st.DataObject) -> None:
    """Only what nothing else says may differ: who took it in, a refusal's text, a time within what witnesses saw."""
    openings, text, name = receipted(data, told.home)
    told.rewrite(openings, receipt=text)
    assert not told.holds() or name in {"received_at", "signed_by", "received_by", "refusal", "format"}


def test_an_agency_exchanged_before_the_answers_were_built_is_noticed(told: Told) -> None:
    """The custodian builds the answers again under the forged entry: they agree with it, and the docket does not."""
    fields = {**opened(told.home, "received").fields(), "agency": "us.doj.other"}
    told.rewrite({"received": commit_event(fields)[1]})
    place = replace(told.home.office, site=told.site)
    answers.build(told.home.connection, place, house.LATER)
    with pytest.raises(AnswerIsNo, match="the received submission differs in the agency"):
        answers.check(told.home.connection, place)


def test_what_does_not_bind_to_what_is_said(custodian: Custodian) -> None:
    """A line for each, not a shrug: which two things differ."""
    said = {}
    for kind, name, value in (
        ("received", "docket", "ICE-2025-0004"), ("received", "requests", 11), ("received", "as_of", "2025-09-02"),
        ("received", "manifest", "0" * 64), ("docket", "received", 3), ("docket", "register", None),
    ):  # fmt: skip
        fields = {**opened(custodian.home, kind).fields(), name: value}
        forged = custodian.rewrite({kind: commit_event(fields)[1]})
        with pytest.raises(GatehouseError) as refused:
            binding.verify(canonical.encode(forged.certificate), trust.read(custodian.home.site.root / "trust"))
        said[kind, name] = str(refused.value)
    assert "the docket's entry is about a different receipt" in said["received", "docket"]
    assert "number of requests" in said["received", "requests"]
    assert "dated" in said["received", "as_of"] or "law" in said["received", "as_of"]
    assert "submission.json differs from the one that was received" in said["received", "manifest"]
    assert "about a different receipt" in said["docket", "received"]
    assert "about a different docket" in said["docket", "register"]
