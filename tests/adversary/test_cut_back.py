"""A ledger that is cut back to an older checkpoint agrees with itself. Whoever holds a later state notices.

The custodian takes newer tiles, checkpoints and dockets away with it, so that nothing it shows contradicts anything.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import house
import pytest
from click.testing import CliRunner

from gatehouse.cli.verify import verify
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import checkpoint, cosignature, note
from gatehouse.ledger import policy as policies
from gatehouse.ledger.log import Log
from gatehouse.ledger.signers import Algorithm, new_key, parse_signer, read_signer
from gatehouse.ledger.tiles import TileReader
from gatehouse.oversight import sources
from gatehouse.pipeline import answers, consistency, proving
from gatehouse.release import acquaintance, binding, officer, trust
from gatehouse.release.binding import Verified
from gatehouse.release.recipients import read_identity
from gatehouse.release.returns import ReleaseRecord
from gatehouse.synthetic.docket import agency_signer

VERIFIER = Path(__file__).parents[2] / "verifier"
Releases = tuple[ReleaseRecord, ...]
DAY = dt.timedelta(days=1)


@pytest.fixture
def opened(released: house.House, releases: Releases, tmp_path: Path) -> Path:
    """What an officer has from opening the first release; the key remembers beside itself."""
    key = released.key("ICE-0000")
    officer.open_release(
        released.package(releases[0].id), read_identity(key), released.site.root / "trust", tmp_path / "opened",
        house.LATER, known=acquaintance.beside(key),
    )  # fmt: skip
    return tmp_path / "opened"


def cut_back(home: house.House, folder: Path, size: int, *, other: bool = False) -> Path:
    """A ledger of the first entries alone, or with `other` ones behind the first four, signed by the log itself."""
    newest = checkpoint.parse((home.site.ledger / "checkpoint").read_bytes())
    entries = list(TileReader(home.site.ledger, newest.size).span(0, size))
    if other:
        entries[4:] = [entry[:-1] + b"?" for entry in entries[4:]]
    with Log.create(folder / "ledger", read_signer(home.site.log_key), state=folder / "state") as log:
        log.append("again", entries)
        log.publish(house.LATER)
    return folder / "ledger"


def shorter(home: house.House, folder: Path) -> Path:
    return cut_back(home, folder, 12)


def rewritten(home: house.House, folder: Path) -> Path:
    size = checkpoint.parse((home.site.ledger / "checkpoint").read_bytes()).size
    return cut_back(home, folder, size, other=True)


def held(home: house.House, opened: Path, folder: Path) -> dict[str, Path]:
    """What people outside have of a ledger, each in a file."""
    answers.build(home.connection, home.office, house.LATER)
    given = {
        "a certificate": opened / "certificate.json",
        "an officer's memory": acquaintance.beside(home.key("ICE-0000")),
        "an answer": folder / "3.answer",
        "a proof": folder / "case.tlog-proof",
        "a checkpoint": Path(shutil.copy(home.site.ledger / "checkpoint", folder / "kept")),
    }
    given["an answer"].write_bytes(answers.answer(home.connection, home.site, 3))
    given["a proof"].write_bytes(proving.prove_event(home.site, home.docket.events / "docket.json"))
    return given


HELD = ["a certificate", "an officer's memory", "an answer", "a proof", "a checkpoint"]


def asked(ledger: Path, policy: Path, since: Path) -> list[tuple[int, str]]:
    """The exit status and words of ours and of the stranger's tool."""
    arguments = ["ledger", str(ledger), "--policy", str(policy), "--since", str(since)]
    ours = CliRunner().invoke(verify, arguments)
    said = (0, ours.output) if ours.exception is None else (1, str(ours.exception))
    program = [sys.executable, str(VERIFIER / "verify_ledger.py"), *arguments]
    theirs = subprocess.run(program, capture_output=True, text=True, check=False)
    return [said, (theirs.returncode, theirs.stdout + theirs.stderr)]


@pytest.mark.parametrize("what", HELD)
def test_whoever_holds_a_later_state_notices(released: house.House, opened: Path, tmp_path: Path, what: str) -> None:
    (tmp_path / "cut").mkdir()
    (tmp_path / "other").mkdir()
    mine, policy = held(released, opened, tmp_path)[what], released.site.policy
    tools = 1 if what == "an answer" else 2  # verify_answer.py prints the size and root that it rests on instead
    for ledger, status, word in (
        (released.site.ledger, 0, "verified"),
        (shorter(released, tmp_path / "cut"), 1, "cut back"),
        (rewritten(released, tmp_path / "other"), 1, "rewritten"),
    ):
        for code, said in asked(ledger, policy, mine)[:tools]:
            assert (code, word in said) == (status, True), said


def test_an_answer_says_under_which_ledger_it_stands(released: house.House, opened: Path, tmp_path: Path) -> None:
    mine = held(released, opened, tmp_path)["an answer"]
    program = [sys.executable, str(VERIFIER / "verify_answer.py"), str(mine), "--policy", str(released.site.policy)]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    [noted] = [line.partition(": ")[2] for line in said.splitlines() if line.startswith("under a ledger of: ")]
    for (code, _), ledger in zip(
        [asked(released.site.ledger, released.site.policy, Path(noted))[1],
         asked(shorter(released, tmp_path), released.site.policy, Path(noted))[1]],
        [0, 1], strict=True,
    ):  # fmt: skip
        assert code == ledger


