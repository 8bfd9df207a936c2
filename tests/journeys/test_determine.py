"""Every check of the law on one small submission, by name: what is asked, what becomes of it, and what the asker sees.

Every case has a home of its own with the person it names and that person's spouse. Each request is the lawful one with
one change; nothing is mocked.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyrage import x25519

from gatehouse.determine import probing
from gatehouse.determine.answers import PENDING_TEXT, SUBJECT_TEXT, publish
from gatehouse.determine.docket import Docket
from gatehouse.determine.facts import Standing, submission_facts
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import SEVERITY
from gatehouse.law.reading import load
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.oversight import asked
from gatehouse.oversight.replay import replay
from gatehouse.pipeline import determine as pipeline
from gatehouse.synthetic.officers import names

PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
AS_OF = dt.date(2025, 8, 7)
NOW = dt.datetime(2025, 8, 7, 12, tzinfo=dt.UTC)
PRIVATE, PUBLIC = new_key("us.dhs.ice")

RIGHT = {
    "last_name": "QUILL{letters}",
    "first_name": "OPHELIA",
    "birth_date": "1980-01-31",
    "tin": "90070{n}",
    "address_line1": "{n} MAIN ST",
    "city": "SPRINGFIELD",
    "state": "IL",
    "postal_code": "62701",
    "period_from": "2023-01-01",
    "period_to": "2024-12-31",
    "authority": "8 USC 1253(a)(1)",
    "proceeding": "investigation",
    "matter_number": "HSI-2025-0{n}",
    "matter_opened_on": "2025-01-02",
    "final_order_date": "2024-01-02",
    "final_order_number": "A20011{n}",
    "removal_ground": "8 USC 1227(a)(1)(B)",
    "reason": "{reason}",
    "officer_ids": "ICE-{n}",
    "items": "last_known_address",
}
_DID = (
    "sold forged cards to an undercover officer", "cashed stolen cheques at a pawn shop",
    "bought nine pistols for a gang",
    "lied to an inspector about a burned barn",
    "wired ransom money through a bakery", "robbed a post office at noon",
    "shipped fentanyl inside candles", "forged a notary's seal for six deeds", "hid a stolen truck under hay",
    "bribed a harbor pilot with whisky", "swore falsely about a boat", "stole mail from forty boxes",
)  # fmt: skip
_PLACES = (
    "Akron",
    "Boise",
    "Camden",
    "Dayton",
    "Elgin",
    "Fargo",
    "Gary",
    "Helena",
    "Irvine",
    "Joliet",
    "Keene",
    "Lodi",
)
_SERVES = (
    "the address is needed for the search warrant", "where he lived decides the judicial district of the charge",
    "agents must serve a grand jury subpoena", "residence then would disprove the alibi",
    "it will be an exhibit at trial", "prosecutors want the witness interviewed at home",
)  # fmt: skip


def own_reason(number: int) -> str:
    """A reason of this row's own: neighbours have few words in common."""
    did, place, serves = _DID[number % 12], _PLACES[number // 12 % 12], _SERVES[number * 5 // 7 % 6]
    return f"The subject {did} in {place} on {1 + number % 27} May 2024; {serves}."


NO_PLACE = {"address_line1": "", "city": "", "state": "", "postal_code": ""}


@dataclass(frozen=True)
class Case:
    """One request: what is changed in it, its outcome, and a rule that must be among those that fired."""

    change: dict[str, str]
    outcome: str
    rule: str | None = None


CASES: dict[str, Case] = {
    # the lawful request, and spellings of it
    "right": Case({}, "cleared"),
    "right-by-tin-alone": Case({"birth_date": ""}, "cleared"),
    "right-by-birth-date-alone": Case({"tin": ""}, "cleared"),
    "right-in-other-words": Case(
        {"authority": "INA § 243(a)(1)", "tin": "900 70 {n}", "address_line1": "{n} Main Street"}, "cleared"
    ),
    "name-and-address-alone": Case({"tin": "", "birth_date": ""}, "held", "identity-corroborated"),
    # 6: the name
    "no-last-name": Case({"last_name": ""}, "refused", "i2-name"),
    "placeholder-name": Case({"last_name": "LNU", "first_name": "UNKNOWN"}, "refused", "i2-name"),
    # 7, 8, 16: a real address, whatever the TIN says
    "tin-and-dont-care-12345": Case(NO_PLACE | {"address_line1": "Don't Care 12345"}, "refused", "i2-address"),
    "tin-and-zip-alone": Case(NO_PLACE | {"postal_code": "62701"}, "refused", "i2-address"),
    "tin-and-zeros": Case(NO_PLACE | {"address_line1": "00000"}, "refused", "i2-address"),
    "tin-and-no-address": Case(NO_PLACE, "refused", "i2-address"),
    "failed-to-provide": Case(NO_PLACE | {"address_line1": "FAILED TO PROVIDE"}, "refused", "i2-address"),
    "unknown-address": Case(NO_PLACE | {"address_line1": "Unknown Address"}, "refused", "i2-address"),
    "na-na": Case(NO_PLACE | {"address_line1": "NA NA"}, "refused", "i2-address"),
    "no-house-number": Case({"address_line1": "MAIN ST"}, "refused", "i2-address"),
    "jail": Case(NO_PLACE | {"address_line1": "SANGAMON COUNTY JAIL"}, "refused", "i2-address-own"),
    "zip-of-another-state": Case({"postal_code": "90001"}, "refused", "i2-address-place"),
    # 9: periods
    "no-period": Case({"period_from": "", "period_to": ""}, "incomplete", "i2-period"),
    "period-backwards": Case({"period_from": "2025-01-01"}, "incomplete", "i2-period"),
    "period-to-come": Case({"period_from": "2026-01-01", "period_to": "2026-12-31"}, "incomplete", "i2-period"),
    "period-unreadable": Case({"period_to": "2024"}, "incomplete", "i2-period"),
    "period-not-filed": Case({"period_from": "2010-01-01", "period_to": "2010-12-31"}, "held", "identity-period-filed"),
    # 10: the statute and its elements
    "no-statute": Case({"authority": ""}, "incomplete", "i2-authority-stated"),
    "section-without-subsection": Case({"authority": "8 USC 1253"}, "incomplete", "i2-authority-stated"),
    "statute-that-is-no-crime": Case({"authority": "8 USC 1229a(b)(5)"}, "refused", "i2-authority-criminal"),
    "order-89-days-old": Case({"final_order_date": "2025-05-10"}, "refused", "depart-90-days"),
    "order-90-days-old": Case({"final_order_date": "2025-05-09"}, "refused", "depart-90-days"),
    "order-91-days-old": Case({"final_order_date": "2025-05-08"}, "cleared"),
    "review-just-ended": Case({"review_order_date": "2025-06-01"}, "refused", "depart-90-days"),
    "no-order-date": Case({"final_order_date": ""}, "incomplete", "depart-order-date"),
    "impossible-order-date": Case({"final_order_date": "2024-02-30"}, "incomplete", "depart-order-date"),
    "no-order-number": Case({"final_order_number": ""}, "incomplete", "depart-order-number"),
    "no-ground": Case({"removal_ground": ""}, "incomplete", "depart-ground"),
    "ground-of-inadmissibility": Case({"removal_ground": "8 USC 1182(a)(6)"}, "refused", "depart-ground-class"),
    # 11: the reason is this row's own
    "no-reason": Case({"reason": ""}, "incomplete", "i2-reason"),
    "reason-in-the-letter": Case({"reason": "See attached letter"}, "incomplete", "i2-reason"),
    "boilerplate": Case({"reason": "The address is relevant to the investigation."}, "incomplete", "i2-reason"),
    "reason-for-a-person": Case(
        {"reason": "Missed the flight of 2 July 2024 and told a clerk of a plan to hide."}, "held", "i2-reason-unclear"
    ),
    "reason-removal": Case({"reason": "{reason} It is also to deport the subject."}, "refused", "i2-reason-removal"),
    "reason-voters": Case({"reason": "To check the voter rolls."}, "refused", "i2-reason-voters"),
    "reason-benefits": Case({"reason": "To check eligibility for SNAP."}, "refused", "i2-reason-benefits"),
    "reason-database": Case({"reason": "To update our records."}, "refused", "i2-reason-database"),
    "reason-household": Case({"reason": "To find out who lives with him."}, "refused", "i2-reason-household"),
    "reason-civil": Case({"reason": "To collect a debt."}, "refused", "i2-reason-civil"),
    "same-reason-1": Case(
        {"reason": "Ran from gate 4 on 3 May 2024; serve the target letter"}, "held", "ceiling-identical-reason"
    ),
    "same-reason-2": Case(
        {"reason": "RAN FROM GATE 7 ON 9 JUNE 2024; SERVE THE TARGET LETTER"}, "held", "ceiling-identical-reason"
    ),
    "same-reason-3": Case(
        {"reason": "QUILL{letters} ran from gate 1 on 1/2/2024; serve the target letter."},
        "held",
        "ceiling-identical-reason",
    ),
    "same-reason-4": Case(
        {"reason": "Ran from gate 2 on 3 May 2023; serve the target letter"}, "held", "ceiling-identical-reason"
    ),
    "same-reason-5": Case(
        {"reason": "ran from gate 2, on 3 May 2023;  Serve the target letter!"}, "held", "ceiling-identical-reason"
    ),
    **{
        f"same-reason-{n}": Case(
            {"reason": f"Ran from gate {n} on {n} May 2023; serve the target letter"},
            "held",
            "ceiling-identical-reason",
        )
        for n in range(6, 10)
    },
    # 12: a criminal matter
    "no-matter": Case({"matter_number": ""}, "incomplete", "i2-matter"),
    "matter-not-opened": Case({"matter_opened_on": ""}, "incomplete", "mou-active-investigation"),
    "civil-removal": Case({"proceeding": "civil removal"}, "refused", "i2-criminal-proceeding"),
    "no-proceeding": Case({"proceeding": ""}, "incomplete", "i2-proceeding-stated"),
    # 13, 14: the officers
    "no-officer": Case({"officer_ids": ""}, "refused", "i2-officers-named"),
    "officer-of-nobody": Case({"officer_ids": "ICE-99"}, "refused", "i2-officers-named"),
    "contractor": Case({"officer_ids": "ICE-CONTRACTOR"}, "refused", "i2-officers-employed"),
    "no-attestation": Case({"officer_ids": "ICE-SILENT"}, "incomplete", "i2-sole-use"),
    "no-recipient": Case({"officer_ids": "ICE-DEAF"}, "incomplete", "i2-officers-reachable"),
    "one-of-two-officers-unlisted": Case({"officer_ids": "ICE-{n};ICE-99"}, "refused", "i2-officers-named"),
    # 15: (i)(6), never shown
    "informant": Case({}, "refused", "i6-restricted"),
    # 17, 18: exactly that person
    "absent-person": Case({"last_name": "QUILLABSENT", "tin": "", "birth_date": ""}, "refused", "identity-exactly-one"),
    "wrong-tin": Case({"tin": "900-79-9999"}, "refused", "identity-exactly-one"),
    "wrong-birth-date": Case({"birth_date": "1981-01-31"}, "refused", "identity-exactly-one"),
    "tin-of-the-spouse": Case({"tin": "90080{n}"}, "refused", "identity-exactly-one"),
    "right-tin-other-real-address": Case({"address_line1": "99 OAK AVE"}, "refused", "identity-exactly-one"),
    "namesakes-at-one-address": Case(
        {"last_name": "MARTINEZ", "first_name": "JOSE", "tin": "", "birth_date": "", "address_line1": "40 ELM ST"},
        "refused",
        "identity-exactly-one",
    ),
    "one-namesake-by-birth-date": Case(
        {
            "last_name": "MARTINEZ",
            "first_name": "JOSE",
            "tin": "",
            "birth_date": "1975-03-03",
            "address_line1": "40 ELM ST",
        },
        "cleared",
    ),
    # 19: the least
    "tin-asked-for": Case({"items": "tin"}, "refused", "items-none-permitted"),
    "more-asked-for": Case({"items": "last_known_address;tin;bank_account"}, "cleared"),
    "nothing-asked-for": Case({"items": ""}, "refused", "items-none-permitted"),
    # 13, 21: one officer in too many matters
    **{f"busy-officer-{n}": Case({"officer_ids": "ICE-BUSY"}, "held", "ceiling-officer-hold") for n in range(4)},
    **{
        f"officer-of-everybody-{n}": Case({"officer_ids": "ICE-ALL"}, "refused", "ceiling-officer-refuse")
        for n in range(7)
    },
}

PARTIES = f"""
[agencies."us.dhs.ice"]
name = "An agency"
usual_requests = 1000
reports_overdue = 0
[[agencies."us.dhs.ice".keys]]
key = "{PUBLIC}"
from = 2025-01-01
[[agencies."us.dhs.ice".signatories]]
name = "Dana Whitlock"
title = "Director"
capacity = "agency_head"
from = 2025-01-01
[agencies."us.dhs.ice".safeguards]
report_approved_until = 2026-01-01
open_findings = 0
[agreements."irs-ice-mou-2025-04-07"]
parties = ["us.dhs.ice"]
basis = ["us.irs.6103-i-2"]
from = 2025-04-07
items = ["last_known_address"]
capacities = ["agency_head"]
[policy.officer_matters_hold]
ceiling = 3
reason = "small, as the batch is"
[policy.officer_matters_refuse]
ceiling = 6
reason = "small, as the batch is"
[policy.identical_reason_percent_hold]
ceiling = 4
reason = "small, as the batch is"
[policy.address_shared_hold]
ceiling = 10
reason = "many names at one address"
"""

NUMBERS = {name: number for number, name in enumerate(CASES, 1300)}
"""Each case's number is its person, its home, its officer and its matter."""


def spelled(number: int) -> str:
    return "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))


PEOPLE = iter(names(1000))
"""A name of its own for each officer: two of one name and title are one officer."""


def officer(identifier: str, **changes: Any) -> dict[str, Any]:
    recipient = str(x25519.Identity.generate().to_public())
    listed = {"id": identifier, "name": next(PEOPLE), "title": "Agent", "employee": True, "attests_sole_use": True}
    return listed | {"recipient": recipient} | changes


def write_register(folder: Path) -> Path:
    folder.mkdir()
    persons, homes = [], []
    for number in NUMBERS.values():
        family = f"QUILL{spelled(number)}"
        persons.append((number, f"90070{number}", family, "OPHELIA", dt.date(1980, 1, 31)))
        persons.append((number + 4000, f"90080{number}", family, "HORATIO", dt.date(1979, 4, 4)))
        homes += [(number, f"{number} MAIN ST"), (number + 4000, f"{number} MAIN ST")]
    persons.append((2, "900900002", "MARTINEZ", "JOSE", dt.date(1950, 2, 2)))
    persons.append((3, "900900003", "MARTINEZ", "JOSE", dt.date(1975, 3, 3)))
    homes += [(2, "40 ELM ST"), (3, "40 ELM ST")]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE p (person_id BIGINT, tin TEXT, last_name TEXT, first_name TEXT, birth_date DATE)"
        )
        connection.executemany("INSERT INTO p VALUES (?, ?, ?, ?, ?)", persons)
        connection.execute("CREATE TABLE h (person_id BIGINT, line1 TEXT)")
        connection.executemany("INSERT INTO h VALUES (?, ?)", homes)
        for table, query in REGISTER.items():
            connection.execute(f"COPY ({query}) TO '{folder / table}.parquet' (FORMAT parquet)")
    return folder


