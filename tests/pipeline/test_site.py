"""A site is made whole or not at all, and a real one knows no other date than today's."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.signers import Verifier, read_signer
from gatehouse.pipeline import site as sites

FOUNDING = sites.Founding(name="gateway.example/disclosures/2025")


def test_a_new_site_has_private_keys_that_fit_its_public_ones(tmp_path: Path) -> None:
    made = sites.make(tmp_path / "custodian", FOUNDING)
    for name in ("log", "custodian"):
        private = made.keys / f"{name}.key"
        assert private.stat().st_mode & 0o777 == 0o600
        public = Verifier.parse((made.root / f"{name}.vkey").read_text().strip())
        assert read_signer(private).verifier == public
    assert (made.root / "log.vkey").read_text().startswith("gateway.example/disclosures/2025+")
    assert sites.open_site(made.root) == made


def test_two_sites_never_share_a_key(tmp_path: Path) -> None:
    first, second = (sites.make(tmp_path / name, FOUNDING) for name in ("a", "b"))
    assert first.log_key.read_bytes() != second.log_key.read_bytes()
    assert first.log_key.read_bytes() != first.custodian_key.read_bytes()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(WrongInput, match="not empty"):
        sites.make(tmp_path, FOUNDING)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_only_a_demonstration_may_pretend_a_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sites.make(tmp_path / "real", FOUNDING)
    pretending = sites.Founding(name="demo.example/2025", demonstration=True)
    demonstration = sites.make(tmp_path / "demo", pretending)
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-07T12:00:00Z")
    assert sites.open_site(demonstration.root).demonstration
    with pytest.raises(WrongInput, match="sets a pretended date"):
        sites.open_site(real.root)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[site\n", "not valid TOML"),
        ("[site]\n", "site.name is missing"),
        ("", r"\[site\] is missing"),
        ("[site]\nname = 7\n", "site.name must be a text"),
    ],
)
def test_a_broken_configuration_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    made = sites.make(tmp_path / "site", FOUNDING)
    made.configuration.path.write_text(text)
    with pytest.raises(WrongInput, match=says) as refused:
        sites.open_site(made.root)
    assert "gatehouse.toml" in refused.value.where


def test_a_folder_that_is_no_site_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="gatehouse init"):
        sites.open_site(tmp_path)


def test_without_a_pack_for_the_basis_nothing_is_decided(tmp_path: Path) -> None:
    made = sites.make(tmp_path / "site", FOUNDING)
    with pytest.raises(WrongInput, match="no pack of law"):
        made.pack_for("us.irs.6103-i-2")


def test_addresses_of_register_and_database_are_within_the_site_unless_they_say_otherwise(tmp_path: Path) -> None:
    made = sites.make(tmp_path / "site", FOUNDING)
    assert made.register == str(made.root / "register")
    assert made.database == f"sqlite:///{made.root.absolute()}/gatehouse.sqlite3"
    elsewhere = sites.Founding(name="b.example", register="postgresql://host/db")
    assert sites.make(tmp_path / "b", elsewhere).register == "postgresql://host/db"