def test_a_witness_shows_what_it_cosigned_though_no_quorum_did(released: house.House, tmp_path: Path) -> None:
    """Its own file has one cosignature, and the policy asks for two; that the log signed it is enough for a finding."""
    keys = [new_key(f"w.example/{number}", Algorithm.ED25519_COSIGNATURE) for number in range(2)]
    log, newest = policies.read(released.site.policy).logs[0].text, released.site.ledger / "checkpoint"
    signed = note.Note.parse(newest.read_bytes())
    lines = [cosignature.cosign(parse_signer(private), signed.text, 1_756_728_300) for private, _ in keys]
    (tmp_path / "witness.checkpoint").write_bytes(signed.plus(lines[:1]).encoded)
    named = "".join(f"witness w{number} {public}\n" for number, (_, public) in enumerate(keys))
    mine = tmp_path / "my.policy"
    mine.write_text(f"log {log}\n{named}group both all w0 w1\nquorum both\n")
    ledger = shorter(released, tmp_path)
    for path in [ledger / "checkpoint", *(ledger / "checkpoints").iterdir()]:
        cosigned = note.Note.parse(path.read_bytes())
        both = [cosignature.cosign(parse_signer(private), cosigned.text, 1_756_728_300) for private, _ in keys]
        path.write_bytes(cosigned.plus(both).encoded)
    for code, said in asked(ledger, mine, tmp_path / "witness.checkpoint"):
        assert (code, "cut back" in said) == (1, True), said


def test_a_file_that_no_log_signed_accuses_nobody(released: house.House, opened: Path, tmp_path: Path) -> None:
    made_up = json.loads((opened / "certificate.json").read_bytes())
    made_up["checkpoint"] = made_up["checkpoint"].replace("\n", "\n9", 1)
    (tmp_path / "made-up.json").write_text(json.dumps(made_up))
    for code, said in asked(released.site.ledger, released.site.policy, tmp_path / "made-up.json"):
        assert (code, "cut back" in said) == (1, False)


def test_a_docket_is_compared_with_what_a_certificate_shows(
    released: house.House, opened: Path, tmp_path: Path
) -> None:
    """Its own events lie beyond the end as well; the certificate says first what was done."""
    ledger = shorter(released, tmp_path)
    arguments = [str(released.docket.root), "--ledger", str(ledger), "--policy", str(released.site.policy)]
    certificate = ["--certificate", str(opened / "certificate.json")]
    ours = CliRunner().invoke(verify, ["docket", *arguments, *certificate])
    assert isinstance(ours.exception, AnswerIsNo)
    assert "cut back" in str(ours.exception)
    (tmp_path / "ice.vkey").write_text(agency_signer().key_text)
    program = [sys.executable, str(VERIFIER / "verify_docket.py"), *arguments, *certificate]
    theirs = subprocess.run(
        [*program, "--agency-key", str(tmp_path / "ice.vkey")], capture_output=True, text=True, check=False
    )
    assert (theirs.returncode, "cut back" in theirs.stderr) == (1, True)


def verified(home: house.House, opened: Path) -> tuple[trust.Trust, Verified]:
    believed = trust.read(home.site.root / "trust")
    return believed, binding.verify((opened / "certificate.json").read_bytes(), believed)


def test_the_site_itself_notices_by_the_certificates_that_it_keeps(released: house.House) -> None:
    """An older checkpoint is put in front and newer ones are taken away; tiles may run ahead, so no more is odd."""
    ledger = released.site.ledger
    older = sorted((ledger / "checkpoints").iterdir(), key=lambda path: int(path.name))[-4]
    for path in (ledger / "checkpoints").iterdir():
        if int(path.name) > int(older.name):
            path.unlink()
    shutil.copy(older, ledger / "checkpoint")
    with duckdb.connect() as connection:
        found = [one for one in consistency.compare(connection, released.site).differences if "cut back" in one.what]
        with pytest.raises(AnswerIsNo, match="cut back"):
            sources.verify(connection, sources.of_site(released.site.root, policies.read(released.site.policy)))
    assert {one.where for one in found} == {
        path.relative_to(released.site.root).as_posix() for path in released.docket.certificates.iterdir()
    }


def test_an_officers_key_remembers_the_ledger_that_it_saw(released: house.House, opened: Path) -> None:
    """A release made after the ledger was cut back stands where another entry stood when the key last looked."""
    kept = acquaintance.beside(released.key("ICE-0000"))
    believed, true = verified(released, opened)
    newest = true.history[0]
    later = dataclasses.replace(true, header=dataclasses.replace(true.header, released_at=house.LATER + DAY))
    again = [dataclasses.replace(newest, size=newest.size - 1, root=bytes(32))]

    def remember(found: Verified, **more: bool) -> None:
        acquaintance.remember(believed, found, kept, house.LATER + 2 * DAY, where="a package", **more)

    with pytest.raises(AnswerIsNo, match="place in the ledger filled by 2025-09-01T12:05:00Z: the ledger was cut back"):
        remember(dataclasses.replace(later, history=tuple(again)))
    with pytest.raises(AnswerIsNo, match="signed another ledger"):
        remember(dataclasses.replace(later, history=(dataclasses.replace(newest, root=bytes(32)),)))
    remember(true)  # the same package, and an older one of the same day, in any order
    remember(dataclasses.replace(true, history=tuple(again)))
    before = kept.read_bytes()
    remember(
        dataclasses.replace(later, index=newest.size + 3, history=(dataclasses.replace(newest, size=newest.size + 9),))
    )
    assert kept.read_bytes() != before, "what is larger is remembered"
    remember(dataclasses.replace(later, history=tuple(again)), anew=True)
