"""The processes that read untrusted bytes, and do nothing else: each has limits, a private folder, and one answer.

`intake.reader` starts one process of this module, which reads nothing itself. For each question it splits off a fresh
process that bounds itself, answers and ends. An answer is what was asked for, the refusal of bytes that are wrong, or
that the machine failed. The rule is one: only a fault that was found in the sender's bytes, and that names its place,
is a refusal; whatever else happens is the machine's.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gatehouse.intake import enclosure, parcel, sandbox
from gatehouse.intake import manifest as manifests
from gatehouse.intake.limits import Limits
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError, WrongInput

MANIFEST, SIGNATURE, REQUESTS, PLACES = "manifest", "signature", "requests.parquet", "places.parquet"
"""What the process leaves in its folder."""

Asked = Mapping[str, Any]


def answer(asked: Asked) -> dict[str, Any]:
    """Do what is asked; never raises. The one place where a refusal and a failure are told apart."""
    try:
        return {"done": _TASKS[asked["task"]](asked, Path(asked["folder"]), limits_of(asked["limits"]))}
    except WrongInput as wrong:
        return {"refused": {"what": wrong.what, "where": wrong.where, "remedy": wrong.remedy}}
    except GatehouseError as failed:
        return {"failed": failed.what}
    except MemoryError:
        return {"failed": "there was not enough memory to read it"}
    except OSError as failed:
        return {"failed": f"it could not be read ({failed.strerror or type(failed).__name__})"}
    except Exception as failed:  # noqa: BLE001 - its text may quote data: only its kind is told
        return {"failed": f"it could not be read ({type(failed).__name__})"}


def limits_of(stated: Mapping[str, int]) -> Limits:
    """The limits as they were sent."""
    return Limits(**{each.name: int(stated[each.name]) for each in fields(Limits)})


def _prepare(_asked: Asked, folder: Path, _limits: Limits) -> dict[str, Any]:
    """Leave the table of places in the folder, which takes longer to make than most submissions to read."""
    from gatehouse.intake.addresses import keep_places
    from gatehouse.intake.workspace import open_workspace

    with open_workspace("1GB", threads=2, temporary=folder / "spill") as connection:
        keep_places(connection, folder / PLACES)
    return {}


def _describe(asked: Asked, folder: Path, limits: Limits) -> dict[str, Any]:
    """Leave submission.json and its signature in the folder, once the document is well formed."""
    wanted = [manifests.NAME, *([manifests.SIGNATURE] if asked["signed"] else [])]
    found = parcel.members(Path(asked["source"]), wanted, folder / "described", limits)
    data = _bounded(found[0], limits.manifest)
    manifest = manifests.parse(data)
    if manifest.rows > limits.rows:
        problem = f"the tables have more than {limits.rows:,} requests"
        raise WrongInput(problem, where=manifests.NAME, remedy="Send the requests in several submissions")
    signature = _bounded(found[1], limits.signature) if asked["signed"] else b""
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_bytes(signature)
    return {}


def _read(asked: Asked, folder: Path, limits: Limits) -> dict[str, Any]:
    """Leave the table `requests` in the folder, read from tables that are as they were signed."""
    from gatehouse.intake import addresses, loading
    from gatehouse.intake.mapping import Layout
    from gatehouse.intake.normalise import prepare
    from gatehouse.intake.workspace import WIDE_BY_ROW, open_workspace, quoted, write_parquet

    tables = [manifests.Table(**table) for table in asked["tables"]]
    names = [table.file for table in tables]
    files = parcel.members(Path(asked["source"]), names, folder / "unpacked", limits)
    signed_on = clock.read_date(asked["signed_on"])
    assert signed_on is not None  # noqa: S101 - it was written by the process that asks
    layout = Layout(**asked["layout"] | {"absent": frozenset(asked["layout"]["absent"])})
    with open_workspace(f"{limits.memory >> 20}MiB", asked["threads"], folder / "spill") as connection:
        connection.execute("SET max_temp_directory_size = ?", [f"{2 * limits.content >> 20}MiB"])
        loading.load(connection, list(zip(files, tables, strict=True)), layout, "wire", limits)
        addresses.load_places(connection, Path(asked["places"]))
        requests = prepare(connection, "wire", signed_on)
        if asked["ordered"]:  # as a docket keeps it: made and written once, here
            write_parquet(connection, f"{requests} ORDER BY seq", folder / REQUESTS, group=WIDE_BY_ROW)
        else:
            into = f"{quoted(folder / REQUESTS)} (FORMAT parquet, COMPRESSION lz4_raw)"
            connection.execute(f"COPY ({requests}) TO {into}")
    return {}


_TASKS: dict[str, Callable[[Asked, Path, Limits], dict[str, Any]]] = {
    "prepare": _prepare, "describe": _describe, "read": _read,
}  # fmt: skip


def _bounded(path: Path, limit: int) -> bytes:
    with parcel.plain(path).open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise WrongInput("the file is too large", where=path.name, remedy=f"Send at most {limit:,} bytes")
    return data


def confine(asked: Asked) -> list[str]:
    """Bound this process: memory, file size, processor time, no core dump, no life beyond its parent's, no file but its
    input and its folder, no network and no program. Gives what this machine left open of the last three.
    """
    limits, seconds = limits_of(asked["limits"]), int(asked["seconds"])
    for kind, most in (
        (resource.RLIMIT_AS, limits.addressable),
        (resource.RLIMIT_FSIZE, 2 * limits.content),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
    with contextlib.suppress(OSError, AttributeError):  # Linux alone has it; elsewhere its time is bounded all the same
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    reads = [str(asked[name]) for name in ("source", "places") if name in asked]
    left = [] if enclosure.enclose(reads, [str(asked["folder"])]) else ["files"]
    return left + sandbox.shut()  # as far as this kernel lets it; the bounds above hold in any case


def _converse(line: socket.socket) -> None:
    """Take one question from a connection and answer it. The limits hold before a byte of the sender's is touched."""
    line.sendall(f"{os.getpid()}\n".encode())
    asked = json.loads(b"".join(iter(lambda: line.recv(1 << 16), b"")))
    left = confine(asked)
    said = answer(asked) | {"processor": time.process_time(), "open": left}
    line.sendall(json.dumps(said).encode())


def main() -> None:
    """Wait for connections on standard input, and have each served by a process of its own, until nobody is there."""
    from gatehouse.intake import loading, normalise  # noqa: F401 - read once, before any process is split off

    os.umask(0o077)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks ends what it asked for
    control = socket.socket(fileno=0)
    while True:
        told, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not told:
            return
        if os.fork() == 0:
            control.close()
            with contextlib.suppress(OSError), socket.socket(fileno=handles[0]) as line:
                _converse(line)
            os._exit(0)
        for handle in handles:
            os.close(handle)


if __name__ == "__main__":
    main()
