"""How one request compares with one person, field by field, in SQL; nothing here decides.

Every function gives a SQL expression whose value is a stable word, the same word the reviewer sees. `s` is the
request, `p` the person, `h` the address on file. Where a comparison is lax (a nickname, a typing error, a cut
surname) it is made only if a TIN or birth date is equal, because only then may it count.
"""

from __future__ import annotations

from gatehouse.match.keys import compact

PLAIN = "('equal', 'not_given')"
"""Comparisons of a middle name or identifier that stand in nobody's way."""

# Kinds of unit that people use for one another; a floor, a lot or a basement is none of them.
_ANY_UNIT = "('APT', 'UNIT', 'STE', 'RM', '#')"


def identifier(state: str, given: str, on_file: str) -> str:
    """`not_given`, `equal`, `different`, or `not_on_file`; one given in an invalid form is `different`."""
    return (
        f"CASE WHEN {state} = 'absent' THEN 'not_given' WHEN {given} IS NULL THEN 'different' "
        f"WHEN {on_file} IS NULL THEN 'not_on_file' WHEN {given} = {on_file} THEN 'equal' ELSE 'different' END"
    )


def last_name(lax: str) -> str:
    """`equal`, `order_swapped`, `variant`, `cut`, `one_typo` or `different`.

    `variant`: the two surnames of a double one in the other order, joined by `Y`, or an umlaut written out. `cut`: one
    of a double surname alone, or without its particles.
    """
    s, p = "s.last_key", "p.last_key"
    turned = f"({s} = {_turned(p)} OR {p} = {_turned(s)})"
    variant = f"{_plain(s)} = {_plain(p)} OR {turned}"
    cut = f"({_part_of(s, p)}) OR ({_part_of(p, s)})"
    return (
        f"CASE WHEN {compact(s)} = {compact(p)} THEN 'equal' WHEN NOT {lax} THEN 'different' "
        f"WHEN {_swapped()} THEN 'order_swapped' WHEN {variant} THEN 'variant' WHEN {cut} THEN 'cut' "
        f"WHEN {_typo(s, p)} AND NOT s.last_is_a_name THEN 'one_typo' ELSE 'different' END"
    )


def first_name(lax: str) -> str:
    """`equal`, `order_swapped`, `shortened`, `initial`, `nickname`, `one_typo` or `different`.

    `equal` also when first and middle names together are the same words. `shortened`: the first of several given
    names alone. `one_typo` never turns one known name into another (`JUAN`, `JUANA`).
    """
    s, p = "s.first_key", "p.first_key"
    shortened = f"starts_with({p}, {s} || ' ') OR starts_with({s}, {p} || ' ')"
    initial = f"length({s}) = 1 AND {s} = left({p}, 1) OR length({p}) = 1 AND {p} = left({s}, 1)"
    return (
        f"CASE WHEN {compact(s)} = {compact(p)} OR {_given('s')} = {_given('p')} THEN 'equal' "
        f"WHEN NOT {lax} THEN 'different' WHEN {_swapped()} THEN 'order_swapped' "
        f"WHEN {shortened} THEN 'shortened' WHEN {initial} THEN 'initial' WHEN n.one IS NOT NULL THEN 'nickname' "
        f"WHEN {_typo(s, p)} AND NOT s.first_is_a_name THEN 'one_typo' ELSE 'different' END"
    )


def middle_name() -> str:
    """`not_given` (on either side), `equal`, `initial` or `different`."""
    s, p = "s.middle_key", "p.middle_key"
    return (
        f"CASE WHEN {_given('s')} = {_given('p')} THEN 'equal' WHEN {s} IS NULL OR {p} IS NULL THEN 'not_given' "
        f"WHEN {compact(s)} = {compact(p)} THEN 'equal' WHEN (length({s}) = 1 OR length({p}) = 1) "
        f"AND left({s}, 1) = left({p}, 1) THEN 'initial' "
        f"WHEN starts_with({_words('s')}, {_words('p')} || ' ') OR starts_with({_words('p')}, {_words('s')} || ' ') "
        "THEN 'initial' ELSE 'different' END"
    )


def suffix() -> str:
    """`not_given` (on both sides), `equal`, `missing` on one side, or `different`."""
    return (
        "CASE WHEN s.suffix_key IS NULL AND p.suffix_key IS NULL THEN 'not_given' "
        "WHEN s.suffix_key IS NULL OR p.suffix_key IS NULL THEN 'missing' "
        "WHEN s.suffix_key = p.suffix_key THEN 'equal' ELSE 'different' END"
    )


def address() -> str:
    """`equal`, `part_missing` (unit, directional or street type on one side only), `unit_differs` or `different`.

    The texts are compared, not their hashes. A city must agree only where a ZIP code does not say the town; abroad it
    always must, and so must the postal code where both sides have one.
    """
    whole = " AND ".join(
        f"s.{part} IS NOT DISTINCT FROM h.{part}"
        for part in ("address_kind", "house_number", "street_name", "box_number", "country_key")
    )
    town = (
        "((s.country_key = 'US' AND s.zip5 = h.zip5) OR (s.city_key = h.city_key "
        "AND s.state_key IS NOT DISTINCT FROM h.state_key AND coalesce(s.zip5 = h.zip5, true)))"
    )
    named = ("pre_direction", "street_type", "post_direction")
    contradicts = " OR ".join(f"s.{part} <> h.{part}" for part in named)
    missing = " OR ".join(f"s.{part} IS DISTINCT FROM h.{part}" for part in named)
    unit_s, unit_h = "coalesce(s.unit_number, s.unit_kind)", "coalesce(h.unit_number, h.unit_kind)"
    alike = " AND ".join(f"coalesce({side}.unit_kind, '#') IN {_ANY_UNIT}" for side in "sh")
    kinds = f"s.unit_kind = h.unit_kind OR s.unit_kind = '#' OR h.unit_kind = '#' OR {alike}"
    unit = f"{unit_s} = {unit_h} AND ({kinds})"
    return (
        f"CASE WHEN NOT ({whole} AND {town}) OR coalesce({contradicts}, false) THEN 'different' "
        f"WHEN {unit_s} IS NOT NULL AND {unit_h} IS NOT NULL AND NOT ({unit}) THEN 'unit_differs' "
        f"WHEN ({unit_s} IS NULL) <> ({unit_h} IS NULL) OR {missing} THEN 'part_missing' ELSE 'equal' END"
    )


def _given(side: str) -> str:
    return compact(_words(side))


def _words(side: str) -> str:
    return f"concat_ws(' ', {side}.first_key, {side}.middle_key)"


def _swapped() -> str:
    return f"{compact('s.last_key')} = {compact('p.first_key')} AND {compact('s.first_key')} = {compact('p.last_key')}"


def _turned(name: str) -> str:
    return f"regexp_replace({name}, '^([A-Z]+) ([A-Z]+)$', '\\2 \\1')"


def _plain(name: str) -> str:
    joined = f"replace(replace({name}, ' Y ', ''), ' ', '')"
    return f"replace(replace(replace({joined}, 'AE', 'A'), 'OE', 'O'), 'UE', 'U')"


def _part_of(part: str, whole: str) -> str:
    return f"length({part}) >= 3 AND (starts_with({whole}, {part} || ' ') OR ends_with({whole}, ' ' || {part}))"


def _typo(one: str, other: str) -> str:
    a, b = compact(one), compact(other)
    return f"least(length({a}), length({b})) >= 3 AND damerau_levenshtein({a}, {b}) = 1"
