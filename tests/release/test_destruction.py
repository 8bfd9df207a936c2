"""Destroyed, a docket says nothing any more, the ledger verifies as before, and the accounting of disclosures stays."""

from __future__ import annotations

import datetime as dt
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import duckdb
import house
import pytest
from click.testing import CliRunner

from gatehouse.cli.main import cli
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import scratch
from gatehouse.kernel.errors import AnswerIsNo, CustodianFault, WrongInput
from gatehouse.kernel.progress import silent
from gatehouse.ledger import policy as policies
from gatehouse.ledger import proof
from gatehouse.ledger.answer import Map, verify
from gatehouse.ledger.checkpoint import parse
from gatehouse.ledger.commitments import DETERMINATION, open_record
from gatehouse.ledger.proof import verify_proof
from gatehouse.ledger.tiles import TileReader
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import answers, backup, closing, consistency, destruction, disclosures, inbox, journey
from gatehouse.pipeline import record as records

LONG_AFTER = house.LATER + dt.timedelta(days=800)
WHY = "Retention schedule: two years"


@pytest.fixture
def closed(released):
    """Everything decided, released and answered."""
    board = released.office.casebook.board(house.NAME)
    from gatehouse.casework.states import State

    house.decide(released, "ann", "refuse", cases=board.states[State.HELD])
    assert closing.answer(released.connection, released.office, released.docket, LONG_AFTER)
    return released


def destroy(home, now=LONG_AFTER):
    return destruction.destroy(home.connection, home.office, house.NAME, WHY, now)


def proof_of(home, seq):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows AS FROM read_parquet('{home.docket.table('determinations')}')")
    opening = open_record(connection, "rows", DETERMINATION, home.docket.vault, seq=seq)
    [(index,)] = connection.execute("SELECT ledger_index FROM rows WHERE seq = $1", [seq]).fetchall()
    shown = parse((home.site.ledger / "checkpoint").read_bytes())
    return proof.prove_inclusion(TileReader(home.site.ledger, shown.size), index, shown, opening)


def test_it_is_gone_and_every_proof_still_verifies(closed):
    policy = policies.read(closed.site.policy)
    before = proof_of(closed, 5)
    tokens = [b"R-000005", verify_proof(before, policy).fields["request"].encode()]
    done = destroy(closed)
    verified = verify_log(closed.site.ledger, policy)
    assert verified.checkpoint.size > done.entry
    assert verify_proof(before, policy).fields["request"] == "R-000005"
    for path in closed.docket.root.rglob("*"):
        if path.is_file() and "pack" not in path.parts:
            assert not any(token in path.read_bytes() for token in tokens), path.name
    assert not closed.docket.vault.exists()
    assert not list(closed.docket.root.rglob("*.age"))


def test_who_was_disclosed_is_still_accounted_for(closed):
    answers.build(closed.connection, closed.office, LONG_AFTER)
    before = [verify_answer(closed, person) for person in range(12)]
    destroy(closed)
    answers.build(closed.connection, closed.office, LONG_AFTER)
    assert [verify_answer(closed, person) for person in range(12)] == before
    answers.check(closed.connection, closed.office)


def verify_answer(home, person):
    data = answers.answer(home.connection, home.site, person, Map.SEALED)
    return verify(data, policies.read(home.site.policy)).disclosures


def test_nothing_is_destroyed_while_it_may_be_needed(released, closed):
    with pytest.raises(WrongInput, match="reason for destruction is missing"):
        destruction.destroy(closed.connection, closed.office, house.NAME, " ", LONG_AFTER)
    with pytest.raises(AnswerIsNo, match="is still in use"):
        destroy(closed, house.LATER + dt.timedelta(days=1))
    assert closed.docket.vault.exists()


def test_requests_that_still_count_are_not_forgotten(released, closed, monkeypatch):
    """A docket that released nothing could be destroyed at once, and its officers and subjects would begin anew."""
    monkeypatch.setattr(destruction.Shelf, "releases", lambda *_: ())
    with pytest.raises(AnswerIsNo, match="still count"):
        destroy(closed, house.NOW + dt.timedelta(days=90))
    destroy(closed, house.NOW + dt.timedelta(days=91))


def test_an_open_docket_is_not_destroyed(released):
    with pytest.raises(AnswerIsNo, match="not closed"):
        destroy(released)


