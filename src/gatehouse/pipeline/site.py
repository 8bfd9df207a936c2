"""A site: the folder where one custodian keeps everything, the paths within it, and the configuration as it was read.

`make` creates one, whole or not at all; `open_site` opens one, and a process that lives on asks for the `current` one
whenever somebody comes in. Private keys stay in `keys/` (mode 0600); what others need to check the custodian is
`log.vkey`, `witnesses.policy` and `custodian.vkey`.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from gatehouse.casework.roster import Officer
from gatehouse.kernel import files
from gatehouse.kernel.errors import CustodianFault, WrongInput
from gatehouse.law import adoption
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Verifier, new_key
from gatehouse.pipeline.parts import Parts, stated
from gatehouse.site import configuration
from gatehouse.site.configuration import Configuration
from gatehouse.site.settings import ANSWER_DAYS, DATABASE, REGISTER, Choice

_TEMPLATE = """\
# What this custodian is called and where its records are. Every key but [site] name has a working default.
[site]
name = {name}                 # the origin of the ledger; it never changes
register = {register}         # a folder of Parquet tables (design 5.1), or postgresql://…
database = {database}   # people's work; postgresql://… in production
engine = "duckdb"               # or "spark" beside master = "spark://HOST:7077", for registers that outgrow a machine
demonstration = {demonstration}           # true allows a pretended date (GATEHOUSE_NOW); never on a real site
answer_days = {answer_days}                 # answers come at multiples of so many days after receipt

# Who may approve. Four-eyes needs two people, neither of whom received the submission; see docs/casework.md
# [[officers]]
# id = "do-1"
# name = "…"
# role = "disclosure_officer"
# key = "name+hash+base64"      # the public key that `gatehouse key new` printed
# from = 2025-01-01

# How people sign in: passwords with one-time codes, or your identity provider; see docs/sign-in.md
# [oidc]
# issuer = "https://login.agency.example"

# Whose two signatures put law and orders in force: public keys of each office; see docs/law.md
{offices}
"""
_NO_OFFICES = """\
# [offices]
# counsel = ["name+hash+base64"]
# custodian = ["name+hash+base64"]
"""


@dataclass(frozen=True)
class Site:
    """One custodian's folder, and its configuration as it was when the site was opened."""

    root: Path
    configuration: Configuration
    parts: Parts | None = None
    """Where the log writer, the sealer and the decider are called; None where this process is all of them."""

    @property
    def name(self) -> str:
        """The origin of the ledger and the name of its key."""
        return self.configuration.settings.name

    @property
    def register(self) -> str:
        """A folder of Parquet tables or a postgresql:// address."""
        return self.configuration.settings.register

    @property
    def database(self) -> str:
        """Where people's work is kept: sqlite:///path or a postgresql:// address."""
        return self.configuration.settings.database

    @property
    def demonstration(self) -> bool:
        """Whether a pretended date and invented people are allowed."""
        return self.configuration.settings.demonstration

    @property
    def answer_days(self) -> int:
        """Answers are told at whole multiples of so many days after receipt."""
        return self.configuration.settings.answer_days

    @property
    def engine(self) -> Choice:
        """Where batches are matched and decided."""
        return self.configuration.settings.engine

    @property
    def parties(self) -> Path:
        """What the custodian knows of agencies and agreements (design §5.3)."""
        return self.root / "parties.toml"

    @property
    def packs(self) -> Path:
        """Every pack adopted, one folder each, and `pinned.json`, which names those in force."""
        return self.root / "packs"

    @property
    def index(self) -> Path:
        """The prepared index of the register; may be deleted, it is made again."""
        return self.root / "index"

    @property
    def spill(self) -> Path:
        """Where work in progress has private folders, which whoever works there next sweeps; never backed up."""
        return self.root / "spill"

    @property
    def inbox(self) -> Path:
        """What was handed in over the web (`pipeline.inbox`)."""
        return self.root / "inbox"

    @property
    def keys(self) -> Path:
        """Private keys of the log and of the custodian."""
        return self.root / "keys"

    @property
    def log_key(self) -> Path:
        """The key that signs checkpoints, and nothing else."""
        return self.keys / "log.key"

    @property
    def custodian_key(self) -> Path:
        """The key that signs receipts, answers, certificates and notices."""
        return self.keys / "custodian.key"

    @property
    def ledger(self) -> Path:
        """The public log (design §5.7): nothing else lies in this folder."""
        return self.root / "ledger"

    @property
    def ledger_state(self) -> Path:
        """The log writer's private state: its lock and its write-ahead record."""
        return self.root / "ledger-state"

    @property
    def events(self) -> Path:
        """Openings of the site's own entries in the ledger: founding, configuration, packs, keys."""
        return self.root / "events"

    @property
    def answers(self) -> Path:
        """What answers about one person are made from: one folder, replaced whole with each epoch."""
        return self.root / "answers"

    @property
    def carried(self) -> Path:
        """Requests to witnesses without an address, and their answers, one folder a witness: to be carried by hand."""
        return self.root / "carried"

    @property
    def halts(self) -> Path:
        """The overseers' signed halts; `oversight.policy` beside it says whose word counts."""
        return self.root / "halts"

    @property
    def policy(self) -> Path:
        """Which witnesses count, where they listen, and how many are a quorum (C2SP tlog-policy)."""
        return self.root / "witnesses.policy"

    @property
    def dockets(self) -> Path:
        """One folder a submission."""
        return self.root / "dockets"

    def pack_for(self, basis: str) -> Path:
        """The folder of the pack in force for a legal basis such as `us.irs.6103-i-2`; `pipeline.packs` verifies it.

        Raises WrongInput when the site holds no pack for it: without law nothing can be decided.
        """
        return adoption.folder_for(self.packs, basis)


