"""The page about August 2025: tables and a chart, every number from one run, every assumption named as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.synthetic import august
from gatehouse.synthetic.chart import Bar, Panel, draw
from gatehouse.synthetic.reenactment import BATCH_RULES, OFFICER_RULES, OUTCOMES, Reenactment

_SHOWN = 14
SCENARIOS: Mapping[str, tuple[str, ...]] = {
    "as it was": (),
    "had the officer rules been satisfied": OFFICER_RULES,
    "had every rule about the batch as a whole been satisfied": BATCH_RULES,
}


def write(result: Reenactment, page: Path) -> Path:
    """Write the page and, beside it, the chart under the same name with `.svg`; returns the chart's path."""
    picture = page.with_suffix(".svg")
    files.write(picture, chart(result).encode())
    files.write(page, text(result, picture.name).encode())
    return picture


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers get thousands separators and stand to the right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    right = [any(isinstance(row[at], int) for row in rows) for at in range(len(head))]
    rule = ["---:" if numbers else "---" for numbers in right]
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(head), rule, *cells])


def summary(result: Reenactment) -> str:
    """What a person reads on the terminal: who gave what, then the tables of rules and scenarios."""
    cleared = result.outcomes()["cleared"]
    return (
        f"{result.requests:,} requests against {result.persons:,} persons, law as of {result.as_of}\n"
        f"historical procedure: {result.answered.total:,} addresses given "
        f"({result.answered.tin_matching:,} by TIN Matching, {result.answered.address_matching:,} by addresses)\n"
        f"Gatehouse: {cleared:,} cleared\n\n{by_rule(result)}\n\n{by_unknown(result)}\n\n{by_scenario(result)}\n"
    )


def by_rule(result: Reenactment) -> str:
    """Per rule: how many requests it stops for a fact, and how many it alone, with and without the batch's rules."""
    head = ["Rule", "Makes it", "Stops", "Alone stops", "Alone stops, batch rules aside"]
    return table(
        head,
        [
            [
                f"`{rule}`",
                result.severity[rule],
                result.stopped(rule),
                result.alone(rule),
                "–" if rule in BATCH_RULES else result.alone(rule, BATCH_RULES),
            ]
            for rule in result.rules()
        ],
    )


def by_unknown(result: Reenactment) -> str:
    """What could not be known, and how many requests stopped for want of it too."""
    return table(["Not known", "Requests"], [[name, requests] for name, requests in result.unknown().items()])


def by_scenario(result: Reenactment) -> str:
    """What becomes of all requests, and of those that were answered in 2025, in each scenario."""
    rows: list[list[object]] = []
    for name, satisfied in SCENARIOS.items():
        rows.append([f"all requests, {name}", *result.outcomes(satisfied).values()])
        for process, means in (("tin", "answered by TIN Matching"), ("address", "answered by address matching")):
            rows.append([f"– {means}", *result.outcomes(satisfied, process=process).values()])
        rows.append(["– not answered then", *result.outcomes(satisfied, process=None).values()])
    return table(["Requests", *OUTCOMES], rows)


def by_ground(result: Reenactment) -> str:
    """Rules about the batch aside: the first ground that stops each request, and how many of these were answered."""
    rows = [[name, every, answered] for name, (every, answered) in result.grounds().items()]
    return table(["Batch rules aside, the request", "All", "Answered in August 2025"], rows)


def chart(result: Reenactment) -> str:
    """The chart: addresses given, then how many requests each rule stops and how many it alone stops."""
    outcomes = result.outcomes()
    rules = result.rules()[:_SHOWN]
    given = [
        Bar("TIN Matching, August 2025", result.answered.tin_matching),
        Bar("address matching, August 2025", result.answered.address_matching),
        Bar("Gatehouse", outcomes["cleared"]),
    ]
    left = [Bar(name, every, answered) for name, (every, answered) in result.grounds().items()]
    stops = [Bar(rule, result.stopped(rule), result.alone(rule, _aside(rule))) for rule in rules]
    return draw(
        f"The exchange of August 2025, re-enacted: {result.requests:,} requests",
        f"The historical procedure gave {result.answered.total:,} addresses, Gatehouse cleared "
        f"{outcomes['cleared']:,}. "
        "Bars show how many requests each rule stops; the same numbers stand in the tables of the page.",
        [
            Panel("Addresses given or cleared", given, "requests"),
            Panel(
                "What each rule stops",
                stops,
                "requests stopped",
                "by this rule alone, batch rules aside",
            ),
            Panel("Had every rule about the batch been satisfied", left, "requests", "answered in August 2025"),
        ],
    )


def _aside(rule: str) -> tuple[str, ...]:
    return () if rule in BATCH_RULES else BATCH_RULES


