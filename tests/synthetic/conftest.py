"""One small register and one submission of each kind, made once for the whole room."""

from __future__ import annotations

import duckdb
import pytest

from gatehouse.synthetic.register import make_register
from gatehouse.synthetic.submission import make_submission

PERSONS, REQUESTS, SEED = 30_000, 6_000, 11


@pytest.fixture(scope="session")
def connection():
    with duckdb.connect(config={"memory_limit": "1GB"}) as made:
        yield made


@pytest.fixture(scope="session")
def register(connection, tmp_path_factory):
    return make_register(connection, tmp_path_factory.mktemp("register"), PERSONS, SEED)


@pytest.fixture(scope="session")
def ordinary(connection, register, tmp_path_factory):
    out = tmp_path_factory.mktemp("ordinary")
    return make_submission(connection, out, register.folder, REQUESTS, SEED)


@pytest.fixture(scope="session")
def exchange(connection, register, tmp_path_factory):
    out = tmp_path_factory.mktemp("august")
    return make_submission(connection, out, register.folder, 12_800, SEED, kind="august-2025", file_format="parquet")


@pytest.fixture(scope="session")
def tables(connection, register, ordinary):
    """Views of the register's files (reg_…), of the ordinary request table and of its truth."""
    names = ("persons", "names", "addresses", "filings", "restrictions", "truth")
    with duckdb.connect() as fresh:
        for name in names:
            fresh.read_parquet(str(register.folder / f"{name}.parquet")).create_view(f"reg_{name}")
        fresh.execute(
            f"CREATE TABLE requests AS FROM read_csv('{ordinary.folder / 'requests.csv'}', all_varchar = true)"
        )
        fresh.read_parquet(str(ordinary.truth)).create_view("truth")
        yield fresh
