"""`gatehouse match`: match requests to a register, for measuring error; never for release."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.engine import engine_options
from gatehouse.cli.progress import shown
from gatehouse.kernel import scratch

if TYPE_CHECKING:
    import duckdb

_ANSWERS = """SELECT r.request_id, r.address_verdict, m.persons_name, m.persons_agreeing, m.corroboration, m.person_id
    FROM requests r JOIN matches m USING (seq) ORDER BY r.seq"""


@click.command()
@click.argument("requests", type=click.Path(exists=True, path_type=Path))
@click.option("--register", required=True, help="A folder of Parquet tables, or postgresql://…")
@click.option(
    "--index", type=click.Path(path_type=Path), help="The folder in which the register's index is kept for reuse."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The Parquet file to write.")
@click.option(
    "--evidence", type=click.Path(path_type=Path), help="Also write the field-by-field comparisons to this file."
)
@click.option(
    "--memory", default="4GB", show_default=True, help="The most memory that DuckDB, or a Spark executor, may use."
)
@engine_options
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def match(
    requests: Path,
    register: str,
    index: Path | None,
    out: Path,
    evidence: Path | None,
    memory: str,
    engine: str,
    master: str | None,
    as_json: bool,
) -> None:
    """Match each request of REQUESTS (a submission or a request table) to exactly one person of a register, or to none.

    The file has request_id, address_verdict, persons_name, persons_agreeing, corroboration and person_id. Use it only
    to measure error; it gives no power to release.

    \b
    gatehouse match ICE-2025-0003 --register register --out matched.parquet
    gatehouse match requests.csv --register register --index index --out matched.parquet
    gatehouse match requests.csv --register register --out matched.parquet --engine spark --master spark://host:7077
    """
    from gatehouse import match as room
    from gatehouse.intake.workspace import open_workspace, write_parquet
    from gatehouse.kernel import clock
    from gatehouse.pipeline.engines import open_engines
    from gatehouse.site.settings import Choice

    chosen = Choice(engine, master)
    with (
        _working(out) as working,
        shown() as progress,
        open_engines(chosen, folder=working / "cluster", memory=memory) as engines,
    ):
        records = room.open_register(register)
        prepared = room.build(records, index or working / "index", engine=engines.match, progress=progress)
        with open_workspace(memory, temporary=working / "spill") as connection:
            _read(connection, requests)
            room.match(connection, "requests", prepared, as_of=clock.today(), progress=progress, engine=engines.match)
            write_parquet(connection, _ANSWERS, out)
            if evidence:
                write_parquet(connection, "SELECT * FROM evidence ORDER BY seq, rank", evidence)
            counts = _count(connection)
    if as_json:
        click.echo(json.dumps(counts | {"index_changed": prepared.changed}))
    else:
        of = "all persons" if prepared.changed is None else f"{prepared.changed:,} persons over an earlier index"
        click.echo(f"{'index':>12}  {prepared.folder.name}, made of {of}")
        for name, count in counts.items():
            click.echo(f"{name:>12}  {count:>10,}")


@contextlib.contextmanager
def _working(out: Path) -> Iterator[Path]:
    """A folder beside the answer for what spills; gone afterwards."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch.folder(out.parent) as working:
        yield working


def _read(connection: duckdb.DuckDBPyConnection, source: Path) -> None:
    """Make the table `requests` from a submission, whose signature nobody asks for here, or from a bare table."""
    from gatehouse.intake import mapping, readers
    from gatehouse.intake.normalise import normalise
    from gatehouse.intake.submission import receive
    from gatehouse.kernel import clock

    if source.is_dir() or source.suffix.lower() == ".zip":
        receive(connection, source, None, unsigned=True)
        return
    readers.create(connection, "wire")
    readers.load(connection, source, mapping.CONTRACT, "wire")
    normalise(connection, "wire", "requests", clock.today())


def _count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    row = connection.execute(
        "SELECT count(*), count(person_id), count(*) FILTER (corroboration = 'tin'), "
        "count(*) FILTER (corroboration = 'birth_date'), count(*) FILTER (corroboration = 'none') FROM matches"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has one row
    return dict(zip(("requests", "matched", "tin", "birth_date", "none"), row, strict=True))
