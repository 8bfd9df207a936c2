"""A key is announced, then rotated, with witnesses watching; and what a thief of the old one can and cannot do."""

from __future__ import annotations

import hashlib
import threading

import house
import pytest

from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, note, signers
from gatehouse.ledger import policy as policies
from gatehouse.ledger.verify import verify_log
from gatehouse.ledger.witness import Witness, open_key
from gatehouse.ledger.witness_client import request_body
from gatehouse.ledger.witness_server import server
from gatehouse.pipeline import release, rotation


@pytest.fixture
def watched(approved, tmp_path):
    """A site with three witnesses at addresses, two of them the quorum."""
    log = signers.Verifier.parse(read(approved, "log.vkey"))
    witnesses, lines, serving = [], [f"log {log.text}"], []
    for number in range(3):
        key = open_key(tmp_path / f"w{number}", f"witness.example/{number}")
        witnesses.append(Witness(tmp_path / f"w{number}", key, [log], lambda: house.LATER))
        serving.append(server(witnesses[-1], "127.0.0.1", 0))
        threading.Thread(target=serving[-1].serve_forever, daemon=True).start()
        lines.append(f"witness w{number} {key.key_text} http://127.0.0.1:{serving[-1].server_address[1]}")
    approved.site.policy.write_text("\n".join([*lines, "group g 2 w0 w1 w2", "quorum g", ""]))
    yield approved, witnesses
    for one in serving:
        one.shutdown()


def read(home, name):
    return (home.site.root / name).read_text().strip()


def teach(witnesses, *keys):
    for witness in witnesses:
        witness._logs = [signers.Verifier.parse(key) for key in keys]


def test_announced_rotated_and_verified_with_both_lines(watched):
    home, witnesses = watched
    old = read(home, "log.vkey")
    with pytest.raises(WrongInput, match="no key has been announced"):
        rotation.rotate(home.site, house.LATER)
    new = rotation.announce(home.site, house.LATER)
    assert rotation.announce(home.site, house.LATER) == new  # again, after a crash
    assert read(home, "log.vkey") == old
    teach(witnesses, old, new)
    shown = rotation.rotate(home.site, house.LATER)
    policy = policies.read(home.site.policy)
    assert verify_log(home.site.ledger, policy).checkpoint.root == shown.root
    assert shown.note.signed_by([signers.Verifier.parse(new)])
    assert not shown.note.signed_by([signers.Verifier.parse(old)])
    assert not rotation.next_key(home.site).exists()
    assert signers.read_signer(home.site.log_key).key_text == new
    only_new = policies.parse_policy(home.site.policy.read_bytes().replace(f"log {old}\n".encode(), b""))
    with pytest.raises(AnswerIsNo, match="no log in the policy signed"):
        verify_log(home.site.ledger, only_new)  # the earlier checkpoints are the old key's
    assert release.release(home.connection, home.office, house.NAME, house.LATER).cases == 9


def test_until_the_witnesses_know_the_new_key_nothing_is_published(watched):
    home, witnesses = watched
    old, new = read(home, "log.vkey"), rotation.announce(home.site, house.LATER)
    before = (home.site.ledger / "checkpoint").read_bytes()
    with pytest.raises(MachineFailed, match="not published"):
        rotation.rotate(home.site, house.LATER)
    assert (home.site.ledger / "checkpoint").read_bytes().startswith(before.split(b"\n")[0])
    with pytest.raises(MachineFailed, match="not published"):
        release.release(home.connection, home.office, house.NAME, house.LATER)
    teach(witnesses, old, new)
    assert release.release(home.connection, home.office, house.NAME, house.LATER).cases == 9


def test_a_next_key_of_another_name_is_refused(watched):
    home, _ = watched
    signers.write_key(rotation.next_key(home.site), "other.example")
    with pytest.raises(WrongInput, match="name differs from"):
        rotation.announce(home.site, house.LATER)


def test_a_thief_of_the_log_key_can_sign_a_fork_and_get_no_quorum_for_it(watched):
    home, witnesses = watched
    stolen = signers.read_signer(home.site.log_key)
    rotation.announce(home.site, house.LATER)
    shown = checkpoint.parse((home.site.ledger / "checkpoint").read_bytes())
    for size in (shown.size, shown.size + 5, shown.size - 1):
        forged = note.sign(checkpoint.body(shown.origin, size, hashlib.sha256(b"fork").digest()), stolen).encoded
        answers = [one.add_checkpoint(request_body(min(shown.size, size), [], forged)).status for one in witnesses]
        assert set(answers) <= {409, 422, 400}
        with pytest.raises(AnswerIsNo, match="quorum"):
            policies.read(home.site.policy).accept(forged)
