"""What a second attempt with fresh eyes found (docs/attempts.md): each passed every check, and somebody notices now."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.util
import json
import shutil
import sqlite3
from pathlib import Path
from types import ModuleType

import duckdb
import house
import pytest

from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import answer, docket_files, halt, policy, signers
from gatehouse.ledger.answer import Map, Stated
from gatehouse.ledger.halt import Action, Scope
from gatehouse.oversight.replay import replay
from gatehouse.pipeline import answers, halts, planning, record
from gatehouse.pipeline import release as stage
from gatehouse.release import delivered, officer
from gatehouse.release.recipients import read_identity
from gatehouse.release.returns import ReleaseRecord
from gatehouse.synthetic.docket import agency_signer

VERIFIER = Path(__file__).parents[2] / "verifier"
Releases = tuple[ReleaseRecord, ...]


@functools.cache
def stranger(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, VERIFIER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_halt_that_became_a_letter_still_stands(approved: house.House) -> None:
    """No key is needed: names lie in the private state and on files."""
    overseer = signers.parse_signer(signers.new_key("inspector")[0])
    (approved.site.root / "oversight.policy").write_text(f"key {overseer.key_text}\nhalt 1\nresume 1\n")
    said = halt.write(Action.HALT, Scope.parse("everything"), house.NOW, "A question", overseer)
    halts.enter(approved.site, said, house.NOW)
    [kept] = approved.site.events.glob("halt-*.json")
    kept.rename(approved.site.events / "letter_made-1.json")
    with sqlite3.connect(approved.site.ledger_state / "ledger.sqlite3") as state:
        state.execute("UPDATE batches SET name = 'site/letter_made-1' WHERE name = ?", [f"site/{kept.stem}"])
    shutil.rmtree(approved.site.halts)
    with pytest.raises(AnswerIsNo, match="letter_made-1 says that it is something else"):
        stage.release(approved.connection, approved.office, house.NAME, house.LATER)


def opened(home: house.House, one: ReleaseRecord, package: Path, out: Path) -> Path:
    """The certificate that the officer has from then on."""
    identity = read_identity(home.key(one.officer))
    officer.open_release(package, identity, home.site.root / "trust", out, house.LATER)
    return out / "certificate.json"


def accounts_for(home: house.House, certificate: Path) -> list[str]:
    """Why ours and the stranger's tool do not find a certificate's release in the docket as sealed, if they do not."""
    program = stranger("verify_docket")
    believed = program.Policy(str(home.site.policy))
    size, _, _ = program.check_ledger(str(home.site.ledger), believed)
    key, held = program.Key(agency_signer().verifier.text), []

    def ours() -> None:
        delivered.compare(home.docket.root, [certificate])

    def theirs() -> None:
        program.check_docket(
            str(home.docket.root), str(home.site.ledger), size, key, None, certificates=[str(certificate)]
        )

    for ask in (ours, theirs):
        try:
            ask()
            held.append("")
        except (AnswerIsNo, program.Failure) as no:
            held.append(str(no))
    return held


def test_a_package_handed_over_and_then_said_to_be_withdrawn(
    approved: house.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens, for its plan is in the ledger; whoever opened it can show that the docket is silent about it."""
    kept: dict[str, Path] = {}

    def hands_over(self: stage._Work, _: object) -> None:
        for one in self._shelf.sealed(self._batch):
            kept[one.officer] = tmp_path / f"{one.officer}.age"
            shutil.copy(self._docket.releases / planning.STAGING / f"{one.digest}.age", kept[one.officer])
            sealed.append(one)
        raise AnswerIsNo("the custodian says that it thought better of it")

    sealed: list[ReleaseRecord] = []
    with monkeypatch.context() as patched:
        patched.setattr(stage._Work, "_mark", hands_over)
        with pytest.raises(AnswerIsNo, match="thought better"):
            stage.release(approved.connection, approved.office, house.NAME, house.LATER)
    stage.write_trust(approved.office)
    assert len(list(approved.docket.events.glob("unsealed-*.json"))) == len(sealed) == 2
    certificate = opened(approved, sealed[0], kept[sealed[0].officer], tmp_path / "opened")
    assert all("does not account for this release as sealed" in said for said in accounts_for(approved, certificate))


