"""A docket: the folder where everything about one submission is kept, from receipt to disposal (design §5.5).

Its tables are Parquet files that are replaced whole and never edited. `provenance` says what they were made from.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput

DRILL = "drill.json"
"""The mark of a docket in which known cases were planted: it is among the files that the ledger binds."""
TABLES = ("requests", "facts", "evidence", "determinations")


@dataclass(frozen=True)
class Docket:
    """The paths of one docket."""

    root: Path

    @property
    def id(self) -> str:
        """The docket's name at its site: the submission's id, and its agency where `pipeline.dockets` adds it."""
        return self.root.name

    def table(self, name: str) -> Path:
        """The Parquet file of one of the tables `requests`, `facts`, `evidence`, `determinations`."""
        return self.root / f"{name}.parquet"

    @property
    def receipt(self) -> Path:
        """What the requester was told about the arrival, signed."""
        return self.root / "receipt.json"

    @property
    def manifest(self) -> Path:
        """submission.json as it was signed: the officers and what they may receive."""
        return self.root / "submission.json"

    @property
    def signature(self) -> Path:
        """The agency's detached signature over submission.json; absent in a back-test."""
        return self.root / "submission.json.sig"

    @property
    def parties(self) -> Path:
        """parties.toml as it stood when the submission was decided; absent where there was none."""
        return self.root / "parties.toml"

    @property
    def queue(self) -> Path:
        """The held and cleared cases in the order of why they stopped (`casework.queue`)."""
        return self.root / "queue.parquet"

    @property
    def events(self) -> Path:
        """Openings of the ledger's entries about this docket."""
        return self.root / "events"

    @property
    def answers(self) -> Path:
        """What the requester may see now."""
        return self.root / "answers.csv"

    @property
    def summary(self) -> Path:
        """Counts and provenance."""
        return self.root / "summary.json"

    @property
    def pack(self) -> Path:
        """A copy of the pack that decided, so that a replay needs the docket alone."""
        return self.root / "pack"

    @property
    def vault(self) -> Path:
        """The keys that open the ledger's commitments record by record; destroyed, the commitments stay closed."""
        return self.root / "vault.parquet"

    @property
    def releases(self) -> Path:
        """Sealed packages, one an officer."""
        return self.root / "releases"

    @property
    def certificates(self) -> Path:
        """The certificates that the sealer was shown."""
        return self.root / "certificates"

    @property
    def is_drill(self) -> bool:
        """Whether it is a copy for a drill of reviewers: nothing of it is ever released."""
        return (self.root / DRILL).is_file()

    @property
    def is_destroyed(self) -> bool:
        """Whether its keys and tables were destroyed; what stays is in `pipeline.destruction`."""
        return (self.events / "destroyed.json").is_file()

    def read_summary(self) -> dict[str, Any]:
        """summary.json as a dictionary; raises WrongInput when this is no docket."""
        try:
            content = json.loads(self.summary.read_bytes())
        except FileNotFoundError:
            raise WrongInput(
                "this is not a docket: summary.json is missing",
                where=str(self.root),
                remedy="Name the folder that `gatehouse determine` or `gatehouse run` made",
            ) from None
        except ValueError:
            raise WrongInput("the file is not valid JSON", where=str(self.summary)) from None
        assert isinstance(content, dict)  # noqa: S101 - we wrote it
        return content

    @property
    def received_at(self) -> dt.datetime:
        """When it arrived, from its receipt, in UTC."""
        stated = str(json.loads(self.receipt.read_bytes())["received_at"])
        return clock.read_instant(stated)

    @property
    def as_of(self) -> dt.date:
        """The date of the law that decided."""
        return dt.date.fromisoformat(self.read_summary()["as_of"])
