"""Answers about one person: the exact list of what was disclosed, or that nothing was, in one small file (CBOR).

Two maps are committed on the same day. The sealed one has every disclosure, for oversight. The notice one has those
that may be told to the person by then, and an answer from it has the same length and the same form whether somebody
is in no disclosure or in one that may not be told yet. What an answer cannot show stands in the file itself.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass
from typing import Any

import cbor2

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import dictionary, tree, witnessed
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.witnessed import Frame

FORMAT = "gatehouse-answer/2"
LIMITS = (
    "This shows what left through the gateway by the day named. It cannot show what was copied from the register by "
    "another way, nor what law keeps from being told yet."
)
SLOT = 128
"""Bytes of one row of a page, spaces and newline included."""
ROWS = 4
"""Rows of one page."""
PAGE = SLOT * ROWS
BLANK_PAGE = b" " * PAGE
_MEMBERS = {
    "format", "limits", "map", "person", "epoch", "index", "proof", "earlier", "checkpoint", "path", "leaf", "salt",
    "pages", "page", "text",
}  # fmt: skip
_STATED = {"as_of", "entries", "nonce", "root"}
_MAX_ANSWER = 1 << 16
_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ROOT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ROW = re.compile(
    r"(0|[1-9][0-9]{0,18}) ([0-9]{4}-[0-9]{2}-[0-9]{2}) ([!-~]+) ([!-~]+) ([0-9]{4}-[0-9]{2}-[0-9]{2}|never) *\n",
    re.ASCII,
)
_NO = "this is not an answer of the format " + FORMAT


class Map(enum.StrEnum):
    """Which of the two maps an answer is from."""

    NOTICE = "notice"
    SEALED = "sealed"


@dataclass(frozen=True)
class Disclosure:
    """One disclosure: where its determination stands in the ledger, when it left, to whom, and from when it is told."""

    entry: int
    released_on: dt.date
    agency: str
    items: str
    """Their names with commas between, or `*N` where they are too many for a row."""
    told_from: dt.date | None
    """The first day on which the person may be told; None: no such day is set."""


@dataclass(frozen=True)
class Stated:
    """What the ledger's entry of an epoch says of one map."""

    as_of: dt.date
    entries: int
    """How many entries of the ledger it covers: all before its own."""
    nonce: str
    root: bytes

    def document(self) -> dict[str, Any]:
        """As the entry's field."""
        return {
            "as_of": self.as_of.isoformat(),
            "entries": self.entries,
            "nonce": self.nonce,
            "root": self.root.hex(),
        }


@dataclass(frozen=True)
class Answered:
    """What a verified answer shows. `disclosures` are those of one page; `registered` is False for no such number."""

    map: Map
    person: int
    as_of: dt.date
    registered: bool
    disclosures: tuple[Disclosure, ...]
    page: int
    pages: int
    checkpoint: Checkpoint
    framed: Frame
    """The witnesses' times directly before and after the epoch was entered; none under a policy without witnesses."""
    limits: str = LIMITS


@dataclass(frozen=True)
class Answer:
    """An answer's parts, unverified."""

    map: Map
    person: int
    epoch: Opening
    """The opening of the epoch's entry, with the field of this map shown and the other one's not."""
    index: int
    """Where that entry stands."""
    proof: bytes
    """Its inclusion path."""
    earlier: str
    """The checkpoint of the ledger without the epoch's entry, which was published directly before it."""
    checkpoint: str
    """The first checkpoint with that entry, which is the last entry under it."""
    path: bytes
    """From the map's root to the leaf; see `padded`."""
    leaf: bytes
    """Empty, or the index and commitment of the leaf of somebody else, which is where this number leads."""
    salt: bytes
    pages: bytes
    """The SHA-256 of each page of the list."""
    page: int
    text: bytes

    def encode(self) -> bytes:
        """The answer's file: deterministic CBOR (RFC 8949 §4.2)."""
        return _encode(
            {
                "format": FORMAT, "limits": LIMITS, "map": str(self.map), "person": self.person.to_bytes(8, "big"),
                "epoch": self.epoch.encode(), "index": self.index, "proof": self.proof, "earlier": self.earlier,
                "checkpoint": self.checkpoint, "path": self.path, "leaf": self.leaf, "salt": self.salt,
                "pages": self.pages, "page": self.page, "text": self.text,
            }
        )  # fmt: skip

    @classmethod
    def parse(cls, data: bytes, *, where: str = "answer") -> Answer:
        """Read an answer's form; raises WrongInput when it is none."""
        wrong = WrongInput(_NO, where=where)
        value = _decode(data)
        if value is None or set(value) != _MEMBERS or value["format"] != FORMAT:
            raise wrong
        numbers, texts = (
            (value["index"], value["page"]),
            [value[name] for name in ("map", "limits", "earlier", "checkpoint")],
        )
        parts = [value[name] for name in ("person", "epoch", "proof", "path", "leaf", "salt", "pages", "text")]
        if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
            raise wrong
        if not all(isinstance(text, str) for text in texts) or not all(isinstance(part, bytes) for part in parts):
            raise wrong
        if value["map"] not in set(Map) or value["limits"] != LIMITS or len(value["person"]) != 8:
            raise wrong
        if value["person"][0] & 0x80:
            raise wrong
        epoch = Opening.parse(value["epoch"], where=where)
        return cls(
            Map(value["map"]), int.from_bytes(value["person"]), epoch, value["index"], value["proof"],
            value["earlier"], value["checkpoint"], value["path"], value["leaf"], value["salt"], value["pages"],
            value["page"], value["text"],
        )  # fmt: skip


