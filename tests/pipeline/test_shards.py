"""A site of a new year continues the one before it: one command makes it, one command verifies both."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner

from gatehouse.cli.main import cli
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.kernel.progress import silent
from gatehouse.ledger import policy as policies
from gatehouse.ledger.signers import Verifier
from gatehouse.ledger.witness import Witness, open_key
from gatehouse.ledger.witness_server import server
from gatehouse.pipeline import journey, record
from gatehouse.pipeline.site import open_site

PACK = Path(__file__).parents[2] / "packs" / "us-privacy-act-552a-b-7"


MANIFEST = {
    "format": "gatehouse-submission/1", "id": "S-1", "agency": "us.example", "basis": "us.privacy-act-552a-b-7",
    "agreement": "a", "signed_on": "2026-01-01",
    "signatory": {"name": "A", "title": "Head", "capacity": "agency_head"},
    "officers": [{
        "id": "O-1", "name": "B", "title": "Officer", "employee": True, "attests_sole_use": True,
        "recipient": str(pyrage.x25519.Identity.generate().to_public()),
    }],
    "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": 1}],
}  # fmt: skip


def call(*arguments):
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_new_year_begins_with_the_old_one(tmp_path):
    old, new = tmp_path / "2026", tmp_path / "2027"
    call("init", old, "--name", "log.example/2026", "--pack", PACK)
    call("init", new, "--name", "log.example/2027", "--pack", PACK, "--after", old)
    policy = new / "witnesses.policy"
    assert "differ" not in call("check", "--site", new)
    call("report", "disclosures", "--site", new)
    answer = json.loads(call("verify", "ledger", old / "ledger", new / "ledger", "--policy", policy, "--json"))
    assert answer["origin"] == "log.example/2027"
    assert [one["origin"] for one in answer["earlier"]] == ["log.example/2026"]
    with pytest.raises(AnswerIsNo, match="does not begin with"):
        call("verify", "ledger", new / "ledger", old / "ledger", "--policy", policy)
    with pytest.raises(WrongInput, match="this is not a site"):
        call("init", tmp_path / "2028", "--name", "log.example/2028", "--pack", PACK, "--after", tmp_path)
    assert not (tmp_path / "2028").exists()


def test_the_new_year_asks_the_same_witnesses_and_the_old_one_decides_nothing_new(tmp_path):
    old, new = tmp_path / "2026", tmp_path / "2027"
    assert "no witness is asked" in call("init", old, "--name", "log.example/2026", "--pack", PACK)
    key = open_key(tmp_path / "w", "witness.example")
    log = (old / "log.vkey").read_text().strip()
    witness = Witness(tmp_path / "w", key, [Verifier.parse(log)], clock.now)
    serving = server(witness, "127.0.0.1", 0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{serving.server_address[1]}"
    (old / "witnesses.policy").write_text(f"log {log}\nwitness w {key.key_text} {address}\nquorum w\n")
    publish(old, "first")
    told = call("init", new, "--name", "log.example/2027", "--pack", PACK, "--after", old)
    assert "to each witness (w) now" in told
    trusted = policies.read(new / "witnesses.policy")
    assert (trusted.quorum, [one.name for one in trusted.logs]) == ("w", ["log.example/2027", "log.example/2026"])
    with pytest.raises(MachineFailed, match="w does not watch this log"):
        publish(new, "second")
    witness._logs = list(trusted.logs)
    publish(new, "second")
    publish(old, "what came back")  # the earlier ledger may still grow
    call("verify", "ledger", old / "ledger", new / "ledger", "--policy", new / "witnesses.policy")
    (tmp_path / "S-1").mkdir()
    (tmp_path / "S-1" / "submission.json").write_text(json.dumps(MANIFEST))
    with pytest.raises(WrongInput, match=r"this site's year is over, and the ledger log.example/2027 continues it"):
        journey.run(open_site(old), tmp_path / "S-1", now=clock.now(), mapping=None, receiver="", progress=silent)
    serving.shutdown()


def publish(root, name):
    site = open_site(root)
    with record.open_log(site) as log:
        record.event(log, site.events, f"site/letter_made-{name.replace(' ', '-')}", {"event": "letter_made"})
        record.publish(site, log, clock.now())


def test_time_stamps_that_are_not_there_do_not_pass(tmp_path):
    site = tmp_path / "site"
    call("init", site, "--name", "log.example/2026", "--pack", PACK)
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=root"]
    options = [*made, "-keyout", "root.key", "-out", "roots.pem"]
    subprocess.run(["openssl", "req", *options], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(AnswerIsNo, match="no checkpoint of this ledger is time-stamped"):
        call("verify", "ledger", site / "ledger", "--policy", site / "witnesses.policy", "--timestamps",
             tmp_path / "roots.pem")  # fmt: skip