def test_a_crash_between_record_and_deletion_is_finished(closed, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(destruction, "_remains", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            destroy(closed)
    assert closed.docket.vault.exists()
    entry = destroy(closed).entry
    assert not closed.docket.vault.exists()
    assert destroy(closed).entry == entry
    with records.open_log(closed.site) as log:
        assert log.batch(f"{house.NAME}/destroyed") == range(entry, entry + 1)


def test_ledger_dockets_and_database_still_tell_one_story(closed):
    records.open_log(closed.site).close()  # a copied site's configuration is another one
    assert consistency.compare(closed.connection, closed.site).differences == ()
    destroy(closed)
    assert consistency.compare(closed.connection, closed.site).differences == ()
    path = closed.docket.root / "disclosures.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    [found] = consistency.compare(closed.connection, closed.site).differences
    assert found.where.endswith("disclosures.parquet")


def test_the_submission_cannot_come_again(closed, monkeypatch):
    destroy(closed)
    assert list(journey._earlier(closed.site, "us.dhs.ice")) == []


def test_a_submission_whose_docket_is_gone_is_refused_in_words_and_not_tried_again(closed, monkeypatch, tmp_path):
    signed = closed.docket.read_summary()["submission_digest"]
    destroy(closed)
    monkeypatch.setattr(journey, "_identify", lambda *_: (SimpleNamespace(id=house.NAME, agency="us.dhs.ice"), signed))
    with pytest.raises(WrongInput, match="already answered, and its docket was destroyed") as told:
        journey.run(closed.site, tmp_path, now=LONG_AFTER, progress=silent)
    assert not isinstance(told.value, CustodianFault)  # the agency's to mend: it is told, and nobody tries again


# --- nothing stays behind, anywhere ---


def held_by(root: Path, *, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """What every file below a folder says, Parquet and zips read out, by name; `but` names folders of other data."""
    said = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if not path.is_file() or set(name.parts) & set(but):
            continue
        if path.suffix == ".parquet":
            said[str(name)] = repr(duckdb.connect().execute(f"FROM read_parquet('{path}')").fetchall()).encode()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                said[str(name)] = b"\n".join(archive.read(each) for each in archive.namelist())
        else:
            said[str(name)] = path.read_bytes()
    return said


def whose(said: dict[str, bytes], tokens: set[bytes]) -> dict[str, list[bytes]]:
    found = {name: sorted(token for token in tokens if token in data) for name, data in said.items()}
    return {name: tokens for name, tokens in found.items() if tokens}


@pytest.fixture
def lived_in(closed, tmp_path, monkeypatch):
    """A site whose docket came in over the web, twice, and whose processes were killed now and then."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    site, docket = closed.site, closed.docket
    for arrival in ("in-1", "in-2"):
        path = inbox.waiting(site, arrival)
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("requests.csv", "last_name\nQUILLFEATHER\n")
        inbox.settle(site, arrival, docket)
        inbox.settle(site, arrival, docket)
    for place in (docket.root.with_name(".making-0123456789abcdef"), site.spill / "gatehouse-0123456789abcdef",
                  temporary / "gatehouse-fedcba9876543210"):  # fmt: skip
        place.mkdir(parents=True)
        closed.connection.execute(
            f"COPY (SELECT 'QUILLFEATHER' AS last_name) TO '{place / 'requests.parquet'}' (FORMAT parquet)"
        )
    return closed


def test_nobody_named_in_it_is_found_anywhere_afterwards(lived_in, tmp_path):
    """The whole site with its database, the folders for temporary files, and a backup made then."""
    site, docket = lived_in.site, lived_in.docket
    ids = f"SELECT request_id FROM read_parquet('{docket.table('requests')}')"
    tokens = {name.encode() for (name,) in lived_in.connection.execute(ids).fetchall()} | {b"QUILLFEATHER"}
    assert len(tokens) == 13
    before = whose(held_by(site.root), tokens)
    assert {name.split("/")[0] for name in before} >= {"dockets", "inbox", "spill"}
    destroy(lived_in)
    scratch._swept.clear()
    with open_workspace(temporary=site.spill), open_workspace():  # whoever works next sweeps
        backup.back_up(site, tmp_path / "backup", LONG_AFTER)
    kept = {f"dockets/{docket.id}/disclosures.parquet"}  # who was disclosed to whom stays, by law
    for root in (site.root, tmp_path / "backup", tmp_path / "temporary"):
        found = whose(held_by(root, but=("pack", "packs")), tokens)
        assert {name for name in found if name.removeprefix("site/") not in kept} == set(), found
    assert not list(site.spill.iterdir())


def test_what_was_handed_in_is_its_owners_alone_and_goes_with_its_docket(lived_in):
    files = inbox.of(lived_in.site, lived_in.docket)
    assert [path.name for path in files] == ["in-1.zip", "in-2.zip"]
    assert inbox.find(lived_in.site, "in-1") == files[0]
    done = destroy(lived_in)
    assert inbox.of(lived_in.site, lived_in.docket) == []
    assert done.files > 2


def test_a_report_made_before_names_the_destruction_as_its_reason(closed, tmp_path):
    with records.open_log(closed.site) as log:
        records.publish(closed.site, log, LONG_AFTER)
    site, made = closed.site.root, tmp_path / "made.json"

    def call(*arguments):
        done = CliRunner().invoke(cli, ["report", *map(str, arguments), "--site", str(site)])
        return done.output, done.exception

    assert call("declaration", "--out", made, "--format", "json")[1] is None
    assert call("verify", made)[0].startswith("agrees: declaration")
    done = destroy(closed)
    said, failed = call("verify", made)
    assert f"{house.NAME} was destroyed on 2027-11-10 (entry {done.entry}), after this report was made: {WHY}" in said
    assert "1 docket was destroyed on record since the report was made" in str(failed)


def test_a_destruction_makes_nobody_s_disclosure_go(closed, monkeypatch):
    """A custodian keeps another list of whom it disclosed, with its digest on record: the releases' own lists stand."""
    real = disclosures.keep

    def fewer(connection, site, docket):
        path = real(connection, site, docket)
        connection.execute(f"CREATE OR REPLACE TABLE fewer AS FROM read_parquet('{path}') WHERE person_id <> 3")
        connection.execute(f"COPY fewer TO '{path}' (FORMAT parquet)")
        return path

    monkeypatch.setattr(disclosures, "keep", fewer)
    destroy(closed)
    monkeypatch.undo()
    answers.build(closed.connection, closed.office, LONG_AFTER)
    with duckdb.connect() as connection:
        data = answers.answer(connection, closed.site, 3, Map.SEALED)
        assert len(verify(data, policies.read(closed.site.policy)).disclosures) == 1
        found = consistency.compare(connection, closed.site).differences
    assert [(one.where, one.what) for one in found] == [
        (f"dockets/{house.NAME}/disclosures.parquet", "it does not list what was released")
    ]