REGISTER = {
    "persons": "SELECT *, NULL::TEXT AS middle_name, NULL::TEXT AS suffix FROM p",
    "addresses": """SELECT person_id, line1, NULL::TEXT AS line2, 'SPRINGFIELD' AS city, 'IL' AS state,
        '62701' AS postal_code, 'US' AS country, DATE '2015-01-01' AS valid_from, NULL::DATE AS valid_to,
        true AS last_known FROM h""",
    "filings": "SELECT person_id, year::SMALLINT AS tax_year FROM p, range(2019, 2025) y(year)",
    "restrictions": f"""SELECT {NUMBERS["informant"]}::BIGINT AS person_id, 'informant' AS kind,
        DATE '2020-01-01' AS determined_on""",
}


def write_submission(folder: Path, cases: dict[str, dict[str, str]]) -> Path:
    folder.mkdir()
    rows = []
    for name, change in cases.items():
        fill = {"n": NUMBERS[name], "letters": spelled(NUMBERS[name]), "reason": own_reason(NUMBERS[name])}
        filled = {column: text.format(**fill) for column, text in (RIGHT | change).items()}
        rows.append(filled | {"request_id": name})
    with (folder / "requests.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    special = [
        officer("ICE-CONTRACTOR", employee=False),
        officer("ICE-SILENT", attests_sole_use=False),
        officer("ICE-DEAF", recipient="age1notakey"),
        officer("ICE-BUSY"),
        officer("ICE-ALL"),
    ]
    document = {
        "format": "gatehouse-submission/1",
        "id": "ICE-2025-0003",
        "agency": "us.dhs.ice",
        "basis": "us.irs.6103-i-2",
        "agreement": "irs-ice-mou-2025-04-07",
        "signed_on": "2025-06-27",
        "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
        "officers": special + [officer(f"ICE-{number}") for number in NUMBERS.values()],
        "tables": [
            {"file": "requests.csv", "sha256": digests.of_file(folder / "requests.csv"), "rows": len(rows)},
        ],
    }
    data = json.dumps(document).encode()
    (folder / "submission.json").write_bytes(data)
    (folder / "submission.json.sig").write_text(sign_detached(data, parse_signer(PRIVATE)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("determine")
    write_register(root / "register")
    write_submission(root / "submission", {name: case.change for name, case in CASES.items()})
    return root


def determined(place: Path, out: str, *, text: str | None = PARTIES, as_of: dt.date = AS_OF, **standing: Any) -> Docket:
    with open_workspace("1GB", threads=2) as connection:
        docket, seconds = pipeline.determine(
            connection,
            place / "submission",
            place / out,
            law=pipeline.Law(load(PACK), PACK, as_of),
            records=pipeline.Records(str(place / "register"), place / "index", "512MB"),
            standing=pipeline.Standing(parties.parse(text.encode()) if text else None, **standing),
            now=NOW,
        )
    assert set(seconds) >= {"intake", "match", "facts", "law", "write"}
    return docket


@pytest.fixture(scope="module")
def docket(place) -> Docket:
    return determined(place, "docket")


@pytest.fixture(scope="module")
def decided(docket) -> dict[str, dict[str, Any]]:
    found = duckdb.execute(f"SELECT * FROM '{docket.table('determinations')}'")
    names = [column[0] for column in found.description]
    return {row["request_id"]: row for row in (dict(zip(names, row, strict=True)) for row in found.fetchall())}


@pytest.fixture(scope="module")
def answers(docket) -> dict[str, dict[str, str]]:
    with docket.answers.open(encoding="utf-8", newline="") as stream:
        return {row["request_id"]: row for row in csv.DictReader(stream)}


@pytest.mark.parametrize("name", CASES)
def test_each_case_ends_as_the_law_says(decided, name: str) -> None:
    case, row = CASES[name], decided[name]
    assert row["outcome"] == case.outcome, row["fired"]
    if case.rule:
        assert case.rule in row["fired"]
    assert (row["person_id"] is not None) == (row["outcome"] == "cleared")


def test_only_the_person_named_is_ever_found(decided) -> None:
    found = {name: row["person_id"] for name, row in decided.items() if row["person_id"] is not None}
    assert found.pop("one-namesake-by-birth-date") == 3
    assert found == {name: NUMBERS[name] for name in found}


def test_only_what_may_be_released_is_named(decided) -> None:
    for row in decided.values():
        assert row["items"] in ([], ["last_known_address"])


@pytest.mark.parametrize("name", CASES)
def test_no_answer_tells_whether_a_record_exists(decided, answers, name: str) -> None:
    answer, row = answers[name], decided[name]
    assert "SUBJECT" not in answer["codes"]
    public = {code for code in row["codes"] if code not in ("SUBJECT", "HOLD")}
    if row["outcome"] in ("cleared", "held") or not public:
        assert (answer["outcome"], answer["codes"], answer["text"]) == ("pending", "", PENDING_TEXT)
    else:
        assert answer["outcome"] == "not_answered"
        assert set(answer["codes"].split(";")) <= public


def test_at_the_close_all_silence_sounds_the_same(docket, tmp_path) -> None:
    with open_workspace("512MB", threads=2) as connection:
        connection.execute(f"CREATE TABLE d AS FROM '{docket.table('determinations')}'")
        connection.execute("CREATE TABLE released AS SELECT seq FROM d WHERE request_id = 'right'")
        publish(connection, determinations="d", pack=load(PACK), path=tmp_path / "a.csv", released="released")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        answers = {row["request_id"]: row for row in csv.DictReader(stream)}
    assert answers["right"]["outcome"] == "answered"
    silent = [
        "absent-person", "wrong-tin", "wrong-birth-date", "informant", "namesakes-at-one-address", "tin-of-the-spouse",
        "name-and-address-alone", "period-not-filed", "right-by-tin-alone", "right-tin-other-real-address",
    ]  # fmt: skip
    assert {(answers[n]["outcome"], answers[n]["codes"], answers[n]["text"]) for n in silent} == {
        ("not_answered", "SUBJECT", SUBJECT_TEXT)
    }


def test_the_docket_accounts_for_every_request_and_replays(docket) -> None:
    summary = docket.read_summary()
    assert sum(summary["outcomes"].values()) == summary["requests"] == len(CASES)
    persons = 2 * len(NUMBERS) + 2
    assert summary["register"]["persons"] == summary["register"]["addresses"] == persons
    assert summary["register"]["persons_without_tin"] == summary["register"]["persons_without_address"] == 0
    assert summary["submission_digest"] == json.loads(docket.receipt.read_bytes())["digest"]
    with open_workspace("512MB", threads=2) as connection:
        assert replay(connection, docket.root).requests == len(CASES)


def test_requests_are_compared_with_the_agency_s_own_copy(place, docket, tmp_path) -> None:
    """A docket whose rows are others than those that the agency signed agrees with every digest in it."""
    submission, copy = place / "submission", Docket(shutil.copytree(docket.root, tmp_path / docket.root.name))
    with open_workspace("512MB", threads=2) as connection:
        assert asked.compare(connection, copy.root, submission) == len(CASES)
        connection.execute(f"CREATE TABLE kept AS FROM '{copy.table('requests')}'")
        connection.execute("UPDATE kept SET last_name = 'Another', last_key = 'ANOTHER' WHERE seq = 3")
        connection.execute(f"COPY kept TO '{copy.table('requests')}' (FORMAT parquet)")
        with pytest.raises(AnswerIsNo, match="row 4 is not as the agency sent it: last_name, last_key"):
            asked.compare(connection, copy.root, submission)


def test_an_unsigned_submission_clears_nothing(place) -> None:
    assert determined(place, "unsigned", unsigned=True).read_summary()["outcomes"]["cleared"] == 0


def decide_again(docket: Docket, changed: dict[str, object], as_of: dt.date = AS_OF) -> list[tuple[str, list[str]]]:
    """Outcomes and rules over the docket's facts with some facts changed for every row."""
    with open_workspace("512MB", threads=2) as connection:
        values = ", ".join(f"${name} AS {name}" for name in changed)
        replaced = f"REPLACE ({values})" if changed else ""
        connection.execute(f"CREATE TABLE facts AS SELECT * {replaced} FROM '{docket.table('facts')}'", changed)
        for name, kind, *_ in connection.execute("DESCRIBE facts").fetchall():
            if kind in ("NULL", '"NULL"'):
                connection.execute(f"ALTER TABLE facts DROP COLUMN {name}")
        evaluate(connection, load(PACK), "facts", "decided", as_of)
        return connection.execute("SELECT outcome, fired FROM decided").fetchall()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("open_findings = 0", "open_findings = 2", "p4-findings"),
        ("report_approved_until = 2026-01-01", "report_approved_until = 2025-08-07", "p4-report-approved"),
        ("reports_overdue = 0", "reports_overdue = 1", "p4-reports-owed"),
        ("from = 2025-04-07", "from = 2025-04-07\nuntil = 2025-08-07", "agreement-in-force"),
        ('title = "Director"', 'title = "Deputy"', "i2-signer-known"),
        ("usual_requests = 1000", "usual_requests = 10", "ceiling-size"),
        (PARTIES, "", "i2-signer-known"),
    ],
    ids=["findings", "safeguards", "reports", "agreement-ended", "signer", "size", "nobody-known"],
)
def test_what_holds_for_the_whole_stops_every_row(place, docket, old: str, new: str, rule: str) -> None:
    manifest = manifests.parse((place / "submission" / "submission.json").read_bytes())
    known = parties.parse(PARTIES.replace(old, new).encode())
    whole = submission_facts(manifest, known, Standing(True), AS_OF)
    ended = decide_again(docket, {name: value for name, (_, value) in whole.items() if name != "items_agreed"})
    assert "cleared" not in {outcome for outcome, _ in ended}
    assert all(rule in fired for _, fired in ended)


