"""Every command and stage that signs, once, with all keys of a custodian, its people and overseers in one token.

All in one process, as a console's is: each key is read many times, and the process logs in to the token once.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import court
import house
import pytest
import requests
import serving
from click.testing import CliRunner
from softhsm import Token

from gatehouse.cli.main import cli
from gatehouse.kernel.errors import WrongInput
from gatehouse.law.template import write_template
from gatehouse.ledger import note, signers
from gatehouse.ledger import policy as policies
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import founding, halts, rotation
from gatehouse.release import officer, trust
from gatehouse.release.recipients import read_identity
from gatehouse.store.shelf import Shelf

pytestmark = [pytest.mark.hsm, pytest.mark.slow]


@pytest.fixture
def home(small: house.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> house.House:
    """A site whose keys, and those of whoever signs there, lie in a token; their files hold addresses."""
    token = Token(tmp_path / "hsm")
    keys = tmp_path / "keys"
    keys.mkdir()
    named = [(keys / f"{person}.key", signer) for person, signer in small.staff.items()]
    others = ("ig", "court", "agency")
    named += [(keys / f"{name}.key", signers.parse_signer(signers.new_key(f"{name}.example")[0])) for name in others]
    site_keys = [small.site.log_key, small.site.custodian_key, *founding.keys_of_offices(small.site)]
    named += [(path, signers.read_signer(path)) for path in site_keys]
    token.put(*(signer for _, signer in named))
    for path, signer in named:
        path.write_text(token.address(signer.name))
    overseers = "".join(f"key {signers.read_signer(keys / f'{name}.key').key_text}\n" for name in ("ig", "court"))
    (small.site.root / "oversight.policy").write_text(f"{overseers}halt 1\nresume 2\n")
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T12:30:00Z")
    return small


def agency(keys: Path) -> signers.Verifier:
    return signers.read_signer(keys / "agency.key").verifier


def call(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(part) for part in arguments])
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return str(done.output)


def test_every_command_that_signs(home: house.House, tmp_path: Path) -> None:
    site, keys = home.site.root, tmp_path / "keys"
    rows = home.connection.execute(
        "SELECT request_id FROM read_parquet(?) WHERE outcome = 'cleared' ORDER BY seq",
        [str(home.docket.table("determinations"))],
    ).fetchall()
    chosen = [part for row in rows[:2] for part in ("--request", row[0])]
    for person in ("ann", "bob"):
        signing = ("--officer", person, "--key", keys / f"{person}.key", "--reason", house.REASON)
        call("approve", house.NAME, "--site", site, *chosen, *signing)
    call("release", house.NAME, "--site", site)
    first = Shelf().releases(house.NAME)[0]
    identity, now = read_identity(home.key(first.officer)), house.LATER + dt.timedelta(minutes=40)
    officer.open_release(home.package(first.id), identity, site / "trust", tmp_path / "opened", now)
    call("release", house.NAME, "--site", site, "--reconcile")

    stop = tmp_path / "stop.halt"
    call("halt", "sign", "everything", "--reason", "An invented order.", "--key", keys / "ig.key", "--out", stop)
    call("halt", "enter", stop, "--site", site)
    go_on = tmp_path / "go-on.halt"
    call("halt", "sign", "everything", "--resume", "--reason", "Over.", "--key", keys / "ig.key", "--out", go_on)
    call("halt", "join", go_on, "--key", keys / "court.key", "--out", go_on)
    call("halt", "enter", go_on, "--site", site)
    assert halts.standing(home.site) == []

    signing = ("--officer", "eve", "--key", keys / "eve.key", "--reason", "The person is another one.")
    call("recall", "--docket", house.NAME, "--requests", rows[0][0], "--site", site, *signing)
    assert list(trust.notices(site / "trust", signers.read_signer(home.site.custodian_key).verifier))

    folder = tmp_path / "order"
    folder.mkdir()
    draft = court.draft(home, folder, court.order())
    call("order", "preview", draft, "--site", site, "--text", folder / "order.txt", "--out", folder / "parcel")
    for office in ("counsel", "custodian"):
        call("order", "sign", folder / "parcel", "--key", founding.folder_of_offices(site) / f"{office}.key")
    signing = ("--officer", "eve", "--key", keys / "eve.key", "--reason", "Served today.")
    call("order", "enter", folder / "parcel", "--site", site, *signing)
    assert court.ORDER in call("order", "list", "--site", site)

    submission = tmp_path / "submission"
    call("synth", "submission", "--out", submission, "--persons", 200, "--requests", 5)
    call("submission", "sign", submission, "--key", keys / "agency.key")
    signed = (submission / "submission.json.sig").read_text()
    note.verify_detached((submission / "submission.json").read_bytes(), signed, [agency(keys)])

    (tmp_path / "text").write_text("read")
    call("key", "sign", tmp_path / "text", "--key", keys / "ann.key")
    write_template(tmp_path / "pack", "us.example.statute")
    call("law", "sign", tmp_path / "pack", "--key", founding.folder_of_offices(site) / "counsel.key")
    call("answer", "build", "--site", site)
    trusted = policies.read(home.site.policy)
    assert verify_log(home.site.ledger, trusted).checkpoint.origin == home.site.name


def test_a_key_is_rotated_within_the_module(home: house.House, tmp_path: Path) -> None:
    """The next key lies in the same token under the same name; the ids tell which is which."""
    old, new = signers.read_signer(home.site.log_key), signers.parse_signer(signers.new_key(home.site.name)[0])
    token = Token.again(tmp_path / "hsm")
    home.site.log_key.write_text(token.address(old.name, number=old.verifier.key_hash))
    token.put(new)
    rotation.next_key(home.site).write_text(token.address(new.name, number=new.verifier.key_hash))
    call("key", "next", "--site", home.site.root)
    call("key", "rotate", "--site", home.site.root)
    assert signers.read_signer(home.site.log_key).key_text == new.key_text
    verify_log(home.site.ledger, policies.read(home.site.policy))
    home.site.log_key.write_text(token.address(new.name))
    with pytest.raises(WrongInput, match="several keys with this name"):
        signers.read_signer(home.site.log_key)


def test_a_site_is_served_and_decided_at_with_every_key_in_a_token(home: house.House, tmp_path: Path) -> None:
    """Of the ledger, the custodian and the officer: a decision is drafted, signed away from the server, and taken."""
    site, keys = home.site.root, tmp_path / "keys"
    with serving.gatehouse(site, serving.free_port()) as address:
        listed = json.loads(apart("account", "list", "--site", site, "--json"))
        [username] = [one["account"] for one in listed if one["officer"] == "ann"]
        scopes = ("custodian:case:read", "custodian:case:decide", "custodian:docket:read")
        named = [part for scope in scopes for part in ("--scope", scope)]
        key = apart("account", "key", username, "--site", site, "--program", "hsm", *named).split()[-1]
        client = requests.Session()
        client.headers["Authorization"] = f"Bearer {key}"
        docket = f"{address}/api/v1/dockets/{house.NAME}"
        [first, *_] = client.get(f"{docket}/queue", timeout=60).json()["items"]
        told = {"requests": first["request_id"], "action": "refuse", "reason": house.REASON}
        sent = [(name, (None, value)) for name, value in told.items()]
        text = client.post(f"{docket}/decisions/draft", files=sent, timeout=60).json()["text"]
        (tmp_path / "decision").write_text(text)
        apart("key", "sign", tmp_path / "decision", "--key", keys / "ann.key")
        signature = (tmp_path / "decision.sig").read_text()
        given = [("text", (None, text)), ("signature", (None, signature)), ("requests", (None, first["request_id"]))]
        answer = client.post(f"{docket}/decisions", files=given, timeout=120)
        assert (answer.status_code, answer.json()) == (200, {"action": "refuse", "cases": 1}), answer.text
    events = {path.name.partition("-")[0] for path in home.docket.events.glob("*.json")}
    assert "decision" in events, "the log writer's key, in the token, entered it"
    assert verify_log(home.site.ledger, policies.read(home.site.policy)).checkpoint.size > 0


def apart(*arguments: object) -> str:
    """A command in a process of its own, as an operator gives it beside a served site."""
    command = [sys.executable, "-m", "gatehouse", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout
