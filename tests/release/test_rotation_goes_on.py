"""A rotation goes on from where it stands, makes no third key, and what agencies fetch follows."""

from __future__ import annotations

import threading
from pathlib import Path

import house
import pytest

from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.ledger import policy as policies
from gatehouse.ledger import signers
from gatehouse.ledger.verify import verify_log
from gatehouse.ledger.witness import Witness, open_key
from gatehouse.ledger.witness_server import server
from gatehouse.pipeline import release, rotation


def test_it_goes_on_from_where_it_stands(approved: house.House, tmp_path: Path) -> None:
    site = approved.site
    old = (site.root / "log.vkey").read_text().strip()
    key = open_key(tmp_path / "w", "witness.example")
    witness = Witness(tmp_path / "w", key, [signers.Verifier.parse(old)], lambda: house.LATER)
    serving = server(witness, "127.0.0.1", 0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{serving.server_address[1]}"
    site.policy.write_text(f"log {old}\nwitness w {key.key_text} {address}\nquorum w\n")
    release.release(approved.connection, approved.office, house.NAME, house.LATER)
    trusted = site.root / "trust" / "witnesses.policy"

    new = rotation.announce(site, house.LATER)
    assert {old, new} == {log.text for log in policies.read(trusted).logs}, "verifiers learn the new key first"
    for _ in range(2):
        with pytest.raises(MachineFailed, match=r"in progress.*knows no key that signed.*make a third key") as stopped:
            rotation.rotate(site, house.LATER)
        assert str(stopped.value).count("w ") >= 1
    with pytest.raises(WrongInput, match="a rotation is in progress"):
        rotation.announce(site, house.LATER)
    witness._logs = [signers.Verifier.parse(each) for each in (old, new)]
    shown = rotation.rotate(site, house.LATER)
    assert shown.note.signed_by([signers.Verifier.parse(new)])
    assert (site.root / "trust" / "log.vkey").read_text().strip() == new
    assert verify_log(site.ledger, policies.read(trusted)).checkpoint.size == shown.size
    with pytest.raises(WrongInput, match="no key has been announced"):
        rotation.rotate(site, house.LATER)
    serving.shutdown()
