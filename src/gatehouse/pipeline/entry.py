"""An order entered with an officer's key that this machine never sees: the exact texts first, their signatures after.

The officer signs the entry itself, and each decision that it brings at this instant: what is held and what is recalled
in every docket. Entering then makes the same statements again and finds their signatures; where a case has moved on in
the meantime there is none, what was signed stands, and the rest is shown anew.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from gatehouse.casework.approval import CLOCK_TOLERANCE
from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.kernel import canonical, clock, digests
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.law.reading import load
from gatehouse.ledger import note
from gatehouse.ledger.signers import KeySigner, Verifier
from gatehouse.pipeline import approve, orders, recheck
from gatehouse.pipeline.approve import Office
from gatehouse.pipeline.orders import Parcel
from gatehouse.pipeline.recheck import By

FORM = "gatehouse-order-entry/1"


def signed_elsewhere(key: Verifier, lines: Mapping[bytes, str]) -> KeySigner:
    """A signer of exactly the texts that a key has signed already, wherever that was, and verified.

    For any other text it raises AnswerIsNo.
    """

    def sign(message: bytes) -> bytes:
        if message not in lines:
            raise AnswerIsNo(
                "the cases changed after this was signed; earlier signatures remain in effect",
                remedy="Open the order's page and enter the order again. The page shows what is left to sign",
            )
        return note.SignatureLine.parse(lines[message]).signature

    return KeySigner(key, sign)


def to_sign(
    connection: duckdb.DuckDBPyConnection, place: Office, parcel: Parcel, officer: str, *, reason: str, now: dt.datetime
) -> list[dict[str, Any]]:
    """Every statement an officer signs to enter an order now: the entry first, then a decision for each thing held or
    recalled. Nothing changes. Raises Blocked for somebody who is not on the roster.
    """
    person = place.roster.get(officer)
    if person is None:
        raise Blocked("unknown_officer", f"officer {officer} is not on the custodian's roster")
    entry = {
        "format": FORM, "order": parcel.order, "record": digests.of_file(parcel.folder / orders.RECORD),
        "officer": officer, "reason": reason.strip(), "decided_at": clock.stamp(now),
    }  # fmt: skip
    because = orders.reason_of(parcel, reason.strip())
    drafts = [load(folder) for folder, _ in parcel.drafts()]
    decided = [
        approve.draft(place, person, proposal, now)
        for draft in drafts
        for name in orders.dockets_under(place, [draft.id])
        for proposal in recheck.proposals(recheck.find(connection, place, name, now, draft), because)
    ]
    return [entry, *decided]


def by(
    place: Office, parcel: Parcel, officer: str, *, texts: Sequence[str], lines: Sequence[str], now: dt.datetime
) -> By:
    """Who enters an order, with the instant that was signed. Only texts that the officer's key signed count.

    Raises Blocked, after recording the attempt, where the entry is another order's, another officer's, of another time
    or not signed by the officer's key.
    """
    try:
        return _by(place, parcel, officer, texts=texts, lines=lines, now=now)
    except GatehouseError as refusal:
        code = refusal.code if isinstance(refusal, Blocked) else "signature"
        place.casebook.block(Attempt(parcel.order, officer, "order", code, now))
        raise


def _by(
    place: Office, parcel: Parcel, officer: str, *, texts: Sequence[str], lines: Sequence[str], now: dt.datetime
) -> By:
    person = place.roster.get(officer)
    if person is None:
        raise Blocked("unknown_officer", f"officer {officer} is not on the custodian's roster")
    entry = _entry(texts[0] if texts else "")
    if (entry["order"], entry["record"]) != (parcel.order, digests.of_file(parcel.folder / orders.RECORD)):
        raise Blocked(
            "statement", "the signed text enters a different order", remedy="Sign the text that this order's page shows"
        )
    if entry["officer"] != officer:
        raise Blocked(
            "statement", "the signed text belongs to another officer", remedy="Sign in as the officer who signs"
        )
    at = dt.datetime.strptime(entry["decided_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    if abs(at - now) > CLOCK_TOLERANCE:
        raise Blocked("clock", "the signature has expired", remedy="Sign the text that the page shows now")
    signed = {text.encode(): _line(text, lines, person.key) for text in texts}
    return By(officer, signed_elsewhere(person.key, signed), entry["reason"], at=at)


def _entry(text: str) -> dict[str, str]:
    """The entry, whose values are all texts. Raises WrongInput when it is none."""
    try:
        found = json.loads(text)
        whole = isinstance(found, dict) and found.get("format") == FORM and canonical.encode(found).decode() == text
        whole = whole and set(found) == {"format", "order", "record", "officer", "reason", "decided_at"}
        whole = whole and all(isinstance(value, str) for value in found.values())
        dt.datetime.strptime(found["decided_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except (ValueError, TypeError, KeyError, RecursionError):
        whole = False
    if not whole:
        raise WrongInput("this is not an entry of an order", remedy="Go back to the order and sign the text shown")
    entry: dict[str, str] = found
    return entry


def _line(text: str, lines: Sequence[str], key: Verifier) -> str:
    for line in lines:
        try:
            note.verify_detached(text.encode(), line, [key])
        except GatehouseError:
            continue
        return line
    raise Blocked(
        "signature",
        "a text is not signed, or not with your key",
        remedy="Sign every text shown, with the key that the roster lists for you",
    )
