"""A witness without a network at a site: the request is laid out, carried, answered, and taken up."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gatehouse.kernel.errors import MachineFailed
from gatehouse.ledger import policy as policies
from gatehouse.ledger.signers import Verifier
from gatehouse.ledger.verify import verify_log
from gatehouse.ledger.witness import Witness, open_key
from gatehouse.pipeline import founding, record
from gatehouse.pipeline.site import Founding

PACK = Path(__file__).parents[2] / "packs" / "us-privacy-act-552a-b-7"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def publish(site, *events):
    with record.open_log(site) as log:
        for name in events:
            record.event(log, site.events, f"site/letter_made-{name}", {"event": "test"})
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
