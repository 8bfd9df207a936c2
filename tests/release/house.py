"""A custodian's site and an agency's folder with one determined docket, made from columns in a second.

Everything from the ledger on is the real thing; only the requests, their evidence and facts are written directly, so
that these tests need no register of millions and no matching.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine import answers, determinations
from gatehouse.determine.docket import Docket
from gatehouse.intake.receipt import Receipt
from gatehouse.kernel import digests
from gatehouse.law import signing
from gatehouse.law.check import Report
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import load
from gatehouse.law.prove import Status, Verdict
from gatehouse.ledger.signers import Signer, new_key, parse_signer, read_signer
from gatehouse.pipeline import approve, founding, packs, site
from gatehouse.pipeline.commit import commit_docket
from gatehouse.pipeline.site import Site
from gatehouse.release.recipients import write_identity

PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
NOW = dt.datetime(2025, 9, 1, 12, 0, tzinfo=dt.UTC)
"""After the memorandum of April 2025 and before the stay of November 2025."""
LATER = NOW + dt.timedelta(minutes=5)
NAME = "ICE-2025-0003"
REASON = "Compared with the file by hand; every element of the statute is met."

PARTIES = """
[agencies."us.dhs.ice"]
name = "Invented agency"
safeguards = { report_approved_until = 2026-12-31, open_findings = 0 }

[agreements."irs-ice-mou-2025-04-07"]
parties = ["us.dhs.ice"]
basis = ["us.irs.6103-i-2"]
from = 2025-04-07
items = ["last_known_address"]
capacities = ["agency_head"]
"""


Ends = tuple[int, int, dict[int, str]]
"""How many held ones at the beginning, how many incomplete ones at the end, and single requests' facts."""


@dataclass
class House:
    """Both sides: the custodian's site with its people's keys, and the agency's keys."""

    site: Site
    docket: Docket
    staff: dict[str, Signer]
    agency: Path
    officers: tuple[str, ...]
    connection: duckdb.DuckDBPyConnection

    @property
    def office(self) -> approve.Office:
        return approve.office(self.site)

    def key(self, officer: str) -> Path:
        return self.agency / f"{officer}.key"

    def package(self, release: str) -> Path:
        return self.docket.releases / f"{release}.age"


def build(
    folder: Path,
    *,
    requests: int = 12,
    officers: int = 2,
    database: str | None = None,
    held: int = 2,
    incomplete: int = 1,
    facts: dict[int, str] | None = None,
) -> House:
    """A site whose docket has `held` held requests first, `incomplete` ones last, and cleared ones between.

    Request n names officer n modulo `officers`, and matter `HSI-<n modulo 3>`. `facts` changes single requests' facts,
    as `SET` of an update.
    """
    staff, sections = {}, []
    for person in ("ann", "bob", "eve"):
        private, public = new_key(f"{person}.custodian")
        staff[person] = parse_signer(private)
        sections.append(
            f'[[officers]]\nid = "{person}"\nname = "{person} custodian"\nrole = "disclosure_officer"\n'
            f'key = "{public}"\nfrom = 2025-01-01\n'
        )
    (folder / "parties.toml").write_text(PARTIES)
    register = _register(folder / "register", requests)
    beginning = site.Founding("test.example/2025", str(register), folder / "parties.toml", demonstration=True)
    made = founding.found(folder / "custodian", beginning, [PACK], NOW, shipped=True)
    text = made.configuration.read_text() + "\n" + "\n".join(sections)
    if database:
        text = text.replace('database = "sqlite:///gatehouse.sqlite3"', f'database = "{database}"')
    made.configuration.write_text(text)
    made = site.open_site(made.root)
    agency = folder / "agency"
    agency.mkdir()
    names = tuple(f"ICE-{number:04}" for number in range(officers))
    recipients = {name: write_identity(agency / f"{name}.key") for name in names}
    connection = duckdb.connect()
    docket = _docket(connection, made, requests, recipients, (held, incomplete, facts or {}))
    commit_docket(connection, made, docket, NOW)
    house = House(made, docket, staff, agency, names, connection)
    approve.open_docket(connection, house.office, docket)
    return house


