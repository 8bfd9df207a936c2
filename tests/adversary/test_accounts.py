"""An account takes an officer's word: whoever writes the log alone, or took the web over, gives nobody one unseen."""

from __future__ import annotations

from typing import Any

import duckdb
import house
import pytest

from gatehouse.casework import statement
from gatehouse.kernel import clock
from gatehouse.ledger.signers import Signer, new_key, parse_signer
from gatehouse.pipeline import consistency, record

SITE = "test.example/2025"
GIVEN = {"account": "new-admin", "role": "administrator", "agency": "", "officer": "", "by": "adam"}


def enter(home: house.House, event: str, fields: dict[str, Any]) -> None:
    with record.open_log(home.site) as log:
        record.event(log, home.site.events, f"site/{event}-1", {"event": event, **fields})
        record.publish(home.site, log, house.LATER)


def said(signer: Signer, **changed: str) -> dict[str, Any]:
    body = {
        "format": "gatehouse-account/1", "site": SITE, "act": "make", "account": "new-admin", "role": "administrator",
        "agency": "", "roster_id": "", "name": "New", "proposed_by": "adam", "officer": "ann",
        "confirmed_at": clock.stamp(house.NOW), **changed,
    }  # fmt: skip
    return {**GIVEN, "confirmed_by": "ann", "statement": statement.sign(body, signer).document()}


def named(home: house.House) -> list[str]:
    with duckdb.connect() as connection:
        return [one.where for one in consistency.compare(connection, home.site).differences]


@pytest.mark.parametrize(
    "how", ["nobody", "a stranger", "another site", "another role", "somebody else", "another act"]
)
def test_an_account_that_no_officer_confirmed_is_named(small: house.House, how: str) -> None:
    ann = small.staff["ann"]
    fields = {
        "nobody": GIVEN, "a stranger": said(parse_signer(new_key("ann.custodian")[0])),
        "another site": said(ann, site="other.example/2025"), "another role": said(ann, role="counsel"),
        "somebody else": said(ann, account="other"), "another act": said(ann, act="open"),
    }[how]  # fmt: skip
    enter(small, "account_made", fields)
    assert named(small) == ["events/account_made-1.json"]


def test_an_account_that_an_officer_confirmed_is_not(small: house.House) -> None:
    enter(small, "account_made", said(small.staff["ann"]))
    first = {"account": "administrator", "role": "administrator", "by": "gatehouse serve"}
    with record.open_log(small.site) as log:
        for number, (kind, fields) in enumerate(
            [("account_made", first), ("role_changed", {"account": "a", "role": "", "by": "identity provider"})], 2
        ):
            record.event(log, small.site.events, f"site/{kind}-{number}", {"event": kind, **fields})
        record.publish(small.site, log, house.LATER)
    assert named(small) == []
