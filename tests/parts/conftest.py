"""Sites in parts: those of the release's tests, with the log writer and the sealer as processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import house
import pytest
from house import House
from release_sites import approved, small, templates

from gatehouse.kernel import clock
from gatehouse.pipeline import site as sites
from gatehouse.pipeline.parts import Part, running

__all__ = ["apart", "approved", "small", "templates"]


@pytest.fixture
def apart(approved: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Approved by two, at a site whose log writer and sealer are children of this process, which has no key."""
    monkeypatch.setenv(clock.PRETENDED, clock.stamp(house.LATER))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))
    children = running.Children(approved.site.root, Part.DECIDER)
    try:
        yield replace(approved, opened=sites.open_site(approved.site.root))
    finally:
        children.close()
