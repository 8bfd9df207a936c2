"""A court's order: shown first, signed by two offices, in force at once, and everything open is looked at again."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import court
import house
import pytest

from gatehouse.casework import statement as statements
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.law.reading import load
from gatehouse.ledger import note
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.pipeline import orders
from gatehouse.pipeline import release as stage
from gatehouse.pipeline.recheck import By
from gatehouse.release import officer, returns
from gatehouse.release.recipients import read_identity
from gatehouse.store.shelf import Shelf

LATER = house.LATER
AUGUST = dt.date(2025, 8, 1)
BARS = 'effect = "bar"\notherwise = "refuse"'
Prepare = Callable[..., Path]


@pytest.fixture(scope="session")
def seated(templates: object) -> court.Court:
    return court.sit(templates.made)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def parcel(templates: object, seated: court.Court, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An order prepared against the pack in force and signed by both offices, once: every site here has that pack."""
    folder = tmp_path_factory.mktemp("court")
    home = templates.made  # type: ignore[attr-defined]
    shown, _ = orders.preview(
        home.connection, home.office, [court.draft(home, folder, court.order())], text=folder / "order.txt",
        out=folder / "parcel", now=LATER,
    )  # fmt: skip
    for key in (seated.counsel, seated.custodian):
        orders.sign(shown.folder, key)
    return shown.folder


@pytest.fixture
def mine(parcel: Path, tmp_path: Path) -> Path:
    """A copy of the signed parcel that a test may spoil."""
    return Path(shutil.copytree(parcel, tmp_path / "parcel"))


def enter(home: house.House, parcel: Path, who: str = "eve", now: dt.datetime = LATER) -> orders.Entered:
    return orders.enter(home.connection, home.office, parcel, By(who, home.staff[who], "Served today."), now)


def in_force(home: house.House) -> str:
    return load(home.site.pack_for("us.irs.6103-i-2")).digest


def test_the_effect_is_shown_first_and_changes_nothing(
    approved: house.House, seated: court.Court, tmp_path: Path
) -> None:
    before = in_force(approved)
    draft = court.draft(approved, tmp_path, court.order())
    shown, effect = orders.preview(
        approved.connection, approved.office, [draft], text=tmp_path / "order.txt", out=tmp_path / "p", now=LATER
    )
    [docket] = effect["dockets"]
    assert (docket["to_hold"], docket["to_recall"], docket["stopped_by"]) == (9, 0, {court.RULE: 9})
    assert {(one["old"], one["new"], one["requests"]) for one in docket["changes"]} == {
        ("cleared", "refused", 9), ("held", "refused", 2), ("incomplete", "refused", 1),
    }  # fmt: skip
    assert shown.record["text"]["sha256"] == digests.of_file(tmp_path / "order.txt")
    assert shown.record["packs"][0]["before"]["digest"] == before == in_force(approved)
    assert approved.office.casebook.board(house.NAME).counts()[State.APPROVED_TWICE] == 9


@pytest.mark.slow
def test_an_order_in_force_holds_what_was_approved(approved: house.House, seated: court.Court, parcel: Path) -> None:
    done = enter(approved, parcel)
    assert done == orders.Entered(court.ORDER, {house.NAME: 9}, {}, {})
    board = approved.office.casebook.board(house.NAME)
    assert board.counts()[State.HELD] == 11
    assert not any(board.approved_by.values())
    decision = approved.office.casebook.decisions(house.NAME)[-1].statement.body
    assert (decision["action"], decision["reason"]) == (
        "hold", "An invented order (D. Test. 1:25-cv-00001). Served today."
    )  # fmt: skip
    with pytest.raises(AnswerIsNo, match="no case has approvals"):
        stage.release(approved.connection, approved.office, house.NAME, LATER)
    [kept] = orders.entered(approved.site)
    assert kept.order == court.ORDER
    names = {path.stem for path in approved.site.events.glob("order-*.json")}
    assert f"order-{court.ORDER}" in names
    assert len(names) == 2
    # a person may clear them again, two may approve; the law still stops the release
    house.decide(approved, "eve", "clear", cases=Selection.of(range(2, 11)))
    house.decide(approved, "ann", "approve")
    house.decide(approved, "bob", "approve")
    with pytest.raises(AnswerIsNo, match="stopped by the law"):
        stage.release(approved.connection, approved.office, house.NAME, LATER)
    # entering it again finds what was let through meanwhile, and nothing twice
    later = LATER + dt.timedelta(minutes=1)  # at the same instant it would be the very statement signed before
    assert enter(approved, parcel, now=later).held == {house.NAME: 9}
    assert enter(approved, parcel, now=later).held == {}


