"""Whose doing it is that a request was not cleared: each rule of a pack put to one party and one cause.

It follows from the rule's code and from the facts its condition reads, so a rule written tomorrow is counted without
a list to keep. Where request and register disagree nobody can tell from here which of the two is wrong: that is put
to the match, not to either of them.
"""

from __future__ import annotations

from gatehouse.law.language import field_names
from gatehouse.law.pack import Code, Pack, Rule

_BY_CODE = {
    Code.FORM: ("requester", "the form: a required part is missing or cannot be read"),
    Code.AUTHORITY: ("requester", "the authority: the law cited does not reach this request"),
    Code.AGREEMENT: ("requester", "the agreement: outside what was agreed"),
    Code.SAFEGUARD: ("requester", "the safeguards: the recipient's protection of the records is not in order"),
    Code.ORDER: ("law", "an order of a court or a legislature forbids it or makes it wait"),
}
_REGISTER = frozenset({"period_filed"})
_IDENTITY = frozenset({"persons_agreeing", "persons_name", "tin_agrees", "birth_date_agrees", "corroboration"})
_OFFICER = frozenset({"halted"})

ON_FILE = "what is on file about the person"
"""How rules about a record are named where none could be asked: by no rule, since nothing is known of anybody."""
NOT_KNOWN = (
    "Rules that fired only for want of a fact. They stopped the request and say nothing of anybody; where no single "
    "record agreed, the rules about a record are counted together and not named."
)
FAULT_OF_MATCH = ("match", "identity: the request and the register do not agree on exactly one person")
NO_GRANT = ("requester", "the authority: nothing in the law permits it")
PEOPLE = {
    "clear": ("officer", "a person let a held request pass"),
    "refuse": ("officer", "a person refused"),
    "return": ("officer", "a person sent it back"),
    "withdraw": ("officer", "a person withdrew it"),
    "hold": ("officer", "a person or an order made it wait again"),
    "reopen": ("officer", "approvals were set aside"),
    "approve": ("officer", "a person approved"),
    "recall": ("officer", "a release was taken back"),
}
"""What decisions of people are put down as, by action."""


def of_rule(rule: Rule, pack: Pack) -> tuple[str, str]:
    """The party and the cause of a request that this rule stops."""
    found = _BY_CODE.get(rule.code)
    if found is not None:
        return found
    read = field_names(rule.when)
    revealing = {name for name in read if name in pack.fields and pack.fields[name].reveals}
    if read & _REGISTER:
        return "register", "the register: nothing on file for the period asked about"
    if revealing & _IDENTITY and not revealing - _IDENTITY:
        return FAULT_OF_MATCH
    if revealing:
        return "law", "a restriction on file forbids it"
    if read & _OFFICER:
        return "officer", "an overseer has halted it"
    return "custodian", "a ceiling of the custodian's: a person must look first"
