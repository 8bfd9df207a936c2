"""gatehouse.toml is read in one place; whatever is wrong with it is told with file, line, key and remedy."""

from __future__ import annotations

import ast
import datetime as dt
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from gatehouse.kernel.errors import CustodianFault
from gatehouse.ledger.signers import new_key
from gatehouse.pipeline import site as sites
from gatehouse.site import configuration
from gatehouse.site.configuration import Configuration
from gatehouse.site.entrance import LIMITS, Part
from gatehouse.site.roles import Role
from gatehouse.site.settings import Choice
from gatehouse.site.webhooks import Webhook

SOURCE = Path(__file__).parents[2] / "src" / "gatehouse"
KEYS = {name: new_key(name)[1] for name in ("counsel", "custodian", "ann")}
WHOLE = f"""\
[site]
name = "gateway.example/2025"
register = "postgresql://host/records"
database = "sqlite:///work.sqlite3"
demonstration = true
answer_days = 30
engine = "spark"
master = "spark://host:7077"

[parts]
sockets = "/run/gatehouse"

[offices]
counsel = ["{KEYS["counsel"]}"]
custodian = ["{KEYS["custodian"]}"]

[[officers]]
id = "ann"
name = "Ann"
role = "disclosure_officer"
key = "{KEYS["ann"]}"
from = 2025-01-01
until = 2026-01-01
revoked_on = 2025-06-01
delegated_by = "bob"
delegation = "order 7"
conflicts = ["us.dhs.ice"]

[timestamps]
authorities = ["https://stamps.example"]
roots = "tsa.pem"
stop_after_hours = 24

[sign_in]
passwords = true
second_factor = ["counsel"]
idle_minutes = 10
session_hours = 2

[oidc]
issuer = "https://login.example"
client_id = "gatehouse"
client_secret_file = "oidc.secret"
role_claim = "groups"
officer_claim = "officer"
scopes = "openid"
algorithm = "ES256"
acr = ["high"]
called = "the agency"

[oidc.roles]
counsel = "counsel"
desk = {{ role = "requester", agency = "us.dhs.ice" }}

[limits]
requests_a_minute = 1
failures_a_minute = 2
uploads_an_hour = 3

[[webhooks]]
agency = "us.dhs.ice"
address = "https://agency.example/told"
"""
OF = {
    "parts": "settings", "site": "settings", "officers": "roster", "offices": "offices", "timestamps": "timestamps",
    "sign_in": "entrance", "oidc": "entrance", "oidc.roles": "entrance", "limits": "entrance", "webhooks": "webhooks",
}  # fmt: skip
"""Which part of the configuration a section of the document is."""


def parsed(text: str) -> Configuration:
    return configuration.parse(text, Path("/srv/site/gatehouse.toml"))


def settings() -> list[tuple[str, str, int]]:
    """Section, key and line of everything that the whole document says."""
    found, section = [], ""
    for number, line in enumerate(WHOLE.splitlines(), start=1):
        if line.startswith("["):
            section = line.strip("[]")
        elif line:
            found.append((section, line.partition(" = ")[0], number))
    return found


def with_line(number: int, text: str) -> str:
    lines = WHOLE.splitlines()
    lines[number - 1] = text
    return "\n".join(lines)


def fault(folder: Path, text: str, part: str) -> CustodianFault:
    """What is told when one part of a site's configuration is asked for."""
    (folder / "gatehouse.toml").write_text(text)
    with pytest.raises(CustodianFault) as refused:
        getattr(configuration.read(folder), part)
    return refused.value


