"""A changed configuration is met and entered: once for each change, with digests and nothing secret."""

from __future__ import annotations

import pytest
from doors import SITE

from gatehouse.ledger.opening import Opening


def entered() -> list[dict]:
    return [
        dict(Opening.parse(path.read_bytes()).fields()) for path in sorted(SITE.events.glob("configuration-*.json"))
    ]


@pytest.mark.parametrize("file", ["configuration", "parties"])
def test_a_change_of_a_file_is_entered_once(site, signed_in, file):
    path, client = getattr(SITE, file), signed_in("administrator")
    before = path.read_bytes() if path.exists() else None
    client.get("/accounts/")
    count = len(entered())
    client.get("/accounts/")
    assert len(entered()) == count
    try:
        path.write_bytes((before or b"") + b"\n# changed outside the console\n")
        client.get("/accounts/")
        assert len(entered()) == count + 1
        client.get("/accounts/")
        assert len(entered()) == count + 1
    finally:
        path.write_bytes(before) if before is not None else path.unlink()


def test_an_officers_new_key_is_entered_by_its_digest(site, signed_in):
    from gatehouse.ledger.signers import new_key

    client, text = signed_in("administrator"), SITE.configuration.read_text()
    private, public = new_key("do-3")
    client.get("/accounts/")
    count = len(entered())
    section = (
        f'[[officers]]\nid = "do-3"\nname = "C"\nrole = "disclosure_officer"\nkey = "{public}"\nfrom = 2025-01-01\n'
    )
    try:
        SITE.configuration.write_text(f"{text}\n{section}")
        client.get("/accounts/")
    finally:
        SITE.configuration.write_text(text)
    assert len(entered()) == count + 1
    assert sum("do-3=" in fields["officers"] for fields in entered()) == 1
    assert private not in str(entered())


def test_what_was_entered_and_who_looked_is_shown_to_auditors(site, signed_in):
    signed_in("officer1").get("/dockets/ICE-1/cases/8/")
    signed_in("administrator").post("/accounts/counsel/", {"act": "sign-out"})
    page = signed_in("auditor").get("/oversight/access/").content.decode()
    assert "Signed out everywhere" in page
    assert "officer1" in page.split("What was changed")[0]
