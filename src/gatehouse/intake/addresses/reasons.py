"""Why an address was not accepted: stable codes, each with the words the requester reads."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "complete": "The address is complete.",
    "empty": "No address was given. Give a street with its number (or a box), city, state and ZIP code.",
    "digits_only": "The address holds digits only. A ZIP code or a number is not an address.",
    "placeholder": "The address says that no address is known. Give a real address or withdraw the request.",
    "repeated": "The address repeats one word instead of naming a street.",
    "keyboard_mash": "The address is not made of words that name a place.",
    "institution": "The address is that of an institution (a jail, a court, an agency), not the taxpayer's own.",
    "no_street": "No street, box or rural route was found. A city or a ZIP code alone is not an address.",
    "described": "The address says where a place lies (a crossing, a block, a distance). Give its street and number.",
    "two_addresses": "Two addresses were given. Give the one that is the taxpayer's own.",
    "no_number": "The street has no house number.",
    "no_box": "The box or route has no number.",
    "no_city": "No city was given.",
    "no_state": "No state was given.",
    "city_unknown": "The city is not one that the postal tables know in that state.",
    "state_unknown": "The state is not a state, district, territory or military region of the United States.",
    "zip_unreadable": "The ZIP code is not five or nine digits.",
    "zip_unknown": "The ZIP code is not one that the postal tables know.",
    "zip_contradicts": "The ZIP code belongs to another city or state than those given.",
    "not_military": "A military box needs APO, FPO or DPO with AA, AE or AP; and these need a military box.",
    "country_unknown": "The country is not one that ISO 3166 knows.",
    "too_long": "The address has too many words to be read as one address.",
}


def explain(reason: str) -> str:
    """The words for the requester; raises KeyError for a code that does not exist."""
    return REASONS[reason]
