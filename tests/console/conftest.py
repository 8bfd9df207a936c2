"""The doors' one site, as doors.py makes it, and the browsers' site of a file, as browsing.py serves it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "store"))

from browsing import built, chromium, person, released, served
from doors import anyone, said, signed_in, site

__all__ = ["anyone", "built", "chromium", "person", "released", "said", "served", "signed_in", "site"]