def test_a_halted_submission_clears_nothing(docket) -> None:
    assert "cleared" not in {outcome for outcome, _ in decide_again(docket, {"halted": True})}


@pytest.mark.parametrize(
    ("day", "outcomes"),
    [
        (dt.date(2025, 9, 4), {"cleared", "held", "incomplete", "refused"}),
        (dt.date(2025, 9, 5), {"held", "incomplete", "refused"}),
        (dt.date(2025, 11, 21), {"refused"}),
        (dt.date(2026, 2, 5), {"refused"}),
    ],
    ids=["before-any-order", "notice-ordered", "stayed", "enjoined"],
)
def test_orders_tighten_from_their_day(docket, day: dt.date, outcomes: set[str]) -> None:
    assert {outcome for outcome, _ in decide_again(docket, {}, day)} == outcomes


@pytest.mark.slow
def test_a_missing_fact_never_loosens_an_outcome(docket) -> None:
    """Each fact in turn is taken away from every request; no outcome becomes milder.

    Exceptions are the law's own: facts whose absence a rule forgives with a stated reason; a proceeding that is not
    stated, which comes back as incomplete where one for civil removal is refused; and an (i)(6) determination that is
    not recorded, which holds for a person where one on record refuses.
    """
    pack = load(PACK)
    forgiven = {fact for rule in pack.in_force(AS_OF) for fact in rule.ignores}
    assert forgiven == {"period_filed", "restricted", "matter_before_agency"}
    with open_workspace("512MB", threads=2) as connection:
        connection.execute(f"CREATE TABLE facts AS FROM '{docket.table('facts')}'")
        kinds = {row[0]: row[1] for row in connection.execute("DESCRIBE facts").fetchall() if row[0] != "seq"}
        severity = " ".join(f"WHEN '{outcome}' THEN {rank}" for outcome, rank in SEVERITY.items())
        evaluate(connection, pack, "facts", "base", AS_OF)
        connection.execute("CREATE TABLE before AS SELECT seq, outcome FROM base")
        for fact, kind in kinds.items():
            connection.execute(f"CREATE OR REPLACE VIEW poorer AS SELECT * REPLACE (NULL::{kind} AS {fact}) FROM facts")
            evaluate(connection, pack, "poorer", "after", AS_OF)
            milder = connection.execute(
                "SELECT DISTINCT before.outcome, after.outcome FROM before JOIN after USING (seq) "
                f"WHERE CASE after.outcome {severity} END < CASE before.outcome {severity} END"
            ).fetchall()
            allowed = {
                "proceeding": {("refused", "incomplete")},
                "period_filed": {("held", "cleared")},
                "restricted": {("refused", "held")},
            }
            assert set(milder) <= allowed.get(fact, set()), fact


