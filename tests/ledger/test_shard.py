"""Ledgers of successive years belong together, or both verifiers say that they do not."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import shutil
from pathlib import Path

import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import shard, signers
from gatehouse.ledger.log import Log
from gatehouse.ledger.policy import parse_policy
from gatehouse.ledger.shard import verify_shards

FILE = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def stranger():
    spec = importlib.util.spec_from_file_location("verify_ledger", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entries(name, count):
    return [hashlib.sha512(f"{name}{n}".encode()).digest()[:53] for n in range(count)]


class Years:
    """Ledgers of 2025 to 2027, each continuing the one before, and a policy that believes all three."""

    def __init__(self, folder):
        self.folder = folder
        self.roots = [folder / f"{year}/ledger" for year in (2025, 2026, 2027)]
        self.signers = [signers.parse_signer(signers.new_key(f"log.example/{year}")[0]) for year in (2025, 2026, 2027)]
        text = "".join(f"log {one.key_text}\n" for one in self.signers) + "quorum none\n"
        (folder / "my.policy").write_text(text)
        self.policy = parse_policy(text.encode())
        final = None
        for root, signer, size in zip(self.roots, self.signers, (300, 3, 1), strict=True):
            with Log.create(root, signer, state=root.parent / "state") as log:
                if final is not None:
                    assert shard.begin(log, final) == shard.begin(log, final) == 0
                log.append("some", entries(root, size))
                log.publish(NOW)
                log.append("more", entries(root, 2))
                final = log.publish(NOW)

    def grow(self, year):
        with Log.open(self.roots[year], self.signers[year], state=self.roots[year].parent / "state") as log:
            log.append("late", entries("late", 4))
            log.publish(NOW)


def test_the_years_belong_together(tmp_path, stranger):
    years = Years(tmp_path)
    ours = verify_shards(years.roots, years.policy)
    theirs = stranger.check_years([str(root) for root in years.roots], stranger.Policy(str(tmp_path / "my.policy")))
    assert [(one.verified.checkpoint.size, one.verified.checkpoint.root) for one in ours] == [one[:2] for one in theirs]
    assert [(one.verified.checkpoint.size, one.late) for one in ours] == [(302, 0), (6, 0), (4, 0)]


def test_what_came_late_into_an_earlier_year_is_counted(tmp_path, stranger):
    years = Years(tmp_path)
    years.grow(0)
    assert [one.late for one in verify_shards(years.roots, years.policy)] == [0, 4, 0]
    stranger.check_years([str(root) for root in years.roots], stranger.Policy(str(tmp_path / "my.policy")))


@pytest.mark.parametrize("order", [[1, 0], [0, 2], [0, 0], [2, 1, 0]])
def test_other_orders_are_refused(tmp_path, stranger, order):
    years = Years(tmp_path)
    chosen = [years.roots[number] for number in order]
    with pytest.raises(AnswerIsNo, match="does not begin with"):
        verify_shards(chosen, years.policy)
    with pytest.raises(stranger.Failure, match="does not begin with"):
        stranger.check_years([str(root) for root in chosen], stranger.Policy(str(tmp_path / "my.policy")))


def test_a_year_that_was_exchanged_is_noticed(tmp_path, stranger):
    """The custodian writes 2025 anew, with the same key and the same size: the link of 2026 is to another root."""
    years = Years(tmp_path)
    shutil.rmtree(years.roots[0].parent)
    with Log.create(years.roots[0], years.signers[0], state=years.roots[0].parent / "state") as log:
        log.append("some", entries("other", 302))
        log.publish(NOW)
    with pytest.raises(AnswerIsNo, match="does not begin with"):
        verify_shards(years.roots, years.policy)
    with pytest.raises(stranger.Failure):
        stranger.check_years([str(root) for root in years.roots], stranger.Policy(str(tmp_path / "my.policy")))


def test_a_log_that_has_begun_is_no_new_shard(tmp_path):
    years = Years(tmp_path)
    with Log.create(tmp_path / "x/ledger", years.signers[0], state=tmp_path / "x/state") as log:
        log.append("some", entries("x", 1))
        with pytest.raises(WrongInput):
            shard.begin(log, verify_shards(years.roots[:1], years.policy)[0].verified.checkpoint)


def test_a_link_is_what_sha256sum_says(tmp_path):
    years = Years(tmp_path)
    checkpoint = verify_shards(years.roots[:1], years.policy)[0].verified.checkpoint
    lines = checkpoint.encoded.split(b"\n\n")[0] + b"\n"
    expected = b"\x01" + bytes(20) + hashlib.sha256(b"gatehouse-shard/1\n" + lines).digest()
    assert shard.link(checkpoint) == expected
