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
    "not_given": "Not in the request",
    "not_on_file": "Not on file",
    "different": "Different",
    "transposed": "Two digits or letters swapped",
    "swapped": "Day and month swapped",
}

DISAGREEING = frozenset({"different", "one_typo", "transposed", "swapped"})
ONE_SIDED = frozenset({"", "missing", "absent", "not_given", "not_on_file"})

WHY = {
    "agrees": "",
    "several_agree": "More than one record agrees",
    "name_differs": "The name differs",
    "suffix_differs": "The suffix differs",
    "middle_name_differs": "The middle name differs",
    "address_differs": "The address differs",
    "unit_differs": "The unit of the address differs",
    "tin_differs": "The taxpayer number differs",
    "tin_not_on_file": "The taxpayer number given is not on file",
    "birth_date_differs": "The date of birth differs",
    "birth_date_not_on_file": "The date of birth given is not on file",
    "namesake_in_building": "Another person of that name lives in the building",
    "name_needs_identifier": "The name agrees only loosely, so an identifier would have to agree too",
    "name_is_another_residents": "The name is also another resident's",
    "undecided": "It cannot be decided which record is meant",
}

FORM = {
    "pinpoint": "Section and subsection",
    "section_only": "A section without its subsection",
    "unreadable": "Cannot be read as a law",
    "absent": "Not given",
    "missing": "Not given",
    "given": "Given",
    "placeholder": "Only a placeholder",
    "valid": "Can be read",
    "invalid": "Cannot be read",
    "reversed": "Ends before it begins",
    "future": "Begins after the signature",
    "complete": "Complete",
    "incomplete": "Not complete",
    "not_an_address": "Not an address",
    "institution": "An institution, not a home",
}

SOURCES = {
    "i2": "Statute",
    "i6": "Informants and impairment",
    "p": "Statute",
    "p4": "Safeguards",
    "mou": "Agreement",
    "agreement": "Agreement",
    "ceiling": "Ceiling",
    "identity": "Identity",
    "depart": "Failure to depart",
    "items": "Items",
    "order": "Order",
}


def rule(identifier: str) -> str:
    """A rule's id as a short title: `identity-exactly-one` as Identity: exactly one."""
    first, _, rest = identifier.partition("-")
    return f"{SOURCES[first]}: {rest.replace('-', ' ')}" if rest and first in SOURCES else plain(identifier, {})


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


EFFECTS = {
    "grant": "Allows",
    "require": "Requires",
    "bar": "Forbids",
    "limit": "Narrows",
}
OTHERWISE = {
    "hold": "If not, the request is held for a person.",
    "incomplete": "If not, the request goes back as incomplete.",
    "refuse": "If not, the request is refused.",
}
BARRED = {
    "hold": "Where it applies, the request is held for a person.",
    "incomplete": "Where it applies, the request goes back as incomplete.",
    "refuse": "Where it applies, the request is refused.",
}
CERTAINTY = {
    "primary": "The source was read in the original",
    "secondary": "Known from reports, not from the original",
    "inference": "The custodian's reading",
    "memory": "From memory; verify before relying on it",
    "uncertain": "Uncertain, or sources conflict",
}


def consequence(effect: str, otherwise: str) -> str:
    """What follows from a rule that stops requests; empty for a rule that stops none."""
    stopping = BARRED if effect == "bar" else OTHERWISE if effect == "require" else {}
    return stopping.get(otherwise, "")


def plain(code: object, table: dict[str, str] | None = None) -> str:
    """The words for a code, or the code itself with spaces and a capital."""
    text = str(code)
    found = (OUTCOMES if table is None else table).get(text)
    return found if found is not None else text.replace("_", " ").replace("-", " ").capitalize()
