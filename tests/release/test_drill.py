"""A drill measures the real recall and leaves the site, byte for byte and row for row, as it was."""

from __future__ import annotations

import json
from pathlib import Path

import house
import pytest

from gatehouse.cli.main import cli
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import drill
from gatehouse.release import trust
from gatehouse.release.returns import ReleaseRecord
from gatehouse.store import transfer


def everything(home: house.House, scratch: Path) -> dict[str, str]:
    """Every file of the site by digest, the database by its rows."""
    transfer.dump(scratch)
    files = [path for path in home.site.root.rglob("*") if path.is_file() and "sqlite3" not in path.name]
    return {str(path): digests.of_file(path) for path in [*files, scratch]}


def test_a_drill_recalls_all_on_a_copy_and_changes_nothing(
    released: house.House, releases: tuple[ReleaseRecord, ...], tmp_path: Path
) -> None:
    before = everything(released, tmp_path / "rows")
    workshop = tmp_path / "workshop"
    workshop.mkdir()
    done = drill.drill(released.connection, released.site, workshop, house.LATER)
    assert [(one.docket, one.cases, one.persons, len(one.notices)) for one in done.recalls] == [(house.NAME, 9, 9, 2)]
    assert 0 < done.listed < done.told
    assert everything(released, tmp_path / "rows") == before
    assert {one.recalled_at for one in releases} == {None}


def test_nothing_signed_in_a_drill_counts_at_the_site(released: house.House, tmp_path: Path) -> None:
    workshop = tmp_path / "workshop"
    workshop.mkdir()
    drill.drill(released.connection, released.site, workshop, house.LATER)
    drilled = list((workshop / "site" / "trust" / "notices").iterdir())
    assert len(drilled) == 2
    notices = released.site.root / "trust" / "notices"
    notices.mkdir(exist_ok=True)
    for path in drilled:
        (notices / path.name).write_bytes(path.read_bytes())
    custodian = read_signer(released.site.custodian_key).verifier
    with pytest.raises(AnswerIsNo):
        list(trust.notices(released.site.root / "trust", custodian))


def test_a_site_without_releases_has_nothing_to_drill(small: house.House, tmp_path: Path) -> None:
    (tmp_path / "workshop").mkdir()
    with pytest.raises(AnswerIsNo, match="no releases to recall"):
        drill.drill(small.connection, small.site, tmp_path / "workshop", house.LATER)


def test_the_command_says_what_it_took(
    released: house.House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T12:10:00Z")
    cli.main(["drill", "recall", "--site", str(released.site.root), "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["recalls"] == [{"docket": house.NAME, "cases": 9, "persons": 9, "notices": 2}]
    assert 0 < told["listed"] < told["told"]
