"""What a sentence of a reason holds: facts, bearings, purposes, and words that make a reader doubt.

A sentence is cut where it begins to say what the item is for. Before the cut stand the facts, in which the words of
another purpose may describe the subject's own crime; behind it every purpose must bear on a criminal proceeding.
"""

from __future__ import annotations

import duckdb

from gatehouse.intake.reasons.strangers import TELLING, shown
from gatehouse.intake.reasons.vocabulary import civil, kinds, read, words

BITS = (
    "fact", "event", "anchor", "bearing", "weak", "criminal", "civil", "doubt", "other", "told", "pointer", "spelled",
)  # fmt: skip
"""What may be found, a bit each in this order:

`fact` an event and what pins it to this matter, or either alone as `event` (in a whole sentence) and `anchor`;
`bearing` a step of a criminal proceeding or its proof, `weak` what bears only in a text that is `criminal`; `civil` a
purpose that is none; `doubt` the words of one beside a bearing; `other` a purpose that is not recognised; `told` a
verdict or a menu of reasons; `pointer` to another paper; `spelled` letters spaced or replaced by digits."""
SAID = ("civil_said", "fact_said", "bearing_said", "doubt_said")
"""The words that were found, a column each."""

_MASKS = {
    "ordered": " ORDER ",
    "showed": " SHOWED ",
    "stepped": " SUBPOENA ",
    "abode": " ABODE ",
    "located": " LOCATED > ",
}
_KIN = ("household",)
_OTHERS = tuple(kind for kind in kinds() if kind not in _KIN)


def bit(name: str) -> int:
    """The number of one of `BITS`."""
    return 1 << BITS.index(name)


