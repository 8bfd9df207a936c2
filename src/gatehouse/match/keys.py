"""The keys under which requests and register meet: SQL over folded names and address parts, the same on both sides.

A key only brings a request and an entry of the register together; whether they agree is decided afterwards on the
texts themselves, so that two texts with one hash can never make a match.
"""

from __future__ import annotations

PLACE_PARTS = (
    "address_kind", "house_number", "pre_direction", "street_name", "street_type", "post_direction", "unit_kind",
    "unit_number", "box_number", "city_key", "state_key", "zip5", "country_key",
)  # fmt: skip
"""The address parts that tell one place from another; ZIP+4 is left out, it only repeats them."""


def locality(zip5: str, city: str, state: str, country: str) -> str:
    """The town as one text: the ZIP code where there is one, else city and state or country."""
    return (
        f"CASE WHEN {country} = 'US' AND {zip5} IS NOT NULL THEN {zip5} "
        f"ELSE concat_ws('|', {country}, {state}, {city}) END"
    )


def place_key(town: str, prefix: str = "") -> str:
    """The key of a building, box or route in a town; NULL without a number, box or, abroad, a street."""
    p = prefix
    exists = (
        f"{p}house_number IS NOT NULL OR {p}box_number IS NOT NULL "
        f"OR ({p}address_kind = 'foreign' AND {p}street_name IS NOT NULL)"
    )
    parts = ", ".join(
        f"coalesce({p}{part}, '')" for part in ("address_kind", "house_number", "street_name", "box_number")
    )
    return f"CASE WHEN {exists} THEN hash(concat_ws('|', {town}, {parts})) END"


def compact(expression: str) -> str:
    """A folded name without spaces, so that `DE LA CRUZ` and `DELACRUZ`, `MC DONALD` and `MCDONALD` are one."""
    return f"replace({expression}, ' ', '')"


def block_key(last_key: str, first_key: str) -> str:
    """The key of a surname and the first three letters of the given names: wider than equality, narrower than sound."""
    return f"hash({compact(last_key)}, left({compact(first_key)}, 3))"


def name_key(last_key: str, first_key: str) -> str:
    """The key of a whole first and last name."""
    return f"hash({compact(last_key)}, {compact(first_key)})"
