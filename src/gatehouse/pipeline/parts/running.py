"""Running a part of a site: by itself, under a user of its own, or as the child of the process that needs it.

The code is the same. A child runs under its parent's user, so that it keeps apart what is in memory, not the files.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from gatehouse.kernel import line
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.kernel.line import Caller
from gatehouse.pipeline import parts
from gatehouse.pipeline.parts import Part, Parts, decider, sealer, writer
from gatehouse.pipeline.site import Site

Converse = Callable[[Site, socket.socket, Part], None]
_START_SECONDS, _END_SECONDS = 60.0, 10.0
_WAIT = 0.02

SERVED: dict[Part, tuple[Converse, float]] = {
    Part.WRITER: (writer.converse, writer.PATIENCE), Part.SEALER: (sealer.converse, sealer.PATIENCE),
    Part.DECIDER: (decider.converse, decider.PATIENCE),
}  # fmt: skip
"""How each part talks, and for how many seconds a caller may be silent."""


def serve(site: Site, part: Part, admitted: Mapping[int, Part]) -> None:
    """Serve callers for ever. `admitted` says which user is which part.

    Root and the user of this process count as the operator: they could do all of it without asking. Raises
    MachineFailed where the site names no folder for sockets.
    """
    if site.parts is None:
        raise MachineFailed("the site names no folder for sockets", remedy='Write [parts], then sockets = "/run/…"')
    converse, patience = SERVED[part]
    known = {0: Part.OPERATOR, os.getuid(): Part.OPERATOR, **admitted}
    own = replace(site, parts=replace(site.parts, own=part))

    def one(connection: socket.socket) -> None:
        caller = line.Line(connection, (), most=0).caller
        if caller.uid in known:
            converse(own, connection, known[caller.uid])
        else:
            line.turn_away(connection, _stranger(caller))

    line.serve(line.listen(site.parts.at(part)), one, patience=patience)


def _stranger(caller: Caller) -> AnswerIsNo:
    return AnswerIsNo(f"the user {caller.uid} is not a part of this site", remedy="See docs/deploy.md, Four users")


class Children:
    """The parts of a site that one user runs, as children of the process that needs them; they end with it.

    One is started when it is first asked for, the decider with those that it needs; one that died is started again.
    """

    def __init__(self, root: Path, own: Part) -> None:
        self._root = root
        self._folder = Path(tempfile.mkdtemp(prefix="gatehouse-"))  # its owner's alone, and short: a socket's path is
        self._processes: dict[Part, subprocess.Popen[bytes]] = {}
        self._starting = threading.Lock()
        os.environ |= {parts.SOCKETS: str(self._folder), parts.OWN: str(own)}
        parts.start_with(self.ensure)
        atexit.register(self.close)

    def ensure(self, part: Part) -> None:
        """See that a part runs. Raises MachineFailed where it does not start."""
        needed = (Part.WRITER, Part.SEALER, part) if part is Part.DECIDER else (part,)
        with self._starting:
            fresh = [one for one in needed if not self._runs(one)]
            for one in fresh:
                command = [sys.executable, "-m", "gatehouse", "part", str(one), "--site", str(self._root)]
                self._processes[one] = subprocess.Popen(  # noqa: S603
                    [*command, "--with-parent"], stdin=subprocess.PIPE, start_new_session=True
                )
            for one in fresh:
                self._wait_for(one)

    def _runs(self, part: Part) -> bool:
        known = self._processes.get(part)
        return known is not None and known.poll() is None

    def _wait_for(self, part: Part) -> None:
        until = time.monotonic() + _START_SECONDS
        while not _answers(Parts(self._folder, part).at(part)):
            if not self._runs(part) or time.monotonic() > until:
                self._processes[part].kill()
                raise MachineFailed(f"the {part} did not start", remedy="See its message on standard error")
            time.sleep(_WAIT)

    def close(self) -> None:
        """End them."""
        parts.start_with(None)
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in (parts.SOCKETS, parts.OWN):
            os.environ.pop(name, None)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def end_with_parent() -> None:
    """End this process when the one that holds the other end of standard input has ended."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
