"""Entering a court's order: shown first, signed by two offices, in force at once, everything open looked at again.

An order comes as packs with one order added, and the text as the court gave it. What is signed is a parcel: a record of
the text's digest, the packs touched and the effect that was shown, with the new packs themselves. It may only tighten;
an order that ends another is law of another kind and goes through `gatehouse law adopt`. Entering is safe to run again.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.intake import manifest as manifests
from gatehouse.kernel import canonical, clock, digests, files
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput, following
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law import adoption, signing
from gatehouse.law.check import check
from gatehouse.law.impact import impact
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.law.signing import Offices
from gatehouse.ledger import note
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import packs as gate
from gatehouse.pipeline import recheck, record, tightening
from gatehouse.pipeline.approve import Office, docket_of
from gatehouse.pipeline.recheck import By
from gatehouse.pipeline.site import Site

FORM = "gatehouse-order/1"
RECORD, SIGNATURES, IMPACT, PACKS = "order.json", "order.sig", "impact.json", "packs"
ORDERS = "orders"
"""Folder of a site with the parcels entered, one each."""
_ACT = "order"


@dataclass(frozen=True)
class Parcel:
    """A prepared order: its folder and its record, read."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def order(self) -> str:
        """The order's id."""
        return str(self.record["order"])

    def drafts(self) -> list[tuple[Path, Mapping[str, Any]]]:
        """Each new pack's folder and what the record says of it."""
        return [(self.folder / PACKS / str(one["folder"]), one) for one in self.record["packs"]]


@dataclass(frozen=True)
class Entered:
    """What entering an order came to: per docket, cases held, cases recalled and packages opened before."""

    order: str
    held: Mapping[str, int]
    recalled: Mapping[str, Sequence[str]]
    opened: Mapping[str, Sequence[str]]


def preview(
    connection: duckdb.DuckDBPyConnection,
    place: Office,
    drafts: Sequence[Path],
    *,
    text: Path,
    out: Path,
    now: dt.datetime,
) -> tuple[Parcel, Mapping[str, Any]]:
    """Prepare an order for signing into the new folder `out`; gives the parcel and the effect it would have today.

    `drafts` are the packs in force with the one order added; `text` is the court's text. Raises AnswerIsNo when the
    order would loosen or is no longer in force, WrongInput when a draft changes anything else.
    """
    if out.exists():
        raise WrongInput("the folder already exists", where=str(out), remedy="Name a new folder")
    touched, order = [], None
    for folder in drafts:
        draft = load(folder)
        standing = gate.in_force(place.site, draft.id)
        added = tightening.added_order(standing, draft)
        tightening.in_force(draft, added, now.date())
        tightening.only_tightens(standing, draft)
        if order is not None and (added.id, added.begins) != (order.id, order.begins):
            raise WrongInput("the packs add different orders", where=str(folder), remedy="Enter one order at a time")
        order = added
        touched.append((standing, draft))
    if order is None:
        raise WrongInput("no pack was named", remedy="Name each pack that the order touches, with the order added")
    effect = _effect(connection, place, touched, now)
    document = {
        "format": FORM, "site": place.site.name, "order": order.id, "title": order.title, "cite": order.cite,
        "made": order.made.isoformat(), "from": order.begins.isoformat(),
        "text": {"file": f"text{text.suffix}", "sha256": digests.of_file(text)},
        "packs": [_touched(standing, draft) for standing, draft in touched],
        "impact": digests.of_bytes(canonical.encode(effect)), "prepared_at": clock.stamp(now),
    }  # fmt: skip
    building = out.with_name(f".{out.name}.making")
    shutil.rmtree(building, ignore_errors=True)
    for standing, draft in touched:
        shutil.copytree(draft.folder, building / PACKS / standing.id)
    shutil.copyfile(text, building / f"text{text.suffix}")
    files.write(building / IMPACT, canonical.encode(effect) + b"\n")
    files.write(building / RECORD, canonical.encode(document) + b"\n")
    building.rename(out)
    files.sync_folder(out.absolute().parent)
    return Parcel(out, document), effect


def sign(folder: Path, signer: Signer, progress: Progress = silent) -> Parcel:
    """Add one office's signature: over the record, and over each pack after checking and proving it again."""
    parcel = read(folder)
    for draft, one in parcel.drafts():
        report = check(load(draft), progress)
        if report.pack.digest != one["after"]["digest"]:
            raise AnswerIsNo(
                "the pack differs from the one that was shown", where=str(draft), remedy="Preview the order again"
            )
        signing.sign(report, signer)
    add(folder, note.sign_detached((folder / RECORD).read_bytes(), signer))
    return parcel


def add(folder: Path, line: str) -> None:
    """Add an office's signature line over a parcel's record, made wherever the key is."""
    path = folder / SIGNATURES
    before = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    files.write(path, "".join(f"{each}\n" for each in dict.fromkeys([*before, line.rstrip("\n")])).encode())