def test_what_nobody_opened_is_recalled_and_what_was_opened_is_told(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], seated: court.Court, parcel: Path
) -> None:
    first, second = releases
    trust, out = released.site.root / "trust", released.agency / "opened"
    officer.open_release(released.package(first.id), read_identity(released.key(first.officer)), trust, out, LATER)
    receipt = statements.parse((out / "receipt.json").read_bytes())
    returns.accept(Shelf(), receipt, LATER)
    done = enter(released, parcel)
    assert (done.held, done.recalled, done.opened) == ({}, {house.NAME: [second.id]}, {house.NAME: (first.id,)})
    board = released.office.casebook.board(house.NAME)
    assert board.states[State.RECALLED] == second.cases
    assert board.states[State.RELEASED] == first.cases
    with pytest.raises(AnswerIsNo, match="recalled"):
        officer.open_release(
            released.package(second.id), read_identity(released.key(second.officer)), trust, out / "b", LATER
        )
    notice = json.loads((trust / "notices" / f"{second.id}.json").read_bytes())["body"]
    assert notice["cause"] == {"kind": "order", "about": court.ORDER}


@pytest.mark.slow
def test_an_order_of_a_later_day_is_law_at_once_and_bites_on_its_day(
    approved: house.House, seated: court.Court, tmp_path: Path
) -> None:
    begins = dt.date(2025, 9, 3)
    draft = court.draft(approved, tmp_path, court.order(begins=begins), begins=begins)
    shown, effect = orders.preview(
        approved.connection, approved.office, [draft], text=tmp_path / "order.txt", out=tmp_path / "p", now=LATER
    )
    assert effect["dockets"][0]["to_hold"] == 9
    for key in (seated.counsel, seated.custodian):
        orders.sign(shown.folder, key)
    assert enter(approved, shown.folder).held == {}
    on_the_day = dt.datetime(2025, 9, 3, 8, tzinfo=dt.UTC)
    with pytest.raises(AnswerIsNo, match="stopped by the law"):
        stage.release(approved.connection, approved.office, house.NAME, on_the_day)
    assert enter(approved, shown.folder, now=on_the_day).held == {house.NAME: 9}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (court.order(ends='["order-2025-09-notice"]', begins=dt.date(2025, 9, 11), until=""), "ends order-2025-09"),
        (court.order(until="2025-09-02", begins=AUGUST), None),
        (court.order(until="2025-09-01", begins=AUGUST), "no longer in force"),
        (court.order().replace(BARS, 'effect = "grant"\nitems = ["name"]'), "grants nothing"),
    ],
)  # fmt: skip
def test_an_order_that_loosens_or_was_withdrawn_is_not_even_prepared(
    small: house.House, tmp_path: Path, text: str, match: str | None
) -> None:
    def prepare() -> None:
        draft = court.draft(small, tmp_path, text)
        orders.preview(
            small.connection, small.office, [draft], text=tmp_path / "order.txt", out=tmp_path / "p", now=LATER
        )

    if match is None:
        prepare()
        return
    with pytest.raises(GatehouseError, match=match):
        prepare()
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("law/identity.toml", ("persons_agreeing = 1", "persons_agreeing >= 1"), "identity.toml also changes"),
        ("orders/2025-11-21-stay.toml", ("from = 2025-11-21", "from = 2025-11-22"), "Add an order; never edit one"),
        ("pack.toml", ('version = "2.1.0"', 'version = "1.0.0"'), "is not higher than"),
        ("pack.toml", ('says = "the name"', 'says = "a name"'), "other than version"),
        ("properties.toml", ("exactly-one-person", "about-one-person"), "safety property"),
        ("lists/immigration_agencies.toml", ("us.dhs.ice", "us.dhs.other"), "immigration_agencies.toml also changes"),
    ],
)
def test_an_order_brings_nothing_else_with_it(
    small: house.House, tmp_path: Path, name: str, change: tuple[str, str], match: str
) -> None:
    draft = court.draft(small, tmp_path, court.order())
    court.replace(draft / name, *change)
    with pytest.raises(GatehouseError, match=match):
        orders.preview(
            small.connection, small.office, [draft], text=tmp_path / "order.txt", out=tmp_path / "p", now=LATER
        )


def _without(office: str) -> Callable[[Path], None]:
    def spoil(parcel: Path) -> None:
        path = parcel / "order.sig"
        lines = [line for line in path.read_text().splitlines() if office not in line]
        path.write_text("".join(f"{line}\n" for line in lines))

    return spoil


def _by_a_namesake(parcel: Path) -> None:
    _without("office/custodian")(parcel)
    line = note.sign_file(parcel / "order.json", parse_signer(new_key("test.example/2025/office/custodian")[0]))
    (parcel / "order.sig").write_text((parcel / "order.sig").read_text() + line)