def test_a_release_that_was_sealed_is_not_withdrawn_by_saying_so(
    released: house.House, releases: Releases, tmp_path: Path
) -> None:
    """The word does not count: who was in it stays told, its cases stay released, and the contradiction is named."""
    certificate = opened(released, releases[0], released.package(releases[0].id), tmp_path / "opened")
    assert accounts_for(released, certificate) == ["", ""]
    fields = {"event": "unsealed", "release": releases[0].id, "docket": house.NAME, "why": "proof"}
    with record.open_log(released.site) as log:
        record.event(log, released.docket.events, f"{house.NAME}/unsealed-{releases[0].id}", fields)
        record.publish(released.site, log, house.LATER)
    answers.build(released.connection, released.office, house.LATER)
    given = {row[0] for row in json.loads(planning.persons_of(released.docket.root, releases[0].id).read_bytes())}
    for person in given:
        assert told(released, person).disclosures
    assert "said not to have been" in accounts_for(released, certificate)[1]


def told(home: house.House, person: int) -> answer.Answered:
    with duckdb.connect() as connection:
        data = answers.answer(connection, home.site, person, Map.SEALED)
    program = stranger("verify_answer")
    program.check_answer(data, program.Policy(str(home.site.policy)))
    return answer.verify(data, policy.read(home.site.policy))


def test_answers_that_cover_less_than_the_ledger(released: house.House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dated today, made of the first entries alone: the person is told nothing, and both verifiers refuse."""
    real = answers.disclosures.gather

    def few(connection: duckdb.DuckDBPyConnection, site: object, *, entries: int) -> None:
        real(connection, released.site, entries=5)

    with monkeypatch.context() as patched:
        patched.setattr(answers.disclosures, "gather", few)
        answers.build(released.connection, released.office, house.LATER)
    with duckdb.connect() as connection, pytest.raises(AnswerIsNo, match="does not match the releases"):
        answers.check(connection, released.office)
    with monkeypatch.context() as patched:
        patched.setattr(answers, "Stated", lambda day, _, *more: Stated(day, 5, *more))
        patched.setattr(answers.disclosures, "gather", few)
        answers.build(released.connection, released.office, house.LATER + dt.timedelta(minutes=1))
    with pytest.raises(stranger("verify_answer").Failure, match="do not cover every entry"):
        told(released, 3)
    with duckdb.connect() as connection:
        data = answers.answer(connection, released.site, 3, Map.SEALED)
        with pytest.raises(AnswerIsNo, match="do not cover every entry"):
            answer.verify(data, policy.read(released.site.policy))
        with pytest.raises(AnswerIsNo, match="does not match the releases"):
            answers.check(connection, released.office)


def test_a_release_planned_while_answers_are_built_is_in_them(
    approved: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, times = answers._built, []

    def meanwhile(*given: object, **named: object) -> object:
        built = real(*given, **named)  # type: ignore[arg-type]
        times.append(built)
        if len(times) == 1:
            stage.release(approved.connection, approved.office, house.NAME, house.LATER)
        return built

    monkeypatch.setattr(answers, "_built", meanwhile)
    answers.build(approved.connection, approved.office, house.LATER)
    assert len(times) == 2
    assert told(approved, 3).disclosures


def _counts(docket: Docket) -> None:
    said = docket.read_summary()
    docket.summary.write_text(json.dumps({**said, "outcomes": {**said["outcomes"], "cleared": 0, "refused": 11}}))


def _answers(docket: Docket) -> None:
    docket.answers.write_bytes(docket.answers.read_bytes().replace(b"answered,", b"not_answered,"))


@pytest.mark.parametrize(("lie", "said"), [(_counts, "the outcomes counted"), (_answers, "the answers do not follow")])
def test_counts_and_answers_that_do_not_follow_from_the_determinations(
    released: house.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: object, said: str
) -> None:
    """Written so before they were committed, they would agree with every digest; replay derives them as well."""
    monkeypatch.setattr(docket_files, "compare", lambda *_: None)  # as if these were the bytes that were committed
    docket = Docket(tmp_path / house.NAME)
    shutil.copytree(released.docket.root, docket.root)
    with duckdb.connect() as connection:
        assert replay(connection, docket.root).requests == 12
        lie(docket)  # type: ignore[operator]
        with pytest.raises(AnswerIsNo, match=said):
            replay(connection, docket.root)
