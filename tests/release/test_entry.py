"""An order entered with an officer's key that the site never sees: texts first, signatures after, nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import court
import house
import pytest

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.kernel import canonical
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError
from gatehouse.ledger import note
from gatehouse.ledger.signers import Signer, new_key, parse_signer
from gatehouse.pipeline import entry, orders
from gatehouse.pipeline.orders import Entered, Parcel

pytestmark = pytest.mark.slow

LATER = house.LATER
SOON = LATER + dt.timedelta(minutes=3)


@pytest.fixture(scope="session")
def parcels(templates: object, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two orders that differ in when they were prepared, each signed by both offices."""
    folder = tmp_path_factory.mktemp("entry")
    home = templates.made  # type: ignore[attr-defined]
    offices = court.sit(home)
    draft = court.draft(home, folder, court.order())
    made = []
    for name, now in (("one", LATER), ("two", LATER + dt.timedelta(minutes=1))):
        orders.preview(
            home.connection, home.office, [draft], text=folder / "order.txt", out=folder / name, now=now
        )  # fmt: skip
        for key in (offices.counsel, offices.custodian):
            orders.sign(folder / name, key)
        made.append(folder / name)
    return made[0], made[1]


def texts(home: house.House, folder: Path, who: str = "eve") -> list[str]:
    bodies = entry.to_sign(home.connection, home.office, orders.read(folder), who, reason=" Served today. ", now=LATER)
    return [canonical.encode(body).decode() for body in bodies]


def signed(shown: Sequence[str], key: Signer) -> list[str]:
    return [note.sign_detached(text.encode(), key).strip() for text in shown]


def enter(home: house.House, folder: Path, shown: Sequence[str], lines: Sequence[str], who: str = "eve") -> Entered:
    by = entry.by(home.office, orders.read(folder), who, texts=shown, lines=lines, now=SOON)
    return orders.enter(home.connection, home.office, folder, by, SOON)


def refused(home: house.House) -> list[tuple[str, str]]:
    return [(one.officer, one.code) for one in home.office.casebook.attempts(court.ORDER)]


def test_what_was_signed_elsewhere_enters_the_order_and_holds(
    approved: house.House, parcels: tuple[Path, Path]
) -> None:
    shown = texts(approved, parcels[0])
    assert len(shown) == 2  # the entry, and one decision to hold
    done = enter(approved, parcels[0], shown, list(reversed(signed(shown, approved.staff["eve"]))))
    assert done == Entered(court.ORDER, {house.NAME: 9}, {}, {})
    decision = approved.office.casebook.decisions(house.NAME)[-1].statement.body
    assert canonical.encode(decision).decode() == shown[1]
    assert (decision["reason"], decision["decided_at"]) == (
        "An invented order (D. Test. 1:25-cv-00001). Served today.", "2025-09-01T12:05:00Z"
    )  # fmt: skip
    # again, it finds nothing left: the entry alone is signed
    again = texts(approved, parcels[0])
    assert len(again) == 1
    assert enter(approved, parcels[0], again, signed(again, approved.staff["eve"])).held == {}


def test_what_was_sealed_and_not_opened_is_recalled_by_what_was_signed(
    released: house.House, parcels: tuple[Path, Path]
) -> None:
    shown = texts(released, parcels[0])
    done = enter(released, parcels[0], shown, signed(shown, released.staff["eve"]))
    assert sum(len(one) for one in done.recalled.values()) > 0
    assert not released.office.casebook.board(house.NAME).states[State.RELEASED]


@pytest.mark.parametrize("whose", ["another officer's", "a new key of the same name", "nobody's"])
def test_a_wrong_key_enters_nothing_and_is_recorded(
    approved: house.House, parcels: tuple[Path, Path], whose: str
) -> None:
    shown = texts(approved, parcels[0])
    key = approved.staff["bob"]
    if whose == "a new key of the same name":
        key = parse_signer(new_key(approved.staff["eve"].name)[0])
    lines = [] if whose == "nobody's" else signed(shown, key)
    with pytest.raises(AnswerIsNo, match="not with your key"):
        enter(approved, parcels[0], shown, lines)
    assert orders.entered(approved.site) == []
    assert refused(approved) == [("eve", "signature")]


def test_signatures_over_other_bytes_enter_nothing(approved: house.House, parcels: tuple[Path, Path]) -> None:
    shown = texts(approved, parcels[0])
    lines = signed([f"{text} " for text in shown], approved.staff["eve"])
    with pytest.raises(AnswerIsNo, match="not with your key"):
        enter(approved, parcels[0], shown, lines)
    altered = [shown[0].replace("Served today.", "Served never."), *shown[1:]]
    with pytest.raises(AnswerIsNo, match="not with your key"):
        enter(approved, parcels[0], altered, signed(shown, approved.staff["eve"]))
    assert orders.entered(approved.site) == []


def test_an_entry_of_another_order_another_officer_or_another_hour_is_not_taken(
    approved: house.House, parcels: tuple[Path, Path]
) -> None:
    shown = texts(approved, parcels[0])
    lines = signed(shown, approved.staff["eve"])
    with pytest.raises(AnswerIsNo, match="a different order"):
        enter(approved, parcels[1], shown, lines)
    with pytest.raises(AnswerIsNo, match="belongs to another officer"):
        enter(approved, parcels[0], shown, lines, "bob")
    late = SOON + dt.timedelta(hours=1)
    with pytest.raises(AnswerIsNo, match="the signature has expired"):
        entry.by(approved.office, orders.read(parcels[0]), "eve", texts=shown, lines=lines, now=late)
    assert refused(approved) == [("eve", "statement"), ("bob", "statement"), ("eve", "clock")]
    assert orders.entered(approved.site) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":"gatehouse-order-entry/1"}', "[" * 5000])
def test_what_is_no_entry_is_refused(approved: house.House, parcels: tuple[Path, Path], text: str) -> None:
    with pytest.raises(GatehouseError, match="not an entry"):
        enter(approved, parcels[0], [text], signed([text], approved.staff["eve"]))
    assert refused(approved) == [("eve", "signature")]


def test_where_a_case_moved_on_what_was_signed_stands_and_the_rest_is_shown_anew(
    approved: house.House, parcels: tuple[Path, Path]
) -> None:
    shown = texts(approved, parcels[0])
    lines = signed(shown, approved.staff["eve"])
    house.decide(approved, "eve", "refuse", cases=Selection.of([2]))
    with pytest.raises(AnswerIsNo, match="the cases changed"):
        enter(approved, parcels[0], shown, lines)
    assert [one.order for one in orders.entered(approved.site)] == [court.ORDER]
    again = texts(approved, parcels[0])
    done = enter(approved, parcels[0], again, signed(again, approved.staff["eve"]))
    assert done.held == {house.NAME: 8}


def test_a_stranger_to_the_roster_is_shown_nothing(approved: house.House, parcels: tuple[Path, Path]) -> None:
    parcel: Parcel = orders.read(parcels[0])
    with pytest.raises(AnswerIsNo, match="not on the custodian's roster"):
        entry.to_sign(approved.connection, approved.office, parcel, "nobody", reason="", now=LATER)