def test_a_refused_submission_leaves_its_record_and_nothing_else(place, tmp_path) -> None:
    private, _ = new_key("custodian")
    spoiled = tmp_path / "submission"
    write_submission(spoiled, {"right": {}})
    (spoiled / "requests.csv").write_text("no table", encoding="utf-8")
    with (
        open_workspace("512MB", threads=2) as connection,
        pytest.raises(WrongInput, match="not the one that was signed"),
    ):
        pipeline.determine(
            connection,
            spoiled,
            tmp_path / "docket",
            law=pipeline.Law(load(PACK), PACK, AS_OF),
            records=pipeline.Records(str(place / "register"), place / "index", "512MB"),
            standing=pipeline.Standing(parties.parse(PARTIES.encode()), parse_signer(private)),
            now=NOW,
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docket.refused", "submission"]
    record = json.loads((tmp_path / "docket.refused" / "receipt.json").read_bytes())
    assert record["submission"] == "ICE-2025-0003"
    assert record["signed_by"] == "custodian"
    assert "not the one that was signed" in record["refusal"]
    assert (tmp_path / "docket.refused" / "receipt.json.sig").is_file()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_half_done(place) -> Iterator[None]:
    yield
    assert [path.name for path in place.iterdir() if path.name.startswith(".making")] == []


def guesses(*tins: str) -> dict[str, dict[str, str]]:
    """Requests about the person of `right`, each with another TIN; the officers and matters are their own."""
    number = NUMBERS["right"]
    about = {name: RIGHT[name].format(n=number, letters=spelled(number)) for name in ("last_name", "address_line1")}
    names = list(CASES)[: len(tins)]
    return {name: about | {"birth_date": "", "tin": tin} for name, tin in zip(names, tins, strict=True)}


def asked_and_answered(place: Path, out: Path, **standing: Any) -> tuple[list[tuple[str, bool]], bytes]:
    """Each row's outcome and whether the rule on changed particulars fired, and the answers as they stand."""
    out.mkdir()
    docket = determined(place, str(out / "docket"), **standing)
    rows = duckdb.execute(
        "SELECT outcome, list_contains(fired, 'ceiling-subject-variants') "
        f"FROM '{docket.table('determinations')}' ORDER BY seq"
    ).fetchall()
    return rows, docket.answers.read_bytes()


def test_finding_out_a_tin_by_trial_is_held_across_dockets_and_told_to_nobody(place, tmp_path) -> None:
    own = f"90070{NUMBERS['right']}"
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, tins in ((first, ("900710001", "900710002")), (second, ("900710003", own))):
        folder.mkdir()
        (folder / "register").symlink_to(place / "register")
        write_submission(folder / "submission", guesses(*tins))
    asked_and_answered(first, tmp_path / "d1")
    earlier = probing.Earlier(Docket(tmp_path / "d1" / "docket"), AS_OF)
    alone, said_alone = asked_and_answered(second, tmp_path / "d2")
    assert alone == [("refused", False), ("cleared", False)]
    together, said = asked_and_answered(second, tmp_path / "d3", history=(earlier,))
    assert together == [("refused", True), ("held", True)]
    assert said == said_alone
