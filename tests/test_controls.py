"""The OSCAL component definition claims only controls whose tests exist, and the SBOM lists exactly what is locked."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEFINITION = ROOT / "docs" / "oscal" / "component-definition.json"
BOM = ROOT / "docs" / "sbom.cdx.json"


def _requirements() -> list[dict]:
    [component] = json.loads(DEFINITION.read_text())["component-definition"]["components"]
    [implementation] = component["control-implementations"]
    return implementation["implemented-requirements"]


def test_every_control_names_tests_that_are_there() -> None:
    for requirement in _requirements():
        assert requirement["links"], requirement["control-id"]
        for link in requirement["links"]:
            file = (DEFINITION.parent / link["href"]).resolve()
            found = re.search(rf"^def {link['text']}\(", file.read_text(), re.MULTILINE)
            assert found, (requirement["control-id"], link)


def test_identifiers_are_controls_and_each_stands_once() -> None:
    found = [requirement["control-id"] for requirement in _requirements()]
    assert len(set(found)) == len(found) >= 25
    assert all(re.fullmatch(r"[a-z]{2}-[0-9]{1,2}(\.[0-9]{1,2})?", each) for each in found)
    assert len({uuid.UUID(requirement["uuid"]) for requirement in _requirements()}) == len(found)


def test_the_bill_of_materials_is_the_production_lock() -> None:
    locked = set(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", (ROOT / "requirements-production.lock").read_text(), re.M))
    parts = [each for each in json.loads(BOM.read_text())["components"] if each["purl"].startswith("pkg:pypi/")]
    listed = {(each["name"], each["version"]) for each in parts}  # the others: tests/test_vendored.py
    assert listed == locked
    assert "://" not in re.sub(r'"\$schema": "[^"]+"', "", BOM.read_text())  # it names no place to fetch from