def _another_text(parcel: Path) -> None:
    (parcel / "text.txt").write_text("It is not so ordered.\n")


def _another_record(parcel: Path) -> None:
    court.replace(parcel / "order.json", '"An invented order"', '"Another order"')


def _pack_altered(parcel: Path) -> None:
    court.replace(parcel / "packs" / court.PACK / "orders" / "2025-09-01-test.toml", "refuse", "hold")


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (_without("office/counsel"), "counsel did not sign"),
        (_without("office/custodian"), "the custodian did not sign"),
        (_by_a_namesake, "the custodian did not sign|is wrong"),
        (_another_text, "text differs from the one"),
        (_another_record, "differ from those that were signed"),
        (_pack_altered, "differ from those that were signed"),
    ],
)
def test_what_is_not_what_both_offices_signed_changes_nothing(
    approved: house.House, seated: court.Court, mine: Path, spoil: Callable[[Path], None], match: str
) -> None:
    before = in_force(approved)
    spoil(mine)
    with pytest.raises(AnswerIsNo, match=match):
        enter(approved, mine)
    assert in_force(approved) == before
    assert orders.entered(approved.site) == []
    assert list(approved.site.events.glob("order-*")) == []
    assert approved.office.casebook.board(house.NAME).counts()[State.APPROVED_TWICE] == 9
    assert [(one.action, one.officer) for one in approved.office.casebook.attempts(court.ORDER)] == [("order", "eve")]


def test_who_has_no_authority_or_another_key_enters_nothing(
    approved: house.House, seated: court.Court, parcel: Path
) -> None:
    before = in_force(approved)
    with pytest.raises(AnswerIsNo, match="not officer eve's key"):
        orders.enter(approved.connection, approved.office, parcel, By("eve", approved.staff["bob"], ""), LATER)
    path = approved.site.configuration.path
    court.replace(path, 'name = "eve custodian"', 'name = "eve custodian"\nrevoked_on = 2025-08-31')
    for who in ("eve", "nobody"):
        with pytest.raises(AnswerIsNo):
            orders.enter(approved.connection, approved.office, parcel, By(who, approved.staff["eve"], ""), LATER)
    assert in_force(approved) == before
    assert {one.code for one in approved.office.casebook.attempts(court.ORDER)} == {"authority", "signature"}


def test_another_law_in_force_than_the_one_shown(approved: house.House, parcel: Path, tmp_path: Path) -> None:
    house.enact(approved, tmp_path, lambda _: None)
    with pytest.raises(AnswerIsNo, match="has changed since"):
        enter(approved, parcel)
    approved.site.configuration.path.write_text(
        approved.site.configuration.path.read_text().replace("counsel = ", "council = ")
    )
    with pytest.raises(WrongInput, match="counsel"):
        enter(approved, parcel)


@pytest.mark.parametrize("step", ["_keep", "adopt", "_commit", "look_again", "settle"])
@pytest.mark.slow
def test_a_crash_while_entering_is_finished_by_entering_again(
    approved: house.House, seated: court.Court, parcel: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    owner = {"adopt": orders.gate, "settle": orders.recheck}.get(step, orders)
    whole = getattr(owner, step)

    def dies(*arguments: object, **named: object) -> None:
        whole(*arguments, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, dies)
    with pytest.raises(KeyboardInterrupt):
        enter(approved, parcel)
    monkeypatch.undo()
    enter(approved, parcel)
    assert approved.office.casebook.board(house.NAME).counts()[State.HELD] == 11
    assert len(approved.office.casebook.decisions(house.NAME)) == 3
    assert [path.stem for path in approved.site.events.glob(f"order-{court.ORDER}.json")]


def test_an_order_that_comes_while_a_release_is_being_sealed(
    approved: house.House, seated: court.Court, parcel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatehouse.pipeline.sealing import Done, Own
    from gatehouse.release import certificate as certificates

    whole = Own.seal

    def served_meanwhile(self: Own, release: str, certificate: bytes) -> Done:
        sealed = whole(self, release, certificate)
        if certificates.parse(certificate).release.opening.fields()["officer"] == "ICE-0001":
            orders.gate.adopt(approved.site, parcel / "packs" / court.PACK, LATER)
        return sealed

    monkeypatch.setattr(Own, "seal", served_meanwhile)
    with pytest.raises(AnswerIsNo, match="changed while"):
        stage.release(approved.connection, approved.office, house.NAME, LATER)
    assert list(approved.docket.releases.rglob("*.age")) == []
    assert approved.office.casebook.board(house.NAME).counts()[State.RELEASED] == 0