def _register(folder: Path, persons: int) -> Path:
    folder.mkdir()
    queries = {
        "persons": "SELECT range::BIGINT AS person_id, '900000000' AS tin, 'LAST' AS last_name, 'FIRST' AS first_name, "
        "NULL::VARCHAR AS middle_name, NULL::VARCHAR AS suffix, DATE '1980-01-01' AS birth_date FROM range($n)",
        "addresses": "SELECT range::BIGINT AS person_id, (100 + range) || ' Main St' AS line1, NULL::VARCHAR AS line2, "
        "'Springfield' AS city, 'IL' AS state, '62701' AS postal_code, 'US' AS country, "
        "DATE '2024-01-01' AS valid_from, NULL::DATE AS valid_to, true AS last_known FROM range($n)",
        "restrictions": "SELECT range::BIGINT AS person_id, 'informant' AS kind, DATE '2024-01-01' AS determined_on "
        "FROM range(0) WHERE $n > 0",
    }
    for name, query in queries.items():
        duckdb.execute(f"CREATE OR REPLACE TEMP TABLE made AS {query}", {"n": persons})
        duckdb.execute(f"COPY made TO '{folder / name}.parquet' (FORMAT parquet)")
    return folder


def _docket(
    connection: duckdb.DuckDBPyConnection, made: Site, requests: int, recipients: dict[str, str], ends: Ends
) -> Docket:
    docket = Docket(made.dockets / NAME)
    docket.releases.mkdir(parents=True)
    docket.certificates.mkdir()
    manifest = {
        "format": "gatehouse-submission/1", "id": NAME, "agency": "us.dhs.ice", "basis": "us.irs.6103-i-2",
        "agreement": "irs-ice-mou-2025-04-07", "signed_on": "2025-08-30",
        "signatory": {"name": "Head", "title": "Director", "capacity": "agency_head"},
        "officers": [{"id": name, "name": f"officer {name}", "title": "Agent", "employee": True, "recipient": recipient,
                      "attests_sole_use": True} for name, recipient in recipients.items()],
        "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": requests}],
    }  # fmt: skip
    docket.manifest.write_text(json.dumps(manifest))
    receipt = Receipt(NAME, digests.of_file(docket.manifest), requests, NOW, None, None, "clerk-1")
    docket.receipt.write_bytes(receipt.encoded)
    _tables(connection, docket, requests, sorted(recipients), ends)
    summary = {"submission": NAME, "agency": "us.dhs.ice", "as_of": NOW.date().isoformat(), "outcomes": {}, "rules": {}}
    docket.summary.write_text(json.dumps(summary))
    (docket.root / "pack").symlink_to(PACK)
    answers.publish(connection, determinations="determinations", pack=load(PACK), path=docket.answers)
    return docket


