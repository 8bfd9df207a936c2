"""Decide a whole batch at once: the rules in force on a date, as columns over a table of facts.

One pass makes a bit mask of the rules that stopped each request, of those that did so only for want of a fact, and of
the items the request may have; lists of ids, codes and items are made once per distinct mask and joined late. A missing
fact can only make an outcome stricter: `require` passes only when true, `bar` and `limit` stand aside only when false,
`grant` gives only when true.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from duckdb import DuckDBPyConnection as Connection

from gatehouse.intake.workspace import open_enclosed
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.law.columns import literal, sql, text_list
from gatehouse.law.language import Comparison, Constant, Expression, Field, Kind, Value, field_names, renamed
from gatehouse.law.pack import NO_GRANT, SEVERITY, Code, Effect, Pack, Rule
from gatehouse.law.reading import DERIVED

MASK_RULES = 31
"""Rules in one mask column, two bits each: the lower says that the rule fired, the higher that it lacked a fact."""
AT_MOST = "items_at_most"
REQUESTED, AGREED = "items_requested", "items_agreed"

_COLUMN_TYPES: dict[Kind, tuple[str, ...]] = {
    Kind.BOOL: ("BOOLEAN",),
    Kind.INT: ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    Kind.TEXT: ("VARCHAR",),
    Kind.DATE: ("DATE",),
    Kind.ITEMS: ("VARCHAR[]",),
}
_SQL_TYPE = {Kind.BOOL: "BOOLEAN", Kind.INT: "BIGINT", Kind.TEXT: "VARCHAR", Kind.DATE: "DATE", Kind.ITEMS: "VARCHAR[]"}


@dataclass(frozen=True)
class Stop:
    """Two bits of the mask: a rule that can stop or limit, or the absence of any grant."""

    id: str
    code: str
    outcome: str


def stops(pack: Pack, rules: Sequence[Rule]) -> list[Stop]:
    """What the mask's bits mean, in bit order: the default first, then rules by id."""
    listed = [Stop(NO_GRANT, Code.AUTHORITY, "refused")]
    listed += [Stop(rule.id, rule.code, rule.outcome) for rule in rules if rule.effect is not Effect.GRANT]
    return listed


class Masks(Protocol):
    """Another engine that may make the masks under one pack on one date; only `law.admission` says which may."""

    def make(self, connection: Connection, query: str, facts: str, target: str, decided: tuple[str, dt.date]) -> None:
        """Make the table `target` of a `mask_query` over `facts`, to decide under a pack's digest on a date."""


