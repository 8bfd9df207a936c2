"""Real combinations of city, state and ZIP, weighted roughly by where people live, with the style of their addresses.

The combinations come from the `zipcodes` package; the weights are the population of the state (rounded) shared out
over its ZIP codes, more to cities with many. The style decides which forms of address are written there.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import duckdb
import zipcodes

from gatehouse.synthetic.words import read_csv

PLACE_SLOTS = 131_072
_GRID_SHARE_OF_WISCONSIN = ("53022", "53051", "53089", "53029", "53005", "53045", "53072", "53186", "53188")
_SPANISH_STATES = ("CA", "TX", "NM", "AZ")


def _style(place: dict[str, str], cities: Counter[tuple[str, str]]) -> str:
    """How addresses are written at a ZIP code."""
    state, code = place["state"], place["zip_code"]
    rural = cities[place["city"], state] == 1 and int(code) % 5 < 2
    rules = (
        (place["zip_code_type"] == "MILITARY", "military"),
        (place["zip_code_type"] == "PO BOX", "po_box"),
        (state == "PR", "puerto_rico"),
        (state == "UT", "grid"),
        (code in _GRID_SHARE_OF_WISCONSIN, "wisconsin"),
        (state == "NY" and place["county"] == "Queens County", "queens"),
        (rural, "rural"),
        (state in _SPANISH_STATES, "spanish"),
    )
    return next((style for fits, style in rules if fits), "plain")


@cache
def _spans() -> list[list[str | int]]:
    """The places as columns: ZIP, city, state, style, first slot, after the last slot."""
    people = {row["state"]: float(row["millions"]) for row in read_csv("states.csv")}
    every = [
        place
        for place in zipcodes.list_all()
        if place["active"] and place["zip_code_type"] != "UNIQUE" and place["state"] in people
    ]
    every.sort(key=lambda place: place["zip_code"])
    cities = Counter((place["city"], place["state"]) for place in every)
    raw = [
        cities[place["city"], place["state"]] ** 0.5 * (0.15 if place["zip_code_type"] == "PO BOX" else 1.0)
        for place in every
    ]
    of_state: dict[str, float] = dict.fromkeys(people, 0.0)
    for place, weight in zip(every, raw, strict=True):
        of_state[place["state"]] += weight
    total = sum(people[state] for state, weight in of_state.items() if weight)
    rows, reached, first = [], 0.0, 0
    for place, weight in zip(every, raw, strict=True):
        reached += people[place["state"]] * weight / of_state[place["state"]]
        after = round(reached / total * PLACE_SLOTS)
        if after > first:
            rows.append((place["zip_code"], place["city"], place["state"], _style(place, cities), first, after))
        first = after
    return [list(column) for column in zip(*rows, strict=True)]


def load_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `syn_place`: `slot` (0 to PLACE_SLOTS - 1), `zip`, `zip_number`, `city`, `state`, `style`."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE syn_place AS SELECT unnest(range(first, after)) AS slot, zip, "
        "zip::BIGINT AS zip_number, city, state, style FROM (SELECT unnest($1::VARCHAR[]) AS zip, "
        "unnest($2::VARCHAR[]) AS city, unnest($3::VARCHAR[]) AS state, unnest($4::VARCHAR[]) AS style, "
        "unnest($5::BIGINT[]) AS first, unnest($6::BIGINT[]) AS after)",
        _spans(),
    )
