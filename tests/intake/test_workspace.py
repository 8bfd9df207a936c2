"""A workspace leaves nothing behind: no spill in the folder where the command runs, no half-written file."""

from __future__ import annotations

import gc
import re
import stat
from pathlib import Path

import duckdb
import pytest

from gatehouse.intake.workspace import BY_ROW, WHOLE, WIDE_BY_ROW, open_enclosed, open_workspace, write_parquet


def spill_folder(connection: duckdb.DuckDBPyConnection) -> Path:
    (found,) = connection.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
    return Path(found)


def test_what_spills_is_private_and_goes_away(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    connection = open_workspace("64MB", threads=1)
    folder = spill_folder(connection)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    connection.execute("CREATE TABLE t AS SELECT i, repeat('x', 200) || i AS text FROM range(1000000) r(i)")
    assert any(folder.iterdir())
    connection.close()
    del connection
    gc.collect()
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_given_folder_is_used(tmp_path) -> None:
    with open_workspace(temporary=tmp_path / "spill") as connection:
        assert spill_folder(connection).parent == tmp_path / "spill"


def test_a_parquet_file_appears_whole_or_not_at_all(tmp_path) -> None:
    path = tmp_path / "it's.parquet"
    with open_workspace() as connection:
        write_parquet(connection, "SELECT 1 AS a", path)
        with pytest.raises(duckdb.Error):
            write_parquet(connection, "SELECT CASE WHEN i > 9 THEN error('no') ELSE '' END FROM range(20) r(i)", path)
        assert connection.execute("FROM read_parquet(?)", [str(path)]).fetchall() == [(1,)]
    assert [each.name for each in tmp_path.iterdir()] == ["it's.parquet"]


def test_nothing_is_fetched() -> None:
    with open_workspace() as connection:
        for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert connection.execute("SELECT current_setting(?)", [setting]).fetchone() == (False,)


def test_tables_that_are_read_by_row_have_smaller_row_groups(tmp_path: Path) -> None:
    with open_workspace() as connection:
        for group in (WIDE_BY_ROW, BY_ROW, WHOLE):
            path = tmp_path / f"{group}.parquet"
            write_parquet(connection, f"SELECT i FROM range({WHOLE + 10}) r(i) ORDER BY i", path, group=group)
            largest = connection.sql(f"SELECT max(row_group_num_rows) FROM parquet_metadata('{path}')").fetchall()
            assert largest == [(group,)]


def test_every_connection_is_made_in_one_place() -> None:
    """A connection made elsewhere could load extensions, and would spill into the folder where a command runs."""
    source = Path(__file__).parents[2] / "src" / "gatehouse"
    made = re.compile(r"\bduckdb\.(connect|execute|sql|query)\(")
    found = [path for path in source.rglob("*.py") if made.search(path.read_text())]
    assert [path.relative_to(source).as_posix() for path in found] == ["intake/workspace.py"]


@pytest.mark.parametrize(
    "query", ["FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO '{path}'", "INSTALL httpfs", "LOAD httpfs"]
)
def test_an_enclosed_connection_touches_no_path(tmp_path: Path, query: str) -> None:
    with open_enclosed(threads=1) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            connection.execute(query.format(path=tmp_path / "x.parquet"))
        with pytest.raises(duckdb.Error):
            connection.execute("SET enable_external_access = true")
    assert list(tmp_path.iterdir()) == []
