"""A key in SoftHSM signs a ledger through the same seam as a key file."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from pathlib import Path

import pytest

from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import note, policy, signers
from gatehouse.ledger.log import Log
from gatehouse.ledger.verify import verify_log

pytestmark = pytest.mark.hsm

MODULES = [*Path("/usr/lib").glob("**/softhsm/libsofthsm2.so")]
NAME = "log.example/2026"


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    (folder / "pin").write_text("1234\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "gatehouse", "--pin", "1234", "--so-pin", "5678"],
        check=True,
        capture_output=True,
    )
    import pkcs11

    library = pkcs11.lib(str(MODULES[0]))
    curve = b"\x13\x0cedwards25519"  # PrintableString, the form that SoftHSM 2.6 takes
    with library.get_token(token_label="gatehouse").open(rw=True, user_pin="1234") as session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS, {pkcs11.Attribute.EC_PARAMS: curve}, local=True
        )
        parameters.generate_keypair(mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=NAME)
    return folder


def address(folder, **changed):
    parts = {"object": "log.example%2F2026", "token": "gatehouse", "pin": f"{folder}/pin", **changed}
    return (
        f"pkcs11:token={parts['token']};object={parts['object']}?module-path={MODULES[0]}&pin-source={parts['pin']}\n"
    )


def test_a_hardware_key_keeps_a_ledger(token, tmp_path):
    (tmp_path / "log.key").write_text(address(token))
    signer = signers.read_signer(tmp_path / "log.key")
    assert signer.name == NAME
    assert note.verify_detached(b"data", note.sign_detached(b"data", signer), [signer.verifier]) == signer.verifier
    with Log.create(tmp_path / "ledger", signer, state=tmp_path / "state") as log:
        log.append("a", [bytes(53)])
        log.publish(dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    assert verify_log(tmp_path / "ledger", policy.without_witnesses(signer.verifier)).checkpoint.size == 1


def test_wrong_addresses_are_refused_without_a_word_of_the_pin(token, tmp_path):
    (tmp_path / "wrong").write_text("9999")
    wrong = [
        address(token, token="other"),
        address(token, object="nobody"),
        address(token, pin=f"{tmp_path}/wrong"),
        address(token, pin=f"{tmp_path}/absent"),
        "pkcs11:token=gatehouse\n",
        address(token).strip() + "&pin-value=1234\n",
    ]
    for number, text in enumerate(wrong):
        path = tmp_path / f"{number}.key"
        path.write_text(text)
        with pytest.raises(WrongInput) as caught:
            signers.read_signer(path)
        assert "1234" not in str(caught.value)
        assert "9999" not in str(caught.value)
