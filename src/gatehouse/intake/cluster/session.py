"""A session on a Spark master: started quietly, with no page of its own, no data in its logs, and ended when done.

`local[2]` runs inside this machine; `spark://host:7077` on the workers of a standalone master. Every worker must see
the register, the index and the working folder under the same paths, and have this same Gatehouse.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gatehouse.kernel import extras, ids
from gatehouse.kernel.errors import MachineFailed, WrongInput

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SOURCES = Path(__file__).parents[3]
"""Where this Gatehouse is imported from, here and on every worker."""
QUIET = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"
"""The Java option that keeps Spark's logs empty."""
PATIENCE = 60.0
"""Seconds to wait for the first worker."""


@dataclass(frozen=True)
class Cluster:
    """A running session, and the folder that all of its workers share for the tables between two steps."""

    spark: SparkSession
    folder: Path

    @property
    def version(self) -> str:
        """Engine and version."""
        return f"spark {self.spark.version}"

    def fresh(self, name: str) -> Path:
        """A new path in the shared folder."""
        return self.folder / ids.fresh(name)


@contextmanager
def open_cluster(master: str, *, folder: Path, memory: str = "2GB") -> Iterator[Cluster]:
    """Start a session on `master`; `memory` is the heap of each executor (of the one process when local).

    `folder` is made for its owner alone, holds the tables between two steps, and goes when the session ends. Raises
    MachineFailed, with the remedy, when pyspark or Java is missing, the master does not answer, or Spark does not
    start; WrongInput when `master` is no address of one.
    """
    check_installed()
    _check(master)
    from py4j.protocol import Py4JError
    from pyspark import SparkConf
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = SparkConf().setAppName("gatehouse").setMaster(master).setAll(_settings(master, memory, folder).items())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        try:
            session = SparkSession.builder.config(conf=settings).getOrCreate()
        except (Py4JError, RuntimeError, OSError):
            raise MachineFailed("Spark did not start", where=master, remedy="See docs/spark.md") from None
        try:
            _await_workers(session, master, memory)
            yield Cluster(session, folder.absolute())
        except (Py4JError, PySparkException) as failed:
            raise MachineFailed(f"Spark failed: {_reason(failed)}", where=master, remedy="See docs/spark.md") from None
        finally:
            session.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await_workers(session: SparkSession, master: str, memory: str) -> None:
    """Spark itself would wait for ever, and in silence."""
    until = time.monotonic() + PATIENCE
    while not master.startswith("local") and session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > until:
            remedy = "Start workers with that much memory free, or ask for less with --memory"
            raise MachineFailed(f"no worker has {memory} for an executor", where=master, remedy=remedy)
        time.sleep(0.1)


def check_installed() -> None:
    """Raises MachineFailed, saying how to add it, when pyspark or Java is missing."""
    if find_spec("pyspark") is None:
        raise MachineFailed("pyspark is not installed", remedy=extras.remedy("spark"))
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and (Path(home) / "bin" / "java").is_file())):
        raise MachineFailed(
            "Java is not installed", remedy="Install it. On Debian: apt-get install openjdk-17-jre-headless"
        )


def _check(master: str) -> None:
    if master.startswith("local"):
        return
    address = urlsplit(master)
    if address.scheme != "spark" or not address.hostname or not address.port:
        raise WrongInput("this is not a Spark master", where=master, remedy="Write local[2] or spark://HOST:7077")
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except OSError:
        raise MachineFailed("the Spark master does not answer", where=master, remedy="Start it and try again") from None


def _settings(master: str, memory: str, folder: Path) -> dict[str, str]:
    """What a session needs to be quiet, closed and of one meaning; the rest is the cluster's spark-defaults.conf."""
    heap = memory.upper().replace("GB", "g").replace("MB", "m")
    found = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": QUIET,
        "spark.executor.extraJavaOptions": QUIET,
        "spark.executor.memory": heap,
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(dict.fromkeys((str(SOURCES), *filter(None, sys.path)))),
        "spark.io.encryption.enabled": "true",  # rows that spill or are shuffled are no plain text on a worker's disk
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": (folder.absolute() / "warehouse").as_uri(),
        "spark.sql.legacy.sizeOfNull": "false",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    }
    if master.startswith("local"):
        found |= {"spark.driver.memory": heap, "spark.sql.shuffle.partitions": "8"}
    if master.startswith("local") or (urlsplit(master).hostname or "") in ("127.0.0.1", "localhost"):
        found |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return found


def _reason(failed: Exception) -> str:
    """What our own code said in a task, or else a class: other messages may hold data."""
    said = re.search(r"(?:MachineFailed|ModuleNotFoundError): ([^\n]+)", str(failed))
    cause = getattr(failed, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    kind = type(failed).__name__ if cause is None else cause.getClass().getSimpleName()
    return said.group(1) if said else str(kind)
