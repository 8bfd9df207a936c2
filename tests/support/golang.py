"""Programs in Go, built with Debian's golang.org/x/mod/sumdb, as second witnesses of what this code says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

GOPATH = Path("/usr/share/gocode")  # where Debian's golang-golang-x-mod-dev puts it


def build(source: Path, folder: Path) -> Path:
    """The program of one source file; skips the test without Go, or fails it where the tools are required."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        reason = "Go is missing; Debian: apt-get install golang-go golang-golang-x-mod-dev"
        if "tools" in os.environ.get("GATEHOUSE_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache")}
    subprocess.run(["go", "build", "-o", str(folder / "program"), str(source)], env=environment, check=True)
    return folder / "program"
