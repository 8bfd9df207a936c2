"""Sites at three points of the journey, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import house
import pytest

from gatehouse.determine.docket import Docket
from gatehouse.pipeline import release, site
from gatehouse.release.returns import ReleaseRecord


@dataclass
class Templates:
    """Folders to copy, by how far the journey went."""

    root: Path
    made: house.House
    releases: tuple[ReleaseRecord, ...]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    from django.db import connections

    root = tmp_path_factory.mktemp("templates")
    work = root / "work"
    work.mkdir()
    made = house.build(work)

    def keep(name: str) -> None:
        connections.close_all()  # the last connection folds SQLite's write-ahead file into the database
        shutil.copytree(work, root / name, symlinks=True)

    keep("small")
    house.decide(made, "ann", "approve")
    house.decide(made, "bob", "approve")
    keep("approved")
    done = release.release(made.connection, made.office, house.NAME, house.LATER)
    keep("released")
    return Templates(root, made, done.releases)


def _copy(templates: Templates, name: str, target: Path) -> house.House:
    shutil.copytree(templates.root / name, target, symlinks=True, dirs_exist_ok=True)
    configuration = target / "custodian" / "gatehouse.toml"
    configuration.write_text(configuration.read_text().replace(str(templates.root / "work"), str(target)))
    opened = site.open_site(target / "custodian")
    copy = replace(templates.made, opened=opened, docket=Docket(opened.dockets / house.NAME), agency=target / "agency")
    assert copy.office.site is opened
    return copy


@pytest.fixture
def small(templates: Templates, tmp_path: Path) -> house.House:
    """Twelve requests, two officers: 2 held, 9 cleared, 1 incomplete; nothing decided yet."""
    return _copy(templates, "small", tmp_path / "site")


@pytest.fixture
def approved(templates: Templates, tmp_path: Path) -> house.House:
    """The same with everything cleared approved by ann and bob."""
    return _copy(templates, "approved", tmp_path / "site")


@pytest.fixture
def released(templates: Templates, tmp_path: Path) -> house.House:
    """The same released five minutes later; `releases` lists what was."""
    return _copy(templates, "released", tmp_path / "site")


@pytest.fixture
def releases(templates: Templates) -> tuple[ReleaseRecord, ...]:
    """The two releases of `released`: ICE-0000's and ICE-0001's."""
    return templates.releases


@pytest.fixture
def fresh_small(templates: Templates) -> Callable[[Path], house.House]:
    """Makes further copies of `small`."""
    return lambda target: _copy(templates, "small", target)
