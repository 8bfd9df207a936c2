"""`[site]`: what the custodian is called, where its records are, and on what engine batches run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.postgres import is_address

ENGINES = ("duckdb", "spark")
ANSWER_DAYS = 10
REGISTER, DATABASE = "register", "sqlite:///gatehouse.sqlite3"
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Choice:
    """One of `ENGINES`, and for Spark its master; checked when made."""

    name: str = "duckdb"
    master: str | None = None

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise WrongInput("there is no such engine", where="engine", remedy=f"Write one of: {', '.join(ENGINES)}")
        if (self.name == "spark") != (self.master is not None):
            what = "Spark needs a master" if self.master is None else "a master is only for the engine spark"
            raise WrongInput(
                what, where="master", remedy="Write local[2] or spark://HOST:7077, and only with the engine spark"
            )


@dataclass(frozen=True)
class Settings:
    """What `[site]` says, with the defaults of what it does not say."""

    name: str
    """The origin of the ledger and the name of its key."""
    register: str
    """A folder of Parquet tables or a postgresql:// address."""
    database: str
    """sqlite:///path or a postgresql:// address."""
    demonstration: bool
    answer_days: int
    """Answers are told at whole multiples of so many days after receipt; 0 tells them as soon as the docket closes."""
    engine: Choice
    """Where batches are matched and decided."""


def parse(table: Table, root: Path) -> Settings:
    """Read the section of the site in the folder `root`. Raises WrongInput naming the key at fault."""
    table.spelled("name", "register", "database", "demonstration", "answer_days", "engine", "master")
    return Settings(
        name=table.written("name"),
        register=_located(root, table.written("register", REGISTER)),
        database=_database(root, table.written("database", DATABASE)),
        demonstration=table.truth("demonstration", default=False),
        answer_days=table.whole("answer_days", ANSWER_DAYS, least=0, most=365),
        engine=_engine(table),
    )


def _engine(table: Table) -> Choice:
    name, master = table.written("engine", "duckdb"), table.written("master") if "master" in table else None
    try:
        return Choice(name, master)
    except WrongInput as wrong:
        raise table.wrong(wrong.where, wrong.what, wrong.remedy) from None


def _located(root: Path, register: str) -> str:
    return register if is_address(register) else str(root / register)


def _database(root: Path, database: str) -> str:
    return _SQLITE + str(root.absolute() / database.removeprefix(_SQLITE)) if database.startswith(_SQLITE) else database
