"""Every way in which a register may break its contract, for each kind of register to be refused by."""

from __future__ import annotations

from match_world import Person, World

PEOPLE = [
    Person("GARCIA", "ANA", tin="912345678", birth_date="1980-05-17", homes=(("12 MAPLE ST", None), ("3 OAK ST", None)),
           others=(("SOTO", "ANA", None),), years=(2021, 2022), restricted_on="2024-01-01"),
    Person("LE", "MINH", tin="912345679", birth_date="1981-01-01", homes=(("14 MAPLE ST", None),), years=(2021,)),
]  # fmt: skip


def _two_last_known(world: World) -> None:
    world.rows["addresses"].append((1002, "9 ELM ST", None, "BOISE", "ID", "83712", "US", "2021-01-01", None, True))


def _none_last_known(world: World) -> None:
    world.rows["addresses"] = [row if row[0] != 1002 else (*row[:-1], False) for row in world.rows["addresses"]]


def _address_of_nobody(world: World) -> None:
    world.rows["addresses"].append((7777, "9 ELM ST", None, "BOISE", "ID", "83712", "US", "2021-01-01", None, True))


def _born_tomorrow(world: World) -> None:
    world.rows["persons"][0] = (*world.rows["persons"][0][:6], "2025-08-08")


def _left_before_arriving(world: World) -> None:
    row = world.rows["addresses"][1]
    world.rows["addresses"][1] = (*row[:7], "2019-01-01", "2018-01-01", row[9])


def _tin_twice(world: World) -> None:
    world.rows["persons"][1] = (1002, "912345678", *world.rows["persons"][1][2:])


def _short_tin(world: World) -> None:
    world.rows["persons"][1] = (1002, "91234567", *world.rows["persons"][1][2:])


def _id_twice(world: World) -> None:
    world.rows["persons"].append((1002, None, "X", "Y", None, None, None))


def _name_of_nobody(world: World) -> None:
    world.rows["names"].append((7777, "X", "Y", None, None))


def _restriction_of_nobody(world: World) -> None:
    world.rows["restrictions"].append((7777, "informant", "2020-01-01"))


def _undated_restriction(world: World) -> None:
    world.rows["restrictions"].append((1002, "informant", None))


def _unknown_restriction(world: World) -> None:
    world.rows["restrictions"].append((1002, "secret", "2020-01-01"))


FAULTS = [
    (_two_last_known, "several last known", 1002),
    (_none_last_known, "none of them last known", 1002),
    (_address_of_nobody, "ids of no known person", 7777),
    (_born_tomorrow, "impossible dates", 1001),
    (_left_before_arriving, "impossible dates", 1001),
    (_tin_twice, "shared by several", 1001),
    (_short_tin, "not nine digits", 1002),
    (_id_twice, "duplicate ids", 1002),
    (_name_of_nobody, "ids of no known person", 7777),
    (_restriction_of_nobody, "ids of no known person", 7777),
    (_undated_restriction, "missing dates", 1002),
    (_unknown_restriction, "kinds other than", 1002),
]
"""How to spoil a world of `PEOPLE`, what the refusal says, and an id that it names."""
