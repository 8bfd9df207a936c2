"""Time-stamps from a local authority: ours and OpenSSL's verification agree, also on what is wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import socket
import threading

import pytest
from cryptography import x509
from local_authority import make, openssl

from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.ledger import policy, signers, timestamps
from gatehouse.ledger.log import Log
from gatehouse.ledger.verify import verify_log

pytest.importorskip("rfc3161_client", reason="the timestamps extra is not installed")
pytestmark = pytest.mark.tools

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tsa")
    return folder, make(folder)


def test_a_stamped_checkpoint_verifies_here_and_with_openssl(tmp_path, authority):
    folder, answer = authority
    signer = signers.parse_signer(signers.new_key("log.example")[0])

    def gone(_):
        raise ConnectionRefusedError

    with Log.create(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        log.append("a", [hashlib.sha512(b"x").digest()[:53]])
        log.publish(NOW)
        with pytest.raises(MachineFailed, match="no time-stamping authority"):
            log.stamp([gone])
        log.stamp([gone, answer])
        log.stamp([gone])
    assert verify_log(tmp_path / "ledger", policy.without_witnesses(signer.verifier)).timestamps == 1
    assert timestamps.verify_all(tmp_path / "ledger", folder / "root.pem") == 1
    data, token = tmp_path / "ledger/checkpoints/1", tmp_path / "ledger/checkpoints/1.tsr"
    command = ["ts", "-verify", "-data", str(data), "-in", str(token), "-CAfile", str(folder / "root.pem")]
    assert b"Verification: OK" in openssl(folder, *command).stdout


def test_what_an_authority_did_not_say_is_refused(authority):
    folder, answer = authority
    roots = x509.load_pem_x509_certificates((folder / "root.pem").read_bytes())
    token = timestamps.stamp(b"checkpoint", [answer])
    assert timestamps.verify(b"checkpoint", token, roots) <= dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    with pytest.raises(AnswerIsNo):
        timestamps.verify(b"checkpoinT", token, roots)
    for position in range(0, len(token), 7):
        changed = bytearray(token)
        changed[position] ^= 1
        try:
            timestamps.verify(b"checkpoint", bytes(changed), roots)
        except AnswerIsNo:
            continue
        # only bytes outside the signed content (such as a certificate's unused copy) may change without notice
        assert _signed_content(bytes(changed)) == _signed_content(token)
    for nonsense in (b"", b"\x30", token[:100], b"\x00" * 500):
        with pytest.raises(AnswerIsNo):
            timestamps.verify(b"checkpoint", nonsense, roots)


def _signed_content(token):
    import rfc3161_client

    info = rfc3161_client.decode_timestamp_response(token).tst_info
    return info.message_imprint.message, info.gen_time, info.serial_number


def test_an_answer_to_another_question_is_no_answer(authority):
    _, answer = authority
    old = []

    def replayed(query):
        old.append(answer(query))
        return old[0]

    timestamps.stamp(b"first", [replayed])
    with pytest.raises(MachineFailed):
        timestamps.stamp(b"first", [replayed])


def test_an_authority_that_dribbles_ends_at_the_deadline():
    """Each byte comes in time, headers and body; the whole answer does not."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def dribble():
        for start in (b"HTTP/1.0 200 OK\r\nX: ", b"HTTP/1.0 200 OK\r\n\r\n"):
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(start)
                while not ended.wait(0.02):
                    connection.sendall(b"x")

    threading.Thread(target=dribble, daemon=True).start()
    authority = timestamps.HttpAuthority(f"http://127.0.0.1:{listening.getsockname()[1]}/", seconds=0.4)
    for _ in range(2):
        with pytest.raises(OSError, match=r"deadline|could be read"):
            authority(b"query")
    ended.set()
    listening.close()


def test_others_write_while_an_authority_thinks(tmp_path, authority):
    signer = signers.parse_signer(signers.new_key("log.example")[0])
    with Log.create(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        log.append("a", [bytes(53)])
        log.publish(NOW)

        def slow(query):
            with Log.open(tmp_path / "ledger", signer, state=tmp_path / "state") as other:
                other.append("b", [bytes(53)])
            return authority[1](query)

        log.stamp([slow])
        assert log.size == 2
    assert (tmp_path / "ledger/checkpoints/1.tsr").is_file()
