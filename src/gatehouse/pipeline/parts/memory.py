"""What the sealer remembers by itself: every package that it ever sealed, and of which cases.

The ledger says so too; a database or a ledger that was rolled back does not make the sealer forget.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gatehouse.casework.selection import Selection
from gatehouse.kernel import canonical, digests, files
from gatehouse.pipeline.sealing import Done

_SEALED, _KEPT, _PREPARED, _BEGAN = "sealed", "kept", "prepared", "began"


@dataclass(frozen=True)
class Memory:
    """The sealer's own folder."""

    root: Path

    def begin(self, size: int) -> None:
        """Remember since which entry of the ledger nobody but this sealer seals; said once."""
        files.write_once(self.root / _BEGAN, str(size).encode(), mode=0o600)

    @property
    def began(self) -> int:
        """How many entries the ledger had when this sealer began."""
        return int((self.root / _BEGAN).read_text())

    def prepared(self, docket: str, releases: Collection[str]) -> Path:
        """The folder of the secrets of a docket's packages that are not sealed; those of other plans are forgotten."""
        folder = self.root / _PREPARED / docket
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in folder.iterdir():
            if path.stem not in releases:
                path.unlink()
        return folder

    def keep(self, docket: str, release: str, cases: Selection, done: Done) -> None:
        """Remember a package before anybody is given it; what it was made from is forgotten."""
        said = {
            "docket": docket, "cases": cases.text(), "certificate": digests.of_bytes(done.certificate),
            "package": digests.of_bytes(done.package),
        }  # fmt: skip
        files.write(self._kept(release, "json"), done.certificate, mode=0o600)
        files.write(self._kept(release, "age"), done.package, mode=0o600)
        files.write(self.root / _SEALED / f"{release}.json", canonical.encode(said), mode=0o600)

    def sealed(self, release: str) -> Done | None:
        """A package that was sealed and is kept until the ledger has its digest; None otherwise."""
        paths = self._kept(release, "json"), self._kept(release, "age")
        if not (self.knows(release) and all(path.is_file() for path in paths)):
            return None
        return Done(*(path.read_bytes() for path in paths))

    def knows(self, release: str) -> bool:
        """Whether a package was ever sealed."""
        return (self.root / _SEALED / f"{release}.json").is_file()

    def settle(self, releases: Collection[str]) -> None:
        """Keep these packages no longer: the ledger has their digests, or says that they were withdrawn."""
        for release in releases:
            for ending in ("json", "age"):
                self._kept(release, ending).unlink(missing_ok=True)

    def cases(self, docket: str) -> dict[str, Selection]:
        """The cases of every package of a docket that was ever sealed, by release."""
        found: dict[str, Selection] = {}
        for path in sorted((self.root / _SEALED).glob("*.json")):
            said = json.loads(path.read_bytes())
            if said["docket"] == docket:
                found[path.stem] = Selection.of_text(said["cases"])
        return found

    def _kept(self, release: str, ending: str) -> Path:
        return self.root / _KEPT / f"{release}.{ending}"
