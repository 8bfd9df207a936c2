"""One place words how an extra is added, for where the program runs, and never names somebody else's package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gatehouse.kernel import extras
from gatehouse.law import shipped

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


def test_the_name_in_messages_is_the_name_of_the_distribution() -> None:
    assert PROJECT["project"]["name"] == extras.DISTRIBUTION != "gatehouse"


def test_nobody_is_sent_to_the_other_package_of_that_name() -> None:
    wrong = re.compile(r"install +['\"]?gatehouse\b(?!-)")
    for path in [*CHECKOUT.rglob("*.py"), *CHECKOUT.rglob("*.md"), *CHECKOUT.rglob("*.html"), CHECKOUT / "gatehouse"]:
        if ".venv" not in path.parts and path != Path(__file__):
            assert not wrong.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_every_remedy_names_an_extra_that_there_is() -> None:
    asked = re.compile(r"extras\.remedy\(\s*['\"](\w+)['\"]")
    named = {one for path in (CHECKOUT / "src").rglob("*.py") for one in asked.findall(path.read_text())}
    assert named
    assert named <= set(PROJECT["project"]["optional-dependencies"])


@pytest.mark.parametrize("extra", sorted(set(PROJECT["project"]["optional-dependencies"]) - {"dev", "spark"}))
def test_the_production_lock_holds_the_extra_that_a_checkout_is_told_to_take_from_it(extra: str) -> None:
    assert f"GATEHOUSE_LOCK={extras.PRODUCTION} ./gatehouse" in extras.remedy(extra)
    locked = (CHECKOUT / extras.PRODUCTION).read_text()
    for wanted in PROJECT["project"]["optional-dependencies"][extra]:
        name = re.split(r"[\[>=<]", wanted)[0]
        assert re.search(rf"^{name}\b", locked, re.MULTILINE), wanted


def test_an_installed_package_is_told_its_own_name_and_finds_its_packs_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "checkout", lambda: None)
    assert extras.remedy("reports") == "Add it: python -m pip install 'gatehouse-disclosure[reports]'"
    assert shipped.folder() == CHECKOUT / "src" / "gatehouse" / "packs"
    inside = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert inside == {"packs": "gatehouse/packs"}


def test_the_packs_that_ship_are_those_of_the_checkout() -> None:
    assert [path.name for path in shipped.packs()] == sorted(path.name for path in (CHECKOUT / "packs").iterdir())


def launcher(tmp_path: Path, stamps: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the launcher in a folder with locks, its environment made from some of them; uv only tells."""
    here = tmp_path / "checkout"
    here.mkdir()
    (here / "gatehouse").write_text((CHECKOUT / "gatehouse").read_text())
    for name in ("requirements.lock", "requirements-production.lock", "requirements-dev.lock"):
        (here / name).write_text(f"# {name}\n")
    programs = here / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, says in (("python", 'echo "ran $*"'), ("uv", 'echo "installs ${*##*/}"')):
        (programs / name).write_text(f"#!/bin/sh\n{says}\n")
        (programs / name).chmod(0o755)
    for name, text in stamps.items():
        (here / ".venv" / f".{name}.stamp").write_text(text)
    (tmp_path / "linked").symlink_to(here / "gatehouse")
    command = ["sh", tmp_path / "linked", "--version"]
    path = f"{programs}:/usr/bin:/bin"
    return subprocess.run(
        command,
        env={"PATH": path, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_environment_for_production_is_kept_up_from_its_own_lock(tmp_path: Path) -> None:
    known = {"requirements-production.lock": "# requirements-production.lock\n"}
    done = launcher(tmp_path, known)
    assert done.stdout == "ran -m gatehouse --version\n"
    assert "setting up" not in done.stderr


def test_a_production_lock_that_changed_is_installed_and_no_other(tmp_path: Path) -> None:
    done = launcher(tmp_path, {"requirements-production.lock": "# an older one\n"})
    assert "installs requirements-production.lock" in done.stderr


def test_a_lock_may_be_named_without_its_folder_and_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = launcher(tmp_path, {}, GATEHOUSE_LOCK="requirements-production.lock")
    assert "installs requirements-production.lock" in done.stderr
    (tmp_path / "again").mkdir()
    missing = launcher(tmp_path / "again", {}, GATEHOUSE_LOCK="nothing.lock")
    assert missing.returncode == 2
    assert "GATEHOUSE_LOCK names no file" in missing.stderr