def test_a_whole_configuration_is_typed() -> None:
    read = parsed(WHOLE)
    assert read.settings.name == "gateway.example/2025"
    assert read.settings.register == "postgresql://host/records"
    assert read.settings.database == "sqlite:////srv/site/work.sqlite3"
    assert (read.settings.demonstration, read.settings.answer_days) == (True, 30)
    assert read.settings.engine == Choice("spark", "spark://host:7077")
    assert read.sockets == "/run/gatehouse"
    assert [key.text for key in (*read.offices.counsel, *read.offices.custodian)] == [
        KEYS["counsel"], KEYS["custodian"],
    ]  # fmt: skip
    [ann] = read.roster.officers.values()
    assert (ann.start, ann.until, ann.revoked_on) == (dt.date(2025, 1, 1), dt.date(2026, 1, 1), dt.date(2025, 6, 1))
    assert (ann.delegated_by, ann.delegation, ann.conflicts) == ("bob", "order 7", ("us.dhs.ice",))
    assert read.timestamps is not None
    assert (read.timestamps.roots, read.timestamps.stop_after) == (Path("/srv/site/tsa.pem"), dt.timedelta(hours=24))
    rules = read.entrance
    assert rules.provider is not None
    assert rules.provider.secret_file == Path("/srv/site/oidc.secret")
    assert rules.provider.parts == {"counsel": Part(Role.COUNSEL), "desk": Part(Role.REQUESTER, "us.dhs.ice")}
    assert (rules.second_factor, rules.idle) == (frozenset({Role.COUNSEL}), dt.timedelta(minutes=10))
    assert rules.limits == {"requests_a_minute": 1, "failures_a_minute": 2, "uploads_an_hour": 3}
    assert read.webhooks == (Webhook("us.dhs.ice", "https://agency.example/told"),)


def test_what_is_not_said_has_its_default() -> None:
    read = parsed('[site]\nname = "x"\n')
    assert read.settings.register == "/srv/site/register"
    assert read.settings.database == "sqlite:////srv/site/gatehouse.sqlite3"
    assert (read.settings.demonstration, read.settings.answer_days) == (False, 10)
    assert read.settings.engine == Choice("duckdb")
    assert (read.sockets, read.timestamps, read.webhooks, dict(read.roster.officers)) == (None, None, (), {})
    assert (read.entrance.passwords, read.entrance.limits) == (True, LIMITS)


def test_the_configuration_does_not_change() -> None:
    read = parsed(WHOLE)
    with pytest.raises(FrozenInstanceError):
        read.path = Path("/elsewhere")  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        read.settings.name = "another"  # type: ignore[misc]


@pytest.mark.parametrize(("section", "key", "line"), settings(), ids=str)
def test_every_setting_of_another_type_is_told_with_file_line_key_and_remedy(
    section: str, key: str, line: int, tmp_path: Path
) -> None:
    told = fault(tmp_path, with_line(line, f"{key} = 1979-05-27T07:32:00Z"), OF[section])
    assert told.where.startswith(f"{tmp_path}/gatehouse.toml, line {line}"), told
    assert section == "webhooks" or key in f"{told.where} {told.what}", told
    assert section == "webhooks" or told.remedy or key == "conflicts", told


@pytest.mark.parametrize(("section", "key", "line"), settings(), ids=str)
def test_every_misspelled_setting_is_told_with_its_line_and_never_passed_over(
    section: str, key: str, line: int, tmp_path: Path
) -> None:
    """Where the key must be there, that it is missing may be told instead."""
    if section == "oidc.roles":
        return  # its keys are the provider's groups
    text = with_line(line, WHOLE.splitlines()[line - 1].replace(key, f"{key[:-1]}_{key[-1]}", 1))
    told = fault(tmp_path, text, OF[section])
    assert told.where.startswith(f"{tmp_path}/gatehouse.toml, line "), told
    if section in {"site", "parts", "sign_in", "limits", "oidc"} and len(key) > 3:
        assert told.where == f"{tmp_path}/gatehouse.toml, line {line}"
        assert told.remedy == f"Did you mean {key}?"


@pytest.mark.parametrize("header", ["[site]", "[parts]", "[offices]", "[[officers]]", "[timestamps]", "[sign_in]",
                                    "[oidc]", "[limits]", "[[webhooks]]"])  # fmt: skip
def test_a_misspelled_table_is_told_at_the_door(header: str, tmp_path: Path) -> None:
    name = header.strip("[]")
    wrong = f"{name[:-1]}x{name[-1]}" if name != "site" else "sites"
    text = WHOLE.replace(header, header.replace(name, wrong), 1)
    if name == "oidc":
        text = text.replace("[oidc.roles]", f"[{wrong}.roles]")
    told = fault(tmp_path, text, "settings")
    line = WHOLE.splitlines().index(header) + 1
    assert told.where == f"{tmp_path}/gatehouse.toml, line {line}"
    assert told.remedy == f"Did you mean {name}?"


