"""A standalone master and its workers on loopback: the smallest real cluster, for tests, benchmarks and a first trial.

A production cluster is the custodian's own, with its own secrets and encryption between machines; see docs/spark.md.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from gatehouse.intake.cluster.session import QUIET, check_installed
from gatehouse.kernel.errors import MachineFailed

HOST = "127.0.0.1"
_ENDS_WITH = ("setpriv", "--pdeathsig", "TERM", "sh", "-c", '[ "$PPID" -eq "$0" ] && exec "$@"')
"""Even if we are killed, and if that was before the signal was asked for: then our child has another parent by now."""
_DAEMON = {"SPARK_LOCAL_IP": HOST, "SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": QUIET}


@contextmanager
def open_standalone(folder: Path, *, workers: int = 2, cores: int = 1, memory: str = "2g") -> Iterator[str]:
    """Start a master and `workers` with so many cores and so much memory each; gives the master's address.

    Their files are below `folder`; leaving ends every process. Raises MachineFailed when one does not start.
    """
    check_installed()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    started: list[subprocess.Popen[bytes]] = []
    port = _free_port()
    master = f"spark://{HOST}:{port}"
    try:
        started.append(_start("master.Master", "--host", HOST, "--port", str(port), "--webui-port", "0", folder=folder))
        _await(port, started[0])
        started.extend(
            _start(
                "worker.Worker", "--host", HOST, "--webui-port", "0", "--cores", str(cores), "--memory", memory,
                "--work-dir", str(folder / f"worker-{number}"), master, folder=folder,
            )
            for number in range(workers)
        )  # fmt: skip
        yield master
    finally:
        for process in reversed(started):
            with suppress(ProcessLookupError):  # it ended by itself
                os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            process.wait()


def _start(role: str, *arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    spec = find_spec("pyspark")
    assert spec is not None  # noqa: S101 - check_installed looked
    assert spec.origin is not None  # noqa: S101 - it is a package on disk
    home = Path(spec.origin).parent
    environment = {**os.environ, **_DAEMON, "SPARK_HOME": str(home), "SPARK_LOCAL_DIRS": str(folder / "local")}
    ends_with_us = (*_ENDS_WITH, str(os.getpid())) if shutil.which("setpriv") else ()
    return subprocess.Popen(  # noqa: S603 - Spark's own launcher, no text of anybody's
        [*ends_with_us, str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{role}", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise MachineFailed("the Spark master did not start", where=f"spark://{HOST}:{port}", remedy="See docs/spark.md")
