"""The writer and the full verification: what goes in is there once, in order, under one root a size."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, note, policy, signers, tiles, tree, turn
from gatehouse.ledger.log import Log
from gatehouse.ledger.verify import verify_log

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
SIGNER = signers.parse_signer(signers.new_key("log.example/2026")[0])
POLICY = policy.without_witnesses(SIGNER.verifier)


def entries(count: int, salt: str = "") -> list[bytes]:
    return [hashlib.sha512(f"{salt}{n}".encode()).digest()[:53] for n in range(count)]


def new_log(folder):
    return Log.create(folder / "ledger", SIGNER, state=folder / "state")


def textbook_root(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + textbook_root(hashes[:k]) + textbook_root(hashes[k:])).digest()


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 513, 70_000])
def test_root_equals_the_textbook(tmp_path, size):
    given_entries = entries(size)
    with new_log(tmp_path) as log:
        assert log.append("all", given_entries) == 0
        published = log.publish(NOW)
    assert published.root == textbook_root([hashlib.sha256(b"\x00" + entry).digest() for entry in given_entries])
    verified = verify_log(tmp_path / "ledger", POLICY)
    assert (verified.checkpoint.size, verified.ahead) == (size, 0)
    present = {p.relative_to(tmp_path / "ledger").as_posix() for p in (tmp_path / "ledger").rglob("*") if p.is_file()}
    assert present == {"checkpoint", f"checkpoints/{size}", *tiles.names(size)}


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_batches_grow_the_same_tree_and_every_checkpoint_holds(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("log")
    every = entries(sum(sizes))
    with new_log(folder) as log:
        at = 0
        for number, size in enumerate(sizes):
            assert log.append(f"batch {number}", every[at : at + size]) == at
            at += size
            assert log.publish(NOW).root == textbook_root([tree.leaf_hash(entry) for entry in every[:at]])
        assert [log.reader().entry(n) for n in range(0, at, 97)] == every[::97]
    assert verify_log(folder / "ledger", POLICY).checkpoints == len(sizes)


def test_a_batch_goes_in_once(tmp_path):
    with new_log(tmp_path) as log:
        assert log.append("a", entries(3)) == 0
        assert log.append("b", entries(2, "b")) == 3
        assert log.append("a", entries(3)) == 0
        assert log.size == 5
        assert log.batch("b") == range(3, 5)
        with pytest.raises(WrongInput, match="different entries"):
            log.append("a", entries(4))


def test_one_writer_at_a_time(tmp_path):
    with new_log(tmp_path), pytest.raises(MachineFailed, match="another process"):
        Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state")
    Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state").close()


def test_a_writer_gives_up_after_the_stated_time(tmp_path, monkeypatch):
    monkeypatch.setattr(turn, "PATIENCE", 0.2)
    with new_log(tmp_path), ThreadPoolExecutor(1) as other:
        opened = other.submit(Log.open, tmp_path / "ledger", SIGNER, state=tmp_path / "state")
        with pytest.raises(MachineFailed, match=r"another process.*0.2 seconds"):
            opened.result()


def test_writers_wait_in_line(tmp_path):
    """Six who write at one instant all get their turn, and whoever publishes holds up none who appends."""
    new_log(tmp_path).close()
    begun, asked = threading.Barrier(6), []

    def write(number):
        begun.wait()
        with Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state") as log:
            log.append(str(number), entries(3, str(number)))
            asked.append(log.publish(NOW).size)

    threads = [threading.Thread(target=write, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(asked), max(asked)) == (6, 18)
    assert verify_log(tmp_path / "ledger", POLICY).checkpoint.size == 18


def test_no_network_under_the_lock(tmp_path):
    """While a witness thinks, another appends; what was published covers what its caller had appended."""
    with new_log(tmp_path) as log:
        log.append("mine", entries(3))

        class Slow:
            def cosign(self, wanted, prove):
                with Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state") as other:
                    other.append("theirs", entries(2, "b"))
                return []

        assert log.publish(NOW, witnesses=[Slow()]).size == 3
        assert log.size == 5
        assert log.publish(NOW).size == 5
    assert verify_log(tmp_path / "ledger", POLICY).checkpoints == 2


def test_a_crash_between_the_two_places_of_a_checkpoint_is_finished(tmp_path):
    with new_log(tmp_path) as log:
        log.append("a", entries(3))
        log.publish(NOW)
    kept = tmp_path / "ledger/checkpoints/3"
    data = kept.read_bytes()
    kept.unlink()
    verify_log(tmp_path / "ledger", POLICY)
    Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state").close()
    assert kept.read_bytes() == data


def test_only_commitments_go_in(tmp_path):
    with new_log(tmp_path) as log, pytest.raises(WrongInput, match="53 bytes"):
        log.append("a", [b"Jane Roe, 12 Elm St"])


def test_a_forgetful_writer_signs_nothing(tmp_path):
    with new_log(tmp_path) as log:
        log.append("a", entries(3))
        log.publish(NOW)
        shutil.copytree(tmp_path / "state", tmp_path / "backup")
        log.append("b", entries(3, "b"))
        log.publish(NOW)
    shutil.rmtree(tmp_path / "state")
    shutil.copytree(tmp_path / "backup", tmp_path / "state")
    with pytest.raises(MachineFailed, match="older than the published"):
        Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state")


def test_a_key_is_rotated_under_the_same_name(tmp_path):
    with new_log(tmp_path) as log:
        log.append("a", entries(3))
        log.publish(NOW)
    renewed = signers.parse_signer(signers.new_key(SIGNER.name)[0])
    with Log.open(tmp_path / "ledger", renewed, state=tmp_path / "state") as log:
        log.append("b", entries(2, "b"))
        log.publish(NOW)
    both = policy.parse_policy(f"log {SIGNER.key_text}\nlog {renewed.key_text}\nquorum none\n".encode())
    assert verify_log(tmp_path / "ledger", both).checkpoints == 2
    with pytest.raises(AnswerIsNo, match="no log in the policy"):
        verify_log(tmp_path / "ledger", policy.without_witnesses(renewed.verifier))
    other = signers.parse_signer(signers.new_key("log.example/2027")[0])
    with pytest.raises(WrongInput, match="name differs from"):
        Log.open(tmp_path / "ledger", other, state=tmp_path / "state")


def test_the_logs_own_second_signature_is_post_quantum_and_can_be_demanded(tmp_path):
    second = signers.parse_signer(signers.new_key(SIGNER.name, signers.Algorithm.MLDSA44_COSIGNATURE)[0])
    demanding = policy.parse_policy(f"log {SIGNER.key_text}\nwitness own {second.key_text}\nquorum own\n".encode())
    with new_log(tmp_path) as log:
        log.append("a", entries(3))
        with pytest.raises(MachineFailed, match="quorum"):
            log.publish(NOW, policy=demanding)
        assert not (tmp_path / "ledger/checkpoint").exists()
        log.publish(NOW, policy=demanding, second=second)
    verify_log(tmp_path / "ledger", POLICY)
    verify_log(tmp_path / "ledger", demanding)


def test_changed_tiles_are_never_signed(tmp_path):
    with new_log(tmp_path) as log:
        log.append("a", entries(300))
        log.publish(NOW)
    tile = tmp_path / "ledger" / "tile/1/000.p/1"
    tile.write_bytes(os.urandom(32))
    with pytest.raises(MachineFailed, match="differ from those that were signed"):
        Log.open(tmp_path / "ledger", SIGNER, state=tmp_path / "state")


def small_log(folder):
    with new_log(folder) as log:
        for number, size in enumerate([3, 254, 2]):
            log.append(str(number), entries(size, str(number)))
            log.publish(NOW)
    return folder / "ledger"


@pytest.mark.slow
def test_every_changed_byte_of_a_small_log_is_noticed(tmp_path):
    root = small_log(tmp_path)
    checked = 0
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        data = path.read_bytes()
        step = 1 if len(data) < 600 else 61
        for position in range(0, len(data), step):
            changed = bytearray(data)
            changed[position] ^= 1 << position % 8
            path.write_bytes(bytes(changed))
            with pytest.raises(GatehouseError) as caught:
                verify_log(root, POLICY)
            assert caught.value.status in {1, 2}
            checked += 1
        path.write_bytes(data)
    assert checked > 1000
    verify_log(root, POLICY)


def test_every_missing_or_added_file_is_noticed(tmp_path):
    root = small_log(tmp_path)
    needed = {"checkpoint", *tiles.names(259)}
    for name in sorted(needed):
        data = (root / name).read_bytes()
        (root / name).unlink()
        with pytest.raises(GatehouseError):
            verify_log(root, POLICY)
        (root / name).write_bytes(data)
    for name in ["notes.txt", "tile/0/0", "tile/entries/000.p/256", "checkpoints/01", "tile/9/000", ".checkpoint.tmp"]:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"")
        with pytest.raises(AnswerIsNo, match="does not belong"):
            verify_log(root, POLICY)
        (root / name).unlink()
    verify_log(root, POLICY)


def test_a_ledger_of_another_log_is_refused(tmp_path):
    stranger = signers.parse_signer(signers.new_key("log.example/2026")[0])
    with pytest.raises(AnswerIsNo, match="no log in the policy"):
        verify_log(small_log(tmp_path), policy.without_witnesses(stranger.verifier))


def test_a_rolled_back_checkpoint_beside_newer_ones_is_refused(tmp_path):
    root = small_log(tmp_path)
    (root / "checkpoint").write_bytes((root / "checkpoints/3").read_bytes())
    with pytest.raises(AnswerIsNo, match="older than one of the published"):
        verify_log(root, POLICY)


@pytest.mark.parametrize("name", ["checkpoint", "checkpoints/3", "checkpoints/259"])
def test_a_root_that_the_log_signed_and_the_entries_do_not_make_is_found(tmp_path, name):
    root = small_log(tmp_path)
    size = int(name.rpartition("/")[2]) if "/" in name else 259
    forged = note.sign(checkpoint.body(SIGNER.name, size, hashlib.sha256(b"other").digest()), SIGNER)
    (root / name).write_bytes(forged.encoded)
    with pytest.raises(AnswerIsNo, match=f"the checkpoint of size {size} has a different root"):
        verify_log(root, POLICY)
