"""What everybody must see first: halts in force and packages taken back, at the head of the pages they concern."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse

from gatehouse.console import desk, halting
from gatehouse.console.permissions import Permission
from gatehouse.console.templatetags.plainly import written
from gatehouse.determine.docket import Docket
from gatehouse.ledger.halt import Statement
from gatehouse.pipeline import withdrawal
from gatehouse.store.models import Release

May = Callable[[Permission], bool]


@dataclass(frozen=True)
class Notice:
    """One banner: what is so, since when or how much, and where more of it stands, if the reader may go there."""

    heading: str
    text: str
    address: str = ""
    more: str = ""


def of_dockets(dockets: Sequence[tuple[str, str]], may: May) -> list[Notice]:
    """Notices for whoever works on these dockets: pairs of a docket's name and its agency."""
    board = halting.board()
    halts = [one for one in board.standing if any(one.scope.covers(agency, name) for name, agency in dockets)]
    return [
        *_unbelieved(board, may),
        *(_halt(one, may) for one in halts),
        *(_withdrawn(name) for name, _ in dockets if withdrawal.is_withdrawn(Docket(desk.site().dockets / name))),
        *_recalls([name for name, _ in dockets], may),
    ]


def of_agency(dockets: Mapping[str, str], agency: str) -> list[Notice]:
    """Notices for an agency about its own submissions, the dockets' names by their ids: that something is halted, never
    why, and what is taken back.
    """
    board = halting.board()
    halted = bool(board.problem) or any(
        one.scope.covers(agency, name) for one in board.standing for name in (*dockets.values(), "")
    )
    found = []
    if halted:
        found.append(
            Notice("Overseers have halted releases", "Nothing that the halt covers is released until they end it.")
        )
    for identifier, name in dockets.items():
        if withdrawal.is_withdrawn(Docket(desk.site().dockets / name)):
            found.append(Notice(f"{identifier} is withdrawn", "Nothing more of it is released."))
    taken_back = _taken_back(list(dockets.values()))
    for identifier, packages in ((one, taken_back[name]) for one, name in dockets.items() if name in taken_back):
        address = reverse("console:submission", args=[identifier])
        found.append(
            Notice(f"{_packages(packages)} of {identifier} recalled", "Stop every use, destroy every copy, and say so.",
                   f"{address}#releases", "Which packages")
        )  # fmt: skip
    return found


def _unbelieved(board: halting.Board, may: May) -> list[Notice]:
    if not board.problem:
        return []
    return [
        Notice("Everything is halted", "The halts cannot be believed, and silence must not mean go.", *_to_halts(may))
    ]


def _halt(one: Statement, may: May) -> Notice:
    what = "Everything" if not one.scope.name else f"{str(one.scope.reach).capitalize()} {one.scope.name}"
    text = f"Since {written(one.at)}, by {', '.join(one.signers)}: {one.reason}"
    return Notice(f"{what} is halted", text, *_to_halts(may))


def _withdrawn(name: str) -> Notice:
    return Notice(f"{name} was withdrawn by its agency", "Nothing of it is released. Mark its open cases withdrawn.")


def _to_halts(may: May) -> tuple[str, ...]:
    return (reverse("console:halts"), "Halts") if may(Permission.OVERSIGHT_DOCKET_COUNT) else ()


def _recalls(dockets: Sequence[str], may: May) -> list[Notice]:
    to = (reverse("console:recalls"), "How far the recall is") if may(Permission.OVERSIGHT_DOCKET_COUNT) else ()
    return [
        Notice(f"{_packages(packages)} of {name} recalled", "The recipients were told to stop and to destroy.", *to)
        for name, packages in _taken_back(dockets).items()
    ]


def _taken_back(dockets: Sequence[str]) -> dict[str, int]:
    rows = Release.objects.filter(file__docket__in=list(dockets), recalled_at__isnull=False)
    return dict(rows.values_list("file__docket").annotate(packages=Count("pk")).order_by("file__docket"))


def _packages(count: int) -> str:
    return "1 package" if count == 1 else f"{count:,} packages"