def text(result: Reenactment, picture: str) -> str:
    """The whole page in Markdown."""
    outcomes, officer, batch = (result.outcomes(satisfied) for satisfied in SCENARIOS.values())
    assumed = "\n".join(f"- {line}" for line in august.ASSUMED)
    seconds = ", ".join(f"{stage} {spent:.1f}" for stage, spent in result.seconds.items())
    share = result.on_file() / max(1, result.answered.tin_matching)
    return f"""# The exchange of August 2025, re-enacted

This page is written by `gatehouse reenact august-2025 --scale {result.scale:g} --persons {result.persons}`. All people
in it are invented. The batch is built so that its known totals match the public record; the rest is assumed and listed
below. Both procedures
then ran over the same {result.requests:,} requests against a register of {result.persons:,} persons (seed {
        result.seed
    }),
Gatehouse under `packs/us-irs-6103-i-2` as of {result.as_of}.

## Outcome

{
        table(
            ["", "TIN Matching", "Address matching", "Addresses given"],
            [
                ["On record (scale 1)", august.TIN_ANSWERED, august.ADDRESS_ANSWERED, august.ANSWERED],
                [
                    "Historical procedure, this run",
                    result.answered.tin_matching,
                    result.answered.address_matching,
                    result.answered.total,
                ],
                [
                    "Gatehouse, this run",
                    result.outcomes(process="tin")["cleared"],
                    result.outcomes(process="address")["cleared"],
                    outcomes["cleared"],
                ],
            ],
        )
    }

How to read the zero, and the record beside it:

- Gatehouse's 0 rests on the custodian's ceilings, on open safeguard findings and on the one reason given for all, which
  stop the whole batch. Ceilings and findings are a custodian's policy and its reading of § 6103(p)(4), not words of
  (i)(2). What is left without them stands below.
- "Cleared" assumes what no machine can see: that the officers were engaged in each matter, that the purpose was the one
  stated, and that the address was relevant to it. The batch is built in the requester's favor on all three.
- The court counted about 42,695 releases for which nobody had *confirmed* that the request set forth the taxpayer's
  address. It did not find that each address was wrong. Its finding was provisional, and the government appealed.

In this run, {
        share:.0%} of the answers by TIN Matching happened to go to a request whose address agrees with one on file;
the others gave an address that is not the taxpayer's, or none. The procedure could not tell them apart, because it
never compared. The share is assumed (see below); that nothing was compared is on record.

![Bars: addresses given then and now, what each rule stops, and what would have been left]({picture})

## What each rule stops

A request is usually stopped by several rules. The table counts rules that stop a request for a fact; "alone" counts
requests that no other rule stops for a fact. As the rules about the batch as a whole stop every request, the last
column leaves them aside. They are
{", ".join(f"`{rule}`" for rule in BATCH_RULES)}.

{by_rule(result)}

A missing fact stops a request too, and says nothing of anybody. Where no single person agrees, there is nothing on file
to look at, so every rule about a person's record stops the request for want of a fact. Those rules are not counted
above, and none of them is named for a person who was not found:

{by_unknown(result)}

## What would have been left

Gatehouse cleared {outcomes["cleared"]:,} requests. Had only the officer rules been satisfied (officers really engaged,
each in few matters), it would have cleared {officer["cleared"]:,} and held {
        officer["held"]:,} for people. Had the single
reason, the size and the open safeguard findings been in order too, it would have cleared {batch["cleared"]:,} and
held {batch["held"]:,}. Cleared is not released: two officers still approve each one in writing.

{by_scenario(result)}

Taken in the order in which a reader of the statute asks, with the rules about the batch aside, each request ends at
its first ground:

{by_ground(result)}

## On record and assumed

On record, as reported by courts, an official's declaration and the inspector general: 1.28 million requests; 47,289
addresses given on 7 August 2025, about 42,695 of them by TIN Matching and so about 4,594 by address matching; the only
control of the address being that the field was not blank and held something like a 5- or 9-digit number; one
Assistant Director named for every matter; placeholders such as "Failed to Provide", "Unknown Address" and "NA NA",
missing street names and numbers, and places of detention; fewer than five per cent of the answers admitted to rest on
insufficient addresses; safeguard findings open, without a plan that had dates. Some accounts differ (47,489 and "about
47,300" are also reported). The texts were read in accounts of them, not in the originals.

Assumed:

{assumed}

Gatehouse's ceilings (50 and 500 matters an officer, 5 per cent of requests with one reason, a usual size of 1,000
requests) are a custodian's policy and no law. The counts by rule are facts about this synthetic batch, not about the
people of 2025.

## Run it

```
gatehouse reenact august-2025 --scale 0.01 --dir reenactment --out reenactment/august-2025.md
```

Seconds in this run: {seconds}.
"""
