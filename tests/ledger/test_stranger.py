"""The verifier under verifier/, which shares no code with Gatehouse, agrees with ours on right and wrong."""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import proof, signers
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import parse_policy
from gatehouse.ledger.signers import Algorithm
from gatehouse.ledger.verify import verify_log
from gatehouse.ledger.witness import Witness, open_key

FILE = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def stranger():
    spec = importlib.util.spec_from_file_location("verify_ledger", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Asked:
    def __init__(self, witness):
        self.witness = witness

    def cosign(self, checkpoint, prove):
        from gatehouse.ledger.witness_client import request_body

        seen = self.witness.latest(hashlib.sha256(checkpoint.origin.encode()).hexdigest())
        old = int(seen.split(b"\n")[1]) if seen else 0
        answer = self.witness.add_checkpoint(request_body(old, prove(old), checkpoint.encoded))
        return answer.body.decode().splitlines() if answer.status == 200 else []


class Kept:
    """A ledger with two Ed25519 witnesses and one of ML-DSA-44, and the policy that asks for two of three."""

    def __init__(self, folder):
        self.folder = folder
        self.signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
        kinds = [Algorithm.ED25519_COSIGNATURE, Algorithm.ED25519_COSIGNATURE, Algorithm.MLDSA44_COSIGNATURE]
        keys = [open_key(folder / f"w{n}", f"w.example/{n}", kind) for n, kind in enumerate(kinds)]
        self.witnesses = [
            Witness(folder / f"w{n}", key, [self.signer.verifier], lambda: NOW) for n, key in enumerate(keys)
        ]
        lines = [f"log {self.signer.key_text}", *(f"witness w{n} {key.key_text}" for n, key in enumerate(keys))]
        text = "\n".join([*lines, "group g 2 w0 w1 w2", "quorum g", ""])
        (folder / "my.policy").write_text(text)
        self.policy = parse_policy(text.encode())
        self.log = Log.create(folder / "ledger", self.signer, state=folder / "state")

    def publish(self):
        return self.log.publish(NOW, policy=self.policy, witnesses=[Asked(one) for one in self.witnesses])


def entries(count, salt):
    return [hashlib.sha512(f"{salt}{n}".encode()).digest()[:53] for n in range(count)]


def test_it_uses_nothing_of_gatehouse():
    imported = set()
    for node in ast.walk(ast.parse(FILE.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.split(".")[0])
    assert imported == {
        "argparse", "base64", "cryptography", "hashlib", "json", "os", "re", "struct", "sys",
    }  # fmt: skip


@pytest.mark.parametrize("sizes", [[1], [255], [255, 1], [256, 1], [3, 253, 300], [65_536, 1]])
def test_both_verify_the_same_ledgers(tmp_path, stranger, sizes):
    kept = Kept(tmp_path)
    for number, size in enumerate(sizes):
        kept.log.append(str(number), entries(size, number))
        kept.publish()
    ours = verify_log(tmp_path / "ledger", kept.policy)
    theirs = stranger.check_ledger(str(tmp_path / "ledger"), stranger.Policy(str(tmp_path / "my.policy")))
    assert theirs == (ours.checkpoint.size, ours.checkpoint.root, ours.checkpoints)


def test_both_notice_the_same_changes(tmp_path, stranger):
    kept = Kept(tmp_path)
    for number, size in enumerate([3, 254, 2]):
        kept.log.append(str(number), entries(size, number))
        kept.publish()
    theirs = stranger.Policy(str(tmp_path / "my.policy"))
    chance = random.Random(17)  # noqa: S311 - a repeatable choice of what to damage
    paths = sorted(path for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    for _ in range(150):
        path = chance.choice(paths)
        data = path.read_bytes()
        changed = bytearray(data)
        at = chance.randrange(len(changed))
        changed[at] ^= 1 << chance.randrange(8)
        path.write_bytes(chance.choice([bytes(changed), data[:at], data + b"\n"]))
        if path.read_bytes() != data:
            with pytest.raises(GatehouseError):
                verify_log(tmp_path / "ledger", kept.policy)
            with pytest.raises(stranger.Failure):
                stranger.check_ledger(str(tmp_path / "ledger"), theirs)
        path.write_bytes(data)


def test_a_second_proof_is_not_passed_over_in_silence(tmp_path):
    for name in ("good", "forged"):
        (tmp_path / name).write_text("no proof\n")
    (tmp_path / "my.policy").write_text("quorum none\n")
    given = ["proof", tmp_path / "good", tmp_path / "forged", "--policy", tmp_path / "my.policy"]
    ended = subprocess.run([sys.executable, FILE, *given], check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "one proof at a time" in ended.stderr


def test_both_read_a_proof_and_refuse_its_changes(tmp_path, stranger):
    kept = Kept(tmp_path)
    entry, opening = commit_event({"event": "approval", "docket": "D-1", "reason": "é\u2028"})
    kept.log.append("before", entries(300, "b"))
    index = kept.log.append("event", [entry])
    kept.log.append("after", entries(10, "a"))
    published = kept.publish()
    data = proof.prove_inclusion(kept.log.reader(), index, published, opening.only(["event", "reason"]))
    path = tmp_path / "case.tlog-proof"
    path.write_bytes(data)
    theirs = stranger.Policy(str(tmp_path / "my.policy"))
    ours = proof.verify_proof(data, kept.policy)
    assert ours.fields == {"event": "approval", "reason": "é\u2028"}
    assert stranger.check_proof(str(path), theirs) == (index, published.size, published.root, ours.fields)
    step = max(1, len(data) // 250)
    for at in range(0, len(data), step):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        path.write_bytes(bytes(changed))
        try:
            again = proof.verify_proof(bytes(changed), kept.policy)
        except GatehouseError:
            with pytest.raises(stranger.Failure):
                stranger.check_proof(str(path), theirs)
        else:
            # a signature line that became a stranger's, with the quorum still met, proves the same
            assert (again.fields, again.index, again.entry) == (ours.fields, index, entry)
            assert stranger.check_proof(str(path), theirs)[3] == ours.fields


def test_a_failure_shows_nothing_else(tmp_path, stranger, capsys, monkeypatch):
    kept = Kept(tmp_path)
    entry, opening = commit_event({"person": "Jane Roe"})
    index = kept.log.append("event", [entry])
    data = proof.prove_inclusion(kept.log.reader(), index, kept.publish(), opening)
    path = tmp_path / "p"
    path.write_bytes(data.replace(b"index 0", b"index 1"))
    monkeypatch.setattr("sys.argv", ["verify", "proof", str(path), "--policy", str(tmp_path / "my.policy")])
    assert stranger.main() == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Roe" not in shown.err
