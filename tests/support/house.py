"""A custodian's site and an agency's folder with one determined docket, made from columns in a second.

Everything from the ledger on is the real thing; only the requests, their evidence and facts are written directly, so
that these tests need no register of millions and no matching.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.law import signing
from gatehouse.law.check import Report
from gatehouse.law.prove import Status, Verdict
from gatehouse.law.reading import load
from gatehouse.ledger.signers import Signer, new_key, parse_signer, read_signer
from gatehouse.pipeline import approve, founding, packs, site
from gatehouse.pipeline.site import Site
from gatehouse.release.recipients import write_identity
from gatehouse.synthetic.docket import Plan, make_docket, make_homes, parties

PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
NOW = dt.datetime(2025, 9, 1, 12, 0, tzinfo=dt.UTC)
"""After the memorandum of April 2025 and before the stay of November 2025."""
LATER = NOW + dt.timedelta(minutes=5)
NAME = "ICE-2025-0003"
REASON = "Compared with the file by hand; every element of the statute is met."


@dataclass
class House:
    """Both sides: the custodian's site with its people's keys, and the agency's keys."""

    opened: Site
    docket: Docket
    staff: dict[str, Signer]
    agency: Path
    officers: tuple[str, ...]
    connection: duckdb.DuckDBPyConnection

    @property
    def site(self) -> Site:
        """The site as a command opens it: what a test wrote into its configuration counts."""
        if self.opened.configuration.changed:
            self.opened = site.open_site(self.opened.root)
        return self.opened

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
    recipients: dict[str, str] | None = None,
) -> House:
    """A site whose docket has `held` held requests first, `incomplete` ones last, and cleared ones between.

    Request n names officer n modulo `officers`, and matter `HSI-<n modulo 3>`. `facts` changes single requests' facts,
    as `SET` of an update. `recipients` names officers' keys instead of new ones.
    """
    staff, sections = {}, []
    for person in ("ann", "bob", "eve"):
        private, public = new_key(f"{person}.custodian")
        staff[person] = parse_signer(private)
        sections.append(
            f'[[officers]]\nid = "{person}"\nname = "{person} custodian"\nrole = "disclosure_officer"\n'
            f'key = "{public}"\nfrom = 2025-01-01\n'
        )
    (folder / "parties.toml").write_text(parties())
    register = make_homes(folder / "register", requests)
    beginning = site.Founding("test.example/2025", str(register), folder / "parties.toml", demonstration=True)
    made = founding.found(folder / "custodian", beginning, [PACK], NOW, shipped=True)
    text = made.configuration.path.read_text() + "\n" + "\n".join(sections)
    if database:
        text = text.replace('database = "sqlite:///gatehouse.sqlite3"', f'database = "{database}"')
    made.configuration.path.write_text(text)
    made = site.open_site(made.root)
    agency = folder / "agency"
    agency.mkdir()
    names = tuple(f"ICE-{number:04}" for number in range(officers))
    recipients = recipients or {name: write_identity(agency / f"{name}.key") for name in names}
    connection = duckdb.connect()
    plan = Plan(NAME, requests, recipients, held, incomplete, facts or {})
    docket = make_docket(connection, made, plan, PACK, NOW)
    return House(made, docket, staff, agency, names, connection)


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
