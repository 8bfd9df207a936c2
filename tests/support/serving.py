"""Processes for the tests: the product as `gatehouse serve` runs it, and the provider people sign in at."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Served(str):
    """The address of a process, and its id."""

    pid: int


@contextlib.contextmanager
def _process(command: list[str], ready: str, log: Path, **environment: str) -> Iterator[int]:
    with log.open("wb") as output:
        running = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        )
    try:
        for _ in range(300):
            if running.poll() is not None:
                raise AssertionError(f"{command[1:4]} ended: {log.read_text()[-2000:]}")
            with contextlib.suppress(requests.RequestException):
                requests.get(ready, timeout=5)
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"{ready} never answered: {log.read_text()[-2000:]}")
        yield running.pid
    finally:
        running.terminate()
        running.wait(timeout=20)


@contextlib.contextmanager
def gatehouse(site: Path, port: int, *options: str, **environment: str) -> Iterator[Served]:
    """The address of a site that the product's own command serves."""
    command = [sys.executable, "-m", "gatehouse", "serve", "--site", str(site), "--port", str(port), "--no-browser"]
    ready = f"http://127.0.0.1:{port}/health/"
    with _process([*command, *options], ready, site / "serve.log", **environment) as pid:
        served = Served(f"http://localhost:{port}")
        served.pid = pid
        yield served


@contextlib.contextmanager
def provider(folder: Path, port: int, redirect_uri: str) -> Iterator[str]:
    """The issuer of an OpenID Connect provider that knows one client."""
    folder.mkdir()
    issuer = f"http://127.0.0.1:{port}/o"
    command = [sys.executable, str(HERE / "provider.py"), str(folder), str(port), redirect_uri]
    with _process(command, f"{issuer}/.well-known/openid-configuration", folder / "provider.log"):
        yield issuer
