"""The register contract in words, as JSON and as SQL: what `gatehouse register describe` and docs/register.md say."""

from __future__ import annotations

from typing import Any

from gatehouse.match.register import OPTIONAL, TABLES

_SAYS = {
    "persons": "one row a person",
    "names": "other names on file, one row each",
    "addresses": "every address on file, one row each",
    "filings": "the years a person filed for",
    "restrictions": "persons who must not be disclosed (26 USC 6103(i)(6)); an empty table states that there are none",
    "person_id": "the person's number, the same in every table",
    "tin": "nine digits, or NULL; held by nobody else",
    "last_name": "the last name",
    "first_name": "the first name",
    "middle_name": "middle names, or NULL",
    "suffix": "JR, SR, II, III, IV, V, or NULL",
    "birth_date": "from 1850 to today, or NULL",
    "line1": "street, box or route",
    "line2": "unit, or NULL",
    "city": "the city",
    "state": "two letters, or NULL abroad",
    "postal_code": "five or nine digits; abroad the country's own",
    "country": "two letters; NULL means US",
    "valid_from": "the first day it was valid",
    "valid_to": "the last day it was valid; NULL while it is",
    "last_known": "true for exactly one address of every person who has any",
    "tax_year": "the year, such as 2023",
    "kind": "informant or impairment",
    "determined_on": "the day it was determined; it counts from then on",
}

_POSTGRES = {
    "BIGINT": "bigint", "UINTEGER": "integer", "VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean",
}  # fmt: skip


def document() -> dict[str, Any]:
    """The contract as JSON: table → what it is, whether it may be absent, column → type and meaning."""
    return {
        table: {
            "says": _SAYS[table],
            "may_be_absent": table in OPTIONAL,
            "columns": {name: {"type": _POSTGRES[types[-1]], "says": _SAYS[name]} for name, types in columns.items()},
        }
        for table, columns in TABLES.items()
    }


def text() -> str:
    """The contract for a reader at a terminal."""
    lines = []
    for table, about in document().items():
        absent = " (may be absent)" if about["may_be_absent"] else ""
        lines.append(f"{table}{absent}: {about['says']}")
        lines += [f"  {name:<14} {one['type']:<8} {one['says']}" for name, one in about["columns"].items()]
        lines.append("")
    return "\n".join(lines).rstrip()


def sql() -> str:
    """Statements that make the tables in PostgreSQL, with the meaning of each column as its comment."""
    statements = []
    for table, about in document().items():
        columns = ",\n".join(f"  {name} {one['type']}" for name, one in about["columns"].items())
        statements.append(f"CREATE TABLE {table} (\n{columns}\n);")
        statements += [
            f"COMMENT ON COLUMN {table}.{name} IS '{one['says'].replace(chr(39), chr(39) * 2)}';"
            for name, one in about["columns"].items()
        ]
    return "\n".join(statements)
