"""From receipt to release, whatever a custodian with all its own keys exchanges, somebody outside notices.

Each test plays one attack that once passed every check, and says who notices: the officer who opens, or an inspector
with the stranger's tools. `dishonest` takes out the custodian's own checks first, for its code is its own to change.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import house
import pytest

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.determine.docket import Docket
from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError
from gatehouse.ledger import cosignature, docket_files, note, policy
from gatehouse.ledger import log as logs
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.docket_proof import verify_docket
from gatehouse.ledger.log import Log
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import Algorithm, new_key, parse_signer
from gatehouse.oversight import sources
from gatehouse.pipeline import commit, dockets, history, planning, record
from gatehouse.pipeline import release as stage
from gatehouse.release import binding, officer, seal, stated, trust
from gatehouse.release.recipients import read_identity, write_identity
from gatehouse.release.returns import ReleaseRecord
from gatehouse.store import jobs, models_of
from gatehouse.synthetic.docket import agency_signer

LATER, DAY = house.LATER, dt.timedelta(days=1)


@pytest.fixture
def dishonest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The custodian's own checks taken out: the door compares nothing, and the sealer believes what it is shown."""

    def believe(data: bytes, _: trust.Trust, **__: object) -> binding.Verified:
        said = stated.read(data)
        release = said.release
        header = binding.Header(
            release.release, release.docket, release.agency, said.basis, said.agreement, release.officer,
            release.recipient, release.at, dt.date.fromisoformat(release.expires_on), release.terms,
            release.receipt_key, release.records,
        )  # fmt: skip
        cases = Selection.of(one.seq for one in said.records)
        return binding.Verified(header, digests.of_bytes(data), frozenset(), cases)

    monkeypatch.setattr(docket_files, "compare", lambda *_: None)
    monkeypatch.setattr(history, "whole", history.read)
    monkeypatch.setattr(seal, "verify", believe)
    monkeypatch.setattr(seal, "covers", lambda *_, **__: None)
    monkeypatch.setattr(seal, "contents", lambda *_, **__: None)


def release(home: house.House, now: dt.datetime = LATER) -> stage.Released:
    return stage.release(home.connection, home.office, house.NAME, now)


def opens(home: house.House, one: ReleaseRecord, key: Path, out: Path) -> officer.Opened:
    return officer.open_release(home.package(one.id), read_identity(key), home.site.root / "trust", out, LATER)


def inspected(home: house.House, docket: Path | None = None) -> None:
    """What an inspector runs: `gatehouse verify docket`, with the agency's own key."""
    newest = policy.read(home.site.policy).accept((home.site.ledger / "checkpoint").read_bytes())
    with duckdb.connect() as connection:
        verify_docket(
            connection, docket or home.docket.root, home.site.ledger, newest, agency=[agency_signer().verifier]
        )


def rewrite(path: Path, query: str) -> None:
    """Replace a Parquet file by a query over it."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE kept AS FROM read_parquet('{path}')")
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def forget(log: Log, name: str) -> None:
    """Take a batch's name out of the log's private memory, which is the custodian's own."""
    log._database.execute("UPDATE batches SET name = 'x' || name WHERE name LIKE ?", [name])


def bind_again(home: house.House) -> None:
    """Let the log bind the docket's files once more, and the docket point at the new entry."""
    said = Opening.parse((home.docket.events / "docket.json").read_bytes()).fields()
    said["files"] = docket_files.listing(home.docket.root)
    with record.open_log(home.site) as log:
        entry, opening = commit_event(said)
        forget(log, f"{house.NAME}/docket")
        log.append(f"{house.NAME}/docket", [entry])
        record.publish(home.site, log, LATER)
    (home.docket.events / "docket.json").write_bytes(opening.encode())


def certificate_of(home: house.House, one: ReleaseRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home.docket.certificates / f"{one.id}.json").read_bytes())
    return found


def verified(home: house.House, document: dict[str, Any]) -> binding.Verified:
    return binding.verify(canonical.encode(document), trust.read(home.site.root / "trust"))


@pytest.mark.parametrize("bound_again", [False, True], ids=["in place", "with an entry of its own"])
def test_a_recipient_exchanged_after_two_approvals(
    approved: house.House, dishonest: None, tmp_path: Path, *, bound_again: bool
) -> None:
    """The stranger who received it could open it: the officer's tool refuses, as would any of the agency's."""
    stranger = write_identity(tmp_path / "stranger.key")
    manifest = json.loads(approved.docket.manifest.read_bytes())
    manifest["officers"][0]["recipient"] = stranger
    approved.docket.manifest.write_text(json.dumps(manifest))
    if bound_again:
        bind_again(approved)
    done = release(approved)
    with pytest.raises(AnswerIsNo, match="differs from the one that was received"):
        opens(approved, done.releases[0], tmp_path / "stranger.key", tmp_path / "out")
    with pytest.raises(AnswerIsNo):
        inspected(approved)


