"""What pages show is what the files say; and what hostile readers send changes nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from docket_files import write_docket
from doors import PASSWORD, SITE

from gatehouse.console import charts, dockets, figures, log
from gatehouse.console.middleware import POLICY
from gatehouse.console.reading import Reader

PAGES = ["/", "/sign-in/", "/statistics/", "/ledger/", "/august-2025/", "/nothing/"]
OFFICER = [
    "/dockets/",
    "/dockets/ICE-1/",
    "/dockets/ICE-1/queue/",
    "/dockets/ICE-1/cases/9/",
    "/law/packs/us.irs.6103-i-2/",
]


def test_the_queue_shows_every_waiting_case_once_and_commonest_first(site):
    reader = Reader(SITE.dockets / "ICE-1")
    seen, after = [], -1
    while after is not None:
        page = reader.page(outcome="held", after=after, limit=7)
        seen += [(row["seq"], tuple(row["fired"])) for row in page.rows]
        after = page.after
    table = SITE.dockets / "ICE-1" / "determinations.parquet"
    held = duckdb.execute(f"SELECT seq FROM read_parquet('{table}') WHERE outcome = 'held' ORDER BY seq").fetchall()
    assert sorted(seq for seq, _ in seen) == [seq for (seq,) in held]
    groups = [fired for index, (_, fired) in enumerate(seen) if index == 0 or seen[index - 1][1] != fired]
    sizes = [sum(fired == group for _, fired in seen) for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    assert len(groups) == len(set(groups))


def test_the_counts_of_a_docket_are_those_of_its_file(site, signed_in):
    page = signed_in("counsel").get("/dockets/ICE-1/").content.decode()
    table = SITE.dockets / "ICE-1" / "determinations.parquet"
    for (count,) in duckdb.execute(f"SELECT count(*) FROM read_parquet('{table}') GROUP BY outcome").fetchall():
        assert f">{count}</td>" in page


@pytest.mark.parametrize("path", PAGES)
def test_public_pages_carry_no_inline_script_or_style(anyone, path):
    answer = anyone.get(path)
    clean(answer)


@pytest.mark.parametrize("path", OFFICER)
def test_officers_pages_carry_no_inline_script_or_style_and_are_not_kept(signed_in, path):
    answer = signed_in("officer1").get(path)
    clean(answer)
    assert answer.headers["Cache-Control"] == "no-store"


def clean(answer) -> None:
    text = answer.content.decode()
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", text)
    assert "<style" not in text


def test_eight_failures_close_the_door_for_a_name_and_nobody_elses(anyone):
    from gatehouse.console.models import FailedSignIn

    for _ in range(8):
        assert anyone.post("/sign-in/", {"username": "counsel", "password": "no"}).status_code == 401
    assert anyone.post("/sign-in/", {"username": "Counsel", "password": PASSWORD}).status_code == 429
    assert anyone.post("/sign-in/", {"username": "inspector", "password": PASSWORD}).status_code == 302
    FailedSignIn.objects.all().delete()


def test_an_unknown_name_is_answered_like_a_wrong_password(anyone):
    unknown = anyone.post("/sign-in/", {"username": "nobody", "password": "no"}).content.decode()
    wrong = anyone.post("/sign-in/", {"username": "officer2", "password": "no"}).content.decode()
    assert re.sub("value=.*?>", "", unknown) == re.sub("value=.*?>", "", wrong)


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
def test_signing_in_never_leads_elsewhere(anyone, onward):
    answer = anyone.post("/sign-in/", {"username": "inspector", "password": PASSWORD, "next": onward})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/dockets/../keys/",
        "/dockets/..%2fkeys/",
        "/dockets/.%2e/",
        "/dockets/ICE-1%00/",
        "/dockets/ICE-1/cases/99999999999999999999/",
        "/dockets/ICE-1/cases/-1/",
        "/dockets/ICE-1/queue/?state=released",
        "/ledger/../keys/log.key",
        "/ledger/..%2fkeys%2flog.key",
        "/ledger/tile/0/000.p/999",
        "/ledger/.hidden",
    ],
)
def test_no_address_reaches_outside_its_folder(signed_in, path):
    answer = signed_in("officer1").get(path)
    assert answer.status_code == 404
    assert b"PRIVATE+KEY" not in answer.content


@pytest.mark.parametrize("query", ["after=x", "after=-99", "after=1e9", "rule=%27%3B DROP TABLE queue", "after=9" * 40])
def test_a_strange_query_is_a_plain_page(signed_in, query):
    assert signed_in("officer1").get(f"/dockets/ICE-1/queue/?{query}").status_code == 200


def test_text_from_a_request_is_never_markup(signed_in):
    page = signed_in("officer1").get("/dockets/ICE-1/queue/", {"find": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", ["a/b", "../x", "", "=cmd", "a b", "x" * 65])
def test_an_account_takes_only_a_plain_name(site, name):
    from gatehouse.console import accounts
    from gatehouse.kernel.errors import WrongInput

    with pytest.raises(WrongInput):
        accounts.create(name, name="Somebody", role="counsel", password=PASSWORD)


def test_a_requester_without_an_agency_cannot_exist(site):
    from django.db import IntegrityError, transaction

    from gatehouse.console import accounts
    from gatehouse.console.models import Account
    from gatehouse.kernel.errors import WrongInput

    with pytest.raises(WrongInput):
        accounts.create("loose", name="Somebody", role="requester", password=PASSWORD)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(username="loose", name="Somebody", role="requester", agency="")


def test_an_empty_or_missing_upload_is_a_clear_page(signed_in):
    client = signed_in("requester")
    assert client.post("/submissions/new/").status_code == 400
    empty = SimpleUploadedFile("x.zip", b"")
    assert client.post("/submissions/new/", {"file": empty}).status_code == 400


def test_an_administrative_change_is_in_the_ledger_first(site, signed_in):
    before, openings = log.head(SITE.ledger).size, len(list(SITE.events.glob("account_proposed*")))
    form = {"username": "newcomer", "name": "A. Newcomer", "role": "counsel"}
    page = signed_in("administrator").post("/accounts/", form).content.decode()
    assert "newcomer is proposed" in page
    assert len(list(SITE.events.glob("account_proposed*"))) == openings + 1
    assert log.head(SITE.ledger).size > before


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (1, "fewer than 10"), (9, "fewer than 10"), (14, "10"), (1995, "2,000")]
)
def test_public_counts_are_rounded_and_small_ones_are_not_shown(count, shown):
    assert figures.rounded(count) == shown


def test_a_young_docket_is_not_counted_in_public():
    line = figures.Line("x", "a", dt.datetime(2025, 8, 1, tzinfo=dt.UTC), 1, {}, {})
    assert figures.published([line], line.received + dt.timedelta(days=9, hours=23)) == []
    assert figures.published([line], line.received + figures.DELAY) == [line]


@contextlib.contextmanager
def told(name: str, rows: int, answers: str, machine: str | None = None) -> Iterator[None]:
    """A docket whose answers were told: `answers` is their SQL by `seq`, and `machine` that of the outcomes."""
    folder = write_docket(SITE.dockets / name, rows, submission=name)
    table = folder / "determinations.parquet"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE found AS SELECT * FROM read_parquet('{table}')")
            if machine is not None:
                connection.execute(f"UPDATE found SET outcome = {machine}, codes = [{machine}]")
            connection.execute(f"COPY (FROM found ORDER BY seq) TO '{table}' (FORMAT parquet)")
            connection.execute(
                f"COPY (SELECT request_id, {answers} AS outcome, CASE {answers} WHEN 'answered' THEN '' "
                f"ELSE 'SUBJECT' END AS codes, '' AS text FROM found ORDER BY seq) TO '{folder}/answers.csv' (HEADER)"
            )
        (folder / "events").mkdir()
        (folder / "events" / "answered.json").write_text("{}")
        yield
    finally:
        shutil.rmtree(folder)


def public(anyone) -> tuple[str, str]:
    """All that the public statistics say: the main part of the page, and the file."""
    page = anyone.get("/statistics/").content.decode()
    return page.split("<main")[1].split("</main")[0], anyone.get("/statistics.csv").content.decode()


def test_public_statistics_name_no_small_count(anyone):
    with told("TOLD-1", 513, "CASE WHEN seq < 9 THEN 'answered' ELSE 'not_answered' END"):
        main, file = public(anyone)
    for number in re.findall(r'gh-number">([\d,]+)<', main):
        assert number.replace(",", "").endswith("0")
    assert "<dd>510</dd>" in main
    assert file.splitlines() == [
        "received_hour,requests,answered,not_answered",
        "2025-06-27T12:00:00Z,510,fewer than 10,500",
    ]


def test_public_statistics_do_not_tell_whether_somebody_is_on_file(anyone):
    """Fourteen requests that are certainly refused and one about somebody: nothing moves with what is found of them."""
    said = set()
    for found in ("refused", "held", "cleared"):
        with told("TOLD-1", 15, "'not_answered'", f"CASE seq WHEN 7 THEN '{found}' ELSE 'refused' END"):
            said.add(public(anyone))
    [(main, file)] = said
    assert "<dd>1</dd>" in main
    assert file.splitlines()[1:] == ["2025-06-27T12:00:00Z,20,0,20"]


def test_public_statistics_count_a_docket_once_for_each_state_of_its_files(anyone, monkeypatch):
    """However many dockets there are, and however few of them are kept open."""
    asked: list[str] = []
    counted = Reader.answered
    monkeypatch.setattr(dockets, "_MOST_OPEN", 1)
    monkeypatch.setattr(Reader, "answered", lambda self: asked.append(self.folder.name) or counted(self))
    with told("TOLD-1", 40, "'not_answered'"), told("TOLD-2", 30, "'not_answered'"):
        first, second = public(anyone), public(anyone)
        assert "<dd>70</dd>" in first[0]
        assert first == second
        assert sorted(asked) == ["TOLD-1", "TOLD-2"]
        answers = SITE.dockets / "TOLD-1" / "answers.csv"
        answers.write_text(answers.read_text().replace("not_answered", "answered"))
        assert "2025-06-27T12:00:00Z,40,40,0" in public(anyone)[1]
        assert sorted(asked) == ["TOLD-1", "TOLD-1", "TOLD-2"]


def test_a_docket_that_is_not_answered_yet_is_not_counted(anyone):
    with told("TOLD-1", 40, "'not_answered'"):
        (SITE.dockets / "TOLD-1" / "events" / "answered.json").unlink()
        main, file = public(anyone)
    assert "<dd>0</dd>" in main
    assert len(file.splitlines()) == 1


def test_a_docket_that_the_log_does_not_hold_is_not_counted(anyone):
    size = log.head(SITE.ledger).size
    with told("OVER-1", size + 500, "'not_answered'"), told("TOLD-1", 40, "'not_answered'"):
        main, file = public(anyone)
    assert "<dd>40</dd>" in main
    assert len(file.splitlines()) == 2


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [(1, 10**6, "under 0.1 %"), (999_999, 10**6, "over 99.9 %"), (0, 5, "0 %"), (5, 5, "100 %")],
)
def test_a_share_never_rounds_something_to_nothing(count, total, words):
    assert charts.share(count, total) == words


def test_the_parts_of_a_bar_fill_it():
    parts = charts.stacked([("a", "good", 1), ("b", "wait", 10**6), ("c", "stop", 0)])
    assert len(parts) == 2
    assert parts[-1].start + parts[-1].width == pytest.approx(100, abs=0.01)
    assert parts[0].width >= 0.4


def test_files_of_the_log_are_served_as_they_are(anyone):
    assert b"".join(anyone.get("/ledger/checkpoint").streaming_content) == (SITE.ledger / "checkpoint").read_bytes()


@pytest.mark.parametrize(
    ("username", "where"),
    [
        ("officer1", "/dockets/"),
        ("manager", "/dockets/"),
        ("requester", "/submissions/"),
        ("counsel", "/law/"),
        ("inspector", "/oversight/"),
        ("auditor", "/oversight/"),
        ("administrator", "/accounts/"),
    ],
)
def test_everybody_begins_where_their_own_work_is(signed_in, username, where):
    assert signed_in(username).get("/").headers["Location"] == where


def test_who_decides_goes_from_the_dockets_to_the_cases_that_wait_and_nobody_else(signed_in):
    assert b"/dockets/ICE-1/queue/" in signed_in("officer1").get("/dockets/").content
    assert b"/queue/" not in signed_in("counsel").get("/dockets/").content


def test_a_template_that_reads_a_name_that_is_not_there_fails(site):
    """So every test of a page is one of its names, as the size of a signed sample once was not."""
    from django.template import engines

    django = engines["django"]
    assert django.from_string("{{ sample.size }}").render({"sample": {"size": 16}}) == "16"
    with pytest.raises(LookupError, match=r"sample\.cases"):
        django.from_string("{{ sample.cases }} cases looked at").render({"sample": {"size": 16}})


def test_charts_are_told_apart_without_colour():
    """Every tone has 3:1 on white, and a white line stands between neighbours (WCAG 1.4.11)."""
    css = (Path(charts.__file__).parent / "static" / "console" / "site.css").read_text()
    named = dict(re.findall(r"--gh-(\w+): (#[0-9a-f]{6})", css))
    tones = re.findall(r"\.gh-(?:tone|key)-\w+ \{ (?:fill|background): (#[0-9a-f]{6}|var\(--gh-\w+\))", css)
    assert len(tones) >= 12

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for tone in tones:
        colour = named[tone[9:-1]] if tone.startswith("var") else tone
        assert 1.05 / (light(colour) + 0.05) >= 3, tone
    assert re.search(r"\.gh-bar rect \+ rect \{ stroke: #fff; stroke-width: 2px", css)


def test_every_page_can_be_used_without_scripts(anyone):
    page = anyone.get("/").content.decode()
    linked = re.search(r'<noscript><link rel="stylesheet" href="([^"]+)"></noscript>', page)
    assert linked
    assert "console/no-script.css" in linked[1]


def test_a_spanish_page_is_spanish_from_its_head_to_its_foot(anyone):
    page = anyone.get("/es/su-registro/").content.decode()
    for english in ("Skip to main content", "Menu<", "Public log", "Statistics", "Gatehouse decides", "Sign in"):
        assert english not in page, english
    for spanish in ("Ir al contenido principal", "Registro público", "Gatehouse decide cada solicitud"):
        assert spanish in page, spanish
    assert 'lang="en">English' in page


def test_a_person_is_warned_that_a_code_works_once_before_it_is_used(anyone):
    page = anyone.get("/your-record/").content.decode()
    if "<form" in page.split("<main")[1]:
        assert page.index("The code works once") < page.index("Show my answer")


def test_the_page_of_keys_leads_nowhere_that_is_not_there(signed_in):
    client = signed_in("requester")
    for address in re.findall(r"<main.*?</main>", client.get("/keys/").content.decode(), re.DOTALL):
        for link in re.findall(r'href="(/[^"]+)"', address):
            assert client.get(link).status_code == 200, link


def test_an_agency_is_called_by_its_name(site):
    from gatehouse.console.templatetags.plainly import party
    from gatehouse.ledger.signers import new_key
    from gatehouse.synthetic.parties import invent

    assert party("us.dhs.ice") == "us.dhs.ice"
    SITE.parties.write_text(invent(new_key("us.dhs.ice")[1], usual_requests=100))
    try:
        assert party("us.dhs.ice") not in {"", "us.dhs.ice"}
        assert party("us.nobody") == "us.nobody"
    finally:
        SITE.parties.unlink()