def weigh(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `reason_weighed` (told, size, found, `SAID`) for the distinct `told` of `reason_lines`."""
    steps = "SELECT DISTINCT told AS sentence, told, size FROM reason_lines"
    for step in (_masked(), _cut(), _bared(), _seen(), _judged(), _summed()):
        steps = f"SELECT {step} FROM ({steps})"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE reason_weighed AS {steps}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _found(column: str, expression: str) -> str:
    return f"regexp_matches({column}, {_quoted(expression)})"


def _without(column: str, expression: str) -> str:
    return f"regexp_replace({column}, {_quoted(expression)}, '  ', 'g')"


def _words(column: str, expression: str) -> str:
    """SQL for the words that a pattern found, as they are shown to a reader; NULL where it found none."""
    found = shown(f"trim(regexp_extract({column}, {_quoted(expression)}), ' <>')")
    return f"nullif(regexp_replace(lower({found}), '0+', '#', 'g'), '')"


def _masked() -> str:
    """`told`: the sentence with facts of a crime, told in words of another purpose, made plain."""
    told = "told"
    for name, plain in _MASKS.items():
        told = f"regexp_replace({told}, {_quoted(words('masked', name))}, '{plain}', 'g')"
    return f"* REPLACE ({told} AS told)"


def _cut() -> str:
    """`purpose`: from where the sentence begins to say what the item is for; `stated`: without the paperwork."""
    begins = _quoted(words("purpose") + ".*")
    stated = _without("sentence", words("anchor", "paperwork"))
    return f"*, regexp_extract(told, {begins}) AS purpose, {stated} AS stated"


def _bared() -> str:
    """`before` the cut, `lively` without hollow past forms, `pinned` without numbers of statutes and files."""
    before = "CASE WHEN purpose = '' THEN told ELSE left(told, length(told) - length(purpose)) || ' ' END"
    generic = words("event", "generic")
    dated = f"regexp_replace(stated, {_quoted(words('anchor', 'dates'))}, ' DATEDAY ', 'g')"
    return (
        f"*, {_without(before, generic)} AS before, {_without('stated', generic)} AS lively, "
        f"{_without(dated, words('anchor', 'bare'))} AS pinned"
    )


def _seen() -> str:
    past, acts = words("event", "irregular"), words("event", "acts")
    return (
        f"*, {_found('lively', past)} OR {_found('stated', acts)} AS event, "
        f"{_found('before', past)} OR {_found('before', acts)} AS event_before, "
        f"{_found('lively', words('event', 'crimes'))} AS crime, "
        f"{_found('pinned', words('anchor'))} AS anchor, {_found('told', civil('acts', *_OTHERS))} AS act, "
        f"{_found('told', civil('acts', *_KIN))} AS kin, {_found('purpose', civil('words'))} AS civil_behind, "
        f"{_found('purpose', words('bearing'))} AS bears_behind, {_found('purpose', words('bearing', 'weak'))} "
        f"AS weak_behind, {_found('purpose', words('purpose', 'ours'))} AS ours"
    )


def _judged() -> str:
    """What is said behind the cut decides; before it only where no event makes a fact of it."""
    bears = f"bears_behind OR NOT event_before AND {_found('told', words('bearing'))}"
    weak = f"weak_behind OR NOT event_before AND {_found('told', words('bearing', 'weak'))}"
    bare = f"NOT event_before AND {_found('before', civil('bare'))}"
    return f"*, event_before AND NOT ours AS aside, {bears} AS bears, {weak} AS weakly, {bare} AS civil_bare"


def _summed() -> str:
    nothing = "NOT (bears_behind OR weak_behind OR aside)"
    # Three words that say nothing known, as a sentence of their own.
    scrap = "purpose = '' AND NOT (event OR bears OR weakly OR crime OR civil_bare) AND size = 'scrap' AND NOT "
    scrap += f"regexp_matches(sentence, ' ({TELLING}) ') AND NOT "
    foreign = words("purpose", "foreign")
    plain = _quoted(rf" (?:{'|'.join(words_of_no_use())})\b")
    bits = {
        "fact": "(event OR crime) AND anchor",
        "event": "event AND size = 'long'",
        "anchor": "anchor",
        "bearing": "bears",
        "weak": "weakly",
        "criminal": f"crime OR bears OR {_found('told', words('bearing'))} "
        f"OR {_found('told', words('bearing', 'criminal'))}",
        "civil": f"act AND NOT event_before OR kin AND NOT {_found('purpose', words('bearing', 'asked'))} "
        f"OR civil_behind AND {nothing} OR civil_bare",
        "doubt": f"act OR kin OR aside AND civil_behind AND NOT crime OR (bears_behind OR weak_behind) "
        f"AND ({_found('purpose', civil('bare'))} OR {_found('purpose', foreign)})",
        "other": f"{scrap}regexp_matches(sentence, '[0$]') OR purpose <> '' AND {nothing} "
        f"AND regexp_matches(regexp_replace(purpose, {plain}, ' ', 'g'), '[A-Z]{{3}}')",
        "told": f"{_found('told', words('hollow', 'tells'))} OR {_found('told', words('hollow', 'menus'))} "
        f"OR regexp_matches(sentence, '^( [^ ]+){{14}}') AND NOT {_found('sentence', words('hollow', 'little'))}",
        "pointer": _found("sentence", words("hollow", "pointers")),
        "spelled": "regexp_matches(sentence, '( [A-Z]){4} | [A-Z0]*[A-Z]0+[A-Z][A-Z0]* ')",
    }
    found = " | ".join(f"CASE WHEN {bits[name]} THEN {bit(name)} ELSE 0 END" for name in BITS)
    return f"sentence AS told, size, {found} AS found, {_said(foreign)}"


def _said(foreign: str) -> str:
    told, stated = "told", "stated"
    decided = (
        f"CASE WHEN act THEN {_words(told, civil('acts', *_OTHERS))} "
        f"WHEN kin THEN {_words(told, civil('acts', *_KIN))} "
        f"WHEN civil_behind THEN {_words('purpose', civil('words'))} "
        f"WHEN civil_bare THEN {_words('before', civil('bare'))} END"
    )
    past = f"coalesce({_words('lively', words('event', 'irregular'))}, {_words(stated, words('event', 'acts'))})"
    bearing = f"coalesce({_words(told, words('bearing'))}, {_words(told, words('bearing', 'weak'))})"
    doubt = ", ".join(
        _words(column, pattern)
        for column, pattern in (
            (told, words("hollow", "tells")), (told, words("hollow", "menus")),
            ("sentence", words("hollow", "pointers")), ("purpose", foreign),
        )
    )  # fmt: skip
    return (
        f"{decided} AS civil_said, CASE WHEN event THEN {past} WHEN crime THEN "
        f"{_words('lively', words('event', 'crimes'))} END AS fact_said, "
        f"CASE WHEN bears OR weakly THEN {bearing} END AS bearing_said, coalesce({doubt}) AS doubt_said"
    )


def words_of_no_use() -> list[str]:
    """The words of a purpose that by themselves name no use."""
    return list(read("evidence")["purpose"]["plain"].split())