def test_a_key_of_somebody_s_own_is_left_alone() -> None:
    read = parsed('colour = "blue"\n' + WHOLE.replace("[offices]", '[offices]\nphone = "7"'))
    assert read.settings.name == "gateway.example/2025"
    assert read.offices.counsel


def test_a_fault_of_one_section_does_not_take_the_others() -> None:
    read = parsed(WHOLE.replace("from = 2025-01-01", 'from = "soon"').replace("idle_minutes = 10", "idle_minutes = 0"))
    with pytest.raises(CustodianFault, match=r"line 22, officer 1, from: this is not a date"):
        _ = read.roster
    with pytest.raises(CustodianFault, match="idle_minutes must be a whole number from 1 to 1,440"):
        _ = read.entrance
    assert read.timestamps
    assert read.webhooks


def test_what_was_read_is_passed_on_and_not_read_again(tmp_path: Path) -> None:
    made = sites.make(tmp_path / "site", sites.Founding("gateway.example/2025", demonstration=True))
    made.configuration.path.write_text(WHOLE.replace("[parts]\n", "").replace('sockets = "/run/gatehouse"\n', ""))
    site = sites.open_site(made.root)
    made.configuration.path.unlink()
    assert site.name == "gateway.example/2025"
    assert site.configuration.roster.officers
    assert site.configuration.offices.counsel
    assert site.configuration.entrance.provider
    assert site.configuration.timestamps
    assert site.configuration.webhooks


def test_a_process_that_lives_on_sees_what_changed_and_keeps_what_did_not(tmp_path: Path) -> None:
    site = sites.make(tmp_path / "site", sites.Founding("gateway.example/2025"))
    assert sites.current(site) is site
    text = site.configuration.text
    site.configuration.path.write_text(f"{text}[limits]\nuploads_an_hour = 7\n")
    changed = sites.current(site)
    assert [one.configuration.entrance.limits["uploads_an_hour"] for one in (site, changed)] == [60, 7]
    assert sites.current(changed) is changed
    site.configuration.path.write_text("[site")
    with pytest.raises(CustodianFault, match="not valid TOML"):
        sites.current(changed)


def test_where_a_site_keeps_its_work_takes_a_restart(tmp_path: Path) -> None:
    site = sites.make(tmp_path / "site", sites.Founding("gateway.example/2025"))
    site.configuration.path.write_text(site.configuration.text.replace("gatehouse.sqlite3", "another.sqlite3"))
    assert sites.current(site).database == site.database
    assert sites.open_site(site.root).database == f"sqlite:///{site.root}/another.sqlite3"


def test_the_officers_that_a_site_is_founded_with_read_back_as_they_were(tmp_path: Path) -> None:
    [ann] = parsed(WHOLE).roster.officers.values()
    made = sites.make(tmp_path / "site", sites.Founding("gateway.example/2025", officers=(ann,)))
    assert dict(made.configuration.roster.officers) == {"ann": ann}


def _modules() -> dict[str, ast.Module]:
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in SOURCE.rglob("*.py")
    }


def test_no_other_module_parses_toml() -> None:
    parsing = {
        name for name, tree in _modules().items() for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(one.name == "tomllib" for one in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "tomllib")
    }  # fmt: skip
    assert parsing == {"kernel/documents.py"}


def test_no_module_but_the_owner_opens_the_configuration() -> None:
    """Elsewhere its name is in messages and in the list of files that the ledger watches; its path is only named."""
    named, used = set(), set()
    for name, tree in _modules().items():
        said = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.keyword) and one.arg == "where"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value == "gatehouse.toml" and id(node) not in said:
                named.add(name)
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "configuration.NAME":
                named.add(name)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(".configuration.path"):
                used.add(node.attr)
    assert named == {"site/configuration.py", "pipeline/record.py"}
    assert used == {"name"}
