"""The exchange of August 2025 as data: 1.28 million requests whose known totals match the record.

What is on record: the size; one Assistant Director for all; one reason for all; two procedures, the one for rows with
a TIN giving 42,695 addresses and the one for rows without giving the rest of 47,289; placeholders, missing streets
and numbers, and places of detention among the addresses; fewer than five per cent of the answers on addresses
admitted to be insufficient; about 33,000 of the answers new to the requester. Everything else is assumed, and
ASSUMED says so. Where the record is silent, a request is given what the law asks, in the requester's favour.
"""

from __future__ import annotations

import datetime as dt

from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.kinds import Address, Expected, Identifier, Kind, Source, counts
from gatehouse.synthetic.matters import BOILERPLATE
from gatehouse.synthetic.register import SyntheticRegister
from gatehouse.synthetic.subjects import Draw

REQUESTS = 1_280_000
TIN_ANSWERED = 42_695
ADDRESS_ANSWERED = 4_594
ANSWERED = TIN_ANSWERED + ADDRESS_ANSWERED
SIGNED_ON = dt.date(2025, 6, 27)
DECIDED_ON = dt.date(2025, 8, 7)
OFFICER = "ICE-AD-0001"
PLAIN = "tin_last_known"

_STOPPED = Expected.STOPPED
_NONE, _OFTEN, _RIGHT, _WRONG = Identifier.NONE, Identifier.OFTEN, Identifier.RIGHT, Identifier.WRONG


def _with_tin(name: str, count: int, address: Address, *, names: bool, needs: str = "TRUE") -> Kind:
    return Kind(name, count, _STOPPED, tin=_RIGHT, birth=_OFTEN, names=names, address=address, needs=needs)


def _without_tin(name: str, count: int, address: Address, *, names: bool, needs: str = "TRUE") -> Kind:
    return Kind(name, count, _STOPPED, tin=_NONE, birth=_OFTEN, names=names, address=address, needs=needs)


def _absent(name: str, count: int, address: Address, tin: Identifier = _NONE) -> Kind:
    return Kind(name, count, _STOPPED, tin=tin, birth=_WRONG, source=Source.INVENTED, names=False, address=address)


KINDS = (
    # Answered by TIN Matching: 42,695.
    _with_tin("tin_last_known", 11_533, Address.LAST_KNOWN, names=True),
    _with_tin("tin_past", 6_000, Address.PAST, names=True, needs="past_line1 IS NOT NULL"),
    _with_tin("tin_elsewhere", 22_962, Address.ELSEWHERE, names=False),
    _with_tin("tin_defective", 2_200, Address.DEFECTIVE, names=False),
    # Answered by address matching: 4,594.
    _without_tin("address_last_known", 2_756, Address.LAST_KNOWN, names=True),
    _without_tin("address_past", 1_838, Address.PAST, names=True, needs="past_line1 IS NOT NULL"),
    # Not answered.
    _with_tin("tin_blank", 1_500, Address.BLANK, names=False),
    _with_tin("tin_other_name", 8_000, Address.ELSEWHERE, names=False),
    _without_tin("registered_elsewhere", 60_000, Address.ELSEWHERE, names=False),
    _absent("absent_with_tin", 110_000, Address.ELSEWHERE, _WRONG),
    _absent("absent", 742_711, Address.ELSEWHERE),
    _absent("absent_defective", 250_000, Address.DEFECTIVE),
    _absent("absent_blank", 60_500, Address.BLANK),
)
TIN_KINDS = ("tin_last_known", "tin_past", "tin_elsewhere", "tin_defective")
ADDRESS_KINDS = ("address_last_known", "address_past")

ASSUMED = (
    (
        "How many requests carried a TIN (here about one in eight), and how many of the people asked about are in the "
        "register at all (here one in eleven)."
    ),
    (
        "Which addresses the answered requests gave: 30 per cent the last known one, so that about 33,000 answers "
        "are new to the requester, as it reported; 17 per cent a past one; the rest a real address that is not on "
        "file, or none."
    ),
    "The share of answers on insufficient addresses: 4.7 per cent, because fewer than five were admitted.",
    (
        "That names agreed under TIN Matching when the first four letters of the surname did, and under address "
        "matching when surname, first name, address lines and ZIP were equal."
    ),
    "The taxable periods (2023 and 2024 for all) and the wording of the one reason.",
    (
        "In the requester's favour: that every request carried a matter number, a final order older than 90 days "
        "with its number, a ground of deportability, the criminal statute, a valid signature of the head of the "
        "agency, and an officer who attests sole use and can be reached."
    ),
    "The register: people, names, streets and TINs are invented.",
)


def plan(register: SyntheticRegister, chance: Chance, requests: int, signed_on: dt.date) -> Draw:
    """How many requests of each kind a re-enactment of this size has; exact at 1.28 million, else in proportion."""
    return Draw(register, chance, {kind.name: kind for kind in KINDS}, counts(KINDS, requests), signed_on)


def officers() -> list[tuple[str, str, str, bool]]:
    """The one officer named in every request."""
    return [(OFFICER, "Morgan Ellery", "Assistant Director", True)]


def law(draw: Draw) -> str:
    """SQL for the request table: one officer, one reason, and otherwise what the law asks."""
    c, day = draw.chance, f"DATE '{draw.signed_on}'"
    return f"""
        SELECT seq, kind, expected, names, lawful, person_id AS made_from, defect,
          'R' || lpad((seq + 1)::VARCHAR, 7, '0') AS request_id, last_name, first_name, middle_name, suffix,
            birth_date, tin,
          address_line1, address_line2, city, state, postal_code, country,
          '2023-01-01' AS period_from, '2024-12-31' AS period_to, '8 USC 1253(a)(1)' AS authority,
          'investigation' AS proceeding, 'HSI-2025-' || lpad((seq + 1)::VARCHAR, 8, '0') AS matter_number,
          '2025-06-20' AS matter_opened_on,
          strftime({day} - (150 + {c.pick("ordered", "seq", 3_600)})::INTEGER, '%Y-%m-%d') AS final_order_date,
          'A' || lpad((200000000 + {c.pick("order no", "seq", 99_999_999)})::VARCHAR, 9, '0') AS final_order_number,
          NULL::VARCHAR AS review_order_date, '8 USC 1227(a)(1)(B)' AS removal_ground, '{BOILERPLATE}' AS reason,
          '{OFFICER}' AS officer_ids, 'last_known_address' AS items
        FROM syn_who"""