def verify(data: bytes, policy: Policy, *, not_before: dt.date | None = None, where: str = "answer") -> Answered:
    """Check an answer: the checkpoint under the policy, the epoch's entry under it, the person's leaf under the epoch.

    With `not_before`, an answer as of an earlier day is refused as stale. Raises WrongInput when the file is no answer,
    AnswerIsNo when anything does not hold; then nothing of its content is returned.
    """
    parsed = Answer.parse(data, where=where)
    accepted, framed = _placed(parsed, policy, where)
    stated = _stated(parsed, where)
    witnessed.refuse(stated.as_of, framed, "the answer", where=where)
    if not_before is not None and stated.as_of < not_before:
        raise AnswerIsNo(f"the answer is dated {stated.as_of}, which is too old", where=where)
    registered = _check_leaf(parsed, stated, where)
    listed = _listed(parsed, stated, where) if registered else ()
    pages = len(parsed.pages) // dictionary.HASH
    return Answered(parsed.map, parsed.person, stated.as_of, registered, listed, parsed.page, pages, accepted, framed)


def _placed(parsed: Answer, policy: Policy, where: str) -> tuple[Checkpoint, Frame]:
    """The checkpoint that ends with the epoch's entry, and the witnesses' times around that entry.

    The entry's inclusion proof is all of the tree before it, so it shows the earlier checkpoint's root as well. Both
    were published one after the other, so the frame is as narrow as the custodian's date must be.
    """
    accepted = policy.accept(parsed.checkpoint.encode(), where=where)
    earlier = policy.accept(parsed.earlier.encode(), where=where)
    leaf, steps = tree.leaf_hash(parsed.epoch.entry), _steps(parsed.proof, where)
    if not tree.verify_inclusion(leaf, parsed.index, accepted.size, steps, accepted.root):
        raise AnswerIsNo("the day's roots are not at the stated place in the ledger", where=where)
    if accepted.size != parsed.index + 1 or (earlier.size, earlier.root) != (
        parsed.index, tree.root_before_last(steps),
    ):  # fmt: skip
        raise AnswerIsNo("the checkpoints must be the ones directly before and after the day's entry", where=where)
    framed = witnessed.frame(parsed.index, (earlier, accepted), policy)
    if framed.after is not None and framed.before is not None and framed.before - framed.after > witnessed.LAG:
        raise AnswerIsNo("the checkpoints around the day's entry are too far apart to confirm its date", where=where)
    return accepted, framed