def evaluate(
    connection: Connection, pack: Pack, facts: str, target: str, as_of: dt.date, *, masks: Masks | None = None
) -> None:
    """Make `target`: `seq`, `outcome`, `fired`, `unknown`, `codes`, `items`, one row per row of the table `facts`.

    `target` is a view over `<target>_masks` (one row a request: seq, bits) and `<target>_meanings` (one row per
    distinct mask). `fired` holds the sorted ids of all rules that stopped the request or cut its items, `unknown` those
    of them that did so only for want of a fact; `codes` and `items` are sorted. A declared fact that `facts` lacks is
    null. `masks`: an engine that makes the masks in DuckDB's place. Raises WrongInput if `facts` lacks `seq` or a
    column has another type than the pack declares.
    """
    rules = pack.in_force(as_of)
    listed = stops(pack, rules)
    bits = [f"stopped_{number}" for number in range(-(-len(listed) // MASK_RULES))]
    table, meanings = f'"{target}_masks"', f'"{target}_meanings"'
    query = mask_query(connection, pack, facts, as_of)
    if masks is None:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
    else:
        masks.make(connection, query, facts, f"{target}_masks", (pack.digest, as_of))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {meanings} AS {_meanings(pack, listed, bits, table)}")
    keys = ", ".join([*bits, "permitted"])
    connection.execute(
        f'CREATE OR REPLACE TEMP VIEW "{target}" AS '
        f"SELECT seq, outcome, fired, unknown, codes, items FROM {table} JOIN {meanings} USING ({keys})"
    )


def keep_promises(connection: Connection, pack: Pack, facts: str, as_of: dt.date) -> None:
    """Check on a batch what the prover assumes of facts: `least`, and every `[[assume]]`.

    A proof is about batches that keep these promises. Raises MachineFailed where a row does not: a room that makes
    facts is at fault, and nothing may be decided on them.
    """
    least = {name: declared.least for name, declared in pack.fields.items() if declared.least is not None}
    promised: list[tuple[str, Expression]] = [
        (f"{name} is never below {value}", Comparison(">=", Field(name, Kind.INT), Constant(value, Kind.INT)))
        for name, value in least.items()
    ]
    promised += pack.assumptions
    if not promised:
        return
    present = {str(row[0]) for row in connection.execute(f'DESCRIBE SELECT * FROM "{facts}"').fetchall()}
    needed = set().union(*(field_names(holds) for _, holds in promised)) & set(pack.fields)
    columns = "".join(
        f', "{name}"' if name in present else f', NULL::{_SQL_TYPE[pack.fields[name].kind]} AS "{name}"'
        for name in sorted(needed)
    )
    source = f'SELECT {literal(as_of)} AS as_of{columns} FROM "{facts}"'
    broken = ", ".join(f"count(*) FILTER (WHERE NOT {sql(holds)})" for _, holds in promised)
    counts = connection.execute(f"SELECT {broken} FROM ({source})").fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has one row
    for (says, _), count in zip(promised, counts, strict=True):
        if count:
            raise MachineFailed(
                f"{count:,} rows break what the proofs assume: {says}",
                where=pack.id,
                remedy="Nothing was decided. Report this: the fault is in the code that makes these facts",
            )


def mask_query(connection: Connection, pack: Pack, facts: str, as_of: dt.date) -> str:
    """The single pass: `seq`, `stopped_0…` (two bits a rule, as `MASK_RULES` says) and `permitted` (bits of items)."""
    rules = pack.in_force(as_of)
    grants = [rule for rule in rules if rule.effect is Effect.GRANT]
    source = _typed(connection, pack, facts, _needed(pack, rules), as_of)
    states = [
        _state(_no_grant(grants)),
        *(_rule_state(pack, rule) for rule in rules if rule.effect is not Effect.GRANT),
    ]
    columns = []
    for number in range(0, len(states), MASK_RULES):
        terms = [f"{state} * {1 << 2 * at}" for at, state in enumerate(states[number : number + MASK_RULES])]
        columns.append(f"{_sum(terms)}::BIGINT AS stopped_{number // MASK_RULES}")
    return f"""
        SELECT seq, {", ".join(columns)}, permitted
        FROM (
            SELECT *, bit_count(permitted) AS {DERIVED}, bit_count(at_most) AS {AT_MOST}
            FROM (
                SELECT *, (asked & agreed & {_left(pack, rules, certain=True)})::BIGINT AS permitted,
                       (asked_at_most & agreed_at_most & {_left(pack, rules, certain=False)})::BIGINT AS at_most
                FROM ({source})
            )
        )
    """


def _left(pack: Pack, rules: Sequence[Rule], *, certain: bool) -> str:
    """The items that grants and limits leave, as bits: the certain ones, or all that missing facts may leave."""
    gives, spares = ("IS TRUE", "IS FALSE") if certain else ("IS NOT FALSE", "IS NOT TRUE")
    given = [
        f"CASE WHEN {sql(rule.when)} {gives} THEN {_bits(pack, rule)} ELSE 0 END"
        for rule in rules
        if rule.effect is Effect.GRANT
    ]
    limited = [
        f" & CASE WHEN {sql(rule.when)} {spares} THEN -1 ELSE {_bits(pack, rule)} END"
        for rule in rules
        if rule.effect is Effect.LIMIT
    ]
    return f"({' | '.join(given) or 0}){''.join(limited)}"


def _sum(terms: Sequence[str]) -> str:
    """A sum in balanced brackets: a chain of sixty is planned half again as long."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return f"({_sum(terms[:middle])} + {_sum(terms[middle:])})"


def _no_grant(grants: Sequence[Rule]) -> str:
    return f"({' OR '.join(sql(rule.when) for rule in grants)})" if grants else "FALSE"


def _rule_state(pack: Pack, rule: Rule) -> str:
    """0 where a rule lets a request pass, 1 where it stops it, 3 where it stops it only for want of a fact."""
    when = sql(rule.when)
    passes = when if rule.effect is Effect.REQUIRE else f"(NOT {when})"
    if rule.effect is Effect.LIMIT:
        return _state(f"({passes} OR asked & ~{_bits(pack, rule)} = 0)")
    if DERIVED not in field_names(rule.when):
        return _state(passes)
    at_most = sql(renamed(rule.when, DERIVED, AT_MOST))
    stops = f"(NOT {at_most})" if rule.effect is Effect.REQUIRE else at_most
    return f"(CASE WHEN {passes} THEN 0 WHEN {stops} THEN 1 ELSE 3 END)::BIGINT"


def _state(passes: str) -> str:
    return f"coalesce((NOT {passes})::BIGINT, 3)"


def _bits(pack: Pack, rule: Rule) -> int:
    names = list(pack.items)
    return sum(1 << names.index(item) for item in rule.items)


def _needed(pack: Pack, rules: Sequence[Rule]) -> set[str]:
    return set().union(*(field_names(rule.when) for rule in rules)) & set(pack.fields)


def _typed(connection: Connection, pack: Pack, facts: str, needed: set[str], as_of: dt.date) -> str:
    """The columns that rules read, checked against their declared types, with items as bits."""
    described = connection.execute(f'DESCRIBE SELECT * FROM "{facts}"').fetchall()
    present: Mapping[str, str] = {str(row[0]): str(row[1]) for row in described}
    if "seq" not in present:
        raise WrongInput("the facts have no seq column", where=facts, remedy="Give each request its row number")
    values: dict[str, str] = {}
    for name in [*sorted(needed), REQUESTED, AGREED]:
        kind = pack.fields[name].kind if name in pack.fields else Kind.ITEMS
        if name in present and present[name] not in (*_COLUMN_TYPES[kind], '"NULL"'):
            raise WrongInput(
                f"the fact {name} is {present[name]}, but the pack declares {kind}",
                where=facts,
                remedy="Give the fact the declared type",
            )
        values[name] = f'"{name}"' if name in present else f"NULL::{_SQL_TYPE[kind]}"
    values |= _repeated(connection, pack, facts, [name for name in values if name in present])
    for name, bits in ((REQUESTED, "asked"), (AGREED, "agreed")):
        given = values.pop(name)
        every = (1 << len(pack.items)) - 1
        values[bits] = _item_bits(pack, given)
        values[f"{bits}_at_most"] = f"CASE WHEN {given} IS NULL THEN {every} ELSE {values[bits]} END"
    columns = "".join(f', {value} AS "{name}"' for name, value in values.items())
    return f'SELECT seq, {literal(as_of)} AS as_of{columns} FROM "{facts}"'


def _repeated(connection: Connection, pack: Pack, facts: str, names: Sequence[str]) -> dict[str, str]:
    """Facts of the whole submission that really are the same in every row, as constants.

    DuckDB then folds every rule that speaks of the submission alone; a fact that does vary stays a column.
    """
    whole = [name for name in names if name in (REQUESTED, AGREED) or pack.fields[name].repeats]
    first = connection.execute(f'SELECT {", ".join(whole)} FROM "{facts}" LIMIT 1').fetchone() if whole else None
    if first is None:
        return {}
    constants = {
        name: f"{'NULL' if value is None else _constant(value)}::{_SQL_TYPE[_kind(pack, name)]}"
        for name, value in zip(whole, first, strict=True)
    }
    differs = {name: f'"{name}" IS DISTINCT FROM {value}' for name, value in constants.items()}
    if not connection.execute(f'SELECT 1 FROM "{facts}" WHERE {" OR ".join(differs.values())} LIMIT 1').fetchall():
        return constants  # the usual batch; only another one is asked fact by fact
    each = ", ".join(f"bool_or({condition})" for condition in differs.values())
    varies = connection.execute(f'SELECT {each} FROM "{facts}"').fetchone()
    assert varies is not None  # noqa: S101 - an aggregate has one row
    return {name: value for (name, value), other in zip(constants.items(), varies, strict=True) if not other}


def _kind(pack: Pack, name: str) -> Kind:
    return pack.fields[name].kind if name in pack.fields else Kind.ITEMS


def _constant(value: Value | list[str]) -> str:
    return text_list(value) if isinstance(value, list) else literal(value)


def _item_bits(pack: Pack, value: str) -> str:
    """A list of distinct items as bits; the bit after the last says that a name is unknown here; null is none."""
    known = list(pack.items)
    found = [f"CASE WHEN list_contains({value}, {literal(name)}) THEN 1 ELSE 0 END" for name in known]
    bits = " | ".join(f"(({each}) << {bit})" for bit, each in enumerate(found))
    return f"({bits} | CASE WHEN array_length({value}) > {' + '.join(found)} THEN {1 << len(known)} ELSE 0 END)"


def _meanings(pack: Pack, listed: Sequence[Stop], masks: Sequence[str], table: str) -> str:
    """One row per distinct mask: outcome, and the sorted lists that the bits stand for."""

    def chosen(values: Sequence[str], bit: int = 0) -> str:
        """The values whose bit is set, as one list; the values of each chunk go with one mask column."""
        parts = []
        for number, mask in enumerate(masks):
            chunk = text_list(list(values[number * MASK_RULES : (number + 1) * MASK_RULES]))
            parts.append(f"list_filter({chunk}, lambda x, i: ({mask} >> (2 * i - {2 - bit})::INTEGER) & 1 = 1)")
        return parts[0] if len(parts) == 1 else f"list_concat({', '.join(parts)})"

    def among(chosen_stops: Sequence[bool]) -> str:
        """Whether any of these fired."""
        tests = []
        for number, mask in enumerate(masks):
            chunk = chosen_stops[number * MASK_RULES : (number + 1) * MASK_RULES]
            bits = sum(1 << 2 * at for at, one in enumerate(chunk) if one)
            tests += [f"{mask} & {bits} <> 0"] if bits else []
        return f"({' OR '.join(tests) or 'FALSE'})"

    strictest = sorted((name for name in SEVERITY if SEVERITY[name]), key=SEVERITY.__getitem__, reverse=True)
    outcome = " ".join(f"WHEN {among([s.outcome == name for s in listed])} THEN '{name}'" for name in strictest)
    told = sorted({stop.code for stop in listed})
    codes = ", ".join(f"CASE WHEN {among([s.code == code for s in listed])} THEN '{code}' END" for code in told)
    names = text_list(list(pack.items))
    keys = ", ".join([*masks, "permitted"])
    return (
        f"SELECT {keys}, CASE {outcome} ELSE 'cleared' END AS outcome, "
        f"list_sort({chosen([stop.id for stop in listed])}) AS fired, "
        f"list_sort({chosen([stop.id for stop in listed], 1)}) AS unknown, "
        f"list_filter([{codes}]::VARCHAR[], lambda x: x IS NOT NULL) AS codes, "
        f"list_sort(list_filter({names}, lambda x, i: (permitted >> (i - 1)::INTEGER) & 1 = 1)) AS items "
        f"FROM (SELECT DISTINCT {keys} FROM {table})"
    )


def decide(pack: Pack, facts: Mapping[str, Any], as_of: dt.date, connection: Connection | None = None) -> Decision:
    """Decide one request from its facts by name; those not given are null."""
    own = connection or open_enclosed(threads=1)
    table_of_facts(own, pack, "one_request", [facts])
    evaluate(own, pack, "one_request", "one_decision", as_of)
    [decision] = read_decisions(own, "one_decision")
    return decision


def read_decisions(connection: Connection, table: str) -> list[Decision]:
    """The decisions that `evaluate` made, in the order of `seq`."""
    rows = connection.execute(f'SELECT outcome, fired, codes, items, unknown FROM "{table}" ORDER BY seq').fetchall()
    return [Decision(outcome, *map(tuple, lists)) for outcome, *lists in rows]


@dataclass(frozen=True)
class Decision:
    """What became of one request."""

    outcome: str
    fired: tuple[str, ...]
    codes: tuple[str, ...]
    items: tuple[str, ...]
    unknown: tuple[str, ...]
    """The rules of `fired` that fired only for want of a fact: they say nothing of anybody."""


def table_of_facts(connection: Connection, pack: Pack, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a table of facts from a few requests (examples, counter-examples), typed as the pack declares."""
    kinds = {name: _SQL_TYPE[declared.kind] for name, declared in pack.fields.items()}
    columns = ", ".join(f'unnest(?::{kind}[]) AS "{name}"' for name, kind in kinds.items())
    values = [[row.get(name) for row in rows] for name in kinds]
    connection.execute(
        f'CREATE OR REPLACE TEMP TABLE "{table}" AS SELECT unnest(?::BIGINT[]) AS seq, {columns}',
        [list(range(len(rows))), *values],
    )
