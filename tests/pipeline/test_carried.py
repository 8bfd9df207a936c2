"""A witness without a network at a site: the request is laid out, carried, answered, and taken up."""

from __future__ import annotations

import datetime as dt
import importlib.util
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatehouse.cli.witness import witness
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.ledger import policy as policies
from gatehouse.ledger.signers import Verifier
from gatehouse.ledger.verify import verify_log
from gatehouse.ledger.witness import Witness, open_key
from gatehouse.pipeline import founding, record
from gatehouse.pipeline.site import Founding

STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
PACK = Path(__file__).parents[2] / "packs" / "us-privacy-act-552a-b-7"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def publish(site, *events):
    with record.open_log(site) as log:
        for name in events:
            record.event(log, site.events, f"site/letter_made-{name}", {"event": "letter_made"})
        return record.publish(site, log, NOW)


def test_three_rounds_one_of_which_is_overtaken(tmp_path):
    site = founding.found(tmp_path / "site", Founding("log.example/2026"), [PACK], NOW)
    key = open_key(tmp_path / "away", "inspector.example")
    log = (site.root / "log.vkey").read_text().strip()
    site.policy.write_text(f"log {log}\nwitness inspector {key.key_text}\nquorum inspector\n")
    away, folder = Witness(tmp_path / "away", key, [Verifier.parse(log)], lambda: NOW), site.root / "carried/inspector"

    def carry():
        newest = max(folder.glob("*.request"), key=lambda path: int(path.stem))
        answer = away.add_checkpoint(newest.read_bytes())
        assert answer.status == 200, answer.body
        newest.with_suffix(".cosignature").write_bytes(answer.body)

    for number in range(3):
        with pytest.raises(MachineFailed, match="not published"):
            publish(site, f"first-{number}")
        carry()
        if number == 1:  # something is entered while the disk is on its way: what came back is of an older state
            with pytest.raises(MachineFailed, match="not published"):
                publish(site, "meanwhile")
            carry()
        shown = publish(site)
        assert shown.note.signed_by([key.verifier])
    away.close()
    assert verify_log(site.ledger, policies.read(site.policy)).checkpoint.size == shown.size


def carried_site(tmp_path):
    """A site whose only witness has no network."""
    site = founding.found(tmp_path / "site", Founding("log.example/2026"), [PACK], NOW)
    key = open_key(tmp_path / "away", "inspector.example")
    log = (site.root / "log.vkey").read_text().strip()
    site.policy.write_text(f"log {log}\nwitness inspector {key.key_text}\nquorum inspector\n")
    return site, Witness(tmp_path / "away", key, [Verifier.parse(log)], lambda: NOW), site.root / "carried/inspector"


def test_it_converges_although_entries_are_added_meanwhile(tmp_path):
    """Each answer that comes back is of an earlier state; that state is published, and suffices for what it covers."""
    site, away, folder = carried_site(tmp_path)
    published = [0]
    for number in range(4):
        with pytest.raises(MachineFailed, match="did not come back yet"):
            publish(site, f"mine-{number}")
        request = max(folder.glob("*.request"), key=lambda path: int(path.stem))
        for other in range(2):  # on the way to the witness and back, others go on writing
            with pytest.raises(MachineFailed, match="not published"):
                publish(site, f"other-{number}-{other}")
        answer = away.add_checkpoint(request.read_bytes())
        assert answer.status == 200, answer.body
        request.with_suffix(".cosignature").write_bytes(answer.body)
        published.append(publish(site, f"mine-{number}").size)
        assert published[-1] == int(request.stem)
    assert published == sorted(set(published))
    away.close()
    assert verify_log(site.ledger, policies.read(site.policy)).checkpoint.size == published[-1]


def test_a_lost_answer_is_given_again(tmp_path):
    """A witness that cosigned more than the log knows writes its last answer anew, and the log goes on from there."""
    site, away, folder = carried_site(tmp_path)
    away.close()

    def cosign(request, out):
        options = ["--state", tmp_path / "away", "--log-vkey", site.root / "log.vkey", "--out", out]
        return CliRunner().invoke(witness, ["cosign", *map(str, [request, *options])], catch_exceptions=True)

    with pytest.raises(MachineFailed):
        publish(site, "first")
    [request] = folder.glob("*.request")
    assert cosign(request, tmp_path / "lost").exit_code == 0
    with pytest.raises(MachineFailed):
        publish(site, "second")
    newest = max(folder.glob("*.request"), key=lambda path: int(path.stem))
    (tmp_path / "disk").mkdir()
    refused = cosign(newest, tmp_path / "disk" / f"{newest.stem}.cosignature")
    assert f"has seen size {request.stem}" in str(refused.exception)
    shutil.copytree(tmp_path / "disk", folder, dirs_exist_ok=True)
    with pytest.raises(MachineFailed):  # an earlier state is published; the newest has its request laid out anew
        publish(site)
    assert cosign(newest, folder / f"{newest.stem}.cosignature").exit_code == 0
    assert publish(site).size == int(newest.stem)


def test_witnesses_named_after_the_founding_are_an_exception_that_the_policy_states(tmp_path):
    site, away, folder = carried_site(tmp_path)
    bare = site.policy.read_bytes()
    with pytest.raises(MachineFailed):
        publish(site, "first")
    [request] = folder.glob("*.request")
    request.with_suffix(".cosignature").write_bytes(away.add_checkpoint(request.read_bytes()).body)
    away.close()
    publish(site)
    assert "#unwitnessed log.example/2026 " in site.policy.read_text()
    verify_log(site.ledger, policies.read(site.policy))
    with pytest.raises(AnswerIsNo, match=r"quorum is not met.*#unwitnessed ORIGIN SIZE"):
        verify_log(site.ledger, policies.parse_policy(bare))
    (tmp_path / "bare.policy").write_bytes(bare)
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    spec.loader.exec_module(stranger := importlib.util.module_from_spec(spec))
    with pytest.raises(stranger.Failure, match="not a quorum"):
        stranger.check_ledger(str(site.ledger), stranger.Policy(str(tmp_path / "bare.policy")))
    stranger.check_ledger(str(site.ledger), stranger.Policy(str(site.policy)))
