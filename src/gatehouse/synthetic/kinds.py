"""The kinds of request in a synthetic submission, each with its share and its right answer.

`expected` is what a correct gateway makes of the request while the agreement is in force and no order bars it:
`cleared` and `held` name the one right person; `stopped` means refused, incomplete or held, and nobody named.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the person of a request comes from."""

    REGISTER = "register"
    TWIN = "twin"
    JUNIOR = "junior"
    NAMESAKE = "namesake"
    RESTRICTED = "restricted"
    NOT_FILED = "not_filed"
    INVENTED = "invented"


class Identifier(StrEnum):
    """What a request says of a TIN or a birth date."""

    RIGHT = "right"
    OFTEN = "often"
    WRONG = "wrong"
    OTHERS = "others"
    NONE = "none"


class Address(StrEnum):
    """Which address a request gives."""

    LAST_KNOWN = "last_known"
    PAST = "past"
    ELSEWHERE = "elsewhere"
    DEFECTIVE = "defective"
    BLANK = "blank"


class Expected(StrEnum):
    """What a correct gateway makes of a request."""

    CLEARED = "cleared"
    HELD = "held"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Kind:
    """One kind of request: how many per ten thousand, about whom, with which identifiers, and the right answer.

    `names` tells whether the person the request is made from is the right one to match. `needs` is a property that a
    person must have (a past address, a unit, a double surname, a namesake in one building).
    """

    name: str
    share: int
    expected: Expected
    tin: Identifier = Identifier.RIGHT
    birth: Identifier = Identifier.OFTEN
    source: Source = Source.REGISTER
    names: bool = True
    address: Address = Address.LAST_KNOWN
    needs: str = "TRUE"

    @property
    def lawful(self) -> bool:
        """Whether the request may lawfully be answered, by machine and two people or after review."""
        return self.expected is not Expected.STOPPED


_NONE, _OFTEN, _RIGHT, _WRONG, _OTHERS = (Identifier(v) for v in ("none", "often", "right", "wrong", "others"))
_CLEARED, _HELD, _STOPPED = Expected.CLEARED, Expected.HELD, Expected.STOPPED

LAWFUL = (
    Kind("exact_tin", 2600, _CLEARED),
    Kind("exact_birth_date", 1500, _CLEARED, tin=_NONE, birth=_RIGHT),
    Kind("exact_neither", 700, _HELD, tin=_NONE, birth=_NONE),
    Kind("respelled_address", 500, _CLEARED),
    Kind("one_line_address", 200, _CLEARED),
    Kind("typing_error", 250, _HELD, needs="greatest(length(last_name), length(first_name)) >= 5"),
    Kind("nickname", 200, _HELD, needs="nickname IS NOT NULL"),
    Kind("double_surname_cut", 200, _HELD, needs="cut_last IS NOT NULL"),
    Kind("order_swapped", 100, _HELD),
    Kind("diacritics_lost", 120, _CLEARED, needs="plain_last <> upper(last_name)"),
    Kind("former_name", 150, _CLEARED, needs="other_last IS NOT NULL"),
    Kind("past_address", 500, _CLEARED, address=Address.PAST, needs="past_line1 IS NOT NULL"),
    Kind(
        "missing_zip", 150, _CLEARED, needs="country = 'US' AND length(state) = 2 AND state NOT IN ('AA', 'AE', 'AP')"
    ),
    Kind("missing_unit", 150, _HELD, needs="has_unit"),
    Kind("suffix_dropped", 30, _HELD, source=Source.JUNIOR),
    Kind("junior", 30, _CLEARED, source=Source.JUNIOR),
    Kind("twin", 50, _CLEARED, source=Source.TWIN),
    Kind("namesake", 20, _CLEARED, source=Source.NAMESAKE),
    Kind("items_extra", 50, _CLEARED),
)
OF_THE_SUBJECT = (
    Kind("wrong_tin", 200, _STOPPED, tin=_WRONG, names=False),
    Kind("wrong_birth_date", 200, _STOPPED, tin=_NONE, birth=_WRONG, names=False),
    Kind("relative_absent", 200, _STOPPED, tin=_NONE, birth=_NONE, names=False),
    Kind(
        "absent_person",
        300,
        _STOPPED,
        tin=_WRONG,
        birth=_WRONG,
        source=Source.INVENTED,
        names=False,
        address=Address.ELSEWHERE,
    ),
    Kind("address_not_on_file", 200, _STOPPED, names=False, address=Address.ELSEWHERE),
    Kind("defective_address", 500, _STOPPED, names=False, address=Address.DEFECTIVE),
    Kind("zip_contradicts", 40, _STOPPED, names=False, needs="country = 'US'"),
    Kind("twin_with_other_tin", 20, _STOPPED, tin=_OTHERS, birth=_RIGHT, source=Source.TWIN, names=False),
    Kind("junior_unsaid", 20, _STOPPED, tin=_NONE, birth=_NONE, source=Source.JUNIOR, names=False),
    Kind(
        "namesake_without_unit",
        20,
        _STOPPED,
        tin=_NONE,
        birth=_NONE,
        source=Source.NAMESAKE,
        names=False,
        needs="alike",
    ),
    Kind("restricted", 20, _STOPPED, source=Source.RESTRICTED),
    Kind("not_filed", 40, _HELD, source=Source.NOT_FILED),
)
OF_FORM = (
    Kind("period_missing", 40, _STOPPED),
    Kind("period_reversed", 30, _STOPPED),
    Kind("civil_removal", 50, _STOPPED),
    Kind("authority_missing", 40, _STOPPED),
    Kind("authority_section_only", 40, _STOPPED),
    Kind("authority_not_criminal", 40, _STOPPED),
    Kind("order_missing", 30, _STOPPED),
    Kind("order_recent", 40, _STOPPED),
    Kind("order_reviewed_recently", 20, _STOPPED),
    Kind("ground_inadmissible", 40, _STOPPED),
    Kind("ground_missing", 20, _STOPPED),
    Kind("matter_missing", 30, _STOPPED),
    Kind("reason_missing", 40, _STOPPED),
    Kind("reason_boilerplate", 1000, _STOPPED),
    Kind("officer_missing", 30, _STOPPED),
    Kind("officer_unlisted", 30, _STOPPED),
    Kind("officer_not_employee", 30, _STOPPED),
    Kind("officer_overloaded", 300, _STOPPED),
    Kind("items_not_permitted", 30, _STOPPED),
    Kind("name_missing", 10, _STOPPED, names=False),
)
ORDINARY = LAWFUL + OF_THE_SUBJECT + OF_FORM
PLAIN = LAWFUL[0]


def counts(kinds: tuple[Kind, ...], requests: int) -> dict[str, int]:
    """How many requests of each kind make up a submission: by share, rounded so that the sum is exact."""
    total = sum(kind.share for kind in kinds)
    result, reached, done = {}, 0, 0
    for kind in kinds:
        reached += kind.share
        upto = round(reached * requests / total)
        result[kind.name] = upto - done
        done = upto
    return result
