"""How an optional part is added where this program runs: one place that words the command for every message.

Gatehouse runs from a checkout through its launcher, or from an installed package. Each is mended in its own way, and
the name `gatehouse` on the Python Package Index belongs to somebody else's program: no message may send people there.
"""

from __future__ import annotations

from pathlib import Path

DISTRIBUTION = "gatehouse-disclosure"
"""What the package is called where packages are published; the command and the import are `gatehouse`."""

PRODUCTION = "requirements-production.lock"
"""The lock that holds every extra but Spark."""

_SPARK = "requirements-spark.lock"


def remedy(extra: str) -> str:
    """The sentence that tells how to add an extra of pyproject.toml to the environment that is running."""
    if checkout() is None:
        return f"Add it: python -m pip install '{DISTRIBUTION}[{extra}]'"
    if extra == "spark":
        return f"Add it to the environment of this checkout: python -m pip install --require-hashes -r {_SPARK}"
    return f"Add it, in the folder of this checkout: GATEHOUSE_LOCK={PRODUCTION} ./gatehouse --version"


def checkout() -> Path | None:
    """The checkout that this program runs from, or None where it runs from an installed package."""
    root = Path(__file__).parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "gatehouse").is_file() else None