def open_site(root: Path) -> Site:
    """Open a site: the door at which its configuration is read. Raises CustodianFault when it is none, or unusable."""
    read = configuration.read(root)
    if os.environ.get("GATEHOUSE_NOW") and not read.settings.demonstration:
        raise CustodianFault(
            "GATEHOUSE_NOW sets a pretended date, but this is a real site",
            where=str(read.path),
            remedy="Unset it. Only a site with demonstration = true may use it",
        )
    site = Site(root, read, stated(read.sockets))
    if site.parts is not None and site.parts.users:
        os.umask(0o022)  # the other parts read what this one writes; who else gets into the folder, that one says
    return site


def current(site: Site) -> Site:
    """The site as its configuration stands now: itself while the file has not changed, for a process that lives on.

    `[site]` and `[parts]` stay as they were when it was opened, so that no process moves to another database alone.
    Raises CustodianFault as `open_site` does.
    """
    if not site.configuration.changed:
        return site
    read = configuration.read(site.root)
    return replace(site, configuration=replace(read, settings=site.configuration.settings))


@dataclass(frozen=True)
class Founding:
    """What a new site starts from."""

    name: str
    register: str = REGISTER
    parties: Path | None = None
    demonstration: bool = False
    offices: Offices | None = None
    """Whose signatures put law in force; without them nothing can be put in force."""
    after: Path | None = None
    """The site of the year before, whose ledger this one's continues."""
    database: str = DATABASE
    officers: tuple[Officer, ...] = ()
    """Whom its roster states from the beginning."""


def make(root: Path, founding: Founding) -> Site:
    """Create a site: keys and configuration, no law yet and no ledger; `pipeline.founding` makes one with both.

    Built beside and renamed, so that a crash leaves no half site. Raises WrongInput when the folder holds anything.
    """
    if root.exists() and any(root.iterdir()):
        raise WrongInput("the folder is not empty", where=str(root), remedy="Name a new folder")
    building = root.with_name(f".{root.name}.making")
    shutil.rmtree(building, ignore_errors=True)
    for folder in ("packs", "keys", "dockets"):
        (building / folder).mkdir(parents=True)
    (building / "keys").chmod(0o700)
    text = _TEMPLATE.format(
        name=json.dumps(founding.name),
        register=json.dumps(founding.register),
        database=json.dumps(founding.database),
        demonstration=str(founding.demonstration).lower(),
        answer_days=0 if founding.demonstration else ANSWER_DAYS,
        offices=_offices(founding.offices) if founding.offices else _NO_OFFICES.rstrip(),
    )
    text += "".join(map(configuration.entry, founding.officers))
    configuration.write(building, text)
    if founding.parties is not None:
        shutil.copyfile(founding.parties, building / "parties.toml")
    for key, name in (("log", founding.name), ("custodian", f"{founding.name}/custodian")):
        private, public = new_key(name)
        files.write(building / "keys" / f"{key}.key", f"{private}\n".encode(), mode=0o600)
        files.write(building / f"{key}.vkey", f"{public}\n".encode())
    log_vkey = (building / "log.vkey").read_text().strip()
    files.write(building / "witnesses.policy", f"log {log_vkey}\nquorum none\n".encode())
    if root.exists():
        root.rmdir()
    building.rename(root)
    files.sync_folder(root.parent)
    return open_site(root)


def _offices(offices: Offices) -> str:
    """The configuration's section."""

    def keys(named: tuple[Verifier, ...]) -> str:
        return ", ".join(f'"{key.text}"' for key in named)

    counsel, custodian = keys(tuple(offices.counsel)), keys(tuple(offices.custodian))
    return f"[offices]\ncounsel = [{counsel}]\ncustodian = [{custodian}]"