def enter(connection: duckdb.DuckDBPyConnection, place: Office, folder: Path, by: By, now: dt.datetime) -> Entered:
    """Put a signed order in force and look again at everything open; safe to run again after a crash.

    Raises AnswerIsNo or WrongInput when anything about the parcel does not hold, after recording the attempt; then
    nothing has changed.
    """
    parcel = read(folder)
    try:
        _authorised(place, by, now)
        _verified(place.site, parcel, place.site.configuration.offices, now)
    except GatehouseError as refusal:
        code = refusal.code if isinstance(refusal, Blocked) else "not_entered"
        place.casebook.block(Attempt(parcel.order, by.officer, _ACT, code, now))
        raise
    kept = _keep(place.site, parcel)
    with following("the order is accepted, and is being put in force", where=parcel.order):
        put_in_force(place.site, kept, now)
    return look_again(connection, place, kept, by, now)


def put_in_force(site: Site, kept: Parcel, now: dt.datetime) -> None:
    """Adopt the packs of a parcel that was verified and kept, and enter the order; done already, nothing changes."""
    for draft, one in kept.drafts():
        if not _is_in_force(site, one):
            gate.adopt(site, draft, now)
    _commit(site, kept, now)


def unfinished(site: Site) -> list[Parcel]:
    """The orders that were kept and are no entry yet: a crash, or a busy ledger, came between."""
    return [parcel for parcel in entered(site) if not (site.events / f"order-{parcel.order}.json").is_file()]


def look_again(
    connection: duckdb.DuckDBPyConnection, place: Office, parcel: Parcel, by: By, now: dt.datetime
) -> Entered:
    """Hold and recall, in every docket of the packs touched, what the law no longer lets pass; then record that."""
    held: dict[str, int] = {}
    recalled: dict[str, Sequence[str]] = {}
    opened: dict[str, Sequence[str]] = {}
    because = By(by.officer, by.signer, reason_of(parcel, by.reason), parcel.order, by.at)
    for name in dockets_under(place, [str(one["pack"]) for one in parcel.record["packs"]]):
        count, taken = recheck.settle(connection, place, name, because, now)
        before = recheck.find(connection, place, name, now).opened
        if count:
            held[name] = count
        if taken:
            recalled[name] = [str(notice.body["release"]) for one in taken for notice in one.notices]
        if before:
            opened[name] = before
    with record.open_log(place.site) as log:
        fields = {"event": "order looked again", "order": parcel.order, "held": held, "recalled": recalled,
                  "at": clock.stamp(now)}  # fmt: skip
        stem = f"order-{parcel.order}-{digests.of_bytes(canonical.encode(fields))[:16]}"
        record.event(log, place.site.events, f"site/{stem}", fields)
        record.publish(place.site, log, now)
    return Entered(parcel.order, held, recalled, opened)


def reason_of(parcel: Parcel, added: str) -> str:
    """The reason of every decision that an order brings: its title and citation, and what the officer adds."""
    return f"{parcel.record['title']} ({parcel.record['cite']}). {added}".strip()


def read(folder: Path) -> Parcel:
    """Read a parcel's record. Raises WrongInput when the folder holds none."""
    path = folder / RECORD
    try:
        document = json.loads(path.read_bytes())
        whole = isinstance(document, dict) and document.get("format") == FORM
        whole = whole and canonical.encode(document) + b"\n" == path.read_bytes()
        whole = whole and all(isinstance(one["after"]["digest"], str) for one in document["packs"])
        whole = whole and all(Path(str(one["folder"])).name == one["folder"] for one in document["packs"])
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise WrongInput(
            "this is not a prepared order", where=str(folder), remedy="Prepare one with `gatehouse order preview`"
        )
    return Parcel(folder, document)


def entered(site: Site) -> list[Parcel]:
    """Every order entered at a site, by id."""
    return [read(folder) for folder in sorted((site.root / ORDERS).glob("*")) if (folder / RECORD).is_file()]


def _touched(standing: Pack, draft: Pack) -> dict[str, Any]:
    return {
        "pack": draft.id, "folder": standing.id,
        "before": {"version": standing.version, "digest": standing.digest},
        "after": {"version": draft.version, "digest": draft.digest},
    }  # fmt: skip


def _is_in_force(site: Site, one: Mapping[str, Any]) -> bool:
    pin = adoption.pinned(site.packs).get(str(one["pack"]))
    return pin is not None and pin.digest == one["after"]["digest"]


def _effect(
    connection: duckdb.DuckDBPyConnection, place: Office, touched: Sequence[tuple[Pack, Pack]], now: dt.datetime
) -> dict[str, Any]:
    """What the order would do to each docket: outcomes that change, open cases held, packages recalled."""
    dockets = []
    for standing, draft in touched:
        day = max(now.date(), *(rule.begins for rule in draft.rules if rule.id not in standing.by_id))
        for name in dockets_under(place, [draft.id]):
            changes = impact(connection, standing, draft, [docket_of(place.site, name).root], day)
            on = dt.datetime.combine(day, now.timetz())
            found = recheck.find(connection, place, name, on, draft)
            dockets.append({
                "docket": name,
                "changes": [{"old": one.old, "new": one.new, "requests": one.requests, "rules": list(one.begun)}
                            for one in changes if one.old != one.new],
                "to_hold": len(found.hold), "to_recall": len(found.recall), "opened_before": list(found.opened),
                "stopped_by": dict(found.stopped_by),
            })  # fmt: skip
    return {"as_of": now.date().isoformat(), "dockets": dockets}


