"""Full size: 1.28 million requests with 40,000 held and 47,000 cleared for 20 officers. Prints what it took."""

from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Callable
from pathlib import Path

import house
import pytest

from gatehouse.casework import queue
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.pipeline import recall as recalling
from gatehouse.pipeline import release
from gatehouse.release.recall import Cause

REQUESTS, HELD, CLEARED, OFFICERS = 1_280_000, 40_000, 47_000, 20


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def spread(times: list[float]) -> str:
    times = sorted(times)
    return f"{times[len(times) // 2] * 1000:.0f} ms median, {times[int(len(times) * 0.95)] * 1000:.0f} ms p95"


@pytest.mark.scale
def test_full_size(tmp_path: Path) -> None:
    home = house.build(tmp_path, requests=REQUESTS, officers=OFFICERS, held=HELD, incomplete=REQUESTS - HELD - CLEARED)
    place, folder = home.office, home.docket.root
    board = place.casebook.board(house.NAME)
    assert (len(board.states[State.HELD]), len(board.states[State.CLEARED])) == (HELD, CLEARED)

    def one_page(start: int) -> float:
        return seconds(
            lambda: queue.page(home.connection, folder, place.casebook.board(house.NAME), start=start, length=50)
        )

    print(f"queue page of {HELD} held: {spread([one_page(start) for start in range(0, HELD, HELD // 60)])}")
    single = [
        seconds(lambda seq=seq: house.decide(home, "eve", "clear", cases=Selection.of([seq]))) for seq in range(60)
    ]
    print(f"single decision, ledger event included: {spread(single)}")
    for officer in ("ann", "bob"):
        print(f"bulk approval by {officer}: {seconds(lambda who=officer: house.decide(home, who, 'approve')):.3f} s")
    now = house.NOW + dt.timedelta(minutes=5)
    took = seconds(lambda: release.release(home.connection, place, house.NAME, now))
    print(f"sealing {CLEARED + 60} subjects to {OFFICERS} officers: {took:.1f} s")
    text = home.site.pack_for("us.irs.6103-i-2")
    assert text.is_dir()
    listed = seconds(lambda: recalling.stopped(home.connection, place, house.NAME))
    print(f"recall list by pack change: {listed:.2f} s")
    cases = Selection.of(range(HELD, HELD + 5000))
    took = seconds(
        lambda: recalling.recall(
            home.connection, place, house.NAME, cases, cause=Cause("requests", "", "Wrong persons were matched."),
            officer="eve", signer=home.staff["eve"], now=now,
        )
    )  # fmt: skip
    print(f"recall of {len(cases)} cases, to signed notices: {took:.2f} s")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
