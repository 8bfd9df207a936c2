"""A ledger is regular files under exact names; whatever else lies in their places both verifiers refuse unopened."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import os
import shutil
import socket
from pathlib import Path

import pytest

from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import policy, signers
from gatehouse.ledger.log import Log
from gatehouse.ledger.verify import verify_log

STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What verifies a folder with both verifiers, and a good folder of sizes 3, 257 and 259."""
    home = tmp_path_factory.mktemp("strict")
    signer = signers.parse_signer(signers.new_key("log.example/2026")[0])
    with Log.create(home / "ledger", signer, state=home / "state") as log:
        for number, size in enumerate([3, 254, 2]):
            log.append(str(number), [hashlib.sha512(f"{number}/{n}".encode()).digest()[:53] for n in range(size)])
            log.publish(NOW)
    (home / "my.policy").write_text(f"log {signer.key_text}\nquorum none\n")
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    spec.loader.exec_module(stranger := importlib.util.module_from_spec(spec))

    def ours(root):
        verify_log(root, policy.read(home / "my.policy"))

    def theirs(root):
        stranger.check_ledger(str(root), stranger.Policy(str(home / "my.policy")))

    return home / "ledger", [(ours, AnswerIsNo), (theirs, stranger.Failure)]


def fifo(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def link(path):
    kept = path.parents[path.parts[::-1].index("ledger")] / "elsewhere"
    shutil.copyfile(path, kept)
    path.unlink()
    path.symlink_to(kept)


def folder(path):
    path.unlink(missing_ok=True)
    path.mkdir()


def listening(path):
    path.unlink(missing_ok=True)
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


PLACES = ["checkpoint", "checkpoints/3", "tile/0/000", "tile/entries/000.p/3", "tile/1/000.p/1"]


@pytest.mark.parametrize("instead", [fifo, link, folder, listening])
@pytest.mark.parametrize("name", PLACES)
def test_something_else_in_a_files_place(both, tmp_path, instead, name):
    good, verifiers = both
    shutil.copytree(good, tmp_path / "ledger")
    instead(tmp_path / "ledger" / name)
    for verify, failure in verifiers:
        with pytest.raises(failure):
            verify(tmp_path / "ledger")


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/x000/001", "tile/0/x000/x000/001", "tile/0/001.p/256", "tile/0/001.p/03", "tile/0/001.p/0",
        "tile/00/000", "tile/8/000", "tile/0/0001", "tile/0/007.p", "tile/Entries/000", "tile/entries/000.P/3",
        "checkpoints/003",
        "checkpoints/3.TSR", "checkpoints/4.tsr", "checkpoints/99999999999999999999", "Checkpoint", "checkpoint ", "x",
        "tile/0/000.p/3/x", "checkpoints/3.tsr/x",
    ],
)  # fmt: skip
def test_an_extra_file(both, tmp_path, name):
    good, verifiers = both
    shutil.copytree(good, tmp_path / "ledger")
    path = tmp_path / "ledger" / name
    if path.parent.is_file():
        path.parent.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    for verify, failure in verifiers:
        with pytest.raises(failure):
            verify(tmp_path / "ledger")


@pytest.mark.parametrize("name", ["tile/0/007", "tile/0/001.p/200", "tile/2/000.p/1", "tile/entries/001.p/9"])
def test_a_file_that_runs_ahead_holds_no_more_than_its_name_says(both, tmp_path, name):
    good, verifiers = both
    shutil.copytree(good, tmp_path / "ledger")
    path = tmp_path / "ledger" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for data, holds in [(b"", True), (b"x" * 300 * 55, False)]:
        path.write_bytes(data)
        for verify, failure in verifiers:
            if holds:
                verify(tmp_path / "ledger")
            else:
                with pytest.raises(failure):
                    verify(tmp_path / "ledger")


def test_an_older_checkpoint_beside_newer_kept_ones(both, tmp_path):
    good, verifiers = both
    shutil.copytree(good, tmp_path / "ledger")
    shutil.copyfile(good / "checkpoints/257", tmp_path / "ledger/checkpoint")
    for verify, failure in verifiers:
        with pytest.raises(failure, match=r"older than one|is newer than"):
            verify(tmp_path / "ledger")


def test_the_good_one_holds(both):
    good, verifiers = both
    for verify, _ in verifiers:
        verify(good)
