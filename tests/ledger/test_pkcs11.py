"""Keys in SoftHSM sign through the same seam as key files, whatever number of them one process reads."""

from __future__ import annotations

import datetime as dt
import os
import threading

import pytest
from softhsm import Token

from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.ledger import note, policy, signers
from gatehouse.ledger.log import Log
from gatehouse.ledger.verify import verify_log

pytestmark = pytest.mark.hsm

NAME = "log.example/2026"
SECOND = "custodian.example"


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    made = Token(tmp_path_factory.mktemp("hsm") / "token")
    made.put(*(signers.parse_signer(signers.new_key(name)[0]) for name in (NAME, SECOND)))
    return made


@pytest.fixture
def files(token, tmp_path):
    """Two key files, each with the address of another key of the one token."""
    for name in (NAME, SECOND):
        (tmp_path / name.partition(".")[0]).write_text(token.address(name))
    return tmp_path / "log", tmp_path / "custodian"


def holds(signer, data=b"data"):
    return note.verify_detached(data, note.sign_detached(data, signer), [signer.verifier]) == signer.verifier


def test_a_hardware_key_keeps_a_ledger(files, tmp_path):
    signer = signers.read_signer(files[0])
    assert signer.name == NAME
    assert holds(signer)
    with Log.create(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        log.append("a", [bytes(53)])
        log.publish(dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    assert verify_log(tmp_path / "ledger", policy.without_witnesses(signer.verifier)).checkpoint.size == 1


def test_one_process_reads_any_number_of_keys_of_one_token(files):
    made = [signers.read_signer(path) for path in files * 3]
    assert {signer.name for signer in made} == {NAME, SECOND}
    assert all(holds(signer) for signer in made)


def test_threads_share_the_session(files):
    made, wrong = [signers.read_signer(path) for path in files], []

    def sign(number):
        data = str(number).encode()
        wrong.extend(number for _ in range(20) if not holds(made[number % 2], data))

    threads = [threading.Thread(target=sign, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_child_process_opens_a_session_of_its_own(files):
    signer = signers.read_signer(files[0])
    assert holds(signer)
    child = os.fork()
    if child == 0:
        os._exit(0 if holds(signer) and holds(signers.read_signer(files[1])) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert holds(signer)


def test_the_session_is_opened_anew_after_the_token_was_away(token, files):
    signer = signers.read_signer(files[0])
    tokens, away = token.folder / "tokens", token.folder / "away"
    tokens.rename(away)
    tokens.mkdir()
    token.library.reinitialize()  # the module notices
    with pytest.raises(MachineFailed, match=r"did not sign.*Check that the token is connected"):
        signer.sign(b"data")
    tokens.rmdir()
    away.rename(tokens)
    assert holds(signer)
    assert holds(signers.read_signer(files[1]))


def test_wrong_addresses_are_refused_without_a_word_of_the_pin(token, files, tmp_path):
    signers.read_signer(files[0])  # being logged in makes no wrong PIN right
    (tmp_path / "wrong").write_text("9999")
    wrong = [
        token.address(NAME, token="other"),
        token.address("nobody"),
        token.address(NAME, pin=tmp_path / "wrong"),
        token.address(NAME, pin=tmp_path / "absent"),
        "pkcs11:token=gatehouse\n",
        token.address(NAME).strip() + "&pin-value=1234\n",
    ]
    for number, text in enumerate(wrong):
        path = tmp_path / f"{number}.key"
        path.write_text(text)
        with pytest.raises(WrongInput) as caught:
            signers.read_signer(path)
        assert "1234" not in str(caught.value)
        assert "9999" not in str(caught.value)
    assert holds(signers.read_signer(files[0]))
