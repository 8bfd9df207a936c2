"""Why: the elements of the statute in each synthetic request, with a reason of its own or the fault of its kind.

Dates are counted back from the day the submission was signed.
"""

from __future__ import annotations

import datetime as dt

from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.places import PLACE_SLOTS
from gatehouse.synthetic.subjects import Draw

_SERVED = (
    "served in person",
    "served through counsel",
    "mailed to the last address given to the court",
    "read out in open court",
    "served on release under supervision",
    "acknowledged in writing",
)
_SINCE = (
    "did not report to the field office",
    "missed the departure date set with the travel document",
    "gave up the lease in the week before the flight",
    "refused to sign the application for a travel document",
    "switched off the telephone on the day of the flight",
    "returned from the airport without boarding",
    "told a supervising officer of a plan to hide",
    "gave the court an address where nobody of the name lives",
)
_LEADS = (
    "a payroll record places the subject near",
    "a vehicle registration was renewed in",
    "a co-worker saw the subject in",
    "a utility contract was signed in",
    "a licence was renewed in",
    "a traffic stop was recorded in",
    "a bank letter was returned from",
    "a bank card was used in",
    "a rental application was made in",
    "a medical bill was sent to",
)
_WHY = (
    "the address is needed to serve the target letter before charging",
    "the address decides the judicial district of the charge",
    "the address is needed to interview the subject about the refusal",
    "the address proves or disproves the subject's account of having left",
    "the address is evidence that the stay after the order was wilful",
    "the address is needed to serve a grand jury subpoena on the witness to the refusal",
)
_MONTHS = tuple(dt.date(2025, month, 1).strftime("%B") for month in range(1, 13))


def _one_of(words: tuple[str, ...] | list[str], purpose: str, c: Chance) -> str:
    cases = " ".join(f"WHEN {n} THEN '{word.replace(chr(39), chr(39) * 2)}'" for n, word in enumerate(words))
    return f"CASE {c.pick(purpose, 'seq', len(words))} {cases} END"


def reason(c: Chance) -> str:
    """SQL for a reason that is the request's own: millions of them differ in their words alone."""
    parts = (
        "'Final order '",
        _one_of(_SERVED, "served", c),
        "'; since '",
        _one_of(_MONTHS, "month", c),
        "' the subject '",
        _one_of(_SINCE, "since", c),
        "'; in '",
        _one_of(_MONTHS, "month 2", c),
        "' '",
        _one_of(_LEADS, "lead", c),
        "' '",
        "coalesce(town, 'another State')",
        "'; '",
        _one_of(_WHY, "why", c),
    )
    return " || ".join(parts)


BOILERPLATE = "Subject has remained in the United States more than 90 days after a final order of removal."