def dockets_under(place: Office, packs: Sequence[str]) -> list[str]:
    """The dockets open for decisions whose basis is one of these packs'."""
    found = []
    for name in place.casebook.known():
        docket = docket_of(place.site, name)
        if not docket.is_destroyed and manifests.parse(docket.manifest.read_bytes()).basis in packs:
            found.append(name)
    return found


def _authorised(place: Office, by: By, now: dt.datetime) -> None:
    why = place.roster.why_not(by.officer, now.date())
    if why is not None:
        raise Blocked(
            "authority", f"officer {by.officer} {why}", remedy="Another officer, with authority, must enter the order"
        )
    person = place.roster.get(by.officer)
    if person is None or person.key.text != by.signer.verifier.text:
        raise Blocked("signature", f"this is not officer {by.officer}'s key")


def _verified(site: Site, parcel: Parcel, trusted: Offices, now: dt.datetime) -> None:
    """Check a parcel whole: both signatures, the text, the packs, that they follow those in force and only tighten."""
    where = str(parcel.folder)
    if parcel.record["site"] != site.name:
        raise AnswerIsNo("the order was prepared for a different site", where=where, remedy="Preview it at this site")
    text = parcel.folder / Path(str(parcel.record["text"]["file"])).name
    if not text.is_file() or digests.of_file(text) != parcel.record["text"]["sha256"]:
        raise AnswerIsNo("the order's text differs from the one that was signed", where=str(text))
    _signed_by_both(parcel, trusted)
    for draft, one in parcel.drafts():
        pack = signing.verify(draft, trusted)
        if (pack.id, pack.digest) != (one["pack"], one["after"]["digest"]):
            raise AnswerIsNo(
                "the pack differs from the one that was shown", where=str(draft), remedy="Preview the order again"
            )
        if _is_in_force(site, one):
            continue  # an earlier attempt came this far
        standing = gate.in_force(site, str(one["pack"]))
        if standing.digest != one["before"]["digest"]:
            raise AnswerIsNo(
                "the law in force has changed since the order was shown", where=standing.id,
                remedy="Add the order to the pack now in force, and preview it again",
            )  # fmt: skip
        added = tightening.added_order(standing, pack)
        if added.id != parcel.order:
            raise AnswerIsNo("the pack adds a different order from the one that the record names", where=str(draft))
        tightening.in_force(pack, added, now.date())
        tightening.only_tightens(standing, pack)


def _signed_by_both(parcel: Parcel, trusted: Offices) -> None:
    path, data = parcel.folder / SIGNATURES, (parcel.folder / RECORD).read_bytes()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for office, keys in (("counsel", trusted.counsel), ("the custodian", trusted.custodian)):
        mine = [
            line for line in lines if any(note.SignatureLine.parse(line, where=str(path)).is_by(key) for key in keys)
        ]
        if not mine:
            raise AnswerIsNo(
                f"{office} did not sign this order", where=str(path), remedy="Sign it with `gatehouse order sign`"
            )
        for line in mine:
            note.verify_detached(data, line, keys, where=str(path))


def _keep(site: Site, parcel: Parcel) -> Parcel:
    """Copy a parcel into the site, whole or not at all. Raises WrongInput when another one of that id is there."""
    target = site.root / ORDERS / parcel.order
    if target.exists():
        kept = read(target)
        if kept.record != parcel.record:
            raise WrongInput(
                f"a different order {parcel.order} was already entered",
                where=str(target),
                remedy="Use a new id. Ids are permanent",
            )
        return kept
    building = target.with_name(f".{target.name}.making")
    shutil.rmtree(building, ignore_errors=True)
    shutil.copytree(parcel.folder, building)
    building.rename(target)
    files.sync_folder(target.parent)
    return read(target)


def _commit(site: Site, parcel: Parcel, now: dt.datetime) -> None:
    fields = {
        "event": "order", "order": parcel.order, "record": digests.of_file(parcel.folder / RECORD),
        "signatures": digests.of_file(parcel.folder / SIGNATURES), "text": parcel.record["text"]["sha256"],
        "from": parcel.record["from"],
        "packs": [{"pack": one["pack"], "before": one["before"]["digest"], "after": one["after"]["digest"]}
                  for one in parcel.record["packs"]],
    }  # fmt: skip
    with record.open_log(site) as log:
        record.event(log, site.events, f"site/order-{parcel.order}", fields)
        record.publish(site, log, now)
