"""Who has access and who used it, as auditors see it: from the ledger's own entries, once for each change."""

from __future__ import annotations

from doors import SITE


def test_a_changed_configuration_is_entered_with_the_next_act_and_shown(site, signed_in):
    client, before = signed_in("administrator"), SITE.configuration.read_text()
    try:
        SITE.configuration.write_text(before + "\n# changed outside the console\n")
        client.post("/accounts/counsel/", {"act": "sign-out"})
    finally:
        SITE.configuration.write_text(before)
    assert "Configuration changed" in signed_in("auditor").get("/oversight/access/").content.decode()


def test_what_was_entered_and_who_looked_is_shown_to_auditors(site, signed_in):
    signed_in("officer1").get("/dockets/ICE-1/cases/8/")
    signed_in("administrator").post("/accounts/counsel/", {"act": "sign-out"})
    page = signed_in("auditor").get("/oversight/access/").content.decode()
    assert "Signed out everywhere" in page
    assert "officer1" in page.split("What was changed")[0]
