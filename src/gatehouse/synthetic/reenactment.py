"""The documented exchange run twice over the same requests: by the procedure of August 2025, and by Gatehouse.

Everything is made, signed and decided as in earnest, with the pack of law as of 7 August 2025; only the people are
invented. The result counts, for each rule, how many requests it stops and how many it alone stops, and works out what
would have been left had the rules about the batch as a whole been satisfied. Nothing here can release anything.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.parties import parse as parse_parties
from gatehouse.intake.workspace import quoted
from gatehouse.kernel import files
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law.pack import NO_GRANT, SEVERITY, Pack
from gatehouse.law.reading import load
from gatehouse.ledger.note import sign_file
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.oversight.causes import ON_FILE
from gatehouse.pipeline import determine as pipeline
from gatehouse.synthetic import august, historical
from gatehouse.synthetic.parties import invent
from gatehouse.synthetic.register import open_or_make_register
from gatehouse.synthetic.submission import Sender, make_submission

DECIDED_AT = dt.datetime(2025, 8, 7, 12, tzinfo=dt.UTC)
OFFICER_RULES = ("ceiling-officer-refuse", "ceiling-officer-hold")
BATCH_RULES = (
    *OFFICER_RULES, "i2-reason", "ceiling-identical-reason", "ceiling-size", "ceiling-agency-requests",
    "ceiling-agency-near-misses", "ceiling-officer-near-misses", "p4-findings",
)  # fmt: skip
# What a request is about, in the order in which a reader of the statute asks; the first that stops it is its ground.
GROUNDS: Mapping[str, tuple[str, ...]] = {
    "sets forth no address of the taxpayer": ("i2-address", "i2-address-own", "i2-address-place"),
    "nobody on file, or more than one, agrees": ("identity-exactly-one", "identity-tin", "identity-birth-date"),
    "an (i)(6) determination bars it": ("i6-restricted",),
    "name and address alone: held for a person": ("identity-corroborated",),
}
OTHER_GROUND, NO_GROUND = "another rule", "left for two officers to approve"
OUTCOMES = ("cleared", "held", "incomplete", "refused")

USUAL_REQUESTS = 1_000


@dataclass(frozen=True)
class Tally:
    """Requests that fared alike: which rules stopped them, and what the historical procedure did with them."""

    stopped_by: frozenset[str]
    known: frozenset[str]
    """Those of them that fired for a fact."""
    unknown: frozenset[str]
    """What could not be known and stopped them too: rules by their ids, but those about a record in one word."""
    outcome: str
    process: str | None
    on_file: bool | None
    requests: int


@dataclass(frozen=True)
class Reenactment:
    """What came out of one run; every table of the page is derived from the tallies."""

    requests: int
    persons: int
    seed: int
    scale: float
    as_of: dt.date
    answered: historical.Answered
    tallies: tuple[Tally, ...]
    severity: Mapping[str, str]
    seconds: Mapping[str, float]

    def stopped(self, rule: str) -> int:
        """How many requests a rule stops for a fact."""
        return sum(tally.requests for tally in self.tallies if rule in tally.known)

    def alone(self, rule: str, satisfied: Iterable[str] = ()) -> int:
        """How many requests no rule but this one stops for a fact, once the rules `satisfied` are."""
        given = frozenset(satisfied)
        return sum(tally.requests for tally in self.tallies if tally.known - given == {rule})

    def rules(self) -> list[str]:
        """The rules that stopped anything for a fact, most first."""
        every = {rule for tally in self.tallies for rule in tally.known}
        return sorted(every, key=lambda rule: (-self.stopped(rule), rule))

    def unknown(self) -> dict[str, int]:
        """What could not be known, and how many requests stopped for want of it too, most first."""
        counted = Counter[str]()
        for tally in self.tallies:
            counted.update(dict.fromkeys(tally.unknown, tally.requests))
        return dict(sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])))

    def outcomes(self, satisfied: Iterable[str] = (), *, process: str | None = "any") -> dict[str, int]:
        """How many requests end in each outcome once some rules are satisfied.

        `process` restricts to what the historical procedure answered as `tin`, as `address`, or not at all (None).
        """
        given, counted = frozenset(satisfied), dict.fromkeys(OUTCOMES, 0)
        for tally in self.tallies:
            if process in ("any", tally.process):
                counted[self._outcome(tally.stopped_by - given)] += tally.requests
        return counted

    def grounds(self) -> dict[str, tuple[int, int]]:
        """By first ground, rules about the batch aside: (requests, of them answered in 2025); none without any."""
        counted = {name: [0, 0] for name in (*GROUNDS, OTHER_GROUND, NO_GROUND)}
        for tally in self.tallies:
            row = counted[_ground(tally.known - frozenset(BATCH_RULES))]
            row[0] += tally.requests
            row[1] += tally.requests if tally.process else 0
        return {name: (every, answered) for name, (every, answered) in counted.items() if every or name == NO_GROUND}

    def on_file(self) -> int:
        """How many answers of TIN Matching went out on an address that agrees with one on file."""
        return sum(tally.requests for tally in self.tallies if tally.process == "tin" and tally.on_file)

    def _outcome(self, rules: frozenset[str]) -> str:
        return max((self.severity[rule] for rule in rules), key=SEVERITY.__getitem__, default="cleared")


def _ground(rules: frozenset[str]) -> str:
    if not rules:
        return NO_GROUND
    return next((name for name, members in GROUNDS.items() if rules.intersection(members)), OTHER_GROUND)


def reenact(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    pack: Path,
    scale: float = 1.0,
    persons: int = 10_000_000,
    seed: int = 2025,
    progress: Progress = silent,
) -> Reenactment:
    """Make the batch at a scale (1: 1.28 million requests), run both procedures over it, and count.

    `folder` keeps register, index, submission and docket; a register of the same persons and seed is used again.
    Raises WrongInput when the scale is not between 0.001 and 1 or the register too small for it.
    """
    if not 0.001 <= scale <= 1:
        raise WrongInput("the scale lies between 0.001 and 1", where="--scale")
    requests = round(august.REQUESTS * scale)
    register = open_or_make_register(connection, folder / "register", persons, seed, progress)
    made = make_submission(
        connection,
        folder / "submission",
        register.folder,
        requests,
        seed,
        kind="august-2025",
        file_format="parquet",
        signed_on=august.SIGNED_ON,
        progress=progress,
    )
    progress("historical procedure", 0, 1)
    table = f"read_parquet({quoted(made.folder / 'requests.parquet')})"
    answered = historical.run(connection, table, register.folder, "historical_answers")
    progress("historical procedure", 1, 1)
    _check_record(answered, made.kinds)
    law = pipeline.Law(load(pack), pack, august.DECIDED_ON)
    seconds = _decide(connection, folder, made.folder, law, progress)
    stopping = severity(law.pack)
    return Reenactment(
        requests=requests,
        persons=persons,
        seed=seed,
        scale=scale,
        as_of=august.DECIDED_ON,
        answered=answered,
        tallies=_tally(connection, folder / "docket", law.pack, stopping),
        severity=stopping,
        seconds=seconds,
    )


def _check_record(answered: historical.Answered, kinds: Mapping[str, int]) -> None:
    """The procedure must answer exactly the requests planned for it, or the batch is not the one on record."""
    planned = historical.Answered(
        sum(kinds.get(name, 0) for name in august.TIN_KINDS), sum(kinds.get(name, 0) for name in august.ADDRESS_KINDS)
    )
    if answered != planned:
        raise MachineFailed(
            f"the historical procedure answered {answered.total} requests and {planned.total} were planned",
            remedy="Try another --seed, and report this one",
        )


def severity(pack: Pack) -> dict[str, str]:
    """The outcome of each rule that stops; rules that only limit items stop nothing and are left out."""
    outcomes = {rule.id: rule.outcome for rule in pack.rules if rule.outcome != "cleared"}
    return {NO_GRANT: "refused", **outcomes}


def _decide(
    connection: duckdb.DuckDBPyConnection, folder: Path, submission: Path, law: pipeline.Law, progress: Progress
) -> dict[str, float]:
    """Sign the submission with a key made for the purpose and let Gatehouse determine it."""
    sender = Sender()
    secret, public = new_key(f"{sender.agency}.reenactment")
    line = sign_file(submission / "submission.json", parse_signer(secret))
    files.write(submission / "submission.json.sig", line.encode())
    text = invent(public, USUAL_REQUESTS, sender, open_findings=1)
    files.write(folder / "parties.toml", text.encode())
    shutil.rmtree(folder / "docket", ignore_errors=True)
    _, seconds = pipeline.determine(
        connection,
        submission,
        folder / "docket",
        law=law,
        records=pipeline.Records(str(folder / "register"), folder / "index"),
        standing=pipeline.Standing(parse_parties(text.encode())),
        now=DECIDED_AT,
        progress=progress,
    )
    return seconds


def _tally(
    connection: duckdb.DuckDBPyConnection, docket: Path, pack: Pack, stopping: Mapping[str, str]
) -> tuple[Tally, ...]:
    """Count requests by the rules that fired and by what the historical procedure did."""
    rows = connection.execute(
        "SELECT d.fired, d.unknown, d.outcome, h.process, h.on_file, count(*) "
        f"FROM read_parquet({quoted(docket / 'determinations.parquet')}) d "
        "LEFT JOIN historical_answers h USING (request_id) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    tallies = []
    for fired, unknown, *rest in rows:
        stopped_by, lacking = (frozenset(rule for rule in rules if rule in stopping) for rules in (fired, unknown))
        told = frozenset(ON_FILE if pack.reveals(rule) else rule for rule in lacking)
        tallies.append(Tally(stopped_by, stopped_by - lacking, told, *rest))
    return tuple(tallies)
