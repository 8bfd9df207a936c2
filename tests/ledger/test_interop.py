"""Ledgers of ours verify with Go's golang.org/x/mod/sumdb (note, tlog), which is not ours and knows nothing of us."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
from pathlib import Path

import golang
import pytest

from gatehouse.ledger import proof, signers
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.log import Log

pytestmark = pytest.mark.tools

SOURCE = Path(__file__).parent / "interop" / "main.go"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory):
    program = golang.build(SOURCE, tmp_path_factory.mktemp("go"))

    def verify(*given):
        return subprocess.run([program, *given], capture_output=True, text=True, check=False)

    return verify


def keep(folder, sizes):
    signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
    with Log.create(folder / "ledger", signer, state=folder / "state") as log:
        for number, size in enumerate(sizes):
            log.append(str(number), [hashlib.sha512(f"{number}/{n}".encode()).digest()[:53] for n in range(size)])
            published = log.publish(NOW)
    return signer, published


MILLION = pytest.param([1_000_000, 280_000], marks=pytest.mark.scale)


@pytest.mark.parametrize("sizes", [[1], [255], [255, 1], [3, 253, 1], [300, 65_236, 1], MILLION])
@pytest.mark.slow
def test_go_agrees(tmp_path, go_verifier, sizes):
    signer, published = keep(tmp_path, sizes)
    answer = go_verifier(tmp_path / "ledger", signer.key_text)
    assert (answer.stdout, answer.stderr) == (f"{published.size} {published.root.hex()}\n", "")


def test_go_refuses_what_was_changed(tmp_path, go_verifier):
    signer, _ = keep(tmp_path, [3, 300])
    stranger = signers.new_key("log.example/2026")[1]
    assert go_verifier(tmp_path / "ledger", stranger).returncode != 0
    for name in ["checkpoint", "checkpoints/3", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/47"]:
        path = tmp_path / "ledger" / name
        data = path.read_bytes()
        path.write_bytes(data[:70] + bytes([data[70] ^ 1]) + data[71:] if len(data) > 70 else bytes(len(data)))
        assert go_verifier(tmp_path / "ledger", signer.key_text).returncode != 0
        path.write_bytes(data)
    assert go_verifier(tmp_path / "ledger", signer.key_text).returncode == 0


def test_go_checks_a_proof_and_refuses_its_changes(tmp_path, go_verifier):
    signer, _ = keep(tmp_path, [3, 300])
    entry, opening = commit_event({"event": "approval", "docket": "D-1", "count": 7})
    with Log.open(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        index = log.append("event", [entry])
        published = log.publish(NOW)
        data = proof.prove_inclusion(log.reader(), index, published, opening.only(["event", "count"]))
    path = tmp_path / "case.tlog-proof"
    path.write_bytes(data)
    answer = go_verifier("proof", path, signer.key_text)
    assert answer.stderr == ""
    assert answer.stdout.split("\n")[0] == f"{index} {published.size} {published.root.hex()}"
    assert sorted(answer.stdout.split("\n")[1:-1]) == ['"count" 7', '"event" "approval"']
    for at in range(30, len(data) - 2, 41):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert go_verifier("proof", path, signer.key_text).returncode != 0, at
