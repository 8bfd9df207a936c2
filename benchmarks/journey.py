"""The steps that `gatehouse bench journey` measures, each a function that a fresh process can run."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import time
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
    def changed(self) -> Path:
        """The register some time later: one person in a hundred changed."""
        return self.root / f"register-{self.persons}-changed"

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
        if not self.changed.exists():
            wanted.append(("change 1 % of the register", change_register))
        if not self.agency.exists():
            wanted.append(("generate submission", make_submission))
        return wanted


def make_register(stages: Stages) -> None:
    """Generate the register."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.synthetic.register import make_register as make

    with open_workspace("4GB", temporary=stages.root / "spill") as connection:
        make(connection, stages.register, stages.persons, SEED)


def change_register(stages: Stages) -> None:
    """One person in a hundred moves to where another of them lived; one in ten of these takes that one's last name."""
    from gatehouse.intake.workspace import open_workspace, quoted

    working = stages.changed.with_name(f".{stages.changed.name}")
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir()
    for table in stages.register.glob("*.parquet"):
        if table.stem not in ("persons", "addresses"):
            shutil.copyfile(table, working / table.name)
    with open_workspace("3GB", temporary=stages.root / "spill") as connection:
        for name in ("persons", "addresses"):
            file = quoted(stages.register / f"{name}.parquet")
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({file})")
        connection.execute("""
            CREATE TABLE turns AS
            SELECT person_id, last_name, row_number() OVER (ORDER BY person_id) AS turn
            FROM persons WHERE person_id % 100 = 7;
            CREATE TABLE movers AS
            SELECT one.person_id, other.person_id AS after, other.last_name, one.turn % 10 = 0 AS renamed
            FROM turns one JOIN turns other ON other.turn = one.turn + 1
        """)
        changed = {
            "persons": """
                SELECT p.* REPLACE (CASE WHEN m.renamed THEN m.last_name ELSE p.last_name END AS last_name)
                FROM persons p LEFT JOIN movers m USING (person_id) ORDER BY person_id
            """,
            "addresses": """
                SELECT a.* REPLACE (
                    CASE WHEN a.last_known AND m.after IS NOT NULL THEN greatest(a.valid_from, DATE '2025-06-30')
                         ELSE a.valid_to END AS valid_to,
                    a.last_known AND m.after IS NULL AS last_known)
                FROM addresses a LEFT JOIN movers m USING (person_id)
                UNION ALL
                SELECT m.person_id, line1, line2, city, state, postal_code, country, DATE '2025-07-01', NULL, true
                FROM addresses a JOIN movers m ON m.after = a.person_id AND a.last_known
                WHERE m.person_id IN (SELECT person_id FROM addresses)
                ORDER BY person_id, valid_from DESC
            """,
        }
        for name, query in changed.items():
            file = quoted(working / f"{name}.parquet")
            connection.execute(f"COPY ({query}) TO {file} (FORMAT parquet, COMPRESSION zstd)")
    working.rename(stages.changed)


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


def index_again(stages: Stages) -> int | None:
    """Index the changed register over the index of the register; gives how many persons were indexed anew."""
    from gatehouse.match import build, open_register

    for made in stages.index.glob("*/base"):
        shutil.rmtree(made.parent)
    return build(open_register(str(stages.changed)), stages.index, memory="3GB").changed


def determine(stages: Stages) -> dict[str, float]:
    """Carry the submission to a docket in a new site; gives the seconds of each stage."""
    from gatehouse.intake.parties import parse
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law import shipped
    from gatehouse.law.reading import load
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
    pack = shipped.pack("us-irs-6103-i-2")
    with open_workspace("4GB", temporary=stages.site / "spill") as connection:
        _, seconds = pipeline.determine(
            connection,
            submission,
            made.dockets / "bench",
            law=pipeline.Law(load(pack), pack, NOW.date()),
            records=pipeline.Records(str(stages.register), stages.index),
            standing=pipeline.Standing(parse(invent(public, stages.requests).encode())),
            now=NOW,
        )
    return seconds


def check_and_match(stages: Stages) -> float:
    """Judge the addresses of the docket's requests and match them; gives the seconds of these two alone."""
    from gatehouse.intake import addresses
    from gatehouse.intake.workspace import open_workspace, quoted
    from gatehouse.match import match, open_index, open_register

    written = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
    fields = ", ".join(f"coalesce({field}, '') AS {field}" for field in written)
    docket = quoted(stages.site / "dockets" / "bench" / "requests.parquet")
    with open_workspace("4GB", temporary=stages.root / "spill") as connection:
        connection.execute(f"CREATE TABLE requests AS SELECT * FROM read_parquet({docket})")
        index = open_index(open_register(str(stages.register)), stages.index)
        started = time.perf_counter()
        connection.execute(f"CREATE TEMP VIEW written AS SELECT seq, {fields} FROM requests")
        addresses.judge(connection, "written", "judged", "seq")
        match(connection, "requests", index, as_of=NOW.date())
        return time.perf_counter() - started


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
