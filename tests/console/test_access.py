"""Who has access and who used it, as auditors see it: from the ledger's own entries, once for each change."""

from __future__ import annotations

import pytest
from doors import SITE


def test_a_changed_configuration_is_entered_with_the_next_act_and_shown(site, signed_in):
    client, before = signed_in("administrator"), SITE.configuration.path.read_text()
    try:
        SITE.configuration.path.write_text(before + "\n# changed outside the console\n")
        client.post("/accounts/counsel/", {"act": "sign-out"})
    finally:
        SITE.configuration.path.write_text(before)
    assert "Configuration changed" in signed_in("auditor").get("/oversight/access/").content.decode()


def test_what_was_entered_and_who_looked_is_shown_to_auditors(site, signed_in):
    signed_in("officer1").get("/dockets/ICE-1/cases/8/")
    signed_in("administrator").post("/accounts/counsel/", {"act": "sign-out"})
    page = signed_in("auditor").get("/oversight/access/").content.decode()
    assert "Signed out everywhere" in page
    assert "officer1" in page.split("What was changed")[0]


def test_the_same_row_of_two_dockets_is_two_cases_however_often_opened(site):
    from gatehouse.console import access, accounts
    from gatehouse.console.models import Opening

    account, _ = accounts.create("looks", name="L", role="disclosure_officer")
    for docket, seq in (("ICE-1", 8), ("DOJ-1", 8), ("ICE-1", 8), ("ICE-1", 9)):
        Opening.objects.create(account=account, docket=docket, seq=seq)
    try:
        [found] = [one for one in access.lookers() if one.account == account]
        assert (found.cases, found.openings) == (3, 4)
    finally:
        Opening.objects.filter(account=account).delete()
        account.delete()


@pytest.mark.parametrize("person", ["9" * 5000, str(1 << 63), "-1", "\u0665", ""])
def test_no_letter_is_recorded_for_what_is_no_number(site, signed_in, person):
    before = len(list(SITE.events.glob("letter_made*")))
    answer = signed_in("officer1").post("/letters/", {"person": person})
    assert answer.status_code == 400
    assert "must be a whole number" in answer.content.decode()
    assert len(list(SITE.events.glob("letter_made*"))) == before