def test_an_exchanged_recipient_stops_the_custodians_own_release(approved: house.House, tmp_path: Path) -> None:
    manifest = json.loads(approved.docket.manifest.read_bytes())
    manifest["officers"][0]["recipient"] = write_identity(tmp_path / "stranger.key")
    approved.docket.manifest.write_text(json.dumps(manifest))
    with pytest.raises(AnswerIsNo, match="differs from the one that was committed") as told:
        release(approved)
    assert "submission.json" in told.value.where
    assert list(approved.docket.releases.iterdir()) == []


@pytest.mark.parametrize("bound_again", [False, True], ids=["put back", "with an entry of its own"])
def test_a_person_exchanged_in_the_evidence(
    approved: house.House, dishonest: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, bound_again: bool
) -> None:
    """Rows 4 and 5 change persons. Put back afterwards, the entry of the release tells the inspector whose data left;
    bound again, the decisions are about another entry, and the officer's tool refuses.
    """
    whole = {name: approved.docket.table(name).read_bytes() for name in ("evidence", "determinations")}
    for name in whole:
        rewrite(
            approved.docket.table(name),
            "SELECT * REPLACE (CASE seq WHEN 4 THEN 5 WHEN 5 THEN 4 ELSE person_id END AS person_id) FROM kept",
        )
    if bound_again:
        bind_again(approved)
    done = release(approved)
    if bound_again:
        with pytest.raises(AnswerIsNo):
            opens(approved, done.releases[0], approved.key("ICE-0000"), tmp_path / "out")
        return
    for name, data in whole.items():
        approved.docket.table(name).write_bytes(data)
    monkeypatch.undo()
    with pytest.raises(AnswerIsNo, match="data of a different person from the one in row"):
        inspected(approved)


def entry_in_the_ledger(home: house.House, fields: dict[str, Any]) -> tuple[int, Opening]:
    """An event of the custodian's making, committed and published with the log's key."""
    with record.open_log(home.site) as log:
        entry, opening = commit_event(fields)
        index = log.append(f"{house.NAME}/made-up", [entry])
        record.publish(home.site, log, LATER)
    return index, opening


@pytest.mark.parametrize("committed", [False, True])
def test_a_release_to_another_agency_under_these_approvals(
    released: house.House, releases: tuple[ReleaseRecord, ...], *, committed: bool
) -> None:
    """Whoever is not named in what the agency signed receives nothing, with an entry in the ledger or without."""
    document = certificate_of(released, releases[0])
    fields = Opening.parse((released.docket.events / f"release-{releases[0].id}.json").read_bytes()).fields()
    fields |= {"agency": "us.other", "officer": "OTHER-1", "recipient": "age1other"}
    if committed:
        index, opening = entry_in_the_ledger(released, fields)
        document["release"]["index"] = index
    else:
        _, opening = commit_event(fields)
    shown = opening.only(set(fields) - {"persons"})
    document["release"] |= {
        "batch": shown.batch, "digests": list(shown.digests), "shown": list(shown.shown)
    }  # fmt: skip
    with pytest.raises(GatehouseError):
        verified(released, document)


def test_rows_that_nobody_approved_under_a_clearance_of_another_docket(
    released: house.House, releases: tuple[ReleaseRecord, ...]
) -> None:
    """A record's place follows from the one receipt, so a row of another docket has none."""
    document = certificate_of(released, releases[0])
    stray = dict(document["records"][0])
    stray["seq"] = 0
    document["records"] = [stray, *document["records"]]
    with pytest.raises(AnswerIsNo, match="not in the ledger"):
        verified(released, document)


def test_a_decision_under_which_other_cases_were_put(
    released: house.House, releases: tuple[ReleaseRecord, ...]
) -> None:
    document = certificate_of(released, releases[0])
    document["decisions"][0]["selection"] = Selection.of(range(12)).text()
    with pytest.raises(AnswerIsNo, match="differs from the one in the ledger"):
        verified(released, document)


def cosigned(text: str, witness: Any, at: dt.datetime) -> str:
    """A checkpoint with one more line: an honest witness saw it then."""
    signed = note.Note.parse(text.encode())
    return signed.plus([cosignature.cosign(witness, signed.text, int(at.timestamp()))]).encoded.decode()


