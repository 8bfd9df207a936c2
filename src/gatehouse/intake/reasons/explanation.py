"""A verdict on a reason in words, for the requester whose own words they are and for the reviewer who reads them."""

from __future__ import annotations

_SAYS = {
    "absent": "say why this is relevant to this matter",
    "placeholder": "this is a filler or an unfilled template, not a reason",
    "pointer": "this points to another paper; each request says its own reason",
    "unspecific": "say what happened in this matter, and why this item bears on the criminal proceeding",
    "unclear": "whether this is specific to the matter, with a criminal purpose alone, is left to a person",
    "civil_purpose": "this states a purpose that is no criminal proceeding",
}
_PURPOSES = {
    "removal": "removal, detention or another act of immigration enforcement",
    "voters": "voter rolls or elections",
    "benefits": "public benefits",
    "database": "a database, records or later use",
    "household": "other people: a household, relatives or associates",
    "civil": "a civil, administrative or private matter",
}


def explain(state: str | None, purpose: str | None = None, why: str | None = None) -> str | None:
    """What is to be said of a reason, with the words that decided; None where it is specific."""
    said = _SAYS.get(state or "absent")
    if said is None:
        return None
    named = f": {_PURPOSES[purpose]}" if purpose in _PURPOSES else ""
    return f"{said}{named}" + (f" (decided by: {why})" if why else "")
