"""The steps that `gatehouse bench journey` measures, each a function that a fresh process can run."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)
SEED = 1


@dataclass(frozen=True)
class Stages:
    """The folders of one benchmark: register and submission are kept, the rest is made anew."""

    root: Path
    persons: int
    requests: int

    @property
    def register(self) -> Path:
        """The synthetic register."""
        return self.root / f"register-{self.persons}"

    @property
    def agency(self) -> Path:
        """The synthetic submission and its truth."""
        return self.root / f"submission-{self.persons}-{self.requests}"

    @property
    def site(self) -> Path:
        """The site whose ledger is measured."""
        return self.root / f"site-{self.persons}"

    @property
    def index(self) -> Path:
        """Where the index is built."""
        return self.root / f"index-{self.persons}"

    def missing(self) -> list[tuple[str, Callable[[Stages], None]]]:
        """What must be generated first."""
        wanted: list[tuple[str, Callable[[Stages], None]]] = []
        if not self.register.exists():
            wanted.append(("generate register", make_register))
        if not self.agency.exists():
            wanted.append(("generate submission", make_submission))
        return wanted


def make_register(stages: Stages) -> None:
    """Generate the register."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.synthetic.register import make_register as make

    with open_workspace("4GB", temporary=stages.root / "spill") as connection:
        make(connection, stages.register, stages.persons, SEED)


def make_submission(stages: Stages) -> None:
    """Generate the submission."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.synthetic.submission import make_submission as make

    with open_workspace("4GB", temporary=stages.root / "spill") as connection:
        make(connection, stages.agency, stages.register, stages.requests, SEED)


def index(stages: Stages) -> None:
    """Build the index from nothing."""
    from gatehouse.match import build, open_register

    shutil.rmtree(stages.index, ignore_errors=True)
    build(open_register(str(stages.register)), stages.index, memory="3GB")


def determine(stages: Stages) -> dict[str, float]:
    """Carry the submission to a docket in a new site; gives the seconds of each stage."""
    from gatehouse.cli.law_words import SHIPPED_PACKS
    from gatehouse.intake.parties import parse
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law.reading import read_pack
    from gatehouse.ledger.note import sign_detached
    from gatehouse.ledger.signers import new_key, read_signer
    from gatehouse.pipeline import determine as pipeline
    from gatehouse.pipeline import record, site
    from gatehouse.synthetic.parties import invent

    shutil.rmtree(stages.site, ignore_errors=True)
    made = site.make(stages.site, site.Founding("bench.example/2025"))
    record.begin(made, NOW)
    private, public = new_key("us.dhs.ice")
    key = stages.site / "agency.key"
    key.write_text(private)
    submission = stages.agency
    signature = sign_detached((submission / "submission.json").read_bytes(), read_signer(key))
    (submission / "submission.json.sig").write_text(signature)
    pack = SHIPPED_PACKS / "us-irs-6103-i-2"
    with open_workspace("4GB", temporary=stages.site / "spill") as connection:
        _, seconds = pipeline.determine(
            connection,
            submission,
            made.dockets / "bench",
            law=pipeline.Law(read_pack(pack), pack, NOW.date()),
            records=pipeline.Records(str(stages.register), stages.index),
            standing=pipeline.Standing(parse(invent(public, stages.requests).encode())),
            now=NOW,
        )
    return seconds


def join_floor(stages: Stages) -> int:
    """Scan the same columns of requests and register and join them once; gives the number of pairs."""
    from gatehouse.intake.workspace import open_workspace, quoted

    requests = next(stages.agency.glob("requests.*"))
    with open_workspace("4GB", temporary=stages.root / "spill") as connection:
        row = connection.execute(f"""
            WITH asked AS (
                SELECT hash(wire) AS asked_rest, split_part(address_line1, ' ', 1) AS number,
                       left(postal_code, 5) AS zip
                FROM read_csv({quoted(requests)}, all_varchar = true) AS wire
            ), kept AS (
                SELECT person_id, split_part(line1, ' ', 1) AS number, left(postal_code, 5) AS zip,
                       hash(line2, city, state, country, valid_from, valid_to, last_known) AS rest
                FROM read_parquet({quoted(stages.register / "addresses.parquet")})
            ), people AS (
                SELECT sum(hash(person_id, last_name, first_name, middle_name, suffix, tin, birth_date)) AS total
                FROM read_parquet({quoted(stages.register / "persons.parquet")})
            )
            SELECT count(*), sum(hash(person_id, rest, asked_rest)), any_value(total)
            FROM asked JOIN kept USING (number, zip), people
        """).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return int(row[0])


def ledger(stages: Stages) -> int:
    """Commit, append, write tiles and publish a checkpoint; gives the size of the log."""
    from gatehouse.determine.docket import Docket
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline.commit import commit_docket
    from gatehouse.pipeline.site import open_site

    made = open_site(stages.site)
    with open_workspace("4GB", temporary=stages.site / "spill") as connection:
        return commit_docket(connection, made, Docket(made.dockets / "bench"), NOW).size


def hash_floor(requests: int) -> None:
    """As many SHA-256 hashes as leaves and nodes of the tree, one after the other."""
    entry, node = b"\0" * 54, b"\1" * 65
    for _ in range(requests):
        hashlib.sha256(entry).digest()
        hashlib.sha256(node).digest()


def verify(stages: Stages) -> int:
    """Verify the whole ledger; gives its size."""
    from gatehouse.ledger import policy
    from gatehouse.ledger.verify import verify_log

    return verify_log(stages.site / "ledger", policy.read(stages.site / "witnesses.policy")).checkpoint.size


def replay(stages: Stages) -> int:
    """Derive every determination again; gives how many."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight.replay import replay as replay_docket

    with open_workspace("4GB", temporary=stages.site / "spill") as connection:
        return replay_docket(connection, stages.site / "dockets" / "bench").requests


def reports(stages: Stages) -> int:
    """Verify the docket against the ledger, gather it, and write four reports; gives the requests accounted for."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger import policy
    from gatehouse.oversight import counted, sources, writing
    from gatehouse.oversight import reports as made

    with open_workspace("4GB", temporary=stages.site / "spill") as connection:
        given = sources.of_site(stages.site, policy.read(stages.site / "witnesses.policy"))
        record = sources.verify(connection, given)
        counted.gather(connection, record)
        for name in ("disclosures", "errors", "declaration"):
            writing.write_json(made.make(connection, record, name), connection, stages.root / f"{name}.json")
        writing.write_csv(made.make(connection, record, "accounting"), connection, stages.root / "accounting")
        return sum(one.requests for one in record.dockets)