def ordinary_law(plan: Draw, officers: int) -> str:
    """SQL for the whole request table `syn_request`, with the elements of law and the legal faults of each kind."""
    c, signed = plan.chance, plan.signed_on
    day = f"DATE '{signed}'"
    ordered = f"({day} - (150 + {c.pick('ordered', 'seq', 2_900)})::INTEGER)"
    recent = f"({day} - (1 + {c.pick('recent', 'seq', 20)})::INTEGER)"
    final = f"CASE kind WHEN 'order_missing' THEN NULL WHEN 'order_recent' THEN {recent} ELSE {ordered} END"
    reviewed = c.under("review", "seq", 0.06)
    review = (
        f"CASE WHEN kind = 'order_reviewed_recently' THEN {recent} WHEN kind <> 'order_recent' AND {reviewed} "
        f"THEN least({ordered} + 200, {day} - 120) END"
    )
    first_year = "(coalesce(filed, 2023) - seq % 2)"
    authority = (
        "CASE kind WHEN 'authority_missing' THEN NULL WHEN 'authority_section_only' THEN '8 USC 1253' "
        "WHEN 'authority_not_criminal' THEN CASE WHEN seq % 2 = 0 THEN '8 USC 1231(a)(1)' ELSE '8 USC 1229a(b)(5)' END "
        "ELSE CASE seq % 10 WHEN 0 THEN '8 U.S.C. § 1253(a)(1)' WHEN 1 THEN 'INA 243(a)(1)' "
        "WHEN 2 THEN '8 USC 1253 (a)(1)' ELSE '8 USC 1253(a)(1)' END END"
    )
    grounds = ["8 USC 1227(a)(1)(B)", "8 USC 1227(a)(1)(C)(i)", "8 USC 1227(a)(2)(A)(iii)", "8 U.S.C. § 1227(a)(1)(A)"]
    ground = (
        "CASE kind WHEN 'ground_missing' THEN NULL WHEN 'ground_inadmissible' THEN '8 USC 1182(a)(6)(A)(i)' "
        f"ELSE {_one_of(grounds, 'ground', c)} END"
    )
    own = officer_id(f"1 + {c.pick('officer', 'seq', 1)} + seq % {officers}")
    second = officer_id(f"1 + (seq + 7) % {officers}")
    officer = (
        f"CASE kind WHEN 'officer_missing' THEN NULL WHEN 'officer_unlisted' THEN 'ICE-X0001' "
        f"WHEN 'officer_not_employee' THEN 'ICE-N0001' WHEN 'officer_overloaded' THEN 'ICE-A0001' "
        f"ELSE CASE WHEN seq % 20 = 3 AND {officers} > 1 THEN {own} || ';' || {second} ELSE {own} END END"
    )
    return f"""
        SELECT seq, kind, expected, names, lawful, person_id AS made_from, defect,
          'R' || lpad((seq + 1)::VARCHAR, 7, '0') AS request_id, last_name, first_name, middle_name, suffix,
            birth_date, tin,
          address_line1, address_line2, city, state, postal_code, country,
          CASE kind WHEN 'period_missing' THEN NULL WHEN 'period_reversed' THEN '2024-12-31'
            ELSE {first_year} || '-01-01' END AS period_from,
          CASE kind WHEN 'period_missing' THEN NULL WHEN 'period_reversed' THEN '2021-01-01'
            ELSE coalesce(filed, 2023) || '-12-31' END AS period_to,
          {authority} AS authority,
          CASE WHEN kind = 'civil_removal' THEN CASE WHEN seq % 2 = 0 THEN 'civil_removal' ELSE 'removal operations' END
            WHEN seq % 50 = 0 THEN 'grand_jury' WHEN seq % 6 = 0 THEN 'preparation' ELSE 'investigation' END AS
              proceeding,
          CASE WHEN kind <> 'matter_missing' THEN 'HSI-' || year({day} - 30) || '-' || lpad((seq * 7 +
            11)::VARCHAR, 8, '0')
            END AS matter_number,
          strftime({day} - (10 + {c.pick("opened", "seq", 90)})::INTEGER, '%Y-%m-%d') AS matter_opened_on,
          strftime({final}, '%Y-%m-%d') AS final_order_date,
          CASE WHEN kind <> 'order_missing' THEN 'A' || lpad((200000000 +
            {c.pick("order no", "seq", 99_999_999)})::VARCHAR, 9,
            '0') END AS final_order_number,
          strftime({review}, '%Y-%m-%d') AS review_order_date, {ground} AS removal_ground,
          CASE kind WHEN 'reason_missing' THEN NULL WHEN 'reason_boilerplate' THEN '{BOILERPLATE}' ELSE {reason(c)} END
            AS reason,
          {officer} AS officer_ids,
          CASE kind WHEN 'items_extra' THEN 'last_known_address;wages' WHEN 'items_not_permitted' THEN 'wages;employer'
            ELSE 'last_known_address' END AS items
        FROM (SELECT w.*, t.city AS town FROM syn_who w
              LEFT JOIN syn_place t ON t.slot = {c.pick("town", "w.seq", PLACE_SLOTS)})"""


def officer_id(number: str) -> str:
    """SQL for the identifier of the n-th officer, from 1."""
    return f"'ICE-' || lpad(({number})::VARCHAR, 5, '0')"