@pytest.mark.parametrize(
    ("seen", "holds"),
    [(LATER, True), (LATER + dt.timedelta(hours=70), True), (LATER + 200 * DAY, False), (LATER - 2 * DAY, False)],
    ids=["at once", "within the longest silence", "months later", "before it was made"],
)
def test_a_release_dated_otherwise_than_witnesses_saw_it(
    released: house.House, releases: tuple[ReleaseRecord, ...], seen: dt.datetime, *, holds: bool
) -> None:
    """Back-dated past an injunction: the times of receipt, decisions and release lie between the cosignatures."""
    private, public = new_key("witness.example", Algorithm.ED25519_COSIGNATURE)
    witness, document = parse_signer(private), certificate_of(released, releases[0])
    document["checkpoint"] = cosigned(document["checkpoint"], witness, seen)
    for one in document["earlier"]:
        one["checkpoint"] = cosigned(one["checkpoint"], witness, min(seen, house.NOW))
    believed = trust.read(released.site.root / "trust")
    text = f"log {believed.policy.logs[0].text}\nwitness w {public}\nquorum w\n"
    watched = trust.Trust(
        policy.parse_policy(text.encode()), believed.custodian, believed.roster, believed.agencies
    )  # fmt: skip
    if holds:
        found = binding.verify(canonical.encode(document), watched)
        assert any(line.startswith("the release, 2025-09-01T12:05:00Z") and "seen" in line for line in found.times)
        return
    with pytest.raises(AnswerIsNo, match="is dated"):
        binding.verify(canonical.encode(document), watched)


@pytest.fixture
def apart(small: house.House) -> Callable[[], Docket]:
    """Makes a docket as it was before it was committed, under a name of its own."""

    def make() -> Docket:
        docket = Docket(small.site.dockets / "ICE-2")
        shutil.copytree(small.docket.root, docket.root)
        for name in ("events", "releases", "certificates"):
            shutil.rmtree(docket.root / name)
        for name in ("vault.parquet", "queue.parquet"):
            (docket.root / name).unlink()
        query = "SELECT * REPLACE (NULL::BIGINT AS ledger_index) FROM kept"
        rewrite(docket.table("determinations"), query)
        return docket

    return make


def test_requests_dropped_before_they_were_committed(small: house.House, apart: Callable[[], Docket]) -> None:
    """The agency signed twelve and holds a receipt for twelve; seven were committed."""
    docket = apart()
    for name in ("requests", "facts", "evidence", "determinations"):
        rewrite(docket.table(name), "SELECT * FROM kept WHERE seq < 7")
    commit.commit_docket(small.connection, small.site, docket, LATER)
    with pytest.raises(AnswerIsNo, match="number of requests, as the manifest says"):
        inspected(small, docket.root)


