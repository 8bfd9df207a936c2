"""A site: the folder where one custodian keeps everything, and the paths within it.

`make` creates one, whole or not at all; `open_site` reads one. Private keys stay in `keys/`
(mode 0600); what others need to check the custodian is `log.vkey`, `witnesses.policy` and `custodian.vkey`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput, own
from gatehouse.kernel.postgres import is_address
from gatehouse.law import adoption
from gatehouse.law.signing import Offices
from gatehouse.ledger.signers import Verifier, new_key
from gatehouse.pipeline.engines import Choice
from gatehouse.pipeline.parts import Parts, stated

CONFIGURATION = "gatehouse.toml"
ANSWER_DAYS = 10

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
    """One custodian's folder, read from its gatehouse.toml."""

    root: Path
    name: str
    """The origin of the ledger and the name of its key."""
    register: str
    """A folder of Parquet tables or a postgresql:// address."""
    database: str
    demonstration: bool
    answer_days: int = ANSWER_DAYS
    """Answers are told at whole multiples of so many days after receipt; 0 tells them as soon as the docket closes."""
    engine: Choice = field(default_factory=Choice)
    """Where batches are matched and decided."""
    parts: Parts | None = None
    """Where the log writer, the sealer and the decider are called; None where this process is all of them."""

    @property
    def configuration(self) -> Path:
        """The site's gatehouse.toml."""
        return self.root / CONFIGURATION

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


@own()
def open_site(root: Path) -> Site:
    """Read a site. Raises CustodianFault when it is none, or its configuration cannot be used."""
    configuration = root / CONFIGURATION
    if not configuration.is_file():
        raise WrongInput("this is not a site", where=str(root), remedy=f"Make one with: gatehouse init {root}")
    try:
        parsed = tomllib.loads(configuration.read_text(encoding="utf-8"))
        section = parsed["site"]
        site = Site(
            root=root,
            name=_text(section, "name"),
            register=_located(root, _text(section, "register", "register")),
            database=_database(root, _text(section, "database", "sqlite:///gatehouse.sqlite3")),
            demonstration=section.get("demonstration", False) is True,
            engine=Choice(
                _text(section, "engine", "duckdb"), _text(section, "master") if "master" in section else None
            ),
            answer_days=_days(section.get("answer_days", ANSWER_DAYS), configuration),
            parts=stated(_text(parsed["parts"], "sockets") if "parts" in parsed else None),
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongInput(
            f"the file is not valid TOML: {wrong}", where=str(configuration), remedy="Correct that line"
        ) from None
    except KeyError as missing:
        raise WrongInput(
            f"the key {missing} is missing", where=str(configuration), remedy="See docs/architecture.md"
        ) from None
    if os.environ.get("GATEHOUSE_NOW") and not site.demonstration:
        raise WrongInput(
            "GATEHOUSE_NOW sets a pretended date, but this is a real site",
            where=str(configuration),
            remedy="Unset it. Only a site with demonstration = true may use it",
        )
    if site.parts is not None and site.parts.users:
        os.umask(0o022)  # the other parts read what this one writes; who else gets into the folder, that one says
    return site


def _text(section: dict[str, object], key: str, default: str | None = None) -> str:
    value = section[key] if default is None else section.get(key, default)
    if not isinstance(value, str) or not value:
        raise KeyError(key)
    return value


def _days(value: object, configuration: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 365:
        raise WrongInput("answer_days must be a number of days from 0 to 365", where=str(configuration))
    return value


def _engine(section: dict[str, object]) -> Choice:
    return Choice(_text(section, "engine", "duckdb"), _text(section, "master") if "master" in section else None)


def _located(root: Path, register: str) -> str:
    return register if is_address(register) else str(root / register)


def _database(root: Path, database: str) -> str:
    prefix = "sqlite:///"
    return prefix + str(root.absolute() / database.removeprefix(prefix)) if database.startswith(prefix) else database


_OFFICER = """
[[officers]]
id = {id}
name = {name}
role = "disclosure_officer"
key = {key}
from = {begins}
"""


@dataclass(frozen=True)
class Appointed:
    """A disclosure officer whom a new site starts with."""

    id: str
    name: str
    key: Verifier
    begins: dt.date


def _officer(one: Appointed) -> str:
    texts = {"id": one.id, "name": one.name, "key": one.key.text}
    return _OFFICER.format(**{key: json.dumps(text) for key, text in texts.items()}, begins=one.begins.isoformat())


@dataclass(frozen=True)
class Founding:
    """What a new site starts from."""

    name: str
    register: str = "register"
    parties: Path | None = None
    demonstration: bool = False
    offices: Offices | None = None
    """Whose signatures put law in force; without them nothing can be put in force."""
    after: Path | None = None
    """The site of the year before, whose ledger this one's continues."""
    database: str = "sqlite:///gatehouse.sqlite3"
    officers: tuple[Appointed, ...] = ()


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
    text += "".join(map(_officer, founding.officers))
    files.write(building / CONFIGURATION, text.encode())
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
