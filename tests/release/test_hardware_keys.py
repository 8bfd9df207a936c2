"""Releases to keys in hardware, classic and post-quantum, sealed as to any other and opened through an age plugin."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

import age_plugin
import house
import pytest
from cryptography.hazmat.primitives.serialization import PublicFormat

from gatehouse.intake.manifest import Officer
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.pipeline import release
from gatehouse.release import officer, recipients
from gatehouse.release.recipients import encrypt, read_identity
from gatehouse.synthetic.officers import _bech32


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> age_plugin.Key:
    """A key in the plugin, and the plugin on PATH."""
    made = {"scalar": 1 + secrets.randbelow(1 << 255), "seed": secrets.token_hex(64)}
    (tmp_path / "token.json").write_text(json.dumps(made))
    plugin = tmp_path / "bin" / f"age-plugin-{age_plugin.NAME}"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\nexec {sys.executable} {age_plugin.__file__} "$@"\n')
    plugin.chmod(0o700)
    monkeypatch.setenv("PATH", f"{plugin.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GATEHOUSE_TEST_KEY", str(tmp_path / "token.json"))
    return age_plugin.Key(made["scalar"], bytes.fromhex(made["seed"]))


def recipient(token: age_plugin.Key, kind: str) -> str:
    if kind == "tag":
        return _bech32("age1tag", token.point(PublicFormat.CompressedPoint))
    return _bech32("age1tagpq", token.hybrid())


def key_file(path: Path, public: str) -> Path:
    identity = _bech32(f"age-plugin-{age_plugin.NAME}-", b"slot 1").upper()
    path.write_text(f"#    Recipient: {public}\n{identity}\n")
    return path


@pytest.mark.parametrize("kind", ["tag", "tagpq"])
def test_a_release_to_a_key_in_hardware(tmp_path: Path, token: age_plugin.Key, kind: str) -> None:
    public = recipient(token, kind)
    home = house.build(tmp_path, requests=4, officers=1, held=0, incomplete=0, recipients={"ICE-0000": public})
    house.decide(home, "ann", "approve")
    house.decide(home, "bob", "approve")
    [one] = release.release(home.connection, home.office, house.NAME, house.LATER).releases
    data = home.package(one.id).read_bytes()
    assert data.split(b"\n")[1].startswith(b"-> p256tag " if kind == "tag" else b"-> mlkem768p256tag ")
    identity = read_identity(key_file(tmp_path / "token.key", public))
    opened = officer.open_release(home.package(one.id), identity, home.site.root / "trust", tmp_path / "o", house.LATER)
    assert len(opened.rows) == 4


def test_another_token_does_not_open_it(tmp_path: Path, token: age_plugin.Key) -> None:
    other = age_plugin.Key(5, bytes(64))
    sealed = encrypt(b"records", recipient(other, "tag"))
    with pytest.raises(AnswerIsNo, match="does not open"):
        read_identity(key_file(tmp_path / "k", recipient(token, "tag"))).decrypt(sealed)


BROKEN = {
    "silent": ("sleep 600", "said nothing for 1 seconds"),
    "ends at once": ("exit 1", "broke off or answered nonsense"),
    "ends later": ("sleep 0.2", "broke off or answered nonsense"),
    "nonsense": ("echo nonsense; sleep 1", "broke off or answered nonsense"),
    "bytes": ("head -c 65536 /dev/urandom", "broke off or answered nonsense"),
}


@pytest.mark.parametrize(("does", "told"), BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_is_silent_or_broken_is_told_as_that(
    tmp_path: Path, token: age_plugin.Key, monkeypatch: pytest.MonkeyPatch, does: str, told: str
) -> None:
    """Nobody waits for ever, and nobody is told that a good package was altered."""
    monkeypatch.setattr(recipients, "SILENCE", 1.0)
    sealed = encrypt(b"records", recipient(token, "tag"))
    (tmp_path / "bin" / f"age-plugin-{age_plugin.NAME}").write_text(f"#!/bin/sh\n{does}\n")
    with pytest.raises(MachineFailed, match=f"age-plugin-{age_plugin.NAME} {told}"):
        read_identity(key_file(tmp_path / "k", recipient(token, "tag"))).decrypt(sealed)


def test_an_altered_package_is_told_as_altered_through_a_plugin_too(tmp_path: Path, token: age_plugin.Key) -> None:
    sealed = bytearray(encrypt(b"records", recipient(token, "tag")))
    sealed[-1] ^= 1
    with pytest.raises(AnswerIsNo, match="altered"):
        read_identity(key_file(tmp_path / "k", recipient(token, "tag"))).decrypt(bytes(sealed))


def test_a_missing_plugin_and_an_unsaid_public_half_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = _bech32("age-plugin-nowhere-", b"x").upper()
    (tmp_path / "k").write_text(f"# public key: age1tag1xyz\n{identity}\n")
    with pytest.raises(WrongInput, match="not installed"):
        read_identity(tmp_path / "k")


def test_a_key_file_must_say_the_public_half(tmp_path: Path, token: age_plugin.Key) -> None:
    path = key_file(tmp_path / "k", recipient(token, "tag"))
    path.write_text(path.read_text().splitlines()[1])
    with pytest.raises(WrongInput, match="public half"):
        read_identity(path)


@pytest.mark.parametrize(("text", "well_formed"), [
    (recipient(age_plugin.Key(7, bytes(64)), "tag"), True),
    (recipient(age_plugin.Key(7, bytes(64)), "tagpq"), True),
    (recipient(age_plugin.Key(7, bytes(64)), "tag")[:-1] + "q", False),
    ("age1tag1", False),
    ("age1pq1qqqqqqqq", False),
    ("", False),
], ids=["tag", "tagpq", "mistyped", "empty", "software-post-quantum", "none"])  # fmt: skip
def test_the_manifest_takes_what_can_be_sealed_to(text: str, well_formed: bool) -> None:
    assert Officer("ICE-1", "n", "t", employee=True, recipient=text, attests_sole_use=True).reachable is well_formed