def test_a_second_batch_to_which_the_docket_points(
    approved: house.House, dishonest: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The determinations are committed again, otherwise, and everything points at them: the decisions do not, so the
    officer's tool refuses; and the first batch belongs to no docket, so the inspector's report does.
    """
    for name in ("vault.parquet", "queue.parquet"):
        (approved.docket.root / name).unlink()
    for name in ("received", "docket"):
        (approved.docket.events / f"{name}.json").unlink()
    rewrite(approved.docket.table("determinations"), "SELECT * REPLACE (NULL::BIGINT AS ledger_index) FROM kept")
    with record.open_log(approved.site) as log:
        forget(log, f"{house.NAME}/%")
    commit.commit_docket(approved.connection, approved.site, approved.docket, LATER)
    with pytest.raises(GatehouseError):
        release(approved)
        for one in stage.Shelf().releases(house.NAME):
            opens(approved, one, approved.key(one.officer), tmp_path / one.officer)
    monkeypatch.undo()
    assert any(fault.entries.start <= 20 for fault in history.read(approved.site).faults), "and `check` names its place"
    with duckdb.connect() as connection, pytest.raises(AnswerIsNo, match="belong to no docket"):
        sources.verify(connection, sources.of_site(approved.site.root, policy.read(approved.site.policy)))


def _entered(home: house.House) -> dict[str, range]:
    kept = logs.batches(home.site.ledger_state)
    return {name: span for name, span in kept.items() if name.startswith(f"{house.NAME}/")}


def test_a_second_batch_of_a_docket_is_impossible(small: house.House) -> None:
    """The site commits a docket once: again the same changes nothing, and other determinations are refused."""
    table, whole = small.docket.table("determinations"), small.docket.table("determinations").read_bytes()
    before = _entered(small)
    commit.commit_docket(small.connection, small.site, small.docket, LATER)
    assert _entered(small) == before
    rewrite(table, "SELECT * REPLACE (NULL::BIGINT AS ledger_index, ['x'] AS fired) FROM kept")
    with pytest.raises(GatehouseError):
        commit.commit_docket(small.connection, small.site, small.docket, LATER)
    (small.docket.root / "vault.parquet").unlink()
    with pytest.raises(GatehouseError):
        commit.commit_docket(small.connection, small.site, small.docket, LATER)
    table.write_bytes(whole)
    assert _entered(small) == before


def test_a_release_that_goes_on_another_day_is_judged_on_that_day(
    approved: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It crashed before its cases were marked, and an approver lost the authority before the next day."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage._Work, "_mark", dies)
    with pytest.raises(KeyboardInterrupt):
        release(approved)
    monkeypatch.undo()
    models_of().Job.objects.update(holder="")
    text = approved.site.configuration.path.read_text()
    tomorrow = (LATER + DAY).date()
    approved.site.configuration.path.write_text(
        text.replace('name = "bob custodian"', f'name = "bob custodian"\nrevoked_on = {tomorrow}')
    )
    with pytest.raises(AnswerIsNo, match="authority"):
        release(approved, LATER + DAY)
    assert list(approved.docket.releases.rglob("*.age")) == []
    assert approved.office.casebook.board(house.NAME).counts()[State.RELEASED] == 0
    withdrawn = sorted(approved.docket.events.glob("unsealed-*.json"))
    assert len(withdrawn) == 4  # two packages of the first day, and two of the second
    assert {Opening.parse(path.read_bytes()).fields()["why"] for path in withdrawn} == {"another_day", "proof"}
    assert not list((approved.docket.root / planning.PERSONS).glob("*.json"))


def test_a_release_that_goes_on_the_same_day_is_finished(
    approved: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage._Work, "_mark", dies)
    with pytest.raises(KeyboardInterrupt):
        release(approved)
    monkeypatch.undo()
    models_of().Job.objects.update(holder="")
    begun = jobs.unfinished(stage.KIND)
    done = release(approved, LATER + dt.timedelta(hours=1))
    assert [done.batch] == list(begun)
    assert {one.sealed_at for one in done.releases} == {LATER}
    assert not list(approved.docket.events.glob("unsealed-*.json"))


def test_a_database_restored_to_before_a_release_releases_nothing_again(approved: house.House, tmp_path: Path) -> None:
    from django.db import connections

    from gatehouse import store

    connections.close_all()
    database = approved.site.root / "gatehouse.sqlite3"
    shutil.copy(database, tmp_path / "before")
    release(approved)
    connections.close_all()
    for left in approved.site.root.glob("gatehouse.sqlite3*"):
        left.unlink()
    shutil.copy(tmp_path / "before", database)
    store.configure(approved.site.database)
    packages = sorted(path.name for path in approved.docket.releases.glob("*.age"))
    with pytest.raises(AnswerIsNo, match="already released"):
        release(approved)
    assert sorted(path.name for path in approved.docket.releases.glob("*.age")) == packages
    shutil.rmtree(approved.docket.root / planning.PERSONS)
    with pytest.raises(AnswerIsNo, match="cannot be read"):
        release(approved)


def test_law_that_was_never_adopted(released: house.House, releases: tuple[ReleaseRecord, ...]) -> None:
    """Another pack under the same version number: the certificate must show its adoption, and there is none."""
    document = certificate_of(released, releases[0])
    said = Opening.parse(next(released.site.events.glob("pack-*.json")).read_bytes()).fields()
    index, opening = entry_in_the_ledger(released, {**said, "digest": "ab" * 32})
    document["adopted"] = [
        {"index": index, "batch": opening.batch, "digests": list(opening.digests), "shown": list(opening.shown),
         "proof": document["adopted"][0]["proof"]}
    ]  # fmt: skip
    with pytest.raises(GatehouseError):
        verified(released, document)


def test_the_door_names_every_file_that_differs(released: house.House) -> None:
    """Every file of a docket, altered by one byte, left out, or joined by another."""
    found = dockets.find(released.site, house.NAME)
    for name in sorted(found.docketed.files):
        path = released.docket.root / name
        if name == released.docket.answers.name:
            continue  # told meanwhile: its own entry names it
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(GatehouseError) as told:
            dockets.find(released.site, house.NAME)
        assert name in f"{told.value.where} {told.value.what}" or name == "summary.json"
        path.unlink()
        with pytest.raises(GatehouseError):
            dockets.find(released.site, house.NAME)
        path.write_bytes(whole)
    (released.docket.root / "pack" / "more.toml").write_text("")
    with pytest.raises(AnswerIsNo, match="does not list"):
        dockets.find(released.site, house.NAME)
