"""Watches an age plugin from outside the process that waits for it, and ends it when it has been silent for too long.

The library that speaks with a plugin stops every thread of its process meanwhile, so nothing in there could keep a
deadline. Run as `python plugin_watch.py PID PROGRAM SECONDS`; standard input says `.` at each sign of life, `?` when
a person is asked, and the end when all is over. Status 9 says that the plugin was ended.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

SILENCED = 9


def watch(parent: int, program: str, seconds: float) -> int:
    """Wait for the end of standard input, or end the plugin; gives the status."""
    while True:
        ready, _, _ = select.select([0], [], [], seconds)
        if not ready:
            for process in _descendants(parent, program):
                _kill(process)
            return SILENCED
        said = os.read(0, 1)
        if not said or (said == b"?" and not os.read(0, 1)):  # a person may take all the time they need
            return 0


def _descendants(parent: int, program: str) -> list[int]:
    """The processes that the parent started under this program's name, and all that these started."""
    known = _processes()
    found = [pid for pid, owner, command in known if owner == parent and program in command and pid != os.getpid()]
    for process in found:
        found += [pid for pid, owner, _ in known if owner == process]
    return found


def _processes() -> list[tuple[int, int, str]]:
    """Every process: its number, its parent's and its command line."""
    if os.path.isdir("/proc/self"):  # noqa: PTH112 - a script that imports little
        return [found for name in os.listdir("/proc") if name.isdigit() and (found := _process(name))]  # noqa: PTH208
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [(int(row[0]), int(row[1]), row[2]) for row in rows if len(row) == 3]


def _process(name: str) -> tuple[int, int, str] | None:
    try:
        with open(f"/proc/{name}/stat", "rb") as state, open(f"/proc/{name}/cmdline", "rb") as command:  # noqa: PTH123
            owner = int(state.read().rpartition(b")")[2].split()[1])
            return int(name), owner, command.read().decode(errors="replace")
    except (OSError, ValueError, IndexError):
        return None


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