def _tables(
    connection: duckdb.DuckDBPyConnection, docket: Docket, requests: int, officers: list[str], ends: Ends
) -> None:
    connection.execute(
        "CREATE OR REPLACE TABLE requests AS SELECT range::BIGINT AS seq, printf('R-%06d', range) AS request_id, "
        "'HSI-' || (range % 3) AS matter_number, [$officers[range % len($officers) + 1]]::VARCHAR[] AS officer_list, "
        "['last_known_address'] AS item_list, 'investigation' AS proceeding_kind, "
        "'8 USC 1253(a)(1)' AS authority_citation, '=1+1, the reason of row ' || range AS reason, "
        "CASE WHEN range % 2 = 0 THEN 'valid' ELSE 'absent' END AS tin_state, 'complete' AS address_verdict, "
        "DATE '2023-01-01' AS period_from_on, DATE '2024-12-31' AS period_to_on FROM range($n)",
        {"n": requests, "officers": officers},
    )
    pack = load(PACK)
    base = next(one.facts for one in pack.examples if one.outcome == "cleared" and not one.fired)
    columns = ", ".join(
        f"{_literal(value)} AS {name}" for name, value in base.items() if name != "corroboration" and value is not None
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE facts AS SELECT seq, {columns}, "
        "CASE WHEN seq < $held THEN 'none' ELSE 'tin' END AS corroboration FROM requests",
        {"held": ends[0]},
    )
    connection.execute("UPDATE facts SET name_state = 'missing' WHERE seq >= $last", {"last": requests - ends[1]})
    connection.execute("ALTER TABLE facts ADD COLUMN IF NOT EXISTS period_filed BOOLEAN")
    for seq, change in ends[2].items():
        connection.execute(f"UPDATE facts SET {change} WHERE seq = {seq}")
    connection.execute(
        "CREATE OR REPLACE TABLE evidence AS SELECT seq, request_id, 1 AS rank, seq AS person_id, true AS agrees, "
        "'agrees' AS verdict "
        "FROM requests"
    )
    connection.execute("CREATE OR REPLACE VIEW matches AS SELECT seq, person_id FROM evidence")
    evaluate(connection, pack, "facts", "decided", NOW.date())
    determinations.assemble(
        connection, requests="requests", decided="decided", matches="matches", target="determinations",
        as_of=NOW.date(), pack_digest=pack.digest,
    )  # fmt: skip
    for name in ("requests", "facts", "evidence", "determinations"):
        connection.execute(f"COPY (FROM {name} ORDER BY seq) TO '{docket.table(name)}' (FORMAT parquet)")


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.date):
        return f"DATE '{value}'"
    if isinstance(value, list):
        return "[" + ", ".join(f"'{item}'" for item in value) + "]"
    return f"'{value}'"


def decide(house: House, officer: str, action: str, *, cases: object = None, now: dt.datetime = NOW) -> approve.Decided:
    """Decide cases (or, to approve, everything that this officer can), with a clean sample where one is needed."""
    from gatehouse.casework import approval
    from gatehouse.casework.selection import Selection
    from gatehouse.casework.states import Action

    place = house.office
    selection = place.casebook.board(NAME).approvable_by(place.roster.people(officer)) if cases is None else cases
    assert isinstance(selection, Selection)
    proposal = approval.Proposal(NAME, Action(action), selection, REASON)
    if approval.needs_sample(proposal.action, selection):
        drawn = approve.draw(place, officer, proposal, now=now)
        proposal = approval.Proposal(
            NAME, proposal.action, selection, REASON, approval.examine(place.casebook, drawn.id, 0)
        )
    return approve.decide(place, officer, proposal, signer=house.staff[officer], now=now)


def offices(home: House) -> tuple[Signer, Signer]:
    """The keys of counsel and of the custodian's office, made with the site."""
    counsel, custodian = (read_signer(key) for key in founding.keys_of_offices(home.site))
    return counsel, custodian


def enact(home: House, folder: Path, change: Callable[[Path], object]) -> None:
    """Put the pack in force in force again with a change, signed by both offices as if it had passed its check."""
    draft = folder / "enacted"
    shutil.copytree(home.site.pack_for("us.irs.6103-i-2"), draft)
    path = draft / "pack.toml"
    path.write_text(path.read_text().replace('version = "1.', 'version = "1.1', 1))
    change(draft)
    pack = load(draft)
    verdicts = [Verdict(each.id, each.says, Status.PROVED, 0.0, None, "") for each in pack.properties]
    for signer in offices(home):
        signing.sign(Report(pack, [], [], verdicts, 0, []), signer)
    packs.adopt(home.site, draft, NOW)


def custodian_signer(house: House) -> Signer:
    return read_signer(house.site.custodian_key)
