"""The page about August 2025 says what docs/august-2025.md says, number for number."""

from __future__ import annotations

import re
from pathlib import Path

from gatehouse.console import august
from gatehouse.synthetic import august as batch
from gatehouse.synthetic.reenactment import BATCH_RULES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "august-2025.md").read_text()


def test_the_numbers_are_those_of_the_published_account(site):
    replay = august.read()
    assert (replay.requests, replay.given) == (batch.REQUESTS, batch.ANSWERED)
    for rule in replay.rules:
        aside = "–" if rule.alone_batch_aside is None else f"{rule.alone_batch_aside:,}"
        assert re.search(rf"^\| `{rule.id}` \| \w+ \| {rule.stops:,} \| {rule.alone:,} \| {aside} \|$", DOCUMENT, re.M)
    assert len(replay.rules) == len(re.findall(r"^\| `", DOCUMENT, re.M))
    for name, counts in replay.scenarios:
        assert f"| all requests, {name} | " + " | ".join(f"{count:,}" for count in counts.values()) + " |" in DOCUMENT
    for name, requests in replay.unknown.items():
        assert f"| {name} | {requests:,} |" in DOCUMENT
    assert not any(rule.id.startswith("i6") for rule in replay.rules)
    for ground in replay.grounds:
        assert f"| {ground.ground} | {ground.requests:,} | {ground.answered:,} |" in DOCUMENT
    assert sum(ground.requests for ground in replay.grounds) == replay.requests
    assert sum(ground.answered for ground in replay.grounds) == replay.given
    assert replay.assumed == tuple(batch.ASSUMED)
    named = re.search(r"They are\s+(.*?)\.\n", DOCUMENT, re.S)
    assert named
    assert set(august.BATCH_RULES) == set(re.findall(r"`([^`]+)`", named[1])) <= set(BATCH_RULES)


def test_the_page_shows_both_sides_every_assumption_and_every_source(anyone):
    page = anyone.get("/august-2025/").content.decode()
    assert "47,289" in page
    assert "1,280,000 requests is refused" in page
    for event in august.read().timeline:
        assert event.address in page
    assert page.count("<li>") >= len(batch.ASSUMED) + len(august.read().timeline)


def test_the_rules_about_the_batch_are_counted_as_they_are_listed(anyone):
    page = anyone.get("/august-2025/").content.decode()
    said = re.search(
        r"<p>(\w+) rules look at the batch as a whole.*?<ul class=\"usa-list\">(.*?)</ul>", page, re.DOTALL
    )
    assert said
    listed = said[2].count("<li>")
    assert said[1] == ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")[listed]
    replay = august.read()
    assert listed == sum(rule.stops == replay.requests and rule.id in august.BATCH_RULES for rule in replay.rules)
    assert listed
