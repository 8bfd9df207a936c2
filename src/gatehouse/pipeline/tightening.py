"""What a pack with an order added may differ in from the pack in force, and the proof that it permits nothing more."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.casework.board import Blocked
from gatehouse.kernel.errors import WrongInput
from gatehouse.law import compare
from gatehouse.law.folder import pack_files
from gatehouse.law.pack import Instrument, Pack
from gatehouse.law.signing import version_key
from gatehouse.law.tables import read_document

_FREE = ("examples",)
"""Folders whose files may change with an order: they show the law and are not law."""


def added_order(standing: Pack, draft: Pack) -> Instrument:
    """The one order by which a draft differs from the pack in force. Raises WrongInput when it differs otherwise."""
    where = str(draft.folder)
    if version_key(draft.version) <= version_key(standing.version):
        raise WrongInput(
            f"version {draft.version} is not higher than {standing.version}", where=where, remedy="Raise the version"
        )
    before, after = _files(standing), _files(draft)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    orders = sorted(name for name in changed if name.startswith("orders/"))
    if len(orders) != 1 or orders[0] in before:
        raise WrongInput("an order must be one new file in orders/", where=where, remedy="Add an order; never edit one")
    for name in sorted(changed - {*orders, "pack.toml", "properties.toml"}):
        if not name.startswith(tuple(f"{folder}/" for folder in _FREE)):
            raise WrongInput(
                f"{name} also changes", where=where, remedy="Put other law in force with `gatehouse law adopt`"
            )
    if _heading(standing) != _heading(draft):
        raise WrongInput("pack.toml has changes other than version and [[change]]", where=where)
    if _safety(standing) - _safety(draft):
        raise WrongInput("a safety property is missing or altered", where=where, remedy="Restore the safety properties")
    known = {instrument.id for instrument in standing.instruments}
    [added] = [instrument for instrument in draft.instruments if instrument.id not in known]
    if added.kind != "order" or not any(rule.instrument is added for rule in draft.rules):
        raise WrongInput(
            "the added file is not an order with a rule", where=added.file, remedy="An opinion does not change the law"
        )
    return added


def in_force(draft: Pack, order: Instrument, day: dt.date) -> None:
    """Raise Blocked (`withdrawn`) when an order has ended, by its own date or by another's."""
    ends = [rule.until for rule in draft.rules if rule.instrument is order]
    if all(until is not None and until <= day for until in ends):
        raise Blocked("withdrawn", f"the order {order.id} is no longer in force", where=order.file,
                      remedy="There is nothing to enter. Check the order's dates")  # fmt: skip


def only_tightens(standing: Pack, draft: Pack) -> None:
    """Raise Blocked (`loosening`) unless it is proved that a draft permits nothing that the pack in force does not."""
    remedy = "Put an order that ends another in force with `gatehouse law adopt`"
    known = {instrument.id for instrument in standing.instruments}
    for order in draft.instruments:
        if order.id not in known and order.ends:
            raise Blocked("loosening", f"the order ends {', '.join(order.ends)}", where=order.file, remedy=remedy)
    gained, _ = compare.diff(compare.Body(standing, ()), compare.Body(draft, ()))
    if gained.status == "some":
        day = f", for example on {gained.witness.as_of}" if gained.witness else ""
        raise Blocked("loosening", f"the order permits more than the law in force does{day}", remedy=remedy)
    if gained.status != "none":
        raise Blocked(
            "loosening",
            "it could not be proved that the order only tightens the law",
            remedy="Ask counsel to review the order",
        )


def _files(pack: Pack) -> dict[str, bytes]:
    return {_name(path, pack.folder): path.read_bytes() for path in pack_files(pack.folder)}


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _heading(pack: Pack) -> dict[str, object]:
    content = read_document(pack.folder / "pack.toml").data
    return {name: value for name, value in content.items() if name not in {"version", "change"}}


def _safety(pack: Pack) -> set[tuple[str, str, dt.date | None, dt.date | None]]:
    return {(each.id, each.text, each.begins, each.until) for each in pack.properties if each.safety}
