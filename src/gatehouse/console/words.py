"""Plain words for codes and columns: what a reader sees instead of `not_an_address`.

A code that is not listed is shown as itself with spaces, never hidden.
"""

from __future__ import annotations

OUTCOMES = {
    "cleared": "Cleared for approval",
    "held": "Held for a person",
    "incomplete": "Returned as incomplete",
    "refused": "Refused",
    "approved_once": "Approved by one officer",
    "approved_twice": "Approved by two officers",
    "released": "Released",
    "withdrawn": "Withdrawn",
    "recalled": "Recalled",
    "pending": "Pending",
    "answered": "Answered",
    "not_answered": "Not answered",
}

CODES = {
    "FORM": "Form: something in the row is missing or cannot be read",
    "AUTHORITY": "Authority: the law cited does not allow it",
    "AGREEMENT": "Agreement: outside what was agreed",
    "SAFEGUARD": "Safeguards: the recipient's protection of the records is not in order",
    "ORDER": "Order: a court or legislative order forbids it",
    "SUBJECT": "Person: no further reason is given",
    "HOLD": "Held: a person must look first",
}

COMPARISONS = {
    "equal": "Same",
    "variant": "Spelling variant",
    "one_typo": "One letter differs",
    "nickname": "Short form of the name",
    "initial": "Initial only",
    "missing": "Not on one side",
    "absent": "Not on one side",
    "different": "Different",
    "transposed": "Two digits or letters swapped",
    "swapped": "Day and month swapped",
}

AGREEING = frozenset({"equal", "variant", "one_typo", "nickname", "initial"})

VERDICTS = {
    "complete": "A complete address",
    "incomplete": "Part of an address is missing or contradicts the rest",
    "not_an_address": "Not an address",
    "institution": "The address of an institution, not of a home",
}

FIELDS = {
    "last_name": "Last name",
    "first_name": "First name",
    "middle_name": "Middle name",
    "suffix": "Suffix",
    "birth_date": "Date of birth",
    "tin": "Taxpayer number",
    "address": "Address",
}

PARTICULARS = {
    "authority": "Law cited",
    "proceeding": "Proceeding",
    "matter_number": "Matter number",
    "matter_opened_on": "Matter opened on",
    "period_from": "Tax period from",
    "period_to": "Tax period to",
    "final_order_number": "Final order number",
    "final_order_date": "Final order dated",
    "review_order_date": "Reviewing court's order dated",
    "removal_ground": "Ground of removal",
    "reason": "Reason given",
    "officer_ids": "Officers named",
    "items": "Items asked for",
}


def plain(code: object, table: dict[str, str] | None = None) -> str:
    """The words for a code, or the code itself with spaces and a capital."""
    text = str(code)
    found = (table or OUTCOMES).get(text)
    return found if found is not None else text.replace("_", " ").replace("-", " ").capitalize()
