"""Full size: ten thousand changes to a larger ledger, and a million entries for every verifier there is."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import random
from pathlib import Path

import pytest

from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import policy, signers
from gatehouse.ledger.log import Log
from gatehouse.ledger.verify import verify_log

pytestmark = pytest.mark.scale

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"


def keep(folder, sizes):
    signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
    with Log.create(folder / "ledger", signer, state=folder / "state") as log:
        for number, size in enumerate(sizes):
            log.append(str(number), [hashlib.sha512(f"{number}/{n}".encode()).digest()[:53] for n in range(size)])
            log.publish(NOW)
    (folder / "my.policy").write_text(f"log {signer.key_text}\nquorum none\n")
    return policy.without_witnesses(signer.verifier)


def test_ten_thousand_changes_to_a_larger_ledger_are_all_noticed(tmp_path):
    believed = keep(tmp_path, [5000, 1, 14_999])
    root = tmp_path / "ledger"
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    chance = random.Random(2026)  # noqa: S311 - a repeatable choice of what to change
    for _ in range(10_000):
        path = chance.choice(paths)
        data = path.read_bytes()
        at, other = chance.randrange(len(data)), chance.choice(paths).read_bytes()
        one_bit = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        changed = chance.choice([one_bit, data[:at], data + bytes(1), data[at:] + data[:at], other])
        if changed == data:
            continue
        path.write_bytes(changed)
        with pytest.raises(GatehouseError):
            verify_log(root, believed)
        path.write_bytes(data)
    verify_log(root, believed)


def test_a_million_entries_verify_alike(tmp_path):
    believed = keep(tmp_path, [1_000_000, 280_000])
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    stranger = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stranger)
    ours = verify_log(tmp_path / "ledger", believed)
    theirs = stranger.check_ledger(str(tmp_path / "ledger"), stranger.Policy(str(tmp_path / "my.policy")))
    assert theirs == (ours.checkpoint.size, ours.checkpoint.root, 2)