def padded(path: bytes, width: int) -> bytes:
    """A path behind the number of its steps, filled up to `width` steps: the same length for everybody."""
    return bytes([len(path) // dictionary.STEP]) + path.ljust(width * dictionary.STEP, b"\0")


def _check_leaf(parsed: Answer, stated: Stated, where: str) -> bool:
    """Whether the map has a leaf for the person; raises AnswerIsNo where the path shows neither."""
    index = dictionary.index_of(stated.nonce, parsed.person)
    registered = not parsed.leaf
    if registered:
        if len(parsed.salt) != dictionary.SALT or not parsed.pages or len(parsed.pages) % dictionary.HASH:
            raise WrongInput(_NO, where=where)
        listed = dictionary.digest(parsed.pages)
        leaf = dictionary.leaf_hash(index, dictionary.commitment(parsed.salt, listed))
    else:
        other = parsed.leaf[: dictionary.HASH]
        if len(parsed.leaf) != 2 * dictionary.HASH or parsed.salt or parsed.pages or parsed.text or parsed.page:
            raise WrongInput(_NO, where=where)
        if other == index:
            raise AnswerIsNo("the answer denies a number that is in the register", where=where)
        leaf = dictionary.leaf_hash(other, parsed.leaf[dictionary.HASH :])
    path = _path(parsed.path, where)
    if dictionary.root_of(path, index, leaf) != stated.root:
        raise AnswerIsNo("the answer differs from the one committed for this person on that day", where=where)
    if not registered and not dictionary.agree(path, index, parsed.leaf[: dictionary.HASH]):
        raise AnswerIsNo("the answer shows a different leaf from the one for this number", where=where)
    return registered


def _listed(parsed: Answer, stated: Stated, where: str) -> tuple[Disclosure, ...]:
    digests = [parsed.pages[at : at + dictionary.HASH] for at in range(0, len(parsed.pages), dictionary.HASH)]
    if not 1 <= parsed.page <= len(digests) or dictionary.digest(parsed.text) != digests[parsed.page - 1]:
        raise AnswerIsNo("the page does not belong to the committed list", where=where)
    if len(parsed.text) != PAGE:
        raise AnswerIsNo("the page must be exactly 512 bytes", where=where)
    slots = [parsed.text[at : at + SLOT] for at in range(0, len(parsed.text), SLOT)]
    rows = [slot for slot in slots if slot.strip(b" ")]
    last = parsed.page == len(digests)
    if slots[: len(rows)] != rows or (not last and len(rows) < ROWS) or (not rows and len(digests) > 1):
        raise AnswerIsNo("the page has gaps between its rows", where=where)
    found = tuple(_disclosure(row, where) for row in rows)
    for one in found:
        early = parsed.map is Map.NOTICE and (one.told_from is None or one.told_from > stated.as_of)
        if early or one.entry >= stated.entries or one.released_on > stated.as_of:
            raise AnswerIsNo("a row does not match the answer's day and map", where=where)
    return found


def _disclosure(slot: bytes, where: str) -> Disclosure:
    try:
        row = _ROW.fullmatch(slot.decode("ascii"))
        if row is None:
            raise ValueError
        told = None if row[5] == "never" else dt.date.fromisoformat(row[5])
        return Disclosure(int(row[1]), dt.date.fromisoformat(row[2]), row[3], row[4], told)
    except ValueError:
        raise AnswerIsNo("a row of the list is malformed", where=where) from None


def _stated(parsed: Answer, where: str) -> Stated:
    fields = parsed.epoch.fields()
    value = fields.get(str(parsed.map))
    if set(fields) != {str(parsed.map)} or not isinstance(value, dict) or set(value) != _STATED:
        raise AnswerIsNo("the entry shown is not an entry of a day's roots", where=where)
    nonce, root, entries, as_of = value["nonce"], value["root"], value["entries"], value["as_of"]
    texts = all(isinstance(text, str) for text in (nonce, root, as_of))
    if not texts or not _NONCE.fullmatch(nonce) or not _ROOT.fullmatch(root) or type(entries) is not int:
        raise AnswerIsNo("the entry shown is not an entry of a day's roots", where=where)
    try:
        day = dt.date.fromisoformat(as_of)
    except ValueError:
        raise AnswerIsNo("the entry shown is not an entry of a day's roots", where=where) from None
    if entries != parsed.index:
        raise AnswerIsNo("the day's roots do not cover every entry before their own", where=where)
    return Stated(day, entries, nonce, bytes.fromhex(root))


def _path(data: bytes, where: str) -> bytes:
    length = data[0] * dictionary.STEP if data else -1
    path, rest = data[1 : 1 + length], data[1 + length :]
    if length < 0 or len(path) != length or rest.strip(b"\0") or len(rest) % dictionary.STEP:
        raise WrongInput(_NO, where=where)
    return path


def _steps(proof: bytes, where: str) -> list[bytes]:
    if len(proof) % tree.HASH:
        raise WrongInput(_NO, where=where)
    return [proof[at : at + tree.HASH] for at in range(0, len(proof), tree.HASH)]


def _encode(value: dict[str, Any]) -> bytes:
    return bytes(cbor2.dumps(value, canonical=True))


def _decode(data: bytes) -> dict[str, Any] | None:
    """A flat CBOR map that is written in the one deterministic way; None for everything else.

    Only a flat one is written again to compare: sorting maps that are keys of maps doubles the work with each level.
    """
    if len(data) > _MAX_ANSWER:
        return None
    try:
        value = cbor2.loads(data)
        if not isinstance(value, dict) or any(type(each) is not str for each in value):
            return None
        flat = all(type(each) in {int, str, bytes} for each in value.values())
        return value if flat and cbor2.dumps(value, canonical=True) == data else None
    except Exception:  # noqa: BLE001 - whatever a parser of hostile bytes raises, this is no answer
        return None
