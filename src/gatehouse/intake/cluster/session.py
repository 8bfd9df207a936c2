"""A session on a Spark master: started quietly, with no page of its own, no data in its logs, and ended when done.

`local[2]` runs inside this machine; `spark://host:7077` on the workers of a standalone master. Every worker must see
the register, the index and the working folder under the same paths, and have this same Gatehouse.
"""

from __future__ import annotations

import importlib.resources
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gatehouse.kernel import ids
from gatehouse.kernel.errors import MachineFailed, WrongInput

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SOURCES = Path(__file__).parents[3]
"""Where this Gatehouse is imported from, here and on every worker."""


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
    _check(master)
    from py4j.protocol import Py4JError
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = SparkConf().setAppName("gatehouse").setMaster(master).setAll(_settings(master, memory).items())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        try:
            session = SparkSession.builder.config(conf=settings).getOrCreate()
        except (Py4JError, RuntimeError, OSError):
            raise MachineFailed("Spark did not start", where=master, remedy="See docs/spark.md") from None
        try:
            yield Cluster(session, folder.absolute())
        except Py4JError as failed:
            raise MachineFailed(f"Spark failed: {_kind(failed)}", where=master, remedy="See docs/spark.md") from None
        finally:
            session.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(master: str) -> None:
    if find_spec("pyspark") is None:
        remedy = "Add it: pip install --require-hashes -r requirements-spark.lock"
        raise MachineFailed("pyspark is not installed", remedy=remedy)
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and (Path(home) / "bin" / "java").is_file())):
        raise MachineFailed("there is no Java", remedy="Add it; on Debian: apt-get install openjdk-17-jre-headless")
    if master.startswith("local"):
        return
    address = urlsplit(master)
    if address.scheme != "spark" or not address.hostname or not address.port:
        raise WrongInput("this is no master", where=master, remedy="Write local[2] or spark://HOST:7077")
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except OSError:
        raise MachineFailed("the Spark master does not answer", where=master, remedy="Start it and try again") from None


def _settings(master: str, memory: str) -> dict[str, str]:
    """What a session needs to be quiet, closed and of one meaning; the rest is the cluster's spark-defaults.conf."""
    quiet = f"-Dlog4j2.configurationFile={importlib.resources.files(__package__).joinpath('log4j2.properties')}"
    heap = memory.upper().replace("GB", "g").replace("MB", "m")
    found = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": quiet,
        "spark.executor.extraJavaOptions": quiet,
        "spark.executor.memory": heap,
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(dict.fromkeys((str(SOURCES), *filter(None, sys.path)))),
        "spark.io.encryption.enabled": "true",  # rows that spill or are shuffled are no plain text on a worker's disk
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.legacy.sizeOfNull": "false",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    }
    if master.startswith("local"):
        found |= {"spark.driver.memory": heap, "spark.sql.shuffle.partitions": "8"}
    if master.startswith("local") or (urlsplit(master).hostname or "") in ("127.0.0.1", "localhost"):
        found |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return found


def _kind(failed: Any) -> str:  # noqa: ANN401 - of whichever py4j class
    """The class of the innermost Java exception: its message may hold data, its name does not."""
    cause = getattr(failed, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    return str(cause.getClass().getSimpleName()) if cause is not None else type(failed).__name__
