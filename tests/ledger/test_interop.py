"""Ledgers of ours verify with Go's golang.org/x/mod/sumdb (note, tlog), which is not ours and knows nothing of us."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gatehouse.ledger import signers
from gatehouse.ledger.log import Log

pytestmark = pytest.mark.tools

SOURCE = Path(__file__).parent / "interop" / "main.go"
GOPATH = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev puts it
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory):
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        reason = "Go is missing; Debian: apt-get install golang-go golang-golang-x-mod-dev"
        if "tools" in os.environ.get("GATEHOUSE_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache")}
    subprocess.run(["go", "build", "-o", str(folder / "interop"), str(SOURCE)], env=environment, check=True)

    def verify(ledger, vkey):
        return subprocess.run([folder / "interop", ledger, vkey], capture_output=True, text=True, check=False)

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
