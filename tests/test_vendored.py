"""What browsers run and was made elsewhere is what was pinned, to the byte, and stands in the bill of materials."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSOLE = ROOT / "src" / "gatehouse" / "console"
LIBRARIES = tomllib.loads((CONSOLE / "vendored.toml").read_text(encoding="utf-8"))["library"]


def test_every_vendored_file_is_the_one_that_was_pinned_and_none_is_unpinned() -> None:
    vendor = CONSOLE / "static" / "vendor"
    there = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file()
    }
    pinned = {
        f"{library['folder']}/{name}": digest for library in LIBRARIES for name, digest in library["files"].items()
    }
    assert there == pinned


def test_the_bill_of_materials_names_them_with_their_digests() -> None:
    bill = json.loads((ROOT / "docs" / "sbom.cdx.json").read_text(encoding="utf-8"))
    parts = {part["purl"]: part for part in bill["components"]}
    for library in LIBRARIES:
        part = parts[library["purl"]]
        assert part["version"] == library["version"]
        files = {file["name"]: file["hashes"][0]["content"] for file in part["components"]}
        assert files == library["files"]
